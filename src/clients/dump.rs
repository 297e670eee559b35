//! What a dump tells in its first fields: of the stream of writes that it holds, and whether it holds
//! keys.
//!
//! After its name and version it has fields of text, each behind 0xFA: a name and a value (Redis 7.0,
//! rdb.c). Those of the stream are there when it was written by a master with replicas, or by one.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;
use std::time::SystemTime;

use crate::clients::volume::append_only_files;

/// Where the data of a dump come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `repl-id`.
    pub replication_id: String,
    /// `repl-offset`.
    pub offset: u64,
    /// When it was written.
    pub written: SystemTime,
}

/// The dump that the last Redis wrote as it ended; `None` where it wrote none then: the append-only file
/// has been written to since, and holds more.
pub fn last_words(folder: &Path) -> io::Result<Option<Origin>> {
    let path = folder.join("dump.rdb");
    let mut file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let written = file.metadata()?.modified()?;
    for other in append_only_files(folder)? {
        if other.metadata()?.modified()? > written {
            return Ok(None);
        }
    }
    let mut start = Vec::new();
    file.by_ref().take(LONGEST_PREAMBLE).read_to_end(&mut start)?;
    let told = position(&start);
    Ok(told.map(|(replication_id, offset)| Origin { replication_id, offset, written }))
}

fn position(bytes: &[u8]) -> Option<(String, u64)> {
    let (mut id, mut offset) = (None, None);
    let end = walk(bytes, |name, value| match name {
        "repl-id" => id = Some(value),
        "repl-offset" => offset = value.parse().ok(),
        _ => {}
    });
    end?;
    Some((id?, offset?))
}

/// The length of a dump that holds no key; `None` for one that does, and for what is no dump. After its
/// fields it has its end, 0xFF, with eight bytes of checksum; anything else there is data.
pub(crate) fn empty_length(bytes: &[u8]) -> Option<u64> {
    let (0xFF, sum) = walk(bytes, |_, _| ())?.split_first()? else { return None };
    let left = sum.len().saturating_sub(8);
    u64::try_from(bytes.len() - left).ok()
}

/// Takes each field with its value, and gives what comes after all of them; `None` for what is no dump,
/// and for one that ends in a field.
fn walk(bytes: &[u8], mut take: impl FnMut(&str, String)) -> Option<&[u8]> {
    let mut rest = bytes.strip_prefix(b"REDIS")?.get(4..)?;
    while let Some((0xFA, fields)) = rest.split_first() {
        let (name, fields) = text(fields)?;
        let (value, after) = text(fields)?;
        take(&name, value);
        rest = after;
    }
    Some(rest)
}

/// A text, or a number in its short form, and what comes after it. That is all that the fields hold.
fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let number = |length: usize| {
        let (bytes, after) = rest.split_at_checked(length)?;
        // The least significant byte comes first.
        let value = bytes.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        Some((value.to_string(), after))
    };
    let (length, rest) = match first {
        0x00..=0x3F => (usize::from(*first), rest),
        0x40..=0x7F => {
            let (second, rest) = rest.split_first()?;
            (usize::from(first & 0x3F) << 8 | usize::from(*second), rest)
        }
        0xC0 => return number(1),
        0xC1 => return number(2),
        0xC2 => return number(4),
        _ => return None,
    };
    let (text, after) = rest.split_at_checked(length)?;
    Some((String::from_utf8_lossy(text).into_owned(), after))
}

/// In bytes; the fields have some 200.
pub(crate) const LONGEST_PREAMBLE: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_tells_the_stream_and_how_far_it_holds_it() {
        let mut bytes = b"REDIS0010\xfa\x09redis-ver\x067.0.15\xfa\x0aredis-bits\xc0\x40".to_vec();
        bytes.extend(b"\xfa\x05ctime\xc2\x01\x02\x03\x04\xfa\x0erepl-stream-db\xc0\x00");
        bytes.extend(b"\xfa\x07repl-id\x280123456789012345678901234567890123456789");
        assert_eq!(position(&bytes), None);
        // As long as a name may be that has its length in two bytes.
        bytes.extend(b"\xfa\x07comment\x41\x02");
        bytes.extend([b'.'; 0x102]);
        let id = "0123456789012345678901234567890123456789";
        for (offset, value) in [
            (b"\xc0\x0e".as_slice(), 14),
            (b"\xc1\x00\x10", 4096),
            (b"\xc2\x00\x00\x01\x40", 0x4001_0000),
            (b"\x0a5000000000", 5_000_000_000),
        ] {
            let whole = [&bytes, b"\xfa\x0brepl-offset".as_slice(), offset, b"\xfe\x00"].concat();
            assert_eq!(position(&whole), Some((id.to_owned(), value)));
            for cut in 0..whole.len() - 2 {
                assert_eq!(position(&whole[..cut]), None, "{cut}");
            }
        }
    }
}
