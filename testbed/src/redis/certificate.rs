//! The bed's own certificate: self-signed, for tests only, valid from 2020 to 2120.

use std::path::Path;
use std::path::PathBuf;

/// The certificate, which is its own authority; it names the hosts of `redis-k8s` in model `lab`.
pub fn certificate() -> PathBuf {
    folder().join("test-certificate.pem")
}

/// The private key of the certificate.
pub fn key() -> PathBuf {
    folder().join("test-certificate.key")
}

/// What makes Redis and Sentinel speak TLS to clients and to each other on this port.
pub(crate) fn lines(port: u16) -> Vec<String> {
    let (certificate, key) = (certificate(), key());
    vec![
        "port 0".to_owned(),
        format!("tls-port {port}"),
        format!("tls-cert-file \"{}\"", certificate.display()),
        format!("tls-key-file \"{}\"", key.display()),
        format!("tls-ca-cert-file \"{}\"", certificate.display()),
        "tls-auth-clients optional".to_owned(),
        "tls-replication yes".to_owned(),
    ]
}

/// The folder of both.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}
