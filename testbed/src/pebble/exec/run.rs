//! The task of a command: waits for its websockets, runs it, and carries bytes to and fro.

use futures_util::SinkExt;
use futures_util::StreamExt;
use futures_util::stream::SplitSink;
use futures_util::stream::SplitStream;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use serde_json::Value;
use std::cell::Cell;
use std::future::pending;
use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe::Receiver;
use tokio::net::unix::pipe::Sender;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::task::spawn_local;
use tokio::time::sleep;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::pebble::exec::Session;
use crate::pebble::exec::request::Ordered;
use crate::pebble::exec::socket::End;
use crate::pebble::process::Child;
use crate::pebble::process::Launch;
use crate::pebble::process::Leads;
use crate::pebble::process::reason;
use crate::pebble::process::signal_child;
use crate::pebble::shared::Shared;
use crate::pebble::tasks;
use crate::pebble::tasks::Abort;

/// The work of an `exec` task.
pub(crate) async fn run(
    shared: Rc<Shared>,
    task: u64,
    ordered: Ordered,
    session: Rc<Session>,
    abort: Abort,
) -> Result<(), String> {
    let outcome = attended(&shared, task, ordered, &session, &abort).await;
    shared.execs.borrow_mut().remove(&task);
    // Who connected to a command that never ran keeps the connection.
    for seat in [&session.control, &session.stdio, &session.stderr] {
        if let Some(end) = seat.end.take() {
            let (_, stream) = end.split();
            spawn_local(listen_on(stream));
        }
    }
    outcome
}

async fn attended(
    shared: &Rc<Shared>,
    task: u64,
    ordered: Ordered,
    session: &Session,
    abort: &Abort,
) -> Result<(), String> {
    let complete = async {
        while !session.is_complete() {
            session.arrived.notified().await;
        }
    };
    tokio::select! {
        found = timeout(PATIENCE, complete) => found.map_err(|_| {
            let told = "timeout waiting for websocket connections: context deadline exceeded";
            format!("exec {task}: {told}")
        })?,
        () = abort.asked() => return Err("context canceled".to_owned()),
    }
    let Some((sink, stream)) = session.stdio.end.take().map(StreamExt::split) else {
        return Err("no stdio".to_owned());
    };
    let mut stderr = session.stderr.end.take();
    let timeout = ordered.timeout;
    let started = match start(shared, ordered, session.split_stderr) {
        Ok(started) => started,
        Err(why) => {
            tasks::set_data(shared, task, "exit-code", Value::from(-1));
            spawn_local(end_output(sink, stream));
            if let Some((sink, stream)) = stderr.take().map(StreamExt::split) {
                spawn_local(end_output(sink, stream));
            }
            return Err(why);
        }
    };
    let pid = started.child.pid;
    let alive = Rc::new(Cell::new(true));
    spawn_local(feed(stream, started.stdin));
    let mut output = vec![spawn_local(carry(started.stdout, sink))];
    if let (Some(pipe), Some(end)) = (started.stderr, stderr) {
        let (sink, stream) = end.split();
        spawn_local(listen_on(stream));
        output.push(spawn_local(carry(pipe, sink)));
    }
    let control = attend(session, pid, Rc::clone(&alive));
    let outcome = over(started.child, timeout, abort, &alive).await;
    for carrying in output {
        // All that was said must be sent before the change is ready.
        let _ = carrying.await;
    }
    // Ends the control socket, without a word: that is how Pebble does it.
    control.abort();
    session.control_end.take();
    let code = *outcome.as_ref().unwrap_or(&-1);
    tasks::set_data(shared, task, "exit-code", Value::from(code));
    outcome.map(|_| ())
}

/// Waits for the end, and brings it about when time is up or nobody wants it any more.
async fn over(
    child: Child,
    limit: Option<crate::pebble::clock::Span>,
    abort: &Abort,
    alive: &Cell<bool>,
) -> Result<i32, String> {
    let pid = child.pid;
    let mut ended = child.ended;
    let elapsed = async {
        match limit {
            Some(limit) => sleep(limit.duration()).await,
            None => pending().await,
        }
    };
    let why = tokio::select! {
        code = &mut ended => {
            alive.set(false);
            return Ok(code.unwrap_or(-1));
        }
        () = elapsed => {
            let limit = limit.map(|limit| limit.to_string()).unwrap_or_default();
            format!("timed out after {limit}: context deadline exceeded")
        }
        () = abort.asked() => "context canceled".to_owned(),
    };
    // The child alone: what it started holds its output open, as with the real one.
    let _ = signal_child(pid, Signal::SIGKILL);
    let _ = ended.await;
    alive.set(false);
    Err(why)
}

