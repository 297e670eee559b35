//! A client that writes to the master all the time and says what became of each write.

use std::process::ExitCode;

use testbed::writer;

fn main() -> ExitCode {
    writer::main()
}
