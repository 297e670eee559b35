//! The cluster's address of the Kubernetes API: `api-relay ADDRESS SOCKET` passes on what comes there.

use std::env;
use std::process::ExitCode;

use testbed::kubernetes::api::relay;

fn main() -> ExitCode {
    relay::main(env::args())
}
