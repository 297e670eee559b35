//! Files of the pod that the charm reads.
#![expect(clippy::disallowed_methods, reason = "files are read here and nowhere else")]

use std::fs;

/// The resolver's configuration, or nothing where it cannot be read.
pub fn resolver_configuration() -> String {
    fs::read_to_string("/etc/resolv.conf").unwrap_or_default()
}
