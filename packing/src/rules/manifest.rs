//! `manifest.yaml`: the bases and architectures that the charm is for.

use crate::place::Place;
use crate::place::Problems;

/// One base of the manifest.
#[derive(Debug, PartialEq, Eq)]
pub struct Base {
    /// The system, such as `ubuntu`.
    pub name: String,
    /// Its release, such as `22.04`.
    pub release: String,
    /// The architectures, in Juju's words.
    pub architectures: Vec<String>,
}

/// Checks the manifest and tells what it names.
pub fn check(manifest: &Place<'_>, problems: &mut Problems) -> Vec<Base> {
    let Some(list) = manifest.needed("bases", problems) else {
        return Vec::new();
    };
    let items = list.items(problems);
    if items.is_empty() {
        list.wrong(problems, "names no base: Juju takes the charm for one of the old format");
    }
    items.iter().filter_map(|item| base(item, problems)).collect()
}

fn base(at: &Place<'_>, problems: &mut Problems) -> Option<Base> {
    let name = at.needed("name", problems)?.text(problems)?;
    if !SYSTEMS.contains(&name) {
        at.wrong(problems, format!("`{name}` is no system that Juju knows"));
    }
    let channel = at.needed("channel", problems)?.text(problems)?;
    let mut parts = channel.split('/');
    let release = parts.next().unwrap_or_default();
    if release.is_empty() || parts.next().is_some_and(|risk| !RISKS.contains(&risk)) {
        at.wrong(
            problems,
            format!("`{channel}` is no channel, such as \"22.04\" or \"22.04/stable\""),
        );
    }
    let architectures = architectures(at, problems)?;
    Some(Base { name: name.to_owned(), release: release.to_owned(), architectures })
}

fn architectures(at: &Place<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    let list = at.needed("architectures", problems)?;
    let mut found = Vec::new();
    for item in list.items(problems) {
        let Some(name) = item.text(problems) else { continue };
        if !ARCHITECTURES.contains(&name) {
            item.wrong(problems, format!("`{name}` is no architecture that Juju knows"));
        }
        found.push(name.to_owned());
    }
    if found.is_empty() {
        list.wrong(problems, "names no architecture, and a binary is for one");
    }
    Some(found)
}

const SYSTEMS: &[&str] = &["ubuntu", "centos", "windows", "osx", "opensuse", "genericlinux"];
const RISKS: &[&str] = &["stable", "candidate", "beta", "edge"];
const ARCHITECTURES: &[&str] = &["amd64", "arm64", "ppc64el", "riscv64", "s390x"];
