//! Every hook tool: the name it is started by is the tool that it is.
//!
//! It only carries its arguments to the hook named by its environment and the answer back, so that
//! starting it costs next to nothing: nothing heavy may be linked into it.

use std::env;
use std::ffi::OsString;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;

use testbed::juju::frame;

fn main() -> ExitCode {
    match call() {
        Ok(code) => ExitCode::from(code),
        Err(text) => {
            // With standard error gone as well there is nobody left to tell.
            let _ = writeln!(io::stderr(), "ERROR {text}");
            ExitCode::FAILURE
        }
    }
}

fn call() -> Result<u8, String> {
    let context = variable("JUJU_CONTEXT_ID")?;
    let address = variable("JUJU_AGENT_SOCKET_ADDRESS")?;
    variable("JUJU_AGENT_SOCKET_NETWORK")?;
    let mut arguments = env::args_os();
    let started_as = arguments.next().unwrap_or_default();
    let tool = Path::new(&started_as).file_name().unwrap_or_default();
    let arguments: Vec<OsString> = arguments.collect();
    let directory = env::current_dir().map_err(|source| source.to_string())?;

    let mut stream = UnixStream::connect(&address).map_err(|source| {
        format!("dial unix {}: connect: {}", address.display(), reason(&source))
    })?;
    let mut request = vec![context.as_bytes(), directory.as_os_str().as_bytes(), tool.as_bytes()];
    request.extend(arguments.iter().map(|argument| argument.as_bytes()));
    converse(&mut stream, &request).map_err(|source| reason(&source))
}

/// Sends the request and relays the answer; returns the exit code that the tool is to have.
fn converse(stream: &mut UnixStream, request: &[&[u8]]) -> io::Result<u8> {
    frame::send(stream, request)?;
    loop {
        let answer = frame::receive(stream)?;
        match answer.as_slice() {
            [kind] if kind == frame::STDIN => {
                let mut input = Vec::new();
                io::stdin().read_to_end(&mut input)?;
                frame::send(stream, &[&input])?;
            }
            [kind, exit, out, err] if kind == frame::DONE => {
                io::stdout().write_all(out)?;
                io::stdout().flush()?;
                io::stderr().write_all(err)?;
                return Ok(exit.first().copied().unwrap_or(1));
            }
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// A variable that has to be set and not empty.
fn variable(name: &str) -> Result<OsString, String> {
    env::var_os(name).filter(|value| !value.is_empty()).ok_or_else(|| format!("{name} not set"))
}

/// The system's words for an error, as Juju's tools print them.
fn reason(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        "no such file or directory".to_owned()
    } else if error.kind() == io::ErrorKind::ConnectionRefused {
        "connection refused".to_owned()
    } else if error.kind() == io::ErrorKind::UnexpectedEof {
        "unexpected EOF".to_owned()
    } else {
        error.to_string()
    }
}
