//! Identities: local users that are given more, or less, than their uid would.

use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use thiserror::Error;

use crate::pebble::quote::listed;
use crate::pebble::quote::quoted;

/// What a caller may do; each level contains the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Access {
    Untrusted,
    Metrics,
    Read,
    Admin,
}

/// What a local user, or one with a password, may do. Passwords are kept and shown as stars; nobody can
/// log in with one here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    access: Access,
    user_id: Option<u32>,
    password: Option<String>,
}

/// All identities by name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Identities(BTreeMap<String, Identity>);

/// What is to happen with them; `None` stands for null.
pub(crate) type Wanted = BTreeMap<String, Option<Identity>>;

/// Why identities are refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum IdentityError {
    #[error(
        "invalid access value {}, must be \"admin\", \"read\", \"metrics\", or \"untrusted\"",
        quoted(.0)
    )]
    Access(String),
    #[error("identity must have at least one type (\"local\", \"basic\", or \"cert\")")]
    NoType,
    #[error("basic identity must specify password (hashed)")]
    NoPassword,
    #[error("cert identities are not supported by this Pebble")]
    Unsupported,
    #[error("local identity must specify user-id")]
    NoUser,
    #[error("json: cannot unmarshal identity {}", quoted(.0))]
    Shape(String),
    #[error("identities already exist: {0}")]
    Exist(String),
    #[error("identities do not exist: {0}")]
    Missing(String),
    #[error("identity value for {} must not be null for {} operation", quoted(.0), .1)]
    Null(String, &'static str),
    #[error("identity value for {} must be null for remove operation", quoted(.0))]
    NotNull(String),
    #[error("cannot have multiple identities with user ID {0} ({1})")]
    SameUser(u32, String),
}

impl Identity {
    /// Reads one from JSON.
    pub(crate) fn decode(name: &str, value: &Value) -> Result<Option<Self>, IdentityError> {
        if value.is_null() {
            return Ok(None);
        }
        let shape = || IdentityError::Shape(name.to_owned());
        let fields = value.as_object().ok_or_else(shape)?;
        let word = fields.get("access").and_then(Value::as_str).unwrap_or_default();
        let access = match word {
            "admin" => Access::Admin,
            "read" => Access::Read,
            "metrics" => Access::Metrics,
            "untrusted" => Access::Untrusted,
            _ => return Err(IdentityError::Access(word.to_owned())),
        };
        let given = |kind: &str| fields.get(kind).filter(|value| !value.is_null());
        if given("cert").is_some() {
            return Err(IdentityError::Unsupported);
        }
        let mut identity = Self { access, user_id: None, password: None };
        if let Some(local) = given("local") {
            let user = local.as_object().ok_or_else(shape)?.get("user-id");
            let user = user.filter(|id| !id.is_null()).ok_or(IdentityError::NoUser)?;
            let user = user.as_u64().and_then(|id| u32::try_from(id).ok()).ok_or_else(shape)?;
            identity.user_id = Some(user);
        }
        if let Some(basic) = given("basic") {
            let password = basic.as_object().ok_or_else(shape)?.get("password");
            let password = password.and_then(Value::as_str).filter(|text| !text.is_empty());
            identity.password = Some(password.ok_or(IdentityError::NoPassword)?.to_owned());
        }
        if identity.user_id.is_none() && identity.password.is_none() {
            return Err(IdentityError::NoType);
        }
        Ok(Some(identity))
    }
}

impl Identities {
    /// The access that a uid has by its identity, if it has one.
    pub(crate) fn access_of(&self, uid: u32) -> Option<Access> {
        self.0
            .values()
            .find(|identity| identity.user_id == Some(uid))
            .map(|identity| identity.access)
    }

    /// New names only.
    pub(crate) fn add(&mut self, wanted: Wanted) -> Result<(), IdentityError> {
        Self::not_null(&wanted, "add")?;
        let known: Vec<&str> =
            wanted.keys().filter(|n| self.0.contains_key(*n)).map(String::as_str).collect();
        if !known.is_empty() {
            return Err(IdentityError::Exist(listed(known)));
        }
        self.take(wanted)
    }

    /// Known names only.
    pub(crate) fn update(&mut self, wanted: Wanted) -> Result<(), IdentityError> {
        Self::not_null(&wanted, "update")?;
        self.all_known(&wanted)?;
        self.take(wanted)
    }

    /// Any names; null removes.
    pub(crate) fn replace(&mut self, wanted: Wanted) -> Result<(), IdentityError> {
        self.take(wanted)
    }

    /// Known names only, each with null.
    pub(crate) fn remove(&mut self, wanted: Wanted) -> Result<(), IdentityError> {
        if let Some((name, _)) = wanted.iter().find(|(_, value)| value.is_some()) {
            return Err(IdentityError::NotNull(name.clone()));
        }
        self.all_known(&wanted)?;
        self.take(wanted)
    }

    fn not_null(wanted: &Wanted, action: &'static str) -> Result<(), IdentityError> {
        match wanted.iter().find(|(_, value)| value.is_none()) {
            Some((name, _)) => Err(IdentityError::Null(name.clone(), action)),
            None => Ok(()),
        }
    }

    fn all_known(&self, wanted: &Wanted) -> Result<(), IdentityError> {
        let unknown: Vec<&str> =
            wanted.keys().filter(|name| !self.0.contains_key(*name)).map(String::as_str).collect();
        if unknown.is_empty() { Ok(()) } else { Err(IdentityError::Missing(listed(unknown))) }
    }

    fn take(&mut self, wanted: Wanted) -> Result<(), IdentityError> {
        let mut next = self.0.clone();
        for (name, value) in wanted {
            match value {
                Some(identity) => next.insert(name, identity),
                None => next.remove(&name),
            };
        }
        let mut users: BTreeMap<u32, &str> = BTreeMap::new();
        for (name, identity) in &next {
            let Some(user) = identity.user_id else { continue };
            match users.entry(user) {
                Entry::Vacant(free) => {
                    free.insert(name);
                }
                Entry::Occupied(taken) => {
                    let names = listed([*taken.get(), name.as_str()]);
                    return Err(IdentityError::SameUser(user, names));
                }
            }
        }
        self.0 = next;
        Ok(())
    }

    /// As the API shows them.
    pub(crate) fn shown(&self) -> Value {
        let all: Map<String, Value> = self
            .0
            .iter()
            .map(|(name, identity)| {
                let mut shown = Map::from_iter([("access".to_owned(), json!(identity.access))]);
                if let Some(user) = identity.user_id {
                    shown.insert("local".to_owned(), json!({"user-id": user}));
                }
                if identity.password.is_some() {
                    shown.insert("basic".to_owned(), json!({"password": "*****"}));
                }
                (name.clone(), shown.into())
            })
            .collect();
        Value::Object(all)
    }
}
