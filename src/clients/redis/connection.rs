//! One connection: opened, logged in, asked, every step under the budget.
#![expect(clippy::disallowed_methods, reason = "connections are opened here and nowhere else")]

use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::time::Duration;

use redis::Client;
use redis::Cmd;
use redis::ConnectionAddr;
use redis::ConnectionLike;
use redis::ErrorKind;
use redis::FromRedisValue;
use redis::IntoConnectionInfo;
use redis::RedisConnectionInfo;
use redis::RedisError;
use redis::Value;
use thiserror::Error;

use crate::clock::Budget;

/// How a server failed to answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// Nothing listens there, or nothing can be reached there.
    #[error("refuses connections")]
    Refused,
    /// The budget was spent before it answered.
    #[error("does not answer in time")]
    TimedOut,
    /// AUTH was refused (`WRONGPASS`).
    #[error("refuses the password")]
    WrongPassword,
    /// It wants AUTH first (`NOAUTH`).
    #[error("wants a password")]
    PasswordWanted,
    /// It has no password to log in with (AUTH answers `ERR AUTH .. without any password`).
    #[error("has no password")]
    NoPassword,
    /// It answered in TLS.
    #[error("speaks TLS")]
    Tls,
    /// It answered in another protocol, or in a shape that the command does not have.
    #[error("does not speak the Redis protocol")]
    NotRedis,
    /// The connection ended in the middle of an answer.
    #[error("cut its answer short")]
    Cut,
    /// It answered with another error; its text, without the password.
    #[error("answers with an error: {0}")]
    Error(String),
}

/// A server that let us in.
pub struct Connection {
    inner: redis::Connection,
    address: SocketAddr,
    password: Option<String>,
    budget: Budget,
}

impl Connection {
    /// Connects and, with a password, logs in. Without one nothing is sent: AUTH to a server that has
    /// no password is an error.
    pub fn open(
        address: SocketAddr,
        password: Option<&str>,
        budget: &Budget,
    ) -> Result<Self, Failure> {
        let left = budget.left().ok_or(Failure::TimedOut)?;
        let settings = RedisConnectionInfo::default().set_skip_set_lib_name();
        let inner = ConnectionAddr::Tcp(address.ip().to_string(), address.port())
            .into_connection_info()
            .and_then(|info| Client::open(info.set_redis_settings(settings)))
            .and_then(|client| client.get_connection_with_timeout(left))
            .map_err(|error| refusal(&error))?;
        let password = password.map(str::to_owned);
        let mut connection = Self { inner, address, password, budget: budget.clone() };
        if let Some(password) = &connection.password {
            let login = redis::cmd("AUTH").arg(password).to_owned();
            connection.ask::<()>(&login)?;
        }
        Ok(connection)
    }

    /// Sends one command and waits for its answer, in the shape that it has.
    pub fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, Failure> {
        let left = self.budget.left().ok_or(Failure::TimedOut)?;
        let timeouts = self
            .inner
            .set_read_timeout(Some(left))
            .and_then(|()| self.inner.set_write_timeout(Some(left)));
        let value = timeouts
            .and_then(|()| self.inner.req_command(command))
            .and_then(Value::extract_error)
            .map_err(|error| self.failure(&error))?;
        T::from_redis_value(value).map_err(|_| Failure::NotRedis)
    }

    fn failure(&self, error: &RedisError) -> Failure {
        if error.is_timeout() {
            return Failure::TimedOut;
        }
        if error.is_connection_dropped() || error.is_io_error() || error.kind() == ErrorKind::Parse
        {
            return self.diagnose();
        }
        let text = [error.code(), error.detail()].map(Option::unwrap_or_default).join(" ");
        match error.code() {
            Some("WRONGPASS") => Failure::WrongPassword,
            Some("NOAUTH") => Failure::PasswordWanted,
            Some("ERR") if text.contains("without any password configured") => Failure::NoPassword,
            _ => Failure::Error(self.without_password(&text)),
        }
    }

    /// What answered so oddly: its first bytes to a plain PING tell.
    fn diagnose(&self) -> Failure {
        let Some(left) = self.budget.at_most(DIAGNOSIS).left() else { return Failure::Cut };
        let mut start = [0; 16];
        let length = TcpStream::connect_timeout(&self.address, left)
            .and_then(|mut stream| {
                stream.set_read_timeout(Some(left))?;
                stream.write_all(b"*1\r\n$4\r\nPING\r\n")?;
                stream.read(&mut start)
            })
            .unwrap_or_default();
        match start.get(..length).and_then(|bytes| bytes.split_first()) {
            Some((&TLS_ALERT | &TLS_HANDSHAKE, _)) => Failure::Tls,
            Some((b'+' | b'-' | b'*' | b'$' | b':', _)) | None => Failure::Cut,
            Some(_) => Failure::NotRedis,
        }
    }

    /// A server that knows no AUTH may repeat its argument.
    fn without_password(&self, text: &str) -> String {
        let text: String = text.chars().take(LONGEST_ERROR).collect();
        self.password
            .iter()
            .fold(text.trim().to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

fn refusal(error: &RedisError) -> Failure {
    if error.is_timeout() {
        return Failure::TimedOut;
    }
    // A host that is unreachable is as good as one where nothing listens.
    Failure::Refused
}

/// A question that only tells a person what is wrong may take this long.
const DIAGNOSIS: Duration = Duration::from_millis(200);

/// The content types of a TLS record (RFC 8446, section 5.1).
const TLS_ALERT: u8 = 21;
const TLS_HANDSHAKE: u8 = 22;

/// In characters.
const LONGEST_ERROR: usize = 200;
