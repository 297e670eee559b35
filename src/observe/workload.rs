//! What the own pod's workload containers have, by their Pebbles.
//!
//! Small files are read back, because what is there is what counts: a digest would tell what was once
//! written. Only of the program, which is 2 MB, a mark lies beside it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::clients::files;
use crate::clients::pebble::Pebble;
use crate::clients::pebble::error::PebbleError;
use crate::clients::pebble::exec::Exec;
use crate::clients::pebble::plan;
use crate::clients::pebble::services::Current;
use crate::clock::Budget;
use crate::names::REDIS_CONTAINER;
use crate::names::SENTINEL_CONTAINER;
use crate::render::places;
use crate::world::image::Image;
use crate::world::juju::Application;
use crate::world::password::Password;
use crate::world::workload::Container;
use crate::world::workload::Contents;
use crate::world::workload::Service;
use crate::world::workload::Workload;

/// Looks into both containers, one after the other: a Pebble answers within a millisecond.
pub fn workload(application: &Application, budget: &Budget) -> Workload {
    // A program that cannot be told from others is pushed again.
    let program = files::own_program_mark().unwrap_or_default();
    let look = |container, files: &[&str]| {
        let pebble = pebble(container, application, &budget.at_most(LOOK));
        match contents(&pebble, &program, files) {
            Ok(contents) => Container::Open(contents),
            Err(error) if error.is_not_connected() => Container::Away,
            Err(error) => Container::Failing(error.to_string()),
        }
    };
    Workload {
        redis: look(
            REDIS_CONTAINER,
            &[places::KEEPER_INPUTS, places::EXPORTER_PASSWORD, places::KEEPER_REPORT],
        ),
        sentinel: look(SENTINEL_CONTAINER, &[places::SENTINEL_MEMBERS, places::SENTINEL_CONF]),
        program,
    }
}

/// The Pebble of one of the own containers; its errors show no password.
pub fn pebble(container: &str, application: &Application, budget: &Budget) -> Pebble {
    let socket = format!("/charm/containers/{container}/pebble.socket");
    let passwords = [&application.redis_password, &application.sentinel_password];
    let secrets: Vec<&str> = passwords.into_iter().flatten().map(Password::reveal).collect();
    Pebble::new(container, Path::new(&socket), &secrets, budget)
}

fn contents(pebble: &Pebble, program: &str, paths: &[&str]) -> Result<Contents, PebbleError> {
    let pushed = text(pebble, places::PROGRAM_MARK)?;
    let is_there = pushed.as_deref() == Some(program);
    let mut files = BTreeMap::new();
    for path in paths {
        if let Some(text) = text(pebble, path)? {
            files.insert((*path).to_owned(), Password::new(text));
        }
    }
    let services = pebble.services(&[])?.into_iter().map(|service| {
        let current = match service.current {
            Current::Active => Service::Running,
            Current::Backoff => Service::Retrying,
            Current::Inactive | Current::Error | Current::Unknown => Service::Stopped,
        };
        (service.name, current)
    });
    Ok(Contents {
        image: if is_there { None } else { Some(image(pebble)?) },
        program: pushed,
        files,
        services: services.collect(),
        plan: plan::entries(&pebble.plan()?),
    })
}

fn image(pebble: &Pebble) -> Result<Image, PebbleError> {
    let version = pebble.exec(&Exec::new(&["redis-server", "--version"], VERSION));
    Ok(Image {
        name_services: text(pebble, "/etc/nsswitch.conf")?,
        accounts: text(pebble, "/etc/passwd")?.unwrap_or_default(),
        groups: text(pebble, "/etc/group")?.unwrap_or_default(),
        server: match version {
            Ok(finished) if finished.exit_code == 0 => {
                Some(String::from_utf8_lossy(&finished.stdout).into_owned())
            }
            // A program that is not there is refused.
            Ok(_) | Err(PebbleError::Refused { .. }) => None,
            Err(error) => return Err(error),
        },
    })
}

/// The text of a file; `None` where there is none.
fn text(pebble: &Pebble, path: &str) -> Result<Option<String>, PebbleError> {
    match pebble.read_file(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a look into one container may take; it takes some milliseconds.
const LOOK: Duration = Duration::from_secs(3);

/// What printing a version may take.
const VERSION: Duration = Duration::from_secs(2);
