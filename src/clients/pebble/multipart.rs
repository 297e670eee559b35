//! `multipart/form-data` as `/v1/files` takes and gives it: JSON and the bytes of files.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::hash::Hasher;
use std::io;
use std::io::Read;

use serde_json::Value;

/// A form to be sent: the request, then the files, whose bytes are not copied.
pub(crate) struct Form<'a> {
    boundary: String,
    /// What stands before each file, and the file.
    pieces: Vec<(String, &'a [u8])>,
}

impl<'a> Form<'a> {
    /// The part `request` comes first.
    pub(crate) fn new(request: &Value) -> Self {
        let boundary = boundary();
        let head = format!(
            "--{boundary}\r\nContent-Type: application/json\r\n\
             Content-Disposition: form-data; name=\"request\"\r\n\r\n{request}\r\n"
        );
        Self { boundary, pieces: vec![(head, &[])] }
    }

    /// Adds the part of a file, which is known by its path.
    pub(crate) fn add(&mut self, path: &str, content: &'a [u8]) {
        let name = path.replace('\\', "\\\\").replace('"', "\\\"");
        let end = if self.pieces.len() > 1 { "\r\n" } else { "" };
        let head = format!(
            "{end}--{}\r\nContent-Type: application/octet-stream\r\n\
             Content-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\r\n",
            self.boundary
        );
        self.pieces.push((head, content));
    }

    pub(crate) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    fn end(&self) -> String {
        format!("\r\n--{}--\r\n", self.boundary)
    }

    /// In bytes.
    pub(crate) fn length(&self) -> usize {
        let pieces = self.pieces.iter().map(|(head, content)| head.len() + content.len());
        pieces.sum::<usize>() + self.end().len()
    }

    /// All of it.
    pub(crate) fn reader(&self) -> impl Read {
        let end: Box<dyn Read> = Box::new(io::Cursor::new(self.end()));
        self.pieces.iter().rev().fold(end, |rest, (head, content)| {
            Box::new(head.as_bytes().chain(*content).chain(rest))
        })
    }
}

/// Pebble wants 32 characters at least. Random, so that no file has it in it.
fn boundary() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

/// A part of a form that was received.
pub(crate) struct Part<'a> {
    /// Whether it is the file asked for, or else the JSON about it.
    pub(crate) is_file: bool,
    pub(crate) content: &'a [u8],
}

/// The parts of a form; `None` when it is none, or has no end.
pub(crate) fn parts<'a>(content_type: &str, body: &'a [u8]) -> Option<Vec<Part<'a>>> {
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=")?.trim_matches('"');
    let between = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(between.trim_start().as_bytes())?;
    let mut found = Vec::new();
    while !rest.starts_with(b"--") {
        let part = rest.strip_prefix(b"\r\n")?;
        let (head, after) = split(part, b"\r\n\r\n")?;
        let (content, after) = split(after, between.as_bytes())?;
        // A quote in the file's name is escaped, so this is never a part of it.
        let head = String::from_utf8_lossy(head);
        found.push(Part { is_file: head.contains("form-data; name=\"files\""), content });
        rest = after;
    }
    Some(found)
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let start = bytes.windows(at.len()).position(|window| window == at)?;
    Some((bytes.get(..start)?, bytes.get(start + at.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_as_long_as_it_says_and_is_read_back_as_it_was() {
        let request = serde_json::json!({"action": "write"});
        let (one, two) = (b"bytes\r\n--\0\xff".as_slice(), b"".as_slice());
        let mut form = Form::new(&request);
        form.add("/a", one);
        form.add("/\"b\\ name=\"request\"", two);
        let mut sent = Vec::new();
        form.reader().read_to_end(&mut sent).unwrap();
        assert_eq!(sent.len(), form.length());
        let read = parts(&form.content_type(), &sent).unwrap();
        let read: Vec<_> = read.iter().map(|part| (part.is_file, part.content)).collect();
        let json = request.to_string();
        assert_eq!(read, [(false, json.as_bytes()), (true, one), (true, two)]);
    }

    #[test]
    fn what_is_no_whole_form_is_none() {
        let kind = "multipart/form-data; boundary=xyz";
        for (content_type, body) in [
            (kind, ""),
            (kind, "--xyz"),
            (kind, "--xyz\r\n"),
            (kind, "--xyz\r\nA: b\r\n\r\n"),
            (kind, "--xyz\r\nA: b\r\n\r\ncontent"),
            (kind, "--xyz\r\nA: b\r\n\r\ncontent\r\n--xyz"),
            (kind, "--xyz\r\nA: b\r\n\r\ncontent\r\n--xy--"),
            ("application/json", "--xyz--"),
        ] {
            assert!(parts(content_type, body.as_bytes()).is_none(), "{body:?}");
        }
        assert!(parts(kind, b"--xyz--").is_some_and(|parts| parts.is_empty()));
    }
}
