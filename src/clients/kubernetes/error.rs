//! Why the API of Kubernetes gave no usable answer.

use std::io::ErrorKind;

use serde::Deserialize;
use thiserror::Error;

use crate::clients::masking::masked;

/// Each text completes "cannot ask the Kubernetes API: ..".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KubernetesError {
    /// The account of the pod is not mounted, or not usable.
    #[error("{file} cannot be used: {why}")]
    Account {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// The account may not do this: the application is not trusted.
    #[error(
        "the application has no rights there; `juju trust APPLICATION --scope=cluster` gives them"
    )]
    Forbidden,
    /// There is no such object.
    #[error("it knows no such object")]
    NotFound,
    /// The object has changed since it was read.
    #[error("the object has changed meanwhile")]
    Conflict,
    /// It answers with another error.
    #[error("it answers {status}: {message}")]
    Refused {
        /// The status of HTTP.
        status: u16,
        /// What it says.
        message: String,
    },
    /// It took longer than it may.
    #[error("it does not answer in time")]
    TimedOut,
    /// Its answer has no end within reason.
    #[error("its answer is too long")]
    TooLong,
    /// Its answer is not what was asked for.
    #[error("its answer makes no sense")]
    Garbage,
    /// The connection could not be made, or was lost; or the server is not who it has to be.
    #[error("{0}")]
    Lost(String),
}

impl From<ureq::Error> for KubernetesError {
    fn from(error: ureq::Error) -> Self {
        let is_timeout = if let ureq::Error::Io(error) = &error {
            // Reading a body wraps the time-out.
            error.kind() == ErrorKind::TimedOut
        } else {
            matches!(error, ureq::Error::Timeout(_))
        };
        if is_timeout { Self::TimedOut } else { Self::Lost(error.to_string()) }
    }
}

/// What an answer other than success means. It may repeat the token.
pub(crate) fn refusal(status: u16, text: &[u8], token: &str) -> KubernetesError {
    match status {
        403 => KubernetesError::Forbidden,
        404 => KubernetesError::NotFound,
        409 => KubernetesError::Conflict,
        _ => {
            let told: Option<Told> = serde_json::from_slice(text).ok();
            let message = told.map(|told| told.message).unwrap_or_default();
            let message = masked(&message, &[token]).chars().take(LONGEST_MESSAGE).collect();
            KubernetesError::Refused { status, message }
        }
    }
}

/// A `Status` of the API.
#[derive(Deserialize)]
struct Told {
    message: String,
}

/// In characters.
const LONGEST_MESSAGE: usize = 200;
