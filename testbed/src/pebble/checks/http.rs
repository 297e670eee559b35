//! The GET of an HTTP check. No TLS: a URL that asks for it fails.

use http_body_util::BodyExt;
use http_body_util::Empty;
use hyper::Method;
use hyper::Request;
use hyper::Response;
use hyper::Uri;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::header::LOCATION;
use hyper::header::USER_AGENT;
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;
use tokio::task::spawn_local;

use crate::pebble::checks::look::Failure;
use crate::pebble::checks::look::connect;
use crate::pebble::checks::look::first_lines;
use crate::pebble::plan::entries::HttpCheck;
use crate::pebble::quote::quoted;

/// Asks, and follows redirects.
pub(crate) async fn get(check: &HttpCheck) -> Result<(), Failure> {
    let mut url = check.url.clone();
    for _ in 0..MOST_REQUESTS {
        let (response, _connection) = ask(&url, check)
            .await
            .map_err(|why| Failure::bare(&format!("Get {}: {why}", quoted(&url))))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        if let Some(location) =
            location.filter(|_| [301, 302, 303, 307, 308].contains(&status.as_u16()))
        {
            url = resolved(&url, location);
        } else {
            let why = format!("non-2xx status code {}", status.as_u16());
            let details = first_lines(&body_of(response).await);
            return Err(Failure { why, details });
        }
    }
    Err(Failure::bare(&format!("Get {}: stopped after 10 redirects", quoted(&url))))
}

/// Ends a connection that nobody needs any more.
struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn ask(url: &str, check: &HttpCheck) -> Result<(Response<Incoming>, Connection), String> {
    let uri: Uri = url.parse().map_err(|_| "invalid URL".to_owned())?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return Err("TLS is not supported by this Pebble".to_owned()),
        Some(other) => return Err(format!("unsupported protocol scheme {}", quoted(other))),
        None => return Err("unsupported protocol scheme \"\"".to_owned()),
    }
    let host = uri.host().ok_or("no Host in request URL")?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let stream = connect(bare, uri.port_u16().unwrap_or(80).into()).await?;
    let (mut sender, connection) = http1::Builder::new()
        .title_case_headers(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let task = spawn_local(async move {
        // How the connection ends shows in the answer, or in its absence.
        let _ = connection.await;
    });
    let connection = Connection(task.abort_handle());
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::builder().method(Method::GET).uri(path);
    request = request.header(HOST, uri.authority().map_or(host, |authority| authority.as_str()));
    for (name, value) in &check.headers {
        // As in Go's client, the host is always that of the URL.
        if !name.eq_ignore_ascii_case("host") {
            request = request.header(name.as_str(), value.as_str());
        }
    }
    if !check.headers.keys().any(|name| name.eq_ignore_ascii_case("user-agent")) {
        request = request.header(USER_AGENT, "Go-http-client/1.1");
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(|error| error.to_string())?;
    let response = sender.send_request(request).await.map_err(|_| "EOF".to_owned())?;
    Ok((response, connection))
}

async fn body_of(mut response: Response<Incoming>) -> String {
    let mut body = Vec::new();
    while let Some(Ok(frame)) = response.body_mut().frame().await {
        if let Ok(data) = frame.into_data() {
            body.extend_from_slice(&data);
        }
        if body.len() > MOST_BODY {
            break;
        }
    }
    body.truncate(MOST_BODY);
    String::from_utf8_lossy(&body).into_owned()
}

/// Where a redirect leads.
fn resolved(from: &str, location: &str) -> String {
    if location.contains("://") {
        return location.to_owned();
    }
    let after_scheme = from.find("://").map_or(0, |at| at + 3);
    let path_at = from.get(after_scheme..).and_then(|rest| rest.find('/'));
    let origin_end = path_at.map_or(from.len(), |at| after_scheme + at);
    let origin = from.get(..origin_end).unwrap_or(from);
    if location.starts_with('/') {
        return format!("{origin}{location}");
    }
    let path = from.get(origin_end..).unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let folder = path.rfind('/').and_then(|at| path.get(..=at)).unwrap_or("/");
    format!("{origin}{folder}{location}")
}

const MOST_REQUESTS: usize = 10;
const MOST_BODY: usize = 10 * 1024;
