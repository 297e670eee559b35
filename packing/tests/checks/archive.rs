//! What is in the charm file, and how large it is.

use packing::charm;
use packing::charm::Member;
use packing::charm::PLAIN_FILE;
use packing::check::SIZE_LIMIT;
use packing::check::check;

use crate::sample::accepted;
use crate::sample::good;
use crate::sample::packed;
use crate::sample::refused;
use crate::sample::with;

#[test]
fn a_good_charm_is_accepted_and_told_of() {
    let charm = good();
    accepted(&charm);
    let seen = check(&charm).seen.join("\n");
    assert!(seen.contains("dispatch: executable, amd64, static"), "{seen}");
    assert!(seen.contains("base: ubuntu 22.04 on amd64"), "{seen}");
}

#[test]
fn each_file_that_juju_or_a_user_needs_must_be_there() {
    let names =
        ["dispatch", "manifest.yaml", "metadata.yaml", "config.yaml", "actions.yaml", "LICENSE"];
    for name in names {
        let members: Vec<Member> =
            good().members.into_iter().filter(|member| member.name != name).collect();
        refused(&packed(&members), &format!("{name}: is not in the charm"));
    }
}

#[test]
fn a_file_that_does_not_belong_into_the_charm_is_refused() {
    for name in ["bin/dispatch", "src/charm.py", "hooks/install", "revision", "charmcraft.yaml"] {
        let mut members = good().members;
        members.push(Member { name: name.to_owned(), mode: Some(PLAIN_FILE), content: vec![] });
        refused(&packed(&members), &format!("{name}: does not belong into the charm"));
    }
}

#[test]
fn a_dispatch_that_not_everyone_may_execute_is_refused() {
    let charm = with("dispatch", |member| member.mode = Some(0o644));
    refused(&charm, "dispatch: not everyone may execute it");
    let charm = with("dispatch", |member| member.mode = Some(0o744));
    refused(&charm, "dispatch: not everyone may execute it");
}

#[test]
fn a_file_that_not_everyone_may_read_is_refused() {
    let charm = with("config.yaml", |member| member.mode = Some(0o600));
    refused(&charm, "config.yaml: not everyone may read it");
}

#[test]
fn a_link_in_place_of_a_file_is_refused() {
    let mut charm = good();
    charm.members[0].mode = Some(0o120_777);
    refused(&charm, "dispatch: is not a regular file");
}

#[test]
fn an_archive_without_modes_is_refused() {
    let mut charm = good();
    charm.members[0].mode = None;
    refused(&charm, "dispatch: has no Unix mode");
}

#[test]
fn a_charm_above_the_size_limit_is_refused() {
    let mut charm = good();
    charm.size = SIZE_LIMIT;
    accepted(&charm);
    charm.size = SIZE_LIMIT + 1;
    refused(&charm, "more than 2000000");
}

#[test]
fn the_same_members_make_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let members = good().members;
    let [first, second] = ["first", "second"].map(|name| {
        let path = folder.path().join(name);
        charm::write(&path, &members).unwrap();
        std::fs::read(path).unwrap()
    });
    assert!(first == second);
}
