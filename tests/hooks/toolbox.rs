//! A directory of hook tools for a hook's PATH, some of which are missing or broken.
#![expect(clippy::disallowed_methods, reason = "broken tools are files that a test writes")]

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;
use testbed::juju::controller::Controller;
use testbed::juju::hook::Hook;

use crate::scene::unit;

/// All tools of a controller, but for those that a test takes out or replaces.
pub(crate) struct Toolbox {
    directory: TempDir,
}

impl Toolbox {
    pub(crate) fn of(controller: &Controller) -> Self {
        // Beside the unit's own, so that they are in the pod too.
        let tools = controller.charm_directory(&unit(0)).unwrap().join("../../../tools");
        let directory = TempDir::new_in(&tools).unwrap();
        for tool in fs::read_dir(tools.join("unit-redis-k8s-0")).unwrap() {
            let tool = tool.unwrap().file_name();
            let own = Path::new("../unit-redis-k8s-0").join(&tool);
            symlink(own, directory.path().join(tool)).unwrap();
        }
        Self { directory }
    }

    /// Takes a tool out.
    pub(crate) fn without(self, tool: &str) -> Self {
        fs::remove_file(self.directory.path().join(tool)).unwrap();
        self
    }

    /// Puts a shell script in a tool's place.
    pub(crate) fn with(self, tool: &str, script: &str) -> Self {
        self.with_file(tool, script, 0o755)
    }

    /// Puts a file in a tool's place that may not be run.
    pub(crate) fn with_unrunnable(self, tool: &str) -> Self {
        self.with_file(tool, "", 0o644)
    }

    /// A hook of unit 0 that finds these tools and no others.
    pub(crate) fn hook(&self, name: &str) -> Hook {
        let folder = self.directory.path().file_name().unwrap().display();
        let path = format!("/var/lib/juju/tools/{folder}:/usr/bin:/bin");
        Hook::new(&unit(0), name).variable("PATH", &path)
    }

    fn with_file(self, tool: &str, text: &str, mode: u32) -> Self {
        let path = self.directory.path().join(tool);
        let this = self.without(tool);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        this
    }
}
