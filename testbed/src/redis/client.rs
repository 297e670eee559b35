//! Asks a server of a pod through `redis-cli`, from within the pod and independent of any charm.

use std::fmt;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use super::answers::Answer;
use super::certificate;
use crate::error::BedError;
use crate::pod::Pod;

/// Whom to ask, and how to log in. It holds a password, so its Debug shows only the port.
pub(crate) struct Client {
    pub(crate) port: u16,
    /// None means none.
    pub(crate) password: Option<String>,
    pub(crate) tls: bool,
}

/// What came back.
#[derive(Debug)]
pub(crate) enum Said {
    /// An answer to each question; an error of the server is one.
    All(Vec<Answer>),
    /// Less than that: what was printed instead.
    Less(String),
}

impl Client {
    /// Several commands to one server, from a container of a pod. All together may take so many
    /// seconds, and none may change what PING answers (MULTI, SUBSCRIBE).
    pub(crate) fn ask(
        &self,
        pod: &Pod,
        container: &str,
        seconds: &str,
        commands: &[&str],
    ) -> Result<Said, BedError> {
        // A frozen server accepts and never answers.
        let mut command = pod.command(container, "timeout");
        command.args(["--foreground", seconds, CLIENT, "--json"]);
        self.log_in(&mut command);
        // Answers are of any number of lines; what follows each is not.
        let marked = commands.iter().map(|command| format!("{command}\nPING {MARK}\n"));
        let output = pod.run(&mut command, &marked.collect::<String>())?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        let end = format!("\"{MARK}\"\n");
        let mut answers: Vec<_> = stdout.split(&end).map(Answer::parse).collect();
        // What follows the last mark is nothing.
        answers.pop();
        if answers.len() == commands.len() {
            return Ok(Said::All(answers));
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        let silence = if output.status.code() == Some(124) { "nothing in time" } else { "" };
        Ok(Said::Less(format!("{stdout}{stderr}{silence}")))
    }

    /// Listens to all that a server tells its subscribers, four lines a message, until it is killed.
    pub(crate) fn listen(&self, pod: &Pod, container: &str) -> Result<Child, BedError> {
        let mut command = pod.command(container, CLIENT);
        self.log_in(&mut command);
        command.args(["PSUBSCRIBE", "*"]).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        pod.spawn(&mut command)
    }

    /// By the environment: a command line is seen by everybody.
    fn log_in(&self, command: &mut Command) {
        command.args(["--no-auth-warning", "-p", &self.port.to_string()]);
        if self.tls {
            command.arg("--tls").arg("--cacert").arg(certificate::certificate());
        }
        if let Some(password) = &self.password {
            command.env("REDISCLI_AUTH", password);
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").field("port", &self.port).finish_non_exhaustive()
    }
}

const CLIENT: &str = "redis-cli";

const MARK: &str = "end-of-answer";
