//! The name server's sockets, and the orders that it is given.
//!
//! A line of JSON at stdin is a `Zone` and is answered by a line once it holds. The server ends with
//! its stdin.

use std::io;
use std::io::BufRead;
use std::io::Read;
use std::io::Write;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::RcvBufForce;

use crate::dns::answer;
use crate::dns::answer::Directory;
use crate::dns::records::Known;
use crate::dns::records::Records;
use crate::dns::zone::DnsFaults;
use crate::dns::zone::Zone;
use crate::lock::lock;

/// Serves on this address until the orders end.
pub(crate) fn run(address: Ipv4Addr, orders: impl BufRead) -> io::Result<()> {
    let names = Arc::new(Names::new());
    let datagrams = Arc::new(UdpSocket::bind((address, PORT))?);
    setsockopt(&*datagrams, RcvBufForce, &WAITING)?;
    let streams = TcpListener::bind((address, PORT))?;
    for _ in 0..ANSWERING {
        let (datagrams, names) = (Arc::clone(&datagrams), Arc::clone(&names));
        thread::spawn(move || answer_datagrams(&datagrams, &names));
    }
    let for_streams = Arc::clone(&names);
    thread::spawn(move || accept_streams(&streams, &for_streams));
    say("ready")?;
    for line in orders.lines() {
        names.change(serde_json::from_str(&line?)?);
        say("done")?;
    }
    Ok(())
}

fn say(word: &str) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "{word}")?;
    stdout.flush()
}

/// What the server knows and does wrong, shared by its threads.
struct Names {
    begun: Instant,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    records: Records,
    faults: DnsFaults,
}

impl Names {
    fn new() -> Self {
        Self { begun: Instant::now(), state: Mutex::default(), changed: Condvar::new() }
    }

    fn change(&self, zone: Zone) {
        let mut state = lock(&self.state);
        let known = self.begun.elapsed().saturating_add(zone.faults.late);
        state.records.change(known, zone.records);
        state.faults = zone.faults;
        self.changed.notify_all();
    }

    fn drops(&self, client: SocketAddr) -> bool {
        let IpAddr::V4(client) = client.ip() else { return false };
        lock(&self.state).faults.drops(client)
    }

    fn is_slow(&self) -> bool {
        lock(&self.state).faults.slow > Duration::ZERO
    }

    /// Waits until an answer to a question that came at `asked` is due, or the server is slow no more.
    fn let_time_pass(&self, asked: Instant) {
        let mut state = lock(&self.state);
        loop {
            let left = state.faults.slow.saturating_sub(asked.elapsed());
            if left.is_zero() {
                return;
            }
            // A poisoned lock guards plain data.
            state = match self.changed.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}

impl Directory for Names {
    fn find(&self, name: &str) -> Known {
        lock(&self.state).records.find(name, self.begun.elapsed())
    }

    fn name_of(&self, address: Ipv4Addr) -> Option<String> {
        lock(&self.state).records.name_of(address, self.begun.elapsed())
    }
}

fn answer_datagrams(socket: &Arc<UdpSocket>, names: &Arc<Names>) {
    let mut buffer = [0; LONGEST_DATAGRAM];
    loop {
        // An error tells of an earlier answer that did not arrive.
        let Ok((length, client)) = socket.recv_from(&mut buffer) else { continue };
        if names.drops(client) {
            continue;
        }
        let question = buffer.get(..length).unwrap_or_default().to_vec();
        if names.is_slow() {
            let (asked, socket, names) = (Instant::now(), Arc::clone(socket), Arc::clone(names));
            thread::spawn(move || {
                names.let_time_pass(asked);
                answer_datagram(&socket, &names, &question, client);
            });
        } else {
            answer_datagram(socket, names, &question, client);
        }
    }
}

fn answer_datagram(socket: &UdpSocket, names: &Names, question: &[u8], client: SocketAddr) {
    if let Some(bytes) = answer::answer(question, names, LONGEST_DATAGRAM) {
        // A client that is cut off does not get it.
        let _ = socket.send_to(&bytes, client);
    }
}

fn accept_streams(listener: &TcpListener, names: &Arc<Names>) {
    for stream in listener.incoming().flatten() {
        let names = Arc::clone(names);
        thread::spawn(move || {
            // A client that goes away ends its own thread.
            let _ = answer_stream(stream, &names);
        });
    }
}

/// Each question and each answer is led by its length.
fn answer_stream(mut stream: TcpStream, names: &Names) -> io::Result<()> {
    let client = stream.peer_addr()?;
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut question)?;
        let asked = Instant::now();
        if names.drops(client) {
            continue;
        }
        names.let_time_pass(asked);
        let Some(bytes) = answer::answer(&question, names, usize::from(u16::MAX)) else {
            return Ok(());
        };
        let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
        stream.write_all(&[length.to_be_bytes().as_slice(), &bytes].concat())?;
    }
}

const PORT: u16 = 53;

/// Bytes of questions that may wait. Each Sentinel looks each other one up at each of its hellos, and
/// for a question that is lost it stands still for 5 s.
const WAITING: usize = 8 << 20;

/// How many threads answer datagrams.
const ANSWERING: usize = 4;

/// Longer than this an answer over UDP is only if the client says that it can take it; none of ours is.
const LONGEST_DATAGRAM: usize = 512;
