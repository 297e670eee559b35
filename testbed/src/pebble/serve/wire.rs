//! A connection's bytes: where an answer can be cut, and where what is no HTTP gets Go's answer.

use std::io;
use std::pin::Pin;
use std::process;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;

/// How much may still be sent.
#[derive(Clone, Debug)]
pub(crate) struct Limit(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    left: AtomicUsize,
    leave: AtomicBool,
}

impl Default for Limit {
    fn default() -> Self {
        let left = AtomicUsize::new(usize::MAX);
        Self(Arc::new(Counts { left, leave: AtomicBool::new(false) }))
    }
}

impl Limit {
    /// Ends the connection after so many bytes more.
    pub(crate) fn cut_after(&self, bytes: usize) {
        self.0.left.store(bytes, Ordering::Relaxed);
    }

    /// Ends the daemon after so many bytes more.
    pub(crate) fn leave_after(&self, bytes: usize) {
        self.cut_after(bytes);
        self.0.leave.store(true, Ordering::Relaxed);
    }

    fn left(&self) -> usize {
        self.0.left.load(Ordering::Relaxed)
    }

    fn took(&self, bytes: usize) {
        let left = self.left();
        if left != usize::MAX {
            self.0.left.store(left.saturating_sub(bytes), Ordering::Relaxed);
        }
    }
}

/// A stream with a limit.
pub(crate) struct Wire<S> {
    stream: S,
    limit: Limit,
    /// What is sent in the place of the library's own refusal, and how much of it has gone.
    instead: Option<usize>,
}

impl<S> Wire<S> {
    /// Wraps a stream.
    pub(crate) fn new(stream: S, limit: Limit) -> Self {
        Self { stream, limit, instead: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if is_own_refusal(bytes) {
            while let Some(rest) =
                NOT_HTTP.get(self.instead.unwrap_or(0)..).filter(|r| !r.is_empty())
            {
                let sent = ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
                self.instead = Some(self.instead.unwrap_or(0) + sent);
            }
            return Poll::Ready(Ok(bytes.len()));
        }
        let left = self.limit.left();
        if left == 0 {
            if self.limit.0.leave.load(Ordering::Relaxed) {
                process::exit(LEFT);
            }
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let allowed = bytes.get(..left.min(bytes.len())).unwrap_or(bytes);
        let sent = ready!(Pin::new(&mut self.stream).poll_write(context, allowed))?;
        self.limit.took(sent);
        Poll::Ready(Ok(sent))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The library refuses what is no HTTP with an empty 400; the daemon's own always have a body.
fn is_own_refusal(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(200)).unwrap_or_default().to_ascii_lowercase();
    let empty = b"content-length: 0\r\n";
    head.starts_with(b"http/1.1 400 ") && head.windows(empty.len()).any(|part| part == empty)
}

const NOT_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request";

/// The exit code of a daemon that was told to go away in mid-answer.
const LEFT: i32 = 137;
