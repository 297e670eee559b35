//! The envelope of all answers.

use http_body_util::Either;
use http_body_util::Full;
use http_body_util::channel::Channel;
use hyper::Response;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::header::HeaderValue;
use serde::Serialize;
use serde_json::Value;
use std::io;

/// A body at once, or piece by piece.
pub(crate) type Body = Either<Full<Bytes>, Channel<Bytes, io::Error>>;

/// Why a request is not granted.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    message: String,
    kind: Option<&'static str>,
}

#[derive(Serialize)]
struct Envelope<'a, R: Serialize> {
    #[serde(rename = "type")]
    shape: &'a str,
    #[serde(rename = "status-code")]
    status_code: u16,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<R>,
}

/// What an error tells.
#[derive(Serialize)]
pub(crate) struct Problem<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), kind: None }
    }

    /// 400.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 401, for whoever may not.
    pub(crate) fn denied() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "access denied").kind("login-required")
    }

    /// 403.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 404.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 405.
    pub(crate) fn method(message: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, message)
    }

    /// 500.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// 504.
    pub(crate) fn timeout(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, message)
    }

    /// Any other.
    pub(crate) fn with_status(status: u16, message: impl Into<String>) -> Self {
        Self::new(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY), message)
    }

    /// With the kind that clients tell it by.
    pub(crate) fn kind(mut self, kind: &'static str) -> Self {
        self.kind = Some(kind);
        self
    }

    /// As an answer.
    pub(crate) fn response(self) -> Response<Body> {
        let problem = Problem { message: &self.message, kind: self.kind };
        enveloped("error", self.status, None, Some(problem))
    }
}

/// 200 with a result.
pub(crate) fn sync(result: impl Serialize) -> Response<Body> {
    enveloped("sync", StatusCode::OK, None, Some(result))
}

/// 200 without one.
pub(crate) fn nothing() -> Response<Body> {
    enveloped("sync", StatusCode::OK, None, None::<Value>)
}

/// Another status, which is no error.
pub(crate) fn sync_with(status: StatusCode, result: impl Serialize) -> Response<Body> {
    enveloped("sync", status, None, Some(result))
}

/// 202: a change was begun.
pub(crate) fn begun(change: u64, result: Value) -> Response<Body> {
    enveloped("async", StatusCode::ACCEPTED, Some(change.to_string()), Some(result))
}

fn enveloped(
    shape: &str,
    status: StatusCode,
    change: Option<String>,
    result: Option<impl Serialize>,
) -> Response<Body> {
    let envelope = Envelope {
        shape,
        status_code: status.as_u16(),
        status: status.canonical_reason().unwrap_or_default(),
        change,
        result,
    };
    with_type(status, "application/json", json(&envelope))
}

/// An answer with a body of any type.
pub(crate) fn with_type(
    status: StatusCode,
    kind: &'static str,
    body: impl Into<Bytes>,
) -> Response<Body> {
    typed(status, HeaderValue::from_static(kind), Either::Left(Full::new(body.into())))
}

/// An answer with any body.
pub(crate) fn typed(status: StatusCode, kind: HeaderValue, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// JSON with the letters escaped that mean something in HTML, as Go writes it.
pub(crate) fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            _ => out.push(letter),
        }
    }
    out
}
