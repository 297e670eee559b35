//! One connection: opened, logged in, asked, every step under the budget.

use std::net::SocketAddr;

use redis::Cmd;
use redis::FromRedisValue;
use redis::RedisError;
use thiserror::Error;

use crate::clients::redis::wire::Wire;
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
    /// Its answer has no end, or none within what any answer needs.
    #[error("sends more than any answer has")]
    TooLong,
    /// It answered with another error; its text, without the password.
    #[error("answers with an error: {0}")]
    Error(String),
}

/// A server that let us in.
pub struct Connection {
    wire: Wire,
    password: Option<String>,
}

impl Connection {
    /// Connects and, with a password, logs in. Without one nothing is sent: AUTH to a server that has
    /// no password is an error.
    pub fn open(
        address: SocketAddr,
        password: Option<&str>,
        budget: &Budget,
    ) -> Result<Self, Failure> {
        let wire = Wire::open(address, budget)?;
        let mut connection = Self { wire, password: password.map(str::to_owned) };
        if let Some(password) = password {
            connection.ask::<()>(redis::cmd("AUTH").arg(password))?;
        }
        Ok(connection)
    }

    /// Gives what comes next another budget.
    pub fn renew(&mut self, budget: &Budget) {
        self.wire.renew(budget);
    }

    /// Sends one command and waits for its answer, in the shape that it has.
    pub fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, Failure> {
        let value = self.wire.exchange(&command.get_packed_command())?;
        let value = value.extract_error().map_err(|error| self.refusal(&error))?;
        T::from_redis_value(value).map_err(|_| Failure::NotRedis)
    }

    fn refusal(&self, error: &RedisError) -> Failure {
        let text = [error.code(), error.detail()].map(Option::unwrap_or_default).join(" ");
        match error.code() {
            Some("WRONGPASS") => Failure::WrongPassword,
            Some("NOAUTH") => Failure::PasswordWanted,
            Some("ERR") if text.contains("without any password configured") => Failure::NoPassword,
            _ => Failure::Error(self.without_password(&text)),
        }
    }

    /// A server that knows no AUTH may repeat its argument.
    fn without_password(&self, text: &str) -> String {
        let masked = self
            .password
            .iter()
            .fold(text.trim().to_owned(), |text, secret| text.replace(secret, "***"));
        masked.chars().take(LONGEST_ERROR).collect()
    }
}

/// In characters.
const LONGEST_ERROR: usize = 200;
