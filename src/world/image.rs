//! Whether an image is one that the charm's program and Redis can run in (docs/workload.md).

/// What was found in an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// `/etc/nsswitch.conf`, if there is one.
    pub name_services: Option<String>,
    /// `/etc/passwd`.
    pub accounts: String,
    /// `/etc/group`.
    pub groups: String,
    /// What `redis-server --version` prints; `None` where it cannot be run.
    pub server: Option<String>,
}

impl Image {
    /// Why nothing can run in it, and what to do.
    pub fn fault(&self) -> Option<String> {
        if let Some(module) = self.strange_name_service() {
            return Some(format!(
                "its nsswitch.conf names {module} for hosts; leave nothing but files and dns"
            ));
        }
        for (file, text) in [("passwd", &self.accounts), ("group", &self.groups)] {
            if !text.lines().any(|line| line.split(':').next() == Some(USER)) {
                return Some(format!("its /etc/{file} has no {USER}"));
            }
        }
        match self.version() {
            None => Some("it has no redis-server that runs".to_owned()),
            Some(version) if major(version) < OLDEST => {
                Some(format!("its Redis is {version}; {OLDEST}.0 or later is needed"))
            }
            Some(_) => None,
        }
    }

    /// Redis' version: `7.0.15` of `Redis server v=7.0.15 sha=..`.
    pub fn version(&self) -> Option<&str> {
        let mut words = self.server.as_deref()?.split_whitespace();
        words.find_map(|word| word.strip_prefix("v="))
    }

    /// A module that may kill a static program (its library is of another C library).
    fn strange_name_service(&self) -> Option<&str> {
        let lines = self.name_services.as_deref()?.lines();
        let mut hosts = lines.filter_map(|line| line.trim().strip_prefix("hosts:"));
        let line = hosts.next()?.split('#').next().unwrap_or_default();
        // Actions such as [NOTFOUND=return] name no module.
        line.split_whitespace()
            .find(|word| !["files", "dns"].contains(word) && !word.starts_with('['))
    }
}

fn major(version: &str) -> u32 {
    version.split('.').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

const USER: &str = "redis";

/// The major version of the oldest Redis.
const OLDEST: u32 = 7;
