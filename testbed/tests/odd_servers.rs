//! The odd servers are as odd as their names say.

use std::error::Error;
use std::time::Duration;
use std::time::Instant;

use testbed::bed::Bed;
use testbed::layout::Layout;
use testbed::pod::CHARM;
use testbed::redis::odd_server::OddServer;
use testbed::redis::odd_server::Oddity;

type Result = std::result::Result<(), Box<dyn Error>>;

/// What a client gets that says PING and listens for a while: the bytes (2 kB at most), and whether
/// the server closed the connection.
fn client_gets(oddity: Oddity) -> std::result::Result<(String, bool), Box<dyn Error>> {
    let bed = Bed::start(Layout { units: 2, servers: false, ..Layout::default() })?;
    let _server = OddServer::start(&*bed.pod(0)?.pod()?, oddity, 26379)?;
    let pod = bed.pod(1)?.pod()?;
    let mut client = pod.command(CHARM, "timeout");
    let script = "exec 3<>/dev/tcp/$0/26379; printf 'PING\\r\\n' >&3; exec dd bs=1 count=2000 status=none <&3";
    client.args(["0.7", "bash", "-c", script, &bed.host(0)]);
    let start = Instant::now();
    let output = pod.run(&mut client, "")?;
    let closed = output.status.success() && start.elapsed() < Duration::from_millis(600);
    Ok((String::from_utf8_lossy(&output.stdout).into_owned(), closed))
}

#[test]
fn one_speaks_http() -> Result {
    let (said, closed) = client_gets(Oddity::Http)?;
    assert!(said.starts_with("HTTP/1.1 400 ") && closed, "{said}");
    Ok(())
}

#[test]
fn one_stops_in_the_middle_of_an_answer() -> Result {
    let (said, closed) = client_gets(Oddity::CutShort)?;
    assert!(said.starts_with("*2\r\n$40\r\n") && said.len() < 48 && closed, "{said}");
    Ok(())
}

#[test]
fn one_never_answers() -> Result {
    assert_eq!(client_gets(Oddity::Silent)?, (String::new(), false));
    Ok(())
}

#[test]
fn one_drips() -> Result {
    let (said, closed) = client_gets(Oddity::Drip)?;
    assert!("$1000000\r\n".starts_with(&said) && said.len() > 2 && !closed, "{said}");
    Ok(())
}

#[test]
fn one_sends_more_than_anybody_wants() -> Result {
    let (said, _) = client_gets(Oddity::Oversized)?;
    assert!(said.starts_with("$536870912\r\nxxxx") && said.len() == 2000);
    Ok(())
}

#[test]
fn a_port_in_use_is_an_error() -> Result {
    let bed = Bed::start(Layout { units: 1, servers: false, ..Layout::default() })?;
    let pod = bed.pod(0)?.pod()?;
    let _server = OddServer::start(&pod, Oddity::Silent, 6379)?;
    assert!(OddServer::start(&pod, Oddity::Http, 6379).is_err());
    Ok(())
}
