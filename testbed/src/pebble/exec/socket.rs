//! The daemon's side of a websocket.

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// A connected websocket.
pub(crate) type End = WebSocketStream<TokioIo<Upgraded>>;

/// Takes over a connection after its handshake.
pub(crate) async fn over(upgraded: Upgraded) -> End {
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE));
    WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await
}

/// A client that sends more at once is cut off.
const LARGEST_MESSAGE: usize = 16 << 20;
