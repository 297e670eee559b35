//! A server with a certificate of the test bed's cluster, or of nobody's, that answers every request with
//! the same bytes; and the account of a pod.
#![expect(clippy::disallowed_methods, reason = "a test reads and writes its own files")]

use std::fs;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::StreamOwned;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tempfile::TempDir;

/// What a server does when it is asked.
#[derive(Clone)]
pub(crate) enum Manner {
    /// Answers so, and hangs up.
    Says(String),
    /// Answers without an end.
    NeverEnds,
    /// Says nothing.
    Silent,
    /// Speaks no TLS.
    Plain,
}

/// Starts one on this machine; `name` is that of its certificate.
pub(crate) fn start(name: &str, manner: Manner) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let certificate = CertificateDer::from_pem_file(data(&format!("{name}.pem"))).unwrap();
    let key = PrivateKeyDer::from_pem_file(data(&format!("{name}.key"))).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (config, manner) = (Arc::clone(&config), manner.clone());
            thread::spawn(move || {
                let mut client = client;
                if matches!(manner, Manner::Plain) {
                    let _ = client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
                    return;
                }
                let connection = ServerConnection::new(config).unwrap();
                let mut stream = StreamOwned::new(connection, client);
                // The request, or the end of a client that wants none of this server.
                if !matches!(stream.read(&mut [0; 4096]), Ok(1..)) {
                    return;
                }
                match manner {
                    Manner::Says(text) => drop(stream.write_all(text.as_bytes())),
                    Manner::NeverEnds => {
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                        while stream.write_all(&[b' '; 4096]).is_ok() {}
                    }
                    Manner::Silent | Manner::Plain => drop(stream.read(&mut [0; 4096])),
                }
                stream.conn.send_close_notify();
                let _ = stream.flush();
            });
        }
    });
    address
}

/// The account of a pod.
pub(crate) fn account(token: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let authority = fs::read_to_string(data("kubernetes-ca.pem")).unwrap();
    for (name, text) in [("token", token), ("namespace", "lab"), ("ca.crt", &authority)] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testbed/data").join(name)
}
