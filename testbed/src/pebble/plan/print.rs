//! The plan as the text that `GET /v1/plan` answers: only what was set, in a fixed order of fields.

use crate::pebble::accounts::Owner;
use crate::pebble::plan::entries::Check;
use crate::pebble::plan::entries::Entries;
use crate::pebble::plan::entries::LogTarget;
use crate::pebble::plan::entries::Override;
use crate::pebble::plan::entries::Service;
use crate::pebble::yaml::emit::Emitter;

/// All entries; `{}` where there are none.
pub(crate) fn plan(entries: &Entries) -> String {
    let mut out = Emitter::default();
    if !entries.services.is_empty() {
        out.block("services", |out| {
            for (name, entry) in &entries.services {
                out.block(name, |out| service(out, entry));
            }
        });
    }
    if !entries.checks.is_empty() {
        out.block("checks", |out| {
            for (name, entry) in &entries.checks {
                out.block(name, |out| check(out, entry));
            }
        });
    }
    if !entries.log_targets.is_empty() {
        out.block("log-targets", |out| {
            for (name, entry) in &entries.log_targets {
                out.block(name, |out| log_target(out, entry));
            }
        });
    }
    out.finish()
}

fn service(out: &mut Emitter, entry: &Service) {
    out.text("summary", &entry.summary);
    out.text("description", &entry.description);
    out.text("startup", &entry.startup);
    combines(out, &entry.combines);
    out.text("command", &entry.command);
    out.list("after", &entry.after);
    out.list("before", &entry.before);
    out.list("requires", &entry.requires);
    out.map("environment", entry.environment.iter());
    owner(out, &entry.owner);
    out.text("working-dir", &entry.working_dir);
    out.text("on-success", &entry.on_success);
    out.text("on-failure", &entry.on_failure);
    out.map("on-check-failure", entry.on_check_failure.iter());
    bare(out, "backoff-delay", entry.backoff_delay);
    bare(out, "backoff-factor", entry.backoff_factor);
    bare(out, "backoff-limit", entry.backoff_limit);
    bare(out, "kill-delay", entry.kill_delay);
}

fn check(out: &mut Emitter, entry: &Check) {
    combines(out, &entry.combines);
    out.text("level", &entry.level);
    out.text("startup", &entry.startup);
    bare(out, "period", entry.period);
    bare(out, "timeout", entry.timeout.map(|_| entry.timeout()));
    bare(out, "threshold", Some(entry.threshold));
    if let Some(http) = &entry.http {
        out.block("http", |out| {
            out.text("url", &http.url);
            out.map("headers", http.headers.iter());
        });
    }
    if let Some(tcp) = &entry.tcp {
        out.block("tcp", |out| {
            bare(out, "port", Some(tcp.port).filter(|&port| port != 0));
            out.text("host", &tcp.host);
        });
    }
    if let Some(exec) = &entry.exec {
        out.block("exec", |out| {
            out.text("command", &exec.command);
            out.text("service-context", &exec.service_context);
            out.map("environment", exec.environment.iter());
            owner(out, &exec.owner);
            out.text("working-dir", &exec.working_dir);
        });
    }
}

fn log_target(out: &mut Emitter, entry: &LogTarget) {
    out.text("type", &entry.kind);
    out.text("location", &entry.location);
    out.full_list("services", &entry.services);
    combines(out, &entry.combines);
    out.map("labels", entry.labels.iter());
}

fn combines(out: &mut Emitter, how: &Override) {
    match how {
        Override::Unset => {}
        Override::Merge => out.text("override", "merge"),
        Override::Replace => out.text("override", "replace"),
        Override::Nonsense(word) => out.text("override", word),
    }
}

fn owner(out: &mut Emitter, owner: &Owner) {
    bare(out, "user-id", owner.user_id);
    out.text("user", &owner.user);
    bare(out, "group-id", owner.group_id);
    out.text("group", &owner.group);
}

fn bare<T: ToString>(out: &mut Emitter, key: &str, value: Option<T>) {
    if let Some(value) = value {
        out.bare(key, &value.to_string());
    }
}
