//! The name server as a bed holds it.

use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::Ipv4Addr;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::ExitCode;
use std::process::Stdio;
use std::sync::Mutex;

use crate::dns::serve;
use crate::dns::zone::Zone;
use crate::error::BedError;
use crate::error::at_file;
use crate::ground::Ground;
use crate::lock::lock;
use crate::programs;

/// Where the pods' resolvers ask: no pod has an address near it.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 152, 183, 10);

/// The running server; dropped, it ends.
#[derive(Debug)]
pub(crate) struct NameServer {
    child: Mutex<Child>,
    talk: Mutex<Talk>,
}

#[derive(Debug)]
struct Talk {
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl NameServer {
    /// Starts it in the hub's network; it knows no name yet and answers when this returns.
    pub(crate) fn start(ground: &Ground) -> Result<Self, BedError> {
        ground.ip(&[format!("address add {ADDRESS}/32 dev lo")])?;
        let mut command = ground.hub_command(programs::own("dns-server")?);
        command.arg(ADDRESS.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = ground.spawn(&mut command)?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both are piped");
        };
        let mut talk = Talk { orders, answers: BufReader::new(answers) };
        let ready = talk.expect("ready");
        let server = Self { child: Mutex::new(child), talk: Mutex::new(talk) };
        ready.map_err(at_file(TITLE))?;
        Ok(server)
    }

    /// Changes what it knows and does; that holds when this returns.
    pub(crate) fn tell(&self, zone: &Zone) -> Result<(), BedError> {
        let mut talk = lock(&self.talk);
        let told = serde_json::to_string(zone).map_err(io::Error::from).and_then(|line| {
            writeln!(talk.orders, "{line}")?;
            talk.expect("done")
        });
        told.map_err(at_file(TITLE))
    }
}

impl Talk {
    fn expect(&mut self, wanted: &str) -> io::Result<()> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        if line.trim_end() == wanted {
            return Ok(());
        }
        Err(io::Error::other(format!("it said {line:?} in place of {wanted:?}")))
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        let mut child = lock(&self.child);
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// The program `dns-server ADDRESS`: serves until its stdin ends.
pub fn main(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let address = arguments.nth(1).and_then(|address| address.parse().ok());
    let Some(address) = address else {
        return ExitCode::from(2);
    };
    match serve::run(address, io::stdin().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "dns-server: {error}");
            ExitCode::FAILURE
        }
    }
}

const TITLE: &str = "the name server";
