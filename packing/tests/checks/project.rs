//! This project's own files, before anything is built: what is packed of them is a good charm.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use packing::charm::Charm;
use packing::pack::pack;
use serde_yaml::Value;

use crate::sample::AMD64;
use crate::sample::ARM64;
use crate::sample::accepted;
use crate::sample::elf;

#[test]
fn a_charm_of_this_tree_is_good_on_each_architecture() {
    for (architecture, machine) in [("amd64", AMD64), ("arm64", ARM64)] {
        let charm = packed(architecture, machine);
        accepted(&charm);
        let dispatch = charm.member("dispatch").unwrap();
        assert_eq!(dispatch.mode, Some(0o100_755));
        assert_eq!(dispatch.content, elf(machine, false), "the launcher was packed");
    }
}

#[test]
fn an_architecture_that_the_project_does_not_name_is_not_packed() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("dispatch");
    fs::write(&binary, elf(AMD64, false)).unwrap();
    let failed = pack(&root(), &binary, "s390x", &folder.path().join("x.charm")).unwrap_err();
    assert_eq!(failed.to_string(), "cannot find the platform s390x in charmcraft.yaml");
}

/// charmcraft drops or refuses what stands in its file and belongs into metadata.yaml.
#[test]
fn charmcraft_yaml_holds_only_what_charmcraft_reads_there() {
    let project = charmcraft();
    let keys: Vec<&str> =
        project.as_mapping().unwrap().keys().map(|key| key.as_str().unwrap()).collect();
    assert_eq!(keys, ["type", "base", "platforms", "parts"]);
}

/// Without these lines charmcraft packs a charm without a `dispatch`, or other programs beside it.
#[test]
fn charmcraft_yaml_moves_the_one_binary_to_the_root() {
    let project = charmcraft();
    let part = &project["parts"]["charm"];
    assert_eq!(part["plugin"], "rust");
    assert_eq!(part["rust-path"][0], ".");
    assert_eq!(part["organize"]["bin/dispatch"], "dispatch");
    assert_eq!(part["prime"].as_sequence().unwrap().as_slice(), ["dispatch"]);
    let about = project["parts"]["about"]["stage"].as_sequence().unwrap().as_slice();
    assert_eq!(about, ["README.md", "LICENSE", "icon.svg"]);
}

#[test]
fn the_programs_tell_good_from_refused() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("dispatch");
    let charm = folder.path().join("redis-k8s_amd64.charm");
    for (machine, good) in [(AMD64, true), (ARM64, false)] {
        fs::write(&binary, elf(machine, false)).unwrap();
        let packed = Command::new(env!("CARGO_BIN_EXE_pack-charm"))
            .args([&root(), &binary, Path::new("amd64"), &charm])
            .status()
            .unwrap();
        assert!(packed.success());
        let checked = Command::new(env!("CARGO_BIN_EXE_check-charm")).arg(&charm).output().unwrap();
        let told = String::from_utf8(checked.stdout).unwrap();
        assert_eq!(checked.status.success(), good, "{told}");
        let verdict = if good { "  good\n" } else { "  refused: dispatch: is for arm64" };
        assert!(told.contains(verdict), "{told}");
    }
}

#[test]
fn the_program_says_what_it_cannot_read() {
    let failed =
        Command::new(env!("CARGO_BIN_EXE_check-charm")).arg("/no/such.charm").output().unwrap();
    assert!(!failed.status.success());
    let told = String::from_utf8(failed.stderr).unwrap();
    assert!(told.starts_with("cannot read or write /no/such.charm: No such file"), "{told}");
}

fn packed(architecture: &str, machine: u16) -> Charm {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("built");
    fs::write(&binary, elf(machine, false)).unwrap();
    let charm = folder.path().join("packed.charm");
    pack(&root(), &binary, architecture, &charm).unwrap();
    Charm::read(&charm).unwrap()
}

fn charmcraft() -> Value {
    serde_yaml::from_slice(&fs::read(root().join("charmcraft.yaml")).unwrap()).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
