//! The client itself, which runs in a pod.

use std::io;
use std::io::BufRead;
use std::io::Read;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use redis::Client;
use redis::Connection;
use redis::ErrorKind;
use redis::IntoConnectionInfo;
use redis::RedisConnectionInfo;
use redis::RedisError;
use redis::RedisResult;

use crate::wait;
use crate::writer::plan::Habit;
use crate::writer::plan::Line;
use crate::writer::plan::Outcome;
use crate::writer::plan::Plan;
use crate::writer::plan::Task;

/// The program: a line at stdin says what to do.
pub(crate) fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "writer: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let (plan, task): (Plan, Task) = serde_json::from_str(&line)?;
    match task {
        Task::Write => write_until(&plan, &end_of_orders()),
        Task::Find(numbers) => find(&plan, &numbers),
    }
}

/// Becomes true when stdin ends.
fn end_of_orders() -> Arc<AtomicBool> {
    let ended = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&ended);
    thread::spawn(move || {
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
        end.store(true, Ordering::Relaxed);
    });
    ended
}

fn write_until(plan: &Plan, ended: &AtomicBool) -> io::Result<()> {
    let mut master = None;
    let mut number = 0;
    while !ended.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let outcome = match write(plan, &mut master, number) {
            Ok(host) => Outcome::Acknowledged { master: host },
            Err(error) => {
                master = None;
                Outcome::Unknown { reason: error.to_string() }
            }
        };
        if plan.habit == Habit::AsksEachTime {
            master = None;
        }
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        say(&Line::Write { at, number, outcome })?;
        number += 1;
        wait::pace(plan.period.saturating_sub(begun.elapsed()));
    }
    Ok(())
}

fn say(line: &Line) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "{}", serde_json::to_string(line)?)?;
    stdout.flush()
}

struct Master {
    host: String,
    connection: Connection,
}

/// Writes, and gives the host that acknowledged.
fn write(plan: &Plan, master: &mut Option<Master>, number: u64) -> RedisResult<String> {
    let master = match master {
        Some(master) => master,
        None => master.insert(find_master(plan)?),
    };
    let connection = &mut master.connection;
    redis::cmd("SET").arg(plan.key(number)).arg(number).exec(connection)?;
    if plan.replicas > 0 {
        let limit = u64::try_from(PATIENCE.as_millis() / 2).unwrap_or_default();
        let have: u32 = redis::cmd("WAIT").arg(plan.replicas).arg(limit).query(connection)?;
        if have < plan.replicas {
            return Err(not(&format!("{have} of {} replicas have it", plan.replicas)));
        }
    }
    Ok(master.host.clone())
}

/// Connects to the master that the first Sentinel names which names one.
fn find_master(plan: &Plan) -> RedisResult<Master> {
    let mut last = not("there is no Sentinel to ask");
    for (host, port) in &plan.sentinels {
        match named_master(plan, host, *port) {
            Ok((host, port)) => {
                let connection = connect(&host, port, plan.redis_password.as_deref())?;
                return Ok(Master { host, connection });
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn named_master(plan: &Plan, host: &str, port: u16) -> RedisResult<(String, u16)> {
    let mut connection = connect(host, port, plan.sentinel_password.as_deref())?;
    let mut question = redis::cmd("SENTINEL");
    question.arg("GET-MASTER-ADDR-BY-NAME").arg(&plan.group);
    let named: Option<(String, u16)> = question.query(&mut connection)?;
    named.ok_or_else(|| not(&format!("{host} knows no master")))
}

fn connect(host: &str, port: u16, password: Option<&str>) -> RedisResult<Connection> {
    let mut login = RedisConnectionInfo::default();
    if let Some(password) = password {
        login = login.set_password(password);
    }
    let address = format!("redis://{host}:{port}").into_connection_info()?;
    let client = Client::open(address.set_redis_settings(login))?;
    let connection = client.get_connection_with_timeout(PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    Ok(connection)
}

fn not(what: &str) -> RedisError {
    (ErrorKind::Io, "no acknowledgement", what.to_owned()).into()
}

fn find(plan: &Plan, numbers: &[u64]) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        match missing(plan, numbers) {
            Ok(numbers) => return say(&Line::Missing(numbers)),
            Err(error) => say(&Line::NotAsked(error.to_string()))?,
        }
        if begun.elapsed() > FINDING {
            return Ok(());
        }
        wait::pace(Duration::from_millis(100));
    }
}

fn missing(plan: &Plan, numbers: &[u64]) -> RedisResult<Vec<u64>> {
    let mut connection = find_master(plan)?.connection;
    let mut missing = Vec::new();
    for numbers in numbers.chunks(AT_ONCE) {
        let mut question = redis::cmd("MGET");
        for number in numbers {
            question.arg(plan.key(*number));
        }
        let found: Vec<Option<String>> = question.query(&mut connection)?;
        let is_other = |(number, value): &(u64, _)| *value != Some(number.to_string());
        let pairs = numbers.iter().copied().zip(found);
        missing.extend(pairs.filter(is_other).map(|(number, _)| number));
    }
    Ok(missing)
}

/// How long a connection and each answer may take: longer than a busy machine needs, and short against
/// a failover.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a master may take to be there when it is asked what it has.
const FINDING: Duration = Duration::from_secs(30);

const AT_ONCE: usize = 1000;
