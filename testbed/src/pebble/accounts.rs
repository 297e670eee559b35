//! Users and groups of the machine, by name and by number.

use nix::unistd::Gid;
use nix::unistd::Group;
use nix::unistd::Uid;
use nix::unistd::User;
use thiserror::Error;

use crate::pebble::quote::quoted;

/// Whom something is to belong to, as a request or a layer names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) user: String,
    pub(crate) user_id: Option<i64>,
    pub(crate) group: String,
    pub(crate) group_id: Option<i64>,
}

/// Numbers for the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

/// Why an owner makes no sense here.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum OwnerError {
    #[error("user: unknown user {0}")]
    UnknownUser(String),
    #[error("user: unknown userid {0}")]
    UnknownUserId(i64),
    #[error("group: unknown group {0}")]
    UnknownGroup(String),
    #[error("user {} UID ({found}) does not match user-id ({given})", quoted(.name))]
    UserMismatch { name: String, found: u32, given: i64 },
    #[error("group {} GID ({found}) does not match group-id ({given})", quoted(.name))]
    GroupMismatch { name: String, found: u32, given: i64 },
    #[error("must specify user, not just group")]
    OnlyGroup,
}

impl Owner {
    /// The numbers; none where nothing was asked for.
    pub(crate) fn ids(&self) -> Result<Option<Ids>, OwnerError> {
        let by_name = if self.user.is_empty() {
            None
        } else {
            let found = User::from_name(&self.user)
                .ok()
                .flatten()
                .ok_or_else(|| OwnerError::UnknownUser(self.user.clone()))?;
            if let Some(given) = self.user_id.filter(|&id| id != i64::from(found.uid.as_raw())) {
                let (name, found) = (self.user.clone(), found.uid.as_raw());
                return Err(OwnerError::UserMismatch { name, found, given });
            }
            Some(found)
        };
        let group = self.group_number()?;
        let user = match (&by_name, self.user_id) {
            (Some(found), _) => Some(found.uid.as_raw()),
            (None, Some(id)) => Some(u32::try_from(id).map_err(|_| OwnerError::UnknownUserId(id))?),
            (None, None) => None,
        };
        match (user, group) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(OwnerError::OnlyGroup),
            (Some(user), Some(group)) => Ok(Some(Ids { user, group })),
            (Some(user), None) => {
                let found = match by_name {
                    Some(found) => found,
                    None => user_with(user).ok_or(OwnerError::UnknownUserId(user.into()))?,
                };
                Ok(Some(Ids { user, group: found.gid.as_raw() }))
            }
        }
    }

    fn group_number(&self) -> Result<Option<u32>, OwnerError> {
        if self.group.is_empty() {
            return Ok(self.group_id.and_then(|id| u32::try_from(id).ok()));
        }
        let found = Group::from_name(&self.group)
            .ok()
            .flatten()
            .ok_or_else(|| OwnerError::UnknownGroup(self.group.clone()))?
            .gid
            .as_raw();
        match self.group_id.filter(|&id| id != i64::from(found)) {
            None => Ok(Some(found)),
            Some(given) => {
                Err(OwnerError::GroupMismatch { name: self.group.clone(), found, given })
            }
        }
    }
}

impl Ids {
    /// Whether this is the user and group that Pebble itself runs as.
    pub(crate) fn are_own(self) -> bool {
        self.user == Uid::effective().as_raw() && self.group == Gid::effective().as_raw()
    }
}

/// The entry of a number in the password file.
pub(crate) fn user_with(id: u32) -> Option<User> {
    User::from_uid(Uid::from_raw(id)).ok().flatten()
}

/// A user's name; empty if there is none.
pub(crate) fn user_name(id: u32) -> String {
    user_with(id).map(|user| user.name).unwrap_or_default()
}

/// A group's name; empty if there is none.
pub(crate) fn group_name(id: u32) -> String {
    Group::from_gid(Gid::from_raw(id)).ok().flatten().map(|group| group.name).unwrap_or_default()
}
