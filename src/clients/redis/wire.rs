//! The socket of one connection: every read and write under the budget, no answer without an end.
#![expect(clippy::disallowed_methods, reason = "connections are opened here and nowhere else")]

use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::time::Duration;

use redis::Parser;
use redis::Value;

use crate::clients::redis::connection::Failure;
use crate::clock::Budget;

/// A socket and what has been read of the answer that is awaited.
///
/// The budget is for the whole answer: a server that sends a byte now and then gets no more time by
/// it, and one that sends without an end is not read to it.
pub(crate) struct Wire {
    address: SocketAddr,
    stream: TcpStream,
    parser: Parser,
    answer: Answer,
    budget: Budget,
}

struct Answer {
    first: Option<u8>,
    length: usize,
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    Closed,
    TimedOut,
    TooLong,
}

impl Wire {
    /// Connects.
    pub(crate) fn open(address: SocketAddr, budget: &Budget) -> Result<Self, Failure> {
        let left = budget.left().ok_or(Failure::TimedOut)?;
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => {
                let (parser, answer) = (Parser::new(), Answer::awaited());
                Ok(Self { address, stream, parser, answer, budget: budget.clone() })
            }
            Err(error) if is_timeout(&error) => Err(Failure::TimedOut),
            // A host that is unreachable is as good as one where nothing listens.
            Err(_) => Err(Failure::Refused),
        }
    }

    /// Gives what comes next another budget.
    pub(crate) fn renew(&mut self, budget: &Budget) {
        self.budget = budget.clone();
    }

    /// Sends one packed command and reads one answer, which may be an error of the server.
    pub(crate) fn exchange(&mut self, command: &[u8]) -> Result<Value, Failure> {
        let left = self.budget.left().ok_or(Failure::TimedOut)?;
        self.answer = Answer::awaited();
        let sent =
            self.stream.set_write_timeout(Some(left)).and_then(|()| self.stream.write_all(command));
        if sent.as_ref().is_err_and(is_timeout) {
            return Err(Failure::TimedOut);
        }
        // Who hangs up at what we send may have said why before: so it is read in any case.
        let mut socket =
            Socket { stream: &self.stream, budget: &self.budget, answer: &mut self.answer };
        let parsed = self.parser.parse_value(&mut socket);
        parsed.map_err(|_| self.failure())
    }

    fn failure(&self) -> Failure {
        let failure = self.answer.failure();
        let in_silence = failure == Failure::Cut && self.answer.first.is_none();
        if in_silence && self.speaks_tls() { Failure::Tls } else { failure }
    }

    /// A Redis that wants TLS hangs up at a plain command without a word (7.0), and answers the
    /// least of greetings with an alert.
    fn speaks_tls(&self) -> bool {
        let budget = self.budget.at_most(DIAGNOSIS);
        let greet = || -> io::Result<u8> {
            let left = || budget.left().ok_or(io::Error::from(ErrorKind::TimedOut));
            let mut stream = TcpStream::connect_timeout(&self.address, left()?)?;
            stream.set_write_timeout(Some(left()?))?;
            stream.write_all(CLIENT_HELLO)?;
            stream.set_read_timeout(Some(left()?))?;
            let mut first = [0];
            stream.read_exact(&mut first)?;
            Ok(first[0])
        };
        greet().is_ok_and(|first| matches!(first, TLS_ALERT | TLS_HANDSHAKE))
    }
}

impl Answer {
    fn awaited() -> Self {
        Self { first: None, length: 0, end: End::Open }
    }

    /// Why it is no answer. Its first byte tells who speaks, whatever came after.
    fn failure(&self) -> Failure {
        match (self.first, self.end) {
            (Some(TLS_ALERT | TLS_HANDSHAKE), _) => Failure::Tls,
            (Some(b'+' | b'-' | b':' | b'$' | b'*') | None, End::Closed) => Failure::Cut,
            (Some(b'+' | b'-' | b':' | b'$' | b'*') | None, End::TimedOut) => Failure::TimedOut,
            (_, End::TooLong) => Failure::TooLong,
            (_, End::Open | End::Closed | End::TimedOut) => Failure::NotRedis,
        }
    }
}

struct Socket<'a> {
    stream: &'a TcpStream,
    budget: &'a Budget,
    answer: &'a mut Answer,
}

impl Socket<'_> {
    fn ends(&mut self, end: End, error: ErrorKind) -> io::Error {
        self.answer.end = end;
        error.into()
    }
}

impl Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(left) = self.budget.left() else {
            return Err(self.ends(End::TimedOut, ErrorKind::TimedOut));
        };
        if self.answer.length > LONGEST_ANSWER {
            return Err(self.ends(End::TooLong, ErrorKind::FileTooLarge));
        }
        self.stream.set_read_timeout(Some(left))?;
        match self.stream.read(buffer) {
            Ok(0) => {
                self.answer.end = End::Closed;
                Ok(0)
            }
            Ok(length) => {
                self.answer.first = self.answer.first.or(buffer.first().copied());
                self.answer.length += length;
                Ok(length)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            Err(error) if is_timeout(&error) => Err(self.ends(End::TimedOut, ErrorKind::TimedOut)),
            Err(error) => Err(self.ends(End::Closed, error.kind())),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

/// In bytes. The longest that is asked for is a Sentinel's list: 700 bytes for each unit.
const LONGEST_ANSWER: usize = 256 * 1024;

/// The content types of a TLS record (RFC 8446, section 5.1).
const TLS_ALERT: u8 = 21;
const TLS_HANDSHAKE: u8 = 22;

/// A whole `ClientHello` of TLS 1.2 that offers no cipher (RFC 5246, section 7.4.1.2).
const CLIENT_HELLO: &[u8; 50] = b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03\
    0123456789abcdefghijklmnopqrstuv\x00\x00\x02\x00\xff\x01\x00";

/// A question that only tells a person what is wrong may take this long.
const DIAGNOSIS: Duration = Duration::from_millis(200);
