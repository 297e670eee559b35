//! Service accounts: one for each application, mounted into its charm containers as Kubernetes does.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write;
use std::fs;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;

use crate::error::BedError;
use crate::error::at_file;
use crate::lock::lock;

/// Where the charm container has its account. (`/var/run` is a link to `/run`.)
pub(crate) const MOUNTED_AT: &str = "/run/secrets/kubernetes.io/serviceaccount";

/// The accounts of a namespace.
#[derive(Default)]
pub(crate) struct Accounts {
    /// Applications by token.
    tokens: Mutex<BTreeMap<String, String>>,
}

impl Accounts {
    /// The folder with an application's account, and its token if it was made by this call.
    pub(crate) fn folder(
        &self,
        application: &str,
        namespace: &str,
        folder: &Path,
    ) -> Result<(PathBuf, Option<String>), BedError> {
        let mut tokens = lock(&self.tokens);
        let folder = folder.join(application);
        if tokens.values().any(|known| known == application) {
            return Ok((folder, None));
        }
        let token = fresh_token().map_err(at_file("/dev/urandom"))?;
        fs::create_dir_all(&folder).map_err(at_file(&folder))?;
        let authority = include_str!("../../../data/kubernetes-ca.pem");
        for (name, text) in [("token", &*token), ("namespace", namespace), ("ca.crt", authority)] {
            let path = folder.join(name);
            fs::write(&path, text).map_err(at_file(path))?;
        }
        tokens.insert(token.clone(), application.to_owned());
        Ok((folder, Some(token)))
    }

    /// Whose token it is.
    pub(crate) fn application(&self, token: &str) -> Option<String> {
        lock(&self.tokens).get(token).cloned()
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Accounts")
    }
}

fn fresh_token() -> std::io::Result<String> {
    let mut bytes = [0; 24];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        // Nothing fails that writes into a string.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
