//! A library that makes a disk slow: loaded into every program of a container by its
//! `/etc/ld.so.preload`, it lets `fdatasync` and `fsync` take longer by what a file says.
//!
//! It is an example in Cargo's sense only, because that makes a library of its own for the loader.
#![expect(
    unsafe_code,
    reason = "it takes the place of functions of the C library, which leaves it the system calls"
)]
#![expect(clippy::disallowed_methods, reason = "a program that waits for a slow disk is asleep")]

use std::ffi::c_int;
use std::fs;
use std::process;
use std::thread;
use std::time::Duration;

use nix::libc;

/// `fdatasync(2)`, later.
#[unsafe(no_mangle)]
pub extern "C" fn fdatasync(file: c_int) -> c_int {
    sync(libc::SYS_fdatasync, file)
}

/// `fsync(2)`, later.
#[unsafe(no_mangle)]
pub extern "C" fn fsync(file: c_int) -> c_int {
    sync(libc::SYS_fsync, file)
}

fn sync(call: libc::c_long, file: c_int) -> c_int {
    // Process 1 is Pebble, whose files are on another disk.
    if process::id() != 1
        && let Ok(text) = fs::read_to_string(DELAY)
        && let Ok(millis) = text.trim().parse()
    {
        thread::sleep(Duration::from_millis(millis));
    }
    // SAFETY: the call takes a number and no memory, and says itself when the number is no file.
    let result = unsafe { libc::syscall(call, file) };
    // It is 0 or -1; errno is set already.
    if result == 0 { 0 } else { -1 }
}

/// Milliseconds, in the folder that the container shares with the test bed.
const DELAY: &str = "/charm/container/slow-disk";
