//! The socket of one running hook: answers its tools, one after the other, with faults on demand.

use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use nix::sys::signal::Signal;

use crate::trace::entry::What;

use super::context::Context;
use super::frame;
use super::hook::Fault;
use super::hook::FaultKind;
use super::process::signal_group;
use super::run::CUT_OFF;
use super::run::ToolCall;
use super::tools;
use super::tools::Answer;
use super::tools::Call;
use super::world::SharedWorld;
use crate::lock::lock;

/// One hook's server.
#[derive(Debug)]
pub(crate) struct Server {
    world: SharedWorld,
    /// Also the lock that lets one tool in at a time.
    pub(crate) context: Mutex<Context>,
    unit: String,
    id: String,
    faults: Vec<Fault>,
    socket: PathBuf,
    /// The hook's process group, once it has started.
    pub(crate) group: OnceLock<i32>,
    calls: Mutex<Calls>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Calls {
    made: Vec<ToolCall>,
    arrivals: Vec<Instant>,
    /// Held calls up to this one may go on.
    released: usize,
    is_closed: bool,
    /// Calls that never get an answer, kept so that their tools wait for one.
    parked: Vec<UnixStream>,
}

/// A request as it came from a tool.
struct Request {
    context: String,
    directory: PathBuf,
    tool: String,
    arguments: Vec<String>,
}

impl Server {
    /// Opens the socket and answers calls that come with the right context id.
    pub(crate) fn open(
        world: SharedWorld,
        context: Context,
        id: String,
        faults: Vec<Fault>,
        socket: PathBuf,
    ) -> io::Result<Arc<Self>> {
        let listener = UnixListener::bind(&socket)?;
        let server = Arc::new(Self {
            world,
            unit: context.unit.clone(),
            context: Mutex::new(context),
            id,
            faults,
            socket,
            group: OnceLock::new(),
            calls: Mutex::default(),
            changed: Condvar::new(),
        });
        let accepting = Arc::clone(&server);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if lock(&accepting.calls).is_closed {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let answering = Arc::clone(&accepting);
                // A tool that died in the middle of its call is not the bed's failure.
                thread::spawn(move || answering.serve(stream).unwrap_or_default());
            }
        });
        Ok(server)
    }

    /// Ends the hook's calls: a tool that comes later finds no socket.
    pub(crate) fn close(&self) {
        {
            let mut calls = lock(&self.calls);
            calls.is_closed = true;
            calls.parked.clear();
            self.changed.notify_all();
        }
        // Wakes the accepting thread. Both fail only when the directory is already gone.
        let _ = UnixStream::connect(&self.socket);
        let _ = std::fs::remove_file(&self.socket);
    }

    /// The calls so far.
    pub(crate) fn calls(&self) -> Vec<ToolCall> {
        lock(&self.calls).made.clone()
    }

    /// Waits until that many calls have arrived; says whether they have.
    pub(crate) fn wait_for_call(&self, number: usize, limit: Duration) -> bool {
        let calls = lock(&self.calls);
        let missing = |calls: &mut Calls| calls.made.len() < number && !calls.is_closed;
        let waited = self.changed.wait_timeout_while(calls, limit, missing);
        let (calls, _) = waited.unwrap_or_else(PoisonError::into_inner);
        calls.made.len() >= number
    }

    /// Lets go all calls that have arrived and are held.
    pub(crate) fn release(&self) {
        let mut calls = lock(&self.calls);
        calls.released = calls.made.len();
        self.changed.notify_all();
    }

    fn serve(&self, mut stream: UnixStream) -> io::Result<()> {
        let request = Request::receive(&mut stream)?;
        if request.context != self.id {
            let got = super::names::quoted(&request.context);
            let text = format!("ERROR bad request: wrong context ID; got {got}");
            return send(&mut stream, &Answer::error(1, &text));
        }
        let number = self.note_arrival(&request);
        let fault = self.faults.iter().find(|fault| fault.at_call == number);
        match fault.map(|fault| &fault.kind) {
            None => {}
            Some(FaultKind::Exit(code, text)) => {
                let answer = Answer::error(*code, &format!("ERROR {text}"));
                return self.finish(number, &mut stream, &answer);
            }
            Some(FaultKind::Garbage) => {
                let answer = Answer { exit: 0, stdout: GARBAGE.to_vec(), stderr: Vec::new() };
                return self.finish(number, &mut stream, &answer);
            }
            Some(FaultKind::Hang) => {
                self.trace(number, None);
                lock(&self.calls).parked.push(stream);
                return Ok(());
            }
            Some(FaultKind::KillHook) => {
                lock(&self.calls).parked.push(stream);
                self.trace(number, None);
                return signal_group(*self.group.wait(), Signal::SIGKILL).map_err(io::Error::from);
            }
            Some(FaultKind::TerminateHook) => signal_group(*self.group.wait(), Signal::SIGTERM)?,
            Some(FaultKind::LoseLeadership) => self.lose_leadership(),
            Some(FaultKind::Hold) => self.hold(number),
        }
        let answer = self.answer(number, &request, &mut stream)?;
        self.finish(number, &mut stream, &answer)
    }

    /// Runs the tool, fetching its standard input if it wants it.
    fn answer(
        &self,
        number: usize,
        request: &Request,
        stream: &mut UnixStream,
    ) -> io::Result<Answer> {
        let mut stdin: Option<Vec<u8>> = None;
        loop {
            if let Some(answer) = self.answer_with(request, stdin.as_deref())? {
                return Ok(answer);
            }
            frame::send(stream, &[frame::STDIN])?;
            let input = frame::receive(stream)?.into_iter().next().unwrap_or_default();
            self.note(number, |call| call.stdin = Some(input.clone()));
            lock(&self.world).inputs.push(String::from_utf8_lossy(&input).into_owned());
            stdin = Some(input);
        }
    }

    fn answer_with(&self, request: &Request, stdin: Option<&[u8]>) -> io::Result<Option<Answer>> {
        let mut context = lock(&self.context);
        if lock(&self.calls).is_closed {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        if lock(&self.world).agent(&self.unit).is_cut_off {
            return Ok(Some(Answer::error(1, &format!("ERROR {CUT_OFF}"))));
        }
        Ok(tools::answer(Call {
            context: &mut context,
            world: &mut lock(&self.world),
            directory: &request.directory,
            tool: &request.tool,
            arguments: &request.arguments,
            stdin,
            notice: String::new(),
        }))
    }

    fn finish(&self, number: usize, stream: &mut UnixStream, answer: &Answer) -> io::Result<()> {
        self.note(number, |call| {
            call.exit = Some(answer.exit);
            call.stdout = String::from_utf8_lossy(&answer.stdout).into_owned();
            call.stderr = String::from_utf8_lossy(&answer.stderr).into_owned();
        });
        self.trace(number, Some(answer.exit));
        send(stream, answer)
    }

    /// Notes the call in the trace, before its hook can end.
    fn trace(&self, number: usize, exit: Option<u8>) {
        let call = {
            let calls = lock(&self.calls);
            let call = calls.made.get(number.saturating_sub(1));
            let arrived = calls.arrivals.get(number.saturating_sub(1));
            call.zip(arrived).map(|(call, arrived)| (call.argv.clone(), arrived.elapsed()))
        };
        if let Some((argv, took)) = call {
            let mut world = lock(&self.world);
            let unit = self.unit.clone();
            world.deployment.trace.push(What::Tool { unit, argv, exit, took });
            world.note_change();
        }
    }

    /// Records the call and returns its number.
    fn note_arrival(&self, request: &Request) -> usize {
        let mut argv = vec![request.tool.clone()];
        argv.extend(request.arguments.iter().cloned());
        lock(&self.world).transcript.push(argv.join(" "));
        let mut calls = lock(&self.calls);
        calls.made.push(ToolCall::arrived(argv));
        calls.arrivals.push(Instant::now());
        self.changed.notify_all();
        calls.made.len()
    }

    fn note(&self, number: usize, change: impl FnOnce(&mut ToolCall)) {
        let mut calls = lock(&self.calls);
        if let Some(call) = calls.made.get_mut(number.saturating_sub(1)) {
            change(call);
        }
    }

    fn hold(&self, number: usize) {
        let calls = lock(&self.calls);
        let held = |calls: &mut Calls| calls.released < number && !calls.is_closed;
        // A poisoned lock only means that a test has failed already.
        drop(self.changed.wait_while(calls, held).unwrap_or_else(PoisonError::into_inner));
    }

    fn lose_leadership(&self) {
        let application = lock(&self.context).application.clone();
        lock(&self.world).lose_leadership(&application);
    }
}

impl Request {
    fn receive(stream: &mut UnixStream) -> io::Result<Self> {
        let mut parts = frame::receive(stream)?.into_iter();
        let text = |part: Vec<u8>| String::from_utf8_lossy(&part).into_owned();
        let mut next = || parts.next().ok_or(io::ErrorKind::InvalidData);
        Ok(Self {
            context: text(next()?),
            directory: PathBuf::from(std::ffi::OsString::from_vec(next()?)),
            tool: text(next()?),
            arguments: parts.map(text).collect(),
        })
    }
}

fn send(stream: &mut UnixStream, answer: &Answer) -> io::Result<()> {
    frame::send(stream, &[frame::DONE, &[answer.exit], &answer.stdout, &answer.stderr])
}

/// What a broken tool prints: neither JSON nor UTF-8.
const GARBAGE: &[u8] = b"}\xff no json {\n";
