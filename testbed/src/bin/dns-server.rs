//! The cluster's name server: `dns-server ADDRESS`, its names and faults as lines of JSON at stdin.

use std::env;
use std::process::ExitCode;

use testbed::dns::server;

fn main() -> ExitCode {
    server::main(env::args())
}
