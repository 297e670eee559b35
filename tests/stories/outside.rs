//! A pod of another application, in which clients live through whatever befalls all units.

#![expect(clippy::disallowed_methods, reason = "a test writes a charm")]

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use crate::stage::LIMIT;
use crate::stage::Story;
use crate::writers::Writers;

/// Deploys it; the folder of its charm has to outlast it.
pub(crate) fn deploy(story: &Story) -> TempDir {
    let charm = TempDir::new().unwrap();
    fs::write(charm.path().join("metadata.yaml"), METADATA).unwrap();
    let dispatch = charm.path().join("dispatch");
    fs::write(&dispatch, "#!/bin/sh\nstatus-set active\n").unwrap();
    fs::set_permissions(&dispatch, Permissions::from_mode(0o755)).unwrap();
    story.lab.deploy(charm.path(), "clients", 1).unwrap();
    story.lab.wait_for_active("clients", LIMIT).unwrap();
    charm
}

/// Clients in it, who ask the Sentinels of so many units, and want so many replicas to have a write.
pub(crate) fn writers(story: &Story, units: u32, replicas: u32) -> Writers {
    let sentinels: Vec<u32> = (0..units).collect();
    Writers::start_in(story, UNIT, &sentinels, replicas)
}

/// The unit whose pod it is.
pub(crate) const UNIT: &str = "clients/0";

const METADATA: &str = "name: clients\nsummary: s\ndescription: d\ncontainers:\n  none: {}\n";
