//! A server that answers oddly: `odd-server http|cut-short|silent|drip|oversized PORT`.
//!
//! Prints one line once it accepts, and runs until its stdin ends.

use std::env;
use std::io;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use testbed::wait;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().collect();
    let [_, oddity, port] = arguments.as_slice() else {
        return ExitCode::from(2);
    };
    let Some(serve) = server_of(oddity) else {
        return ExitCode::from(2);
    };
    let Some(listener) = port.parse().ok().and_then(|port| listen(port).ok()) else {
        return ExitCode::FAILURE;
    };
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away is what is expected.
            thread::spawn(move || {
                let _ = serve(stream);
            });
        }
    });
    let _ = io::stdin().lock().read_to_end(&mut Vec::new());
    ExitCode::SUCCESS
}

fn listen(port: u16) -> io::Result<TcpListener> {
    // Who had the port before may take a moment to give it back.
    let bind = || TcpListener::bind(("0.0.0.0", port)).ok();
    let listener = wait::until("the port is free", Duration::from_secs(5), bind)
        .map_err(|error| io::Error::other(error.to_string()))?;
    writeln!(io::stdout(), "listening")?;
    Ok(listener)
}

type Serve = fn(TcpStream) -> io::Result<()>;

fn server_of(oddity: &str) -> Option<Serve> {
    Some(match oddity {
        "http" => http,
        "cut-short" => cut_short,
        "silent" => silent,
        "drip" => drip,
        "oversized" => oversized,
        _ => return None,
    })
}

fn http(mut stream: TcpStream) -> io::Result<()> {
    heard(&mut stream)?;
    stream.write_all(
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\
          Connection: close\r\n\r\nBad Request\n",
    )
}

fn cut_short(mut stream: TcpStream) -> io::Result<()> {
    heard(&mut stream)?;
    stream.write_all(b"*2\r\n$40\r\nredis-k8s-0.redis-k8s-en")
}

/// Reads on, so that the connection stays open and no buffer fills.
fn silent(mut stream: TcpStream) -> io::Result<()> {
    while heard(&mut stream)? > 0 {}
    Ok(())
}

fn drip(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    heard(&mut stream)?;
    for byte in b"$1000000\r\n".iter().chain([&b'.'].into_iter().cycle()) {
        stream.write_all(&[*byte])?;
        wait::pace(Duration::from_millis(100));
    }
    Ok(())
}

fn oversized(mut stream: TcpStream) -> io::Result<()> {
    heard(&mut stream)?;
    stream.write_all(b"$536870912\r\n")?;
    let block = [b'x'; 8192];
    for _ in 0..536_870_912 / block.len() {
        stream.write_all(&block)?;
    }
    Ok(())
}

/// Waits for the client's first bytes, as a server does; how many is all that is told.
fn heard(stream: &mut TcpStream) -> io::Result<usize> {
    stream.read(&mut [0; 4096])
}
