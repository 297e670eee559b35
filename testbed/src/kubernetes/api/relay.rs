//! The address at which pods find the API. It lies in the network of the bed's hub, and the API in the
//! test's own process, so a program there (`api-relay`) passes on what comes.

use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::Ipv4Addr;
use std::net::Shutdown;
use std::net::SocketAddrV4;
use std::net::TcpListener;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Child;
use std::process::ExitCode;
use std::process::Stdio;
use std::thread;

use crate::error::BedError;
use crate::error::at_file;
use crate::ground::Ground;
use crate::programs;

/// Where `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` say that the API is.
pub const ADDRESS: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 152, 183, 1), 443);

/// The running program; dropped, it ends.
#[derive(Debug)]
pub(crate) struct Relay {
    child: Child,
}

impl Relay {
    /// Starts it in the hub's network; pods reach the socket when this returns.
    pub(crate) fn start(ground: &Ground, socket: &Path) -> Result<Self, BedError> {
        ground.ip(&[format!("address add {}/32 dev lo", ADDRESS.ip())])?;
        let mut command = ground.hub_command(programs::own("api-relay")?);
        command.arg(ADDRESS.to_string()).arg(socket);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut relay = Self { child: ground.spawn(&mut command)? };
        let mut line = String::new();
        if let Some(stdout) = relay.child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(at_file(TITLE))?;
        }
        if line.trim_end() == READY {
            return Ok(relay);
        }
        let ended = io::Error::other("it ended before it was ready");
        Err(ended).map_err(at_file(TITLE))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program `api-relay ADDRESS SOCKET`: passes on until its stdin ends.
pub fn main(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let (Some(address), Some(socket)) = (arguments.nth(1), arguments.next()) else {
        return ExitCode::from(2);
    };
    match serve(&address, socket) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "api-relay: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(address: &str, socket: String) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "{READY}")?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            if let Ok(server) = UnixStream::connect(&socket) {
                pass_on(client, server);
            }
        }
    });
    // Whoever holds it lets go when the bed ends.
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

/// Both directions; the end of one is told to the other side.
fn pass_on(client: TcpStream, server: UnixStream) {
    let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    thread::spawn(move || {
        let (mut from, mut to) = (from_client, server);
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    thread::spawn(move || {
        let (mut from, mut to) = (from_server, client);
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}

const READY: &str = "ready";
const TITLE: &str = "the relay of the Kubernetes API";
