//! Connections: who is at the other end, requests in, answers out.

pub(crate) mod control;
mod wire;

use http_body_util::Either;
use http_body_util::Full;
use hyper::Request;
use hyper::Response;
use hyper::StatusCode;
use hyper::Version;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper::header::CONNECTION;
use hyper::header::HOST;
use hyper::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::fs;
use std::fs::Permissions;
use std::future::pending;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use std::time::Instant;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpListener;
use tokio::net::UnixListener;
use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::pebble::api;
use crate::pebble::api::reply;
use crate::pebble::api::reply::Body;
use crate::pebble::api::reply::Refusal;
use crate::pebble::faults::RequestFault;
use crate::pebble::journal;
use crate::pebble::process::reason;
use crate::pebble::serve::wire::Limit;
use crate::pebble::serve::wire::Wire;
use crate::pebble::shared::Shared;
use crate::pebble::start::StartError;

/// A socket of that mode; one that a killed daemon left behind is taken over.
pub(crate) async fn bind(path: &Path, mode: u32) -> Result<UnixListener, StartError> {
    let address = path.display().to_string();
    let begun = Instant::now();
    while UnixStream::connect(path).is_ok() {
        // A daemon that was just killed may not be quite dead.
        if begun.elapsed() > LAST_BREATH {
            return Err(StartError::InUse { address });
        }
        sleep(Duration::from_millis(5)).await;
    }
    let bound = || -> io::Result<UnixListener> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        Ok(listener)
    };
    bound().map_err(|error| StartError::Listen { address, why: reason(&error) })
}

/// A port: `:80` is that of every address.
pub(crate) async fn bind_port(address: &str) -> Result<TcpListener, StartError> {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "80"));
    let bound = if host.is_empty() {
        match TcpListener::bind(format!("[::]:{port}")).await {
            Ok(listener) => Ok(listener),
            Err(_) => TcpListener::bind(format!("0.0.0.0:{port}")).await,
        }
    } else {
        TcpListener::bind(address).await
    };
    bound.map_err(|error| StartError::Listen { address: address.to_owned(), why: reason(&error) })
}

/// Answers local users for ever; the kernel says who they are.
pub(crate) async fn local(shared: Rc<Shared>, listener: UnixListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let uid = stream.peer_cred().ok().map(|peer| peer.uid());
                converse(&shared, stream, uid);
            }
            // Out of descriptors: some will come free.
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Answers anybody for ever.
pub(crate) async fn remote(shared: Rc<Shared>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => converse(&shared, stream, None),
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

fn converse<S>(shared: &Rc<Shared>, stream: S, uid: Option<u32>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limit = Limit::default();
    let wire = TokioIo::new(Wire::new(stream, limit.clone()));
    let shared = Rc::clone(shared);
    let service = service_fn(move |request| {
        let (shared, limit) = (Rc::clone(&shared), limit.clone());
        async move { Ok::<_, Infallible>(answer(&shared, request, uid, &limit).await) }
    });
    let connection = http1::Builder::new()
        .title_case_headers(true)
        .serve_connection(wire, service)
        .with_upgrades();
    spawn_local(async move {
        // A client that goes away is no concern of the daemon's.
        let _ = connection.await;
    });
}

async fn answer(
    shared: &Rc<Shared>,
    request: Request<Incoming>,
    uid: Option<u32>,
    limit: &Limit,
) -> Response<Body> {
    if request.version() == Version::HTTP_11 && !request.headers().contains_key(HOST) {
        return no_host();
    }
    let path = request.uri().path();
    let fault = shared.faults.borrow_mut().for_request(request.method().as_str(), path);
    if let Some(fault) = &fault {
        sleep(fault.delay()).await;
    }
    match fault {
        None | Some(RequestFault::Delay { .. }) => {}
        Some(RequestFault::Refuse { status, message }) => {
            return Refusal::with_status(status, message).response();
        }
        Some(RequestFault::Hang) => {
            journal::note(&format!("{} {path} is never answered.", request.method()));
            pending::<()>().await;
        }
        Some(RequestFault::Cut { bytes }) => limit.cut_after(bytes),
        Some(RequestFault::Leave { bytes }) => limit.leave_after(bytes),
    }
    let response = api::answer(shared, request, uid).await;
    shared.save();
    response
}

/// The only error that is not JSON.
fn no_host() -> Response<Body> {
    let text = "400 Bad Request: missing required Host header";
    let body = Either::Left(Full::new(Bytes::from_static(text.as_bytes())));
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    let mut response = reply::typed(StatusCode::BAD_REQUEST, kind, body);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// How long the socket of a killed daemon may still accept.
const LAST_BREATH: Duration = Duration::from_millis(200);
