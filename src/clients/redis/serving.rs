//! The other side of the Redis protocol: as much of it as a program needs that answers one question to
//! whoever knows the password.

use std::hint;
use std::io;
use std::io::Read;
use std::io::Write;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;

use crate::clock::Budget;

/// What is told, and to whom. It can be changed at any time.
#[derive(Clone, Debug, Default)]
pub struct Told {
    told: Arc<Mutex<Page>>,
}

#[derive(Default)]
struct Page {
    /// Without one everybody is told.
    password: Option<String>,
    answer: Option<String>,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Page").field("answer", &self.answer).finish_non_exhaustive()
    }
}

impl Told {
    /// From now on this is told, to whoever knows this password.
    pub fn change(&self, password: Option<&str>, answer: String) {
        let mut page = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        *page = Page { password: password.map(str::to_owned), answer: Some(answer) };
    }

    fn reply(&self, command: &[Vec<u8>], session: &mut Session, question: &str) -> Vec<u8> {
        let page = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is = |word: &[u8], name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        match (command, &page.password, &page.answer) {
            ([auth, _], None, Some(_)) if is(auth, "AUTH") => {
                b"-ERR AUTH called without any password configured\r\n".to_vec()
            }
            ([auth, word], Some(password), _) if is(auth, "AUTH") => {
                session.is_let_in = is_same(word, password.as_bytes());
                if session.is_let_in { OK.to_vec() } else { b"-WRONGPASS wrong\r\n".to_vec() }
            }
            (_, Some(_), _) if !session.is_let_in => {
                b"-NOAUTH Authentication required.\r\n".to_vec()
            }
            ([word], _, Some(answer)) if is(word, question) => {
                format!("${}\r\n{answer}\r\n", answer.len()).into_bytes()
            }
            (_, _, None) => b"-LOADING not yet\r\n".to_vec(),
            _ => b"-ERR unknown command\r\n".to_vec(),
        }
    }
}

/// Answers `question` at a port, in a thread of its own, one connection after the other.
pub fn serve(port: u16, question: &'static str, told: Told) -> io::Result<()> {
    let all = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    let listener = TcpListener::bind(all)
        .or_else(|_| TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))))?;
    let answer = move || {
        loop {
            match listener.accept() {
                // Whoever hangs is let go soon, so that the next is heard.
                Ok((stream, _)) => drop(converse(&stream, question, &told)),
                Err(_) => {
                    Budget::of(AFTER_A_FAULT).pause(AFTER_A_FAULT);
                }
            }
        }
    };
    thread::Builder::new().stack_size(STACK).spawn(answer).map(drop)
}

#[derive(Default)]
struct Session {
    is_let_in: bool,
}

fn converse(mut stream: &TcpStream, question: &str, told: &Told) -> io::Result<()> {
    let budget = Budget::of(CONVERSATION);
    let spent = || io::Error::from(io::ErrorKind::TimedOut);
    let mut session = Session::default();
    let mut received = Vec::new();
    loop {
        while let Some((command, length)) = command(&received)? {
            received.drain(..length);
            let reply = told.reply(&command, &mut session, question);
            stream.set_write_timeout(Some(budget.left().ok_or_else(spent)?))?;
            stream.write_all(&reply)?;
        }
        stream.set_read_timeout(Some(budget.left().ok_or_else(spent)?))?;
        let mut bytes = [0; 512];
        let length = stream.read(&mut bytes)?;
        if length == 0 || received.len() > LONGEST_COMMAND {
            return Ok(());
        }
        received.extend(bytes.iter().take(length));
    }
}

/// The first command of what was received, an array of texts, and its length; `None` where there is
/// more to come.
fn command(received: &[u8]) -> io::Result<Option<(Vec<Vec<u8>>, usize)>> {
    let mut rest = received;
    let Some(count) = number(&mut rest, b'*')? else { return Ok(None) };
    if count > MOST_WORDS {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut words = Vec::new();
    for _ in 0..count {
        let Some(length) = number(&mut rest, b'$')? else { return Ok(None) };
        if length > LONGEST_COMMAND {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let Some((word, after)) = rest.split_at_checked(length) else { return Ok(None) };
        let Some(after) = after.get(2..) else { return Ok(None) };
        words.push(word.to_vec());
        rest = after;
    }
    Ok(Some((words, received.len() - rest.len())))
}

/// A line of a sign and a number.
fn number(rest: &mut &[u8], sign: u8) -> io::Result<Option<usize>> {
    let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") else {
        // No number is so long.
        return if rest.len() > LONGEST_NUMBER {
            Err(io::ErrorKind::InvalidData.into())
        } else {
            Ok(None)
        };
    };
    let number = rest
        .get(..end)
        .and_then(|line| line.strip_prefix(&[sign]))
        .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    *rest = rest.get(end + 2..).unwrap_or_default();
    number.map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// In a time that tells nothing of where they differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let length = one.len() ^ other.len();
    let difference = one.iter().zip(other).fold(0, |all, (one, other)| all | (one ^ other));
    hint::black_box(length) == 0 && hint::black_box(difference) == 0
}

const OK: &[u8] = b"+OK\r\n";

/// What a conversation may take: two questions and their answers are one round trip each.
const CONVERSATION: Duration = Duration::from_millis(300);

/// Where no connection can be taken, such as for want of file descriptors.
const AFTER_A_FAULT: Duration = Duration::from_millis(100);

/// In bytes; a password is some tens.
const LONGEST_COMMAND: usize = 2048;

const MOST_WORDS: usize = 2;

const LONGEST_NUMBER: usize = 16;

/// In bytes.
const STACK: usize = 128 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> io::Result<Option<(Vec<Vec<u8>>, usize)>> {
        command(text.as_bytes())
    }

    #[test]
    fn a_command_is_read_when_all_of_it_is_there() {
        let whole = "*2\r\n$4\r\nAUTH\r\n$3\r\na\r\n\r\n";
        let read = (vec![b"AUTH".to_vec(), b"a\r\n".to_vec()], whole.len());
        assert_eq!(words(whole).unwrap(), Some(read));
        for length in 0..whole.len() {
            assert_eq!(words(&whole[..length]).unwrap(), None, "{length}");
        }
    }

    #[test]
    fn what_is_no_command_ends_the_conversation() {
        let endless = "1".repeat(40);
        for text in
            ["PING\r\n", "*9\r\n", "*1\r\n$99999999\r\n", "*-1\r\n", "*1\r\n+a\r\n", &endless]
        {
            assert!(words(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_is_told_without_the_password() {
        let told = Told::default();
        told.change(Some("secret"), "{}".to_owned());
        let mut session = Session::default();
        let mut ask = |words: &[&str]| {
            let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
            String::from_utf8(told.reply(&words, &mut session, "LINEAGE")).unwrap()
        };
        assert!(ask(&["LINEAGE"]).starts_with("-NOAUTH"));
        for wrong in ["", "secre", "secret1", "Secret"] {
            assert!(ask(&["AUTH", wrong]).starts_with("-WRONGPASS"), "{wrong}");
            assert!(ask(&["LINEAGE"]).starts_with("-NOAUTH"));
        }
        assert_eq!(ask(&["AUTH", "secret"]), "+OK\r\n");
        assert_eq!(ask(&["lineage"]), "$2\r\n{}\r\n");
        assert!(ask(&["KEYS"]).starts_with("-ERR"));
    }
}
