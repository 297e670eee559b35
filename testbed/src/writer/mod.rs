//! Clients that write all the time and know which writes were acknowledged, so that afterwards what
//! was lost has a name and how long nobody could write is known.
//!
//! ```no_run
//! # use std::time::Duration;
//! # use testbed::bed::Bed;
//! # use testbed::layout::Layout;
//! # use testbed::writer::Writer;
//! # use testbed::writer::plan::Habit;
//! # use testbed::writer::plan::Plan;
//! # fn main() -> Result<(), testbed::error::BedError> {
//! let bed = Bed::start(Layout::default())?;
//! let at = bed.pod(1)?.pod()?;
//! let writer = Writer::start(&at, Plan::of(bed.layout(), "orders", Habit::AsksEachTime))?;
//! bed.pod(0)?.kill_redis()?;
//! bed.failed_over(0, &[1, 2], Duration::from_secs(20))?;
//! let written = writer.stop()?;
//! assert!(written.missing(&at)?.is_empty());
//! println!("nobody could write for {:?}", written.worst_gap());
//! # Ok(())
//! # }
//! ```

pub mod plan;
pub mod written;

mod client;

use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ExitCode;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::error::BedError;
use crate::error::at_file;
use crate::lock::lock;
use crate::pod::Pod;
use crate::wait;
use crate::writer::plan::Line;
use crate::writer::plan::Plan;
use crate::writer::plan::Task;
use crate::writer::written::Written;

/// A client that writes until it is stopped, or its pod is.
#[derive(Debug)]
pub struct Writer {
    plan: Plan,
    program: Program,
}

impl Writer {
    /// Starts to write from inside a pod; the first write is acknowledged when this returns.
    pub fn start(pod: &Pod, plan: Plan) -> Result<Self, BedError> {
        let program = Program::start(pod, &plan, &Task::Write)?;
        let writer = Self { plan, program };
        let what = format!("the first write of {} is acknowledged", writer.plan.name);
        wait::until(&what, Duration::from_secs(30), || {
            (writer.so_far().acknowledged() > 0).then_some(())
        })
        .map_err(|error| error.with("its last lines", &writer.so_far().tail()))?;
        Ok(writer)
    }

    /// What it has written so far.
    pub fn so_far(&self) -> Written {
        Written::new(self.plan.clone(), lock(&self.program.lines).clone())
    }

    /// Lets it finish the write that is under way, and ends it. One that ended with its pod, or was
    /// killed, has written what it had told of.
    pub fn stop(mut self) -> Result<Written, BedError> {
        self.program.finish()?;
        Ok(self.so_far())
    }
}

/// One run of the program `writer`; dropped, it ends.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    orders: Option<ChildStdin>,
    lines: Arc<Mutex<Vec<Line>>>,
    reader: Option<JoinHandle<()>>,
}

impl Program {
    /// Passwords go by its stdin: neither arguments nor environment hold them.
    pub(crate) fn start(pod: &Pod, plan: &Plan, task: &Task) -> Result<Self, BedError> {
        let mut command = pod.own_command("writer")?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = pod.spawn(&mut command)?;
        let lines = Arc::new(Mutex::new(Vec::new()));
        let reader = child.stdout.take().map(|stdout| {
            let lines = Arc::clone(&lines);
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    lock(&lines).extend(serde_json::from_str::<Line>(&line).ok());
                }
            })
        });
        let mut orders = child.stdin.take();
        if let Some(orders) = &mut orders {
            let told = serde_json::to_string(&(plan, task)).map_err(io::Error::from);
            told.and_then(|line| writeln!(orders, "{line}")).map_err(at_file(TITLE))?;
        }
        Ok(Self { child, orders, lines, reader })
    }

    /// Lets it come to its end, and gives all that it said.
    pub(crate) fn finish(&mut self) -> Result<Vec<Line>, BedError> {
        drop(self.orders.take());
        // A name server that is silent holds it up longest.
        wait::until("a writer ends", Duration::from_mins(1), || {
            matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)).then_some(())
        })?;
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        Ok(lock(&self.lines).clone())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program `writer`: a line at stdin says what to do.
pub fn main() -> ExitCode {
    client::main()
}

const TITLE: &str = "the writer";
