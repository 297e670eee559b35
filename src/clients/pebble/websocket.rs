//! The websockets of a command that Pebble runs: opened within a deadline, drained up to a bound.

use std::io;
use std::io::ErrorKind;
use std::time::Duration;

use serde::Deserialize;
use tungstenite::Error;
use tungstenite::HandshakeError;
use tungstenite::Message;
use tungstenite::WebSocket;
use tungstenite::client::client_with_config;
use tungstenite::error::ProtocolError;
use tungstenite::protocol::Role;
use tungstenite::protocol::WebSocketConfig;

use crate::clients::pebble::Pebble;
use crate::clients::pebble::changes::ChangeId;
use crate::clients::pebble::envelope::Refusal;
use crate::clients::pebble::error::Call;
use crate::clients::pebble::error::PebbleError;
use crate::clients::pebble::http::Answer;
use crate::clients::pebble::lost;
use crate::clients::pebble::socket::Socket;

/// One of a task's websockets.
pub(crate) struct Stream {
    call: Call,
    websocket: WebSocket<Socket>,
}

impl Pebble {
    /// `GET /v1/tasks/{task}/websocket/{name}`, on a connection of its own. `task` is a plain word, as
    /// a change's id is.
    pub(crate) fn websocket(
        &self,
        call: &Call,
        task: &ChangeId,
        name: &str,
    ) -> Result<Stream, PebbleError> {
        // The same limit as Pebble's own.
        let hurry = self.budget.at_most(HANDSHAKE);
        let socket =
            Socket::connect(&self.socket, &hurry).map_err(|error| lost(call.clone(), error))?;
        let url = format!("ws://pebble/v1/tasks/{task}/websocket/{name}");
        match client_with_config(url, socket, Some(config())) {
            Ok((mut websocket, _)) => {
                websocket.get_mut().set_budget(&self.budget);
                Ok(Stream { call: call.clone(), websocket })
            }
            Err(HandshakeError::Failure(Error::Http(response))) => {
                // Anything but 101 is a refusal. Its text may have been cut: the change knows more.
                let status = response.status().as_u16();
                let body = response.into_body().unwrap_or_default();
                let answer = Answer { status, content_type: String::new(), body };
                match self.result::<()>(call, &answer) {
                    Err(refusal @ PebbleError::Refused { .. }) => Err(refusal),
                    Ok(_) | Err(_) => Err(self.refused(call, status, Refusal::default())),
                }
            }
            Err(HandshakeError::Failure(error)) => Err(failure(call, error)),
            // Only from a socket that does not block.
            Err(HandshakeError::Interrupted(_)) => Err(PebbleError::TimedOut(call.clone())),
        }
    }
}

impl Stream {
    /// The same connection, to be written to while this one is read.
    pub(crate) fn writer(&self) -> Result<Self, PebbleError> {
        let websocket = WebSocket::from_raw_socket(self.share()?, Role::Client, Some(config()));
        Ok(Self { call: self.call.clone(), websocket })
    }

    /// The same connection, to be ended from elsewhere.
    pub(crate) fn share(&self) -> Result<Socket, PebbleError> {
        self.websocket.get_ref().share().map_err(|error| lost(self.call.clone(), error))
    }

    /// Sends a command's whole input and its end. A command may end without reading it, so that it
    /// could not be sent is nobody's error.
    pub(crate) fn feed(mut self, input: &[u8]) {
        for piece in input.chunks(PIECE) {
            if self.websocket.send(Message::binary(piece.to_vec())).is_err() {
                return;
            }
        }
        drop(self.websocket.send(Message::text(END)));
    }

    /// Reads until Pebble says that this is the end, `limit` bytes at most.
    pub(crate) fn drain(&mut self, limit: usize) -> Result<Vec<u8>, PebbleError> {
        let mut output = Vec::new();
        loop {
            match self.websocket.read().map_err(|error| failure(&self.call, error))? {
                Message::Binary(bytes) if output.len() + bytes.len() > limit => {
                    return Err(PebbleError::TooLong { call: self.call.clone(), limit });
                }
                Message::Binary(bytes) => output.extend_from_slice(&bytes),
                Message::Text(text) if is_end(text.as_bytes()) => return Ok(output),
                Message::Close(_) => return Err(failure(&self.call, Error::ConnectionClosed)),
                Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Ends the connection for all that read it or write to it.
    pub(crate) fn hang_up(&self) {
        self.websocket.get_ref().hang_up();
    }
}

#[derive(Deserialize)]
struct Order {
    command: String,
}

fn is_end(text: &[u8]) -> bool {
    serde_json::from_slice(text).is_ok_and(|order: Order| order.command == "end")
}

fn failure(call: &Call, error: Error) -> PebbleError {
    let call = call.clone();
    match error {
        Error::Io(source) => lost(call, source),
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(
            ProtocolError::ResetWithoutClosingHandshake | ProtocolError::HandshakeIncomplete,
        ) => lost(call, io::Error::from(ErrorKind::UnexpectedEof)),
        Error::Capacity(_) | Error::AttackAttempt => {
            PebbleError::TooLong { call, limit: LONGEST_MESSAGE }
        }
        // Their texts may repeat what came.
        Error::Tls(_)
        | Error::Protocol(_)
        | Error::WriteBufferFull(_)
        | Error::Utf8(_)
        | Error::Url(_)
        | Error::Http(_)
        | Error::HttpFormat(_) => PebbleError::garbage(call, "it is no websocket"),
    }
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(PIECE)
        .write_buffer_size(0)
        .max_write_buffer_size(2 * PIECE)
        .max_message_size(Some(LONGEST_MESSAGE))
        .max_frame_size(Some(LONGEST_MESSAGE))
}

/// What both sides send when no more comes.
const END: &str = r#"{"command":"end"}"#;

const HANDSHAKE: Duration = Duration::from_secs(5);

/// In bytes.
const PIECE: usize = 16 * 1024;

/// In bytes; 64 KiB were seen.
const LONGEST_MESSAGE: usize = 256 * 1024;
