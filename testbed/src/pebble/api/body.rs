//! Request bodies. One that nobody reads to its end is read all the same, within bounds: a client that
//! is still writing would otherwise lose the answer.

use futures_util::Stream;
use futures_util::stream::unfold;
use http_body_util::BodyExt;
use http_body_util::Collected;
use http_body_util::Limited;
use hyper::body::Bytes;
use hyper::body::Incoming;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::spawn_local;
use tokio::time::timeout;

use crate::pebble::api::reply::Refusal;

type Piece = Result<Bytes, hyper::Error>;

/// The whole body, which has a limit.
pub(crate) async fn whole(incoming: Incoming, prefix: &str) -> Result<Bytes, Refusal> {
    let collected = Limited::new(incoming, LARGEST_BODY).collect().await;
    collected.map(Collected::to_bytes).map_err(|error| Refusal::bad(format!("{prefix}{error}")))
}

/// The body piece by piece.
pub(crate) fn pieces(incoming: Incoming) -> impl Stream<Item = Piece> + Send + 'static {
    let (tell, told) = mpsc::channel(4);
    spawn_local(pump(incoming, Some(tell)));
    unfold(told, |mut told| async move { told.recv().await.map(|piece| (piece, told)) })
}

/// Reads what nobody wants to know.
pub(crate) fn discard(incoming: Incoming) {
    spawn_local(pump(incoming, None));
}

async fn pump(mut incoming: Incoming, mut tell: Option<mpsc::Sender<Piece>>) {
    let mut discarded = 0;
    loop {
        let next = match &tell {
            Some(_) => incoming.frame().await,
            None => timeout(PATIENCE, incoming.frame()).await.ok().flatten(),
        };
        let piece = match next {
            None => return,
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => Ok(data),
                Err(_) => continue,
            },
            Some(Err(error)) => Err(error),
        };
        let (over, size) = (piece.is_err(), piece.as_ref().map_or(0, Bytes::len));
        let wanted = match &tell {
            Some(tell) => tell.send(piece).await.is_ok(),
            None => false,
        };
        if !wanted {
            tell = None;
            discarded += size;
        }
        if over || discarded > MOST_DISCARDED {
            return;
        }
    }
}

/// Larger than any layer or metadata; files come piece by piece.
const LARGEST_BODY: usize = 32 << 20;

const MOST_DISCARDED: usize = 8 << 20;

/// How long a client may pause in a body that nobody wants.
const PATIENCE: Duration = Duration::from_secs(1);
