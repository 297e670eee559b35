//! Users of the container, by its `/etc/passwd`. The C library's look-up would load modules of the
//! image into a binary that is linked statically.
#![expect(clippy::disallowed_methods, reason = "the file of accounts is read here")]

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

/// Numbers of a user and of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Of the user.
    pub uid: u32,
    /// Of the user's first group.
    pub gid: u32,
}

/// The account of a user; `None` where there is none of this name.
pub fn account(name: &str) -> io::Result<Option<Account>> {
    Ok(find(&fs::read_to_string("/etc/passwd")?, name))
}

/// The account that this process runs as.
pub fn own() -> io::Result<Account> {
    let own = fs::metadata("/proc/self")?;
    Ok(Account { uid: own.uid(), gid: own.gid() })
}

fn find(accounts: &str, name: &str) -> Option<Account> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let mut numbers = fields.skip(1).map(str::parse);
        Some(Account { uid: numbers.next()?.ok()?, gid: numbers.next()?.ok()? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts =
            "root:x:0:0:root:/root:/bin/sh\nredisson:x:5:6::/:\nredis:x:999:998::/:\nodd\n";
        assert_eq!(find(accounts, "redis"), Some(Account { uid: 999, gid: 998 }));
        assert_eq!(find(accounts, "odd"), None);
        assert_eq!(find(accounts, "nobody"), None);
    }
}
