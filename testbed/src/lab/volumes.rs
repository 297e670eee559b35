//! What befalls the volumes of units.

use super::Lab;
use super::error::LabError;
use crate::lock::lock;
use crate::volume::Volume;

impl Lab {
    /// The volume that a unit has for a storage, whether its pod is there or not.
    pub fn volume(&self, unit: &str, storage: &str) -> Volume {
        self.cluster.network().volume(&unit.replace('/', "-"), storage)
    }

    fn volume_there(&self, unit: &str, storage: &str) -> Result<Volume, LabError> {
        let volume = self.volume(unit, storage);
        let missing = || LabError::NoStorage { unit: unit.to_owned(), storage: storage.to_owned() };
        if volume.folder().is_dir() { Ok(volume) } else { Err(missing()) }
    }

    /// Empties a unit's volume.
    pub fn wipe_volume(&self, unit: &str, storage: &str) -> Result<(), LabError> {
        let volume = self.volume_there(unit, storage)?;
        self.note_fault(&format!("wipe {unit} {storage}"));
        Ok(volume.wipe()?)
    }

    /// Keeps a copy of a unit's volume under a name.
    pub fn snapshot_volume(&self, unit: &str, storage: &str, name: &str) -> Result<(), LabError> {
        let volume = self.volume_there(unit, storage)?;
        self.note_fault(&format!("snapshot {unit} {storage} {name}"));
        let snapshot = volume.snapshot()?;
        lock(&self.snapshots).insert(name.to_owned(), snapshot);
        Ok(())
    }

    /// Puts a copy in the place of what a unit's volume holds; it may be that of another unit.
    pub fn roll_back_volume(&self, unit: &str, storage: &str, name: &str) -> Result<(), LabError> {
        let volume = self.volume_there(unit, storage)?;
        self.note_fault(&format!("roll back {unit} {storage} {name}"));
        let snapshots = lock(&self.snapshots);
        let snapshot =
            snapshots.get(name).ok_or_else(|| LabError::NoSnapshot { name: name.to_owned() })?;
        Ok(volume.roll_back(snapshot)?)
    }
}
