//! What befalls the volumes of units.

use super::Lab;
use super::error::LabError;
use crate::transcript::lock;
use crate::volume::Volume;

impl Lab {
    /// The volume that a unit has for a storage, whether its pod is there or not.
    pub fn volume(&self, unit: &str, storage: &str) -> Volume {
        self.cluster.network().volume(&unit.replace('/', "-"), storage)
    }

    /// Empties a unit's volume.
    pub fn wipe_volume(&self, unit: &str, storage: &str) -> Result<(), LabError> {
        self.note_fault(&format!("wipe {unit} {storage}"));
        Ok(self.volume(unit, storage).wipe()?)
    }

    /// Keeps a copy of a unit's volume under a name.
    pub fn snapshot_volume(&self, unit: &str, storage: &str, name: &str) -> Result<(), LabError> {
        self.note_fault(&format!("snapshot {unit} {storage} {name}"));
        let snapshot = self.volume(unit, storage).snapshot()?;
        lock(&self.snapshots).insert(name.to_owned(), snapshot);
        Ok(())
    }

    /// Puts a copy in the place of what a unit's volume holds; it may be that of another unit.
    pub fn roll_back_volume(&self, unit: &str, storage: &str, name: &str) -> Result<(), LabError> {
        self.note_fault(&format!("roll back {unit} {storage} {name}"));
        let snapshots = lock(&self.snapshots);
        let snapshot =
            snapshots.get(name).ok_or_else(|| LabError::NoSnapshot { name: name.to_owned() })?;
        Ok(self.volume(unit, storage).roll_back(snapshot)?)
    }
}
