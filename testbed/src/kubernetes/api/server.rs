//! The API's server: TLS with a certificate of the cluster's own authority, and the token of whoever
//! asks. It lives in a thread of its own.

use std::convert::Infallible;
use std::io;
use std::os::unix::net::UnixListener as BoundListener;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::thread::JoinHandle;

use http_body_util::BodyExt;
use http_body_util::Full;
use http_body_util::Limited;
use hyper::Response;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::header::CONTENT_TYPE;
use hyper::header::HeaderName;
use hyper::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tokio::net::UnixListener;
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::LocalSet;
use tokio::task::spawn_local;
use tokio_rustls::TlsAcceptor;

use super::answer::Reply;
use super::answer::Request;

/// Who answers: a token and a request in, an answer out.
pub(crate) type Answerer = Arc<dyn Fn(Option<&str>, Request) -> Reply + Send + Sync>;

/// The running server; dropped, it ends.
#[derive(Debug)]
pub(crate) struct Server {
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens at this path; it answers from now on.
    pub(crate) fn start(socket: &Path, answerer: Answerer) -> io::Result<Self> {
        let listener = BoundListener::bind(socket)?;
        listener.set_nonblocking(true)?;
        let acceptor = TlsAcceptor::from(Arc::new(configuration().map_err(io::Error::other)?));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (end, ended) = oneshot::channel();
        let thread = thread::spawn(move || {
            let serve = async move {
                let Ok(listener) = UnixListener::from_std(listener) else { return };
                while let Ok((stream, _)) = listener.accept().await {
                    spawn_local(converse(stream, acceptor.clone(), Arc::clone(&answerer)));
                }
            };
            let local = LocalSet::new();
            local.block_on(&runtime, async {
                tokio::select! { () = serve => {}, _ = ended => {} }
            });
        });
        Ok(Self { end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

fn configuration() -> Result<ServerConfig, Box<dyn std::error::Error + Send + Sync>> {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE)?;
    let key = PrivateKeyDer::from_pem_slice(KEY)?;
    Ok(ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?)
}

async fn converse(stream: UnixStream, acceptor: TlsAcceptor, answerer: Answerer) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(move |request| {
        let answerer = Arc::clone(&answerer);
        async move { Ok::<_, Infallible>(respond(request, &answerer).await) }
    });
    // A client that goes away is no concern of the server's.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(request: hyper::Request<Incoming>, answerer: &Answerer) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let header = |name: &HeaderName| {
        head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let authorization = header(&AUTHORIZATION);
    let body = Limited::new(body, LONGEST_BODY).collect().await;
    let request = Request {
        account: None,
        method: head.method.clone(),
        path: head.uri.path().to_owned(),
        content_type: header(&CONTENT_TYPE),
        body: body.map(|body| body.to_bytes().to_vec()).unwrap_or_default(),
    };
    let Reply { status, body } = answerer(authorization.strip_prefix("Bearer "), request);
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

const CERTIFICATE: &[u8] = include_bytes!("../../../data/kubernetes-api.pem");
const KEY: &[u8] = include_bytes!("../../../data/kubernetes-api.key");

/// In bytes.
const LONGEST_BODY: usize = 64 * 1024;