struct Started {
    child: Child,
    stdin: Sender,
    stdout: Receiver,
    stderr: Option<Receiver>,
}

fn start(shared: &Shared, ordered: Ordered, split: bool) -> Result<Started, String> {
    let name = ordered.command.first().cloned().unwrap_or_default();
    let piped = || -> io::Result<_> {
        let (for_child, stdin) = io::pipe()?;
        let (stdout, by_child) = io::pipe()?;
        let (stderr, errors_by_child) = if split {
            let (stderr, by_child) = io::pipe()?;
            (Some(Receiver::from_owned_fd(stderr.into())?), by_child)
        } else {
            (None, by_child.try_clone()?)
        };
        let stdin = Sender::from_owned_fd(stdin.into())?;
        let stdout = Receiver::from_owned_fd(stdout.into())?;
        Ok((stdin, stdout, stderr, for_child, by_child, errors_by_child))
    };
    let (stdin, stdout, stderr, for_child, by_child, errors_by_child) =
        piped().map_err(|error| reason(&error))?;
    let program = ordered.program.display().to_string();
    let launch = Launch {
        program: ordered.program,
        words: ordered.command.into_iter().skip(1).collect(),
        name,
        environment: ordered.environment,
        dir: Some(ordered.dir),
        ids: ordered.ids,
        leads: Leads::Session,
        stdin: Stdio::from(OwnedFd::from(for_child)),
        stdout: OwnedFd::from(by_child).into(),
        stderr: OwnedFd::from(errors_by_child).into(),
    };
    let child = shared
        .children
        .spawn(launch)
        .map_err(|error| format!("fork/exec {program}: {}", reason(&error)))?;
    Ok(Started { child, stdin, stdout, stderr })
}

/// Client to command, until either has had enough. Then only the client's end is waited for.
async fn feed(mut stream: SplitStream<End>, mut stdin: Sender) {
    while let Some(Ok(message)) = stream.next().await {
        match message {
            Message::Binary(bytes) => {
                if stdin.write_all(&bytes).await.is_err() {
                    break;
                }
            }
            Message::Text(text) => {
                if command_of(&text).0 == "end" {
                    break;
                }
            }
            Message::Close(_) => return,
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
    drop(stdin);
    listen_on(stream).await;
}

/// Command to client. A client that has gone does not stop the command.
async fn carry(mut pipe: Receiver, mut sink: SplitSink<End, Message>) {
    let mut buffer = vec![0; 64 * 1024];
    let mut heard = true;
    while let Ok(count) = pipe.read(&mut buffer).await {
        let Some(fresh) = buffer.get(..count).filter(|fresh| !fresh.is_empty()) else { break };
        heard = heard && sink.send(Message::binary(fresh.to_vec())).await.is_ok();
    }
    if heard {
        let _ = sink.send(Message::text(END)).await;
    }
}

async fn end_output(mut sink: SplitSink<End, Message>, stream: SplitStream<End>) {
    let _ = sink.send(Message::text(END)).await;
    listen_on(stream).await;
}

/// Nothing that comes matters, but the connection is the client's to close.
async fn listen_on(mut stream: SplitStream<End>) {
    while let Some(Ok(_)) = stream.next().await {}
}

/// Follows the control socket, whenever it connects.
fn attend(session: &Session, pid: Pid, alive: Rc<Cell<bool>>) -> JoinHandle<()> {
    let (late, mut comes) = mpsc::unbounded_channel();
    let mut present = session.control.end.take();
    session.control_end.replace(Some(late));
    spawn_local(async move {
        let end = match present.take() {
            Some(end) => Some(end),
            None => comes.recv().await,
        };
        let Some(mut end) = end else { return };
        while let Some(Ok(message)) = end.next().await {
            match message {
                Message::Text(text) => {
                    if let ("signal", Some(signal)) = command_of(&text)
                        && alive.get()
                    {
                        let _ = signal_child(pid, signal);
                    }
                }
                Message::Close(_) => return,
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
        // The client died: nobody is left to end the command.
        if alive.get() {
            let _ = signal_child(pid, Signal::SIGKILL);
        }
    })
}

/// The command in a text message, and the signal that goes with it.
fn command_of(text: &str) -> (&'static str, Option<Signal>) {
    let Ok(order) = serde_json::from_str::<Value>(text) else { return ("", None) };
    match order.get("command").and_then(Value::as_str) {
        Some("end") => ("end", None),
        Some("signal") => {
            let name = order.pointer("/signal/name").and_then(Value::as_str).unwrap_or_default();
            ("signal", name.parse().ok())
        }
        _ => ("", None),
    }
}

const END: &str = r#"{"command":"end"}"#;

/// How long a command waits for its websockets.
const PATIENCE: Duration = Duration::from_secs(5);
