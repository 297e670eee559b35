//! The frames between a hook tool and the hook that it belongs to.
//!
//! A message is a count of parts, then each part with its length before it; numbers are 32 bits,
//! little end first. The tool sends `[context, directory, name, arguments..]`; the answer is
//! `["stdin"]`, upon which the tool sends `[its standard input]`, or `["done", exit, out, err]`.

use std::io;
use std::io::Read;
use std::io::Write;

/// First part of the answer that asks for the tool's standard input.
pub const STDIN: &[u8] = b"stdin";

/// First part of the answer that ends the call.
pub const DONE: &[u8] = b"done";

/// Sends one message.
pub fn send(stream: &mut impl Write, parts: &[&[u8]]) -> io::Result<()> {
    let mut bytes = Vec::new();
    bytes.extend(length(parts.len())?);
    for part in parts {
        bytes.extend(length(part.len())?);
        bytes.extend(*part);
    }
    stream.write_all(&bytes)
}

/// Reads one message; an ended stream is `UnexpectedEof`.
pub fn receive(stream: &mut impl Read) -> io::Result<Vec<Vec<u8>>> {
    let count = number(stream)?;
    let mut parts = Vec::new();
    for _ in 0..count {
        let size = u64::from(number(stream)?);
        let mut part = Vec::new();
        stream.take(size).read_to_end(&mut part)?;
        if part.len() as u64 != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        parts.push(part);
    }
    Ok(parts)
}

fn length(size: usize) -> io::Result<[u8; 4]> {
    let size = u32::try_from(size).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    Ok(size.to_le_bytes())
}

fn number(stream: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    stream.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}
