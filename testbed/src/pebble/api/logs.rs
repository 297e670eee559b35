//! What services said, as lines of JSON.

use http_body_util::Either;
use http_body_util::channel::Channel;
use http_body_util::channel::Sender;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use serde::Serialize;
use std::io;
use std::rc::Rc;
use tokio::sync::mpsc;
use tokio::task::spawn_local;

use crate::pebble::api::Answer;
use crate::pebble::api::query::Query;
use crate::pebble::api::reply;
use crate::pebble::api::reply::Refusal;
use crate::pebble::logs::LogBuffer;
use crate::pebble::logs::LogLine;
use crate::pebble::shared::Shared;

#[derive(Serialize)]
struct Line<'a> {
    time: &'a str,
    service: &'a str,
    message: &'a str,
}

/// `GET /v1/logs`
pub(crate) fn logs(shared: &Shared, query: &Query) -> Answer {
    let follow = match query.first("follow") {
        "" | "false" => false,
        "true" => true,
        _ => return Err(Refusal::bad("follow parameter must be \"true\" or \"false\"")),
    };
    let bad = || Refusal::bad("n must be -1, 0, or a positive integer");
    let count = match query.first("n") {
        "" if follow => 0,
        "" => 30,
        "-1" => usize::MAX,
        text => text.parse().map_err(|_| bad())?,
    };
    let names = query.list("services");
    let buffers: Vec<(String, Rc<LogBuffer>)> = shared
        .services
        .borrow()
        .iter()
        .filter(|(name, _)| names.is_empty() || names.contains(name))
        .map(|(name, run)| (name.clone(), Rc::clone(&run.logs)))
        .collect();
    let mut lines: Vec<(&str, LogLine)> = Vec::new();
    for (name, buffer) in &buffers {
        let kept = if follow { buffer.lines_from(0).0 } else { buffer.lines() };
        lines.extend(kept.into_iter().map(|line| (name.as_str(), line)));
    }
    lines.sort_by_key(|(_, line)| line.time);
    let surplus = lines.len().saturating_sub(count);
    let past: String = lines.drain(surplus..).map(|(name, line)| shown(name, &line)).collect();
    if !follow {
        return Ok(reply::with_type(StatusCode::OK, LINES, past));
    }
    let (sender, body) = Channel::<Bytes, io::Error>::new(16);
    let (tell, told) = mpsc::unbounded_channel();
    for (name, buffer) in buffers {
        // What is said from now on: nothing is awaited between the look above and here.
        let from = buffer.lines_from(0).1;
        let tell = tell.clone();
        spawn_local(async move { follow_one(&name, &buffer, from, &tell).await });
    }
    spawn_local(forward(past, told, sender));
    Ok(reply::typed(StatusCode::OK, HeaderValue::from_static(LINES), Either::Right(body)))
}

/// Passes on what comes until the client is gone; without services that can take for ever.
async fn forward(
    past: String,
    mut told: mpsc::UnboundedReceiver<String>,
    mut sender: Sender<Bytes, io::Error>,
) {
    let mut text = past;
    while text.is_empty() || sender.send_data(Bytes::from(text)).await.is_ok() {
        text = match told.recv().await {
            Some(text) => text,
            None => std::future::pending().await,
        };
    }
}

async fn follow_one(
    name: &str,
    buffer: &LogBuffer,
    from: u64,
    tell: &mpsc::UnboundedSender<String>,
) {
    let mut growth = buffer.growth();
    let mut place = from;
    loop {
        let (fresh, end) = buffer.lines_from(place);
        place = end;
        let text: String = fresh.iter().map(|line| shown(name, line)).collect();
        if !text.is_empty() && tell.send(text).is_err() {
            return;
        }
        tokio::select! {
            grown = growth.changed() => if grown.is_err() { return },
            () = tell.closed() => return,
        }
    }
}

fn shown(service: &str, line: &LogLine) -> String {
    let line = Line { time: &line.stamp, service, message: &line.message };
    format!("{}\n", reply::json(&line))
}

const LINES: &str = "application/x-ndjson";
