//! HTTP over the socket, by way of `ureq`: one request, one answer of bounded size, one deadline for
//! the whole of it.

use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use ureq::Agent;
use ureq::Body;
use ureq::RequestBuilder;
use ureq::SendBody;
use ureq::config::Config;
use ureq::http::Response;
use ureq::http::Uri;
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::Buffers;
use ureq::unversioned::transport::ConnectionDetails;
use ureq::unversioned::transport::Connector;
use ureq::unversioned::transport::LazyBuffers;
use ureq::unversioned::transport::NextTimeout;
use ureq::unversioned::transport::Transport;

use crate::clients::pebble::Pebble;
use crate::clients::pebble::error::Call;
use crate::clients::pebble::error::PebbleError;
use crate::clients::pebble::lost;
use crate::clients::pebble::multipart::Form;
use crate::clients::pebble::socket::Socket;
use crate::clock::Budget;

/// What came back, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

/// A client of one socket, within one budget.
pub(crate) fn agent(socket: &Path, budget: &Budget) -> Agent {
    let config = Agent::config_builder()
        // Juju can set proxy variables in a hook.
        .proxy(None)
        .http_status_as_error(false)
        // A redirect would be an answer that Pebble never gives.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_response_header_size(LONGEST_HEADER)
        .input_buffer_size(BUFFER)
        .output_buffer_size(BUFFER)
        .build();
    let door = Door { socket: socket.to_owned(), budget: budget.clone() };
    Agent::with_parts(config, door, NoNames)
}

impl Pebble {
    /// GET; Pebble answers it from memory. Of the query, what is empty is left out.
    pub(crate) fn get(
        &self,
        call: &Call,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer, PebbleError> {
        self.get_as(call, path, query, "*/*")
    }

    /// GET of a certain kind of answer.
    pub(crate) fn get_as(
        &self,
        call: &Call,
        path: &str,
        query: &[(&str, &str)],
        accept: &str,
    ) -> Result<Answer, PebbleError> {
        // No names at all mean every name.
        let query = query.iter().copied().filter(|(_, value)| !value.is_empty());
        let request = self.agent.get(url(path)).query_pairs(query);
        let request = patient(request.header("Accept", accept), Some(PATIENCE));
        read(call, request.call())
    }

    /// POST of JSON; Pebble answers it at once, and does the rest as a change.
    pub(crate) fn post(
        &self,
        call: &Call,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<Answer, PebbleError> {
        let request = patient(self.agent.post(url(path)), Some(PATIENCE));
        read(call, request.content_type("application/json").send(body.to_string()))
    }

    /// POST of JSON about files, which a slow disk may hold up: only the budget limits it.
    pub(crate) fn post_at_leisure(
        &self,
        call: &Call,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<Answer, PebbleError> {
        let request = patient(self.agent.post(url(path)), None);
        read(call, request.content_type("application/json").send(body.to_string()))
    }

    /// POST of files, in as much time as the budget has.
    pub(crate) fn post_form(
        &self,
        call: &Call,
        path: &str,
        form: &Form<'_>,
    ) -> Result<Answer, PebbleError> {
        let request = patient(self.agent.post(url(path)), None)
            .content_type(form.content_type())
            .header("Content-Length", form.length().to_string());
        let mut reader = form.reader();
        read(call, request.send(SendBody::from_reader(&mut reader)))
    }
}

/// The whole answer, whatever its status.
fn read(call: &Call, response: Result<Response<Body>, ureq::Error>) -> Result<Answer, PebbleError> {
    let mut response = response.map_err(|error| failure(call, error))?;
    let content_type = response.headers().get("content-type");
    let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (status, content_type) = (response.status().as_u16(), content_type.to_owned());
    let mut body = Vec::new();
    // One byte more tells a long answer from a too long one.
    let mut bounded = response.body_mut().as_reader().take(LONGEST_ANSWER as u64 + 1);
    bounded.read_to_end(&mut body).map_err(|error| failure(call, error.into()))?;
    if body.len() > LONGEST_ANSWER {
        return Err(PebbleError::TooLong { call: call.clone(), limit: LONGEST_ANSWER });
    }
    Ok(Answer { status, content_type, body })
}

fn url(path: &str) -> String {
    // HTTP wants a host, and Pebble takes any.
    format!("http://pebble{path}")
}

fn patient<B>(request: RequestBuilder<B>, patience: Option<Duration>) -> RequestBuilder<B> {
    request.config().timeout_global(patience).build()
}

fn failure(call: &Call, error: ureq::Error) -> PebbleError {
    let call = call.clone();
    if let ureq::Error::Io(source) = error {
        lost(call, source)
    } else if matches!(error, ureq::Error::Timeout(_)) {
        PebbleError::TimedOut(call)
    } else if matches!(error, ureq::Error::LargeResponseHeader(..)) {
        PebbleError::TooLong { call, limit: LONGEST_HEADER }
    } else {
        // Its text may repeat what came.
        PebbleError::garbage(call, "it is not HTTP")
    }
}

/// Makes the connections.
#[derive(Debug)]
struct Door {
    socket: PathBuf,
    budget: Budget,
}

impl Connector for Door {
    type Out = Line;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Line>, ureq::Error> {
        let socket = Socket::connect(&self.socket, &limited(&self.budget, details.timeout))?;
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        let budget = self.budget.clone();
        Ok(Some(Line { socket, buffers, budget, is_deaf: false }))
    }
}

/// A connection as `ureq` uses it.
#[derive(Debug)]
struct Line {
    socket: Socket,
    buffers: LazyBuffers,
    budget: Budget,
    /// Pebble hung up on what we send.
    is_deaf: bool,
}

impl Transport for Line {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if self.is_deaf {
            return Ok(());
        }
        self.socket.set_budget(&limited(&self.budget, timeout));
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        let sent = self.socket.write_all(output);
        // It may have said why before, so it is read in any case: Pebble does not wait for the end of
        // files that it refuses.
        self.is_deaf = sent.as_ref().is_err_and(is_hang_up);
        if !self.is_deaf {
            sent?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.socket.set_budget(&limited(&self.budget, timeout));
        let length = self.socket.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(length);
        Ok(length > 0)
    }

    fn is_open(&mut self) -> bool {
        !self.is_deaf && self.socket.is_silent()
    }
}

fn is_hang_up(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)
}

/// What is left of the budget, and no more than the call may take.
fn limited(budget: &Budget, timeout: NextTimeout) -> Budget {
    timeout.not_zero().map_or_else(|| budget.clone(), |limit| budget.at_most(*limit))
}

/// A socket has no name to look up, and `ureq` wants an address.
#[derive(Debug)]
struct NoNames;

impl Resolver for NoNames {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        Ok(addresses)
    }
}

/// Pebble answers in milliseconds; one that takes longer than this hangs. A wait for a change asks for
/// less than this at a time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// In bytes. What a charm asks for is a file of some kilobytes at the most.
pub(crate) const LONGEST_ANSWER: usize = 1024 * 1024;

/// In bytes; Pebble's have about 150. It must be less than a buffer.
const LONGEST_HEADER: usize = 8 * 1024;

/// In bytes. `ureq`'s own 128 KiB would be filled with zeros at each connection.
const BUFFER: usize = 16 * 1024;
