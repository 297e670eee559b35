//! What HTTP and TCP checks talk to.

use serde_json::Value;
use serde_json::json;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::thread;
use std::thread::JoinHandle;

/// A server on 127.0.0.1 that answers what it is told to.
pub(crate) struct Server {
    port: u16,
    told: Arc<(Mutex<Told>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Told {
    answer: Value,
    /// How often the answer was changed.
    turn: u64,
    last: Value,
    over: bool,
}

impl Server {
    /// Begins to listen.
    pub(crate) fn start(port: u16, answer: Value) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let told = Arc::new((Mutex::new(Told { answer, ..Told::default() }), Condvar::new()));
        let thread = {
            let told = Arc::clone(&told);
            thread::spawn(move || {
                for stream in listener.incoming() {
                    if told.0.lock().unwrap().over {
                        return;
                    }
                    let told = Arc::clone(&told);
                    // A caller that hangs up is none of the server's business.
                    thread::spawn(move || stream.map(|stream| answer_one(stream, &told)));
                }
            })
        };
        Self { port, told, thread: Some(thread) }
    }

    /// Answers this from now on; whoever hangs gets it too.
    pub(crate) fn answer(&self, answer: Value) {
        let mut told = self.told.0.lock().unwrap();
        told.answer = answer;
        told.turn += 1;
        self.told.1.notify_all();
    }

    /// The last request.
    pub(crate) fn last(&self) -> Value {
        self.told.0.lock().unwrap().last.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.told.0.lock().unwrap().over = true;
        self.answer(Value::Null);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let _ = self.thread.take().unwrap().join();
    }
}

fn answer_one(stream: TcpStream, told: &(Mutex<Told>, Condvar)) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let first = lines.next()?.ok()?;
    let mut headers = serde_json::Map::new();
    while let Some(Ok(line)) = lines.next() {
        let Some((name, value)) = line.split_once(": ") else { break };
        headers.insert(name.to_owned(), value.into());
    }
    let mut words = first.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let mut state = told.0.lock().unwrap();
    state.last = json!({"method": method, "path": path, "headers": headers});
    let turn = state.turn;
    while state.answer["hang"] == true && state.turn == turn {
        state = told.1.wait(state).unwrap();
    }
    let answer = state.answer.clone();
    drop(state);
    let mut head = format!("HTTP/1.0 {} OK\r\n", answer["status"].as_u64().unwrap_or(200));
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        head.extend([name, ": ", value.as_str().unwrap(), "\r\n"]);
    }
    let body = answer["body"].as_str().unwrap_or_default();
    let mut stream = stream;
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).ok()
}
