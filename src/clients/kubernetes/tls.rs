//! TLS to the API server: 1.3 only, which every Kubernetes speaks, and only to a server with a certificate
//! of the cluster's own authority. `ureq` could do it too, with 1.2 and a log besides, 30 kB of the charm.

use std::fmt;
use std::io;
use std::io::Read;
use std::io::Write;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::ClientConnection;
use rustls::RootCertStore;
use rustls::StreamOwned;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use rustls::version::TLS13;
use ureq::unversioned::transport::Buffers;
use ureq::unversioned::transport::ConnectionDetails;
use ureq::unversioned::transport::Connector;
use ureq::unversioned::transport::LazyBuffers;
use ureq::unversioned::transport::NextTimeout;
use ureq::unversioned::transport::Transport;
use ureq::unversioned::transport::TransportAdapter;

/// Wraps a connection that another connector has made.
#[derive(Debug)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
    server: ServerName<'static>,
}

impl Tls {
    /// For the server of this address, or name, by the authorities in this text; `None` where there are
    /// none in it.
    pub(crate) fn new(host: &str, authorities: &str) -> Option<Self> {
        let mut roots = RootCertStore::empty();
        let found = CertificateDer::pem_slice_iter(authorities.as_bytes()).flatten();
        roots.add_parsable_certificates(found);
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .ok()?
            .with_root_certificates((!roots.is_empty()).then_some(roots)?)
            .with_no_client_auth();
        let server = ServerName::try_from(host.to_owned()).ok()?;
        Some(Self { config: Arc::new(config), server })
    }
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Line;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Line>, ureq::Error> {
        let Some(transport) = chained else { return Ok(None) };
        let client = ClientConnection::new(Arc::clone(&self.config), self.server.clone());
        let mut client = client.map_err(io::Error::other)?;
        let mut socket =
            TransportAdapter::new(transport.boxed(), Arc::clone(&details.current_time));
        socket.set_timeout(details.timeout);
        client.complete_io(&mut socket)?;
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Ok(Some(Line { buffers, stream: StreamOwned::new(client, socket) }))
    }
}

/// A connection as `ureq` uses it.
pub(crate) struct Line {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Line")
    }
}

impl Transport for Line {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        Ok(self.stream.write_all(output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        let length = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(length);
        Ok(length > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
