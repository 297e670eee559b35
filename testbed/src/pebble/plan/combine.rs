//! How an entry of a later layer meets the one beneath it.

use std::collections::BTreeMap;

use crate::pebble::accounts::Owner;
use crate::pebble::plan::PlanError;
use crate::pebble::plan::entries::Check;
use crate::pebble::plan::entries::Entries;
use crate::pebble::plan::entries::ExecCheck;
use crate::pebble::plan::entries::HttpCheck;
use crate::pebble::plan::entries::LogTarget;
use crate::pebble::plan::entries::Override;
use crate::pebble::plan::entries::Service;
use crate::pebble::plan::entries::TcpCheck;
use crate::pebble::quote::quoted;

/// Lays `over` on `under`; `label` is whose layer it is.
pub(crate) fn combine(under: &mut Entries, over: &Entries, label: &str) -> Result<(), PlanError> {
    combine_section(&mut under.services, &over.services, label)?;
    combine_section(&mut under.checks, &over.checks, label)?;
    combine_section(&mut under.log_targets, &over.log_targets, label)
}

fn combine_section<T: Entry>(
    under: &mut BTreeMap<String, T>,
    over: &BTreeMap<String, T>,
    label: &str,
) -> Result<(), PlanError> {
    for (name, entry) in over {
        let told = |what: &str| {
            let (label, name) = (quoted(label), quoted(name));
            PlanError::Plan(format!("layer {label} {what} for {} {name}", T::WORD))
        };
        match entry.combines() {
            Override::Unset => return Err(told("must define \"override\"")),
            Override::Nonsense(_) => return Err(told("has invalid \"override\" value")),
            Override::Replace => {
                under.insert(name.clone(), entry.clone());
            }
            Override::Merge => match under.get_mut(name) {
                Some(beneath) => beneath.merge(entry),
                None => {
                    under.insert(name.clone(), entry.clone());
                }
            },
        }
    }
    Ok(())
}

trait Entry: Clone {
    /// What messages call it.
    const WORD: &'static str;
    fn combines(&self) -> &Override;
    /// Takes over what `other` sets; lists grow.
    fn merge(&mut self, other: &Self);
}

impl Entry for Service {
    const WORD: &'static str = "service";

    fn combines(&self) -> &Override {
        &self.combines
    }

    fn merge(&mut self, other: &Self) {
        set(&mut self.summary, &other.summary);
        set(&mut self.description, &other.description);
        set(&mut self.startup, &other.startup);
        set(&mut self.command, &other.command);
        set(&mut self.working_dir, &other.working_dir);
        set(&mut self.on_success, &other.on_success);
        set(&mut self.on_failure, &other.on_failure);
        self.after.extend_from_slice(&other.after);
        self.before.extend_from_slice(&other.before);
        self.requires.extend_from_slice(&other.requires);
        add(&mut self.environment, &other.environment);
        add(&mut self.on_check_failure, &other.on_check_failure);
        merge_owner(&mut self.owner, &other.owner);
        self.backoff_delay = other.backoff_delay.or(self.backoff_delay);
        self.backoff_factor = other.backoff_factor.or(self.backoff_factor);
        self.backoff_limit = other.backoff_limit.or(self.backoff_limit);
        self.kill_delay = other.kill_delay.or(self.kill_delay);
    }
}

impl Entry for Check {
    const WORD: &'static str = "check";

    fn combines(&self) -> &Override {
        &self.combines
    }

    fn merge(&mut self, other: &Self) {
        set(&mut self.level, &other.level);
        set(&mut self.startup, &other.startup);
        self.period = other.period.or(self.period);
        self.timeout = other.timeout.or(self.timeout);
        if other.threshold != 0 {
            self.threshold = other.threshold;
        }
        if let Some(other) = &other.http {
            let own = self.http.get_or_insert_with(HttpCheck::default);
            set(&mut own.url, &other.url);
            add(&mut own.headers, &other.headers);
        }
        if let Some(other) = &other.tcp {
            let own = self.tcp.get_or_insert_with(TcpCheck::default);
            set(&mut own.host, &other.host);
            if other.port != 0 {
                own.port = other.port;
            }
        }
        if let Some(other) = &other.exec {
            let own = self.exec.get_or_insert_with(ExecCheck::default);
            set(&mut own.command, &other.command);
            set(&mut own.service_context, &other.service_context);
            set(&mut own.working_dir, &other.working_dir);
            add(&mut own.environment, &other.environment);
            merge_owner(&mut own.owner, &other.owner);
        }
    }
}

impl Entry for LogTarget {
    const WORD: &'static str = "log target";

    fn combines(&self) -> &Override {
        &self.combines
    }

    fn merge(&mut self, other: &Self) {
        set(&mut self.kind, &other.kind);
        set(&mut self.location, &other.location);
        self.services.extend_from_slice(&other.services);
        add(&mut self.labels, &other.labels);
    }
}

fn set(own: &mut String, other: &str) {
    if !other.is_empty() {
        other.clone_into(own);
    }
}

fn add(own: &mut BTreeMap<String, String>, other: &BTreeMap<String, String>) {
    own.extend(other.iter().map(|(key, value)| (key.clone(), value.clone())));
}

fn merge_owner(own: &mut Owner, other: &Owner) {
    set(&mut own.user, &other.user);
    set(&mut own.group, &other.group);
    own.user_id = other.user_id.or(own.user_id);
    own.group_id = other.group_id.or(own.group_id);
}
