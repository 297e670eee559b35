//! What `POST /v1/exec` asks for, checked before anything runs.

use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use crate::pebble::accounts::Ids;
use crate::pebble::accounts::Owner;
use crate::pebble::accounts::user_with;
use crate::pebble::api::fields::Fields;
use crate::pebble::api::reply::Refusal;
use crate::pebble::clock::Span;
use crate::pebble::exec::Session;
use crate::pebble::exec::run;
use crate::pebble::plan::entries::Service;
use crate::pebble::process::find_program;
use crate::pebble::quote::quoted;
use crate::pebble::shared::Shared;
use crate::pebble::tasks;
use crate::pebble::tasks::Job;
use crate::pebble::tasks::NewChange;
use crate::pebble::tasks::NewTask;

/// A command that can be run.
pub(crate) struct Ordered {
    pub(crate) program: PathBuf,
    pub(crate) command: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) dir: String,
    pub(crate) ids: Option<Ids>,
    pub(crate) timeout: Option<Span>,
}

/// Makes the change. Answers its number and what the client gets.
pub(crate) fn begin(shared: &Rc<Shared>, fields: &Fields) -> Result<(u64, Value), Refusal> {
    let split_stderr = fields.boolean("split-stderr")?;
    let ordered = checked(shared, fields)?;
    let mut shown = json!({
        "environment": ordered.environment.clone(),
        "working-dir": ordered.dir.clone(),
    });
    let name = ordered.command.first().map(String::as_str).unwrap_or_default();
    let summary = format!("Execute command {}", quoted(name));
    let session = Rc::new(Session::new(split_stderr));
    let job: Job = {
        let (shared, session) = (Rc::clone(shared), Rc::clone(&session));
        Box::new(move |task, abort| Box::pin(run::run(shared, task, ordered, session, abort)))
    };
    let task = NewTask { kind: "exec", summary: summary.clone(), waits_for: vec![], lane: 0, job };
    let tasks = vec![task];
    let change = NewChange { kind: "exec", summary, services: vec![], check: None, tasks };
    let (change, tasks) = tasks::begin(shared, change);
    for task in tasks {
        shared.execs.borrow_mut().insert(task, Rc::clone(&session));
        if let Value::Object(fields) = &mut shown {
            fields.insert("task-id".to_owned(), task.to_string().into());
        }
    }
    Ok((change, shown))
}

fn checked(shared: &Shared, fields: &Fields) -> Result<Ordered, Refusal> {
    let command = fields.strings("command")?;
    let cannot = |why: &str| Refusal::internal(format!("cannot call exec: {why}"));
    let Some(name) = command.first() else {
        return Err(Refusal::bad("must specify command"));
    };
    let timeout = match fields.text("timeout")?.as_str() {
        "" => None,
        text => {
            Some(Span::parse(text).map_err(|why| Refusal::bad(format!("invalid timeout: {why}")))?)
        }
    };
    let program = find_program(name)
        .ok_or_else(|| Refusal::bad(format!("cannot find executable {}", quoted(name))))?;
    let context = context(shared, &fields.text("service-context")?)?;
    let own = Owner {
        user: fields.text("user")?,
        user_id: fields.integer("user-id")?,
        group: fields.text("group")?,
        group_id: fields.integer("group-id")?,
    };
    let owner = if own == Owner::default() { &context.owner } else { &own };
    let ids = owner.ids().map_err(|why| Refusal::bad(why.to_string()))?;
    let mut given = context.environment;
    given.extend(fields.string_map("environment")?);
    if fields.boolean("terminal")? {
        return Err(cannot("terminals are not supported by this Pebble"));
    }
    if fields.boolean("interactive")? {
        return Err(cannot("cannot use interactive mode without a terminal"));
    }
    let environment = environment(shared, ids, given);
    let own_dir = fields.text("working-dir")?;
    let asked = if own_dir.is_empty() { context.working_dir } else { own_dir };
    let (word, dir) = if asked.is_empty() {
        let home = environment.get("HOME").filter(|home| !home.is_empty());
        ("home", home.cloned().unwrap_or_else(|| "/".to_owned()))
    } else {
        ("working", asked)
    };
    match fs::metadata(&dir) {
        Ok(facts) if facts.is_dir() => {}
        Ok(_) => {
            return Err(cannot(&format!("{word} directory {} not a directory", quoted(&dir))));
        }
        Err(_) => return Err(cannot(&format!("{word} directory {} does not exist", quoted(&dir)))),
    }
    let timeout = timeout.filter(|limit| *limit != Span(0));
    Ok(Ordered { program, command, environment, dir, ids, timeout })
}

fn context(shared: &Shared, name: &str) -> Result<Service, Refusal> {
    if name.is_empty() {
        return Ok(Service::default());
    }
    shared
        .plan(|plan| plan.services.get(name).cloned())
        .ok_or_else(|| Refusal::bad(format!("context service {} not found", quoted(name))))
}

/// The daemon's own, what was given, and defaults for the few that every command may count on.
fn environment(
    shared: &Shared,
    ids: Option<Ids>,
    given: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut environment = shared.setup.environment.clone();
    if let Some(ids) = ids.filter(|ids| !ids.are_own()) {
        environment.remove("HOME");
        environment.remove("USER");
        if let Some(user) = user_with(ids.user) {
            environment.insert("HOME".to_owned(), user.dir.display().to_string());
            environment.insert("USER".to_owned(), user.name);
        }
    } else if let Some(user) = user_with(nix::unistd::Uid::effective().as_raw()) {
        environment.entry("HOME".to_owned()).or_insert_with(|| user.dir.display().to_string());
        environment.entry("USER".to_owned()).or_insert(user.name);
    }
    environment.extend(given);
    for (name, value) in [("PATH", DEFAULT_PATH), ("LANG", "C.UTF-8")] {
        environment.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    environment
}

const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
