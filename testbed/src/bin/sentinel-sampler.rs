//! Asks one Sentinel again and again how many replicas it knows:
//! `sentinel-sampler PORT GROUP MILLISECONDS`, the password in `SAMPLER_PASSWORD`.
//!
//! Prints a line for each sample, the microseconds since 1970 and the number of replicas (`-` for no
//! answer), and runs until it is killed or nobody reads.

use std::collections::HashMap;
use std::env;
use std::io;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use redis::Client;
use redis::Connection;
use redis::IntoConnectionInfo;
use redis::RedisConnectionInfo;
use redis::RedisResult;
use testbed::wait;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().collect();
    let [_, port, group, period] = arguments.as_slice() else {
        return ExitCode::from(2);
    };
    let Ok(period) = period.parse().map(Duration::from_millis) else {
        return ExitCode::from(2);
    };
    match sample(port, group, period) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn sample(port: &str, group: &str, period: Duration) -> io::Result<()> {
    let mut connection = None;
    let mut stdout = io::stdout();
    loop {
        let begun = Instant::now();
        let replicas = if let Ok(replicas) = ask(&mut connection, port, group) {
            replicas.to_string()
        } else {
            connection = None;
            "-".to_owned()
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        writeln!(stdout, "{} {replicas}", now.as_micros())?;
        stdout.flush()?;
        wait::pace(period.saturating_sub(begun.elapsed()));
    }
}

fn ask(connection: &mut Option<Connection>, port: &str, group: &str) -> RedisResult<u64> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(connect(port)?),
    };
    let asked = redis::cmd("SENTINEL").arg("MASTER").arg(group).query(connection);
    match asked {
        Ok(fields) => {
            let fields: HashMap<String, String> = fields;
            Ok(fields.get("num-slaves").and_then(|count| count.parse().ok()).unwrap_or(0))
        }
        // A Sentinel that does not know the group knows no replica.
        Err(error) if error.to_string().contains("No such master") => Ok(0),
        Err(error) => Err(error),
    }
}

fn connect(port: &str) -> RedisResult<Connection> {
    let mut login = RedisConnectionInfo::default();
    if let Ok(password) = env::var("SAMPLER_PASSWORD") {
        login = login.set_password(password);
    }
    let address = format!("redis://127.0.0.1:{port}").into_connection_info()?;
    let client = Client::open(address.set_redis_settings(login))?;
    let connection = client.get_connection_with_timeout(Duration::from_secs(1))?;
    connection.set_read_timeout(Some(Duration::from_secs(1)))?;
    Ok(connection)
}
