//! What the `dispatch` of a charm may need of the machine.

use std::fs;

use packing::binary::Binary;

use crate::sample::AMD64;
use crate::sample::ARM64;
use crate::sample::MANIFEST;
use crate::sample::accepted;
use crate::sample::elf;
use crate::sample::refused;
use crate::sample::replaced;
use crate::sample::with;

#[test]
fn a_script_in_place_of_the_binary_is_refused() {
    let charm = with("dispatch", |member| member.content = b"#!/bin/sh\nexec x\n".to_vec());
    refused(&charm, "dispatch: is no ELF binary");
}

#[test]
fn an_object_file_in_place_of_the_binary_is_refused() {
    let charm = with("dispatch", |member| member.content[16] = 1);
    refused(&charm, "dispatch: is an ELF file, but no program");
}

#[test]
fn a_binary_for_another_machine_than_the_manifests_is_refused() {
    let charm = with("dispatch", |member| member.content = elf(ARM64, false));
    refused(&charm, "dispatch: is for arm64, but manifest.yaml says amd64");
    let charm = with("dispatch", |member| member.content = elf(8, false));
    refused(&charm, "dispatch: is for another machine, but manifest.yaml says amd64");
    let charm = replaced("manifest.yaml", "[amd64]", "[amd64, arm64]");
    refused(&charm, "dispatch: is for amd64, but manifest.yaml says arm64");
}

#[test]
fn a_binary_that_needs_a_loader_is_not_static() {
    assert!(Binary::read(&elf(AMD64, false)).unwrap().is_static());
    assert!(!Binary::read(&elf(AMD64, true)).unwrap().is_static());
}

/// This check's own binary is a dynamic one, for the machine that it was built on.
#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn a_real_dynamic_binary_is_told_by_its_needs() {
    let real = Binary::read(&fs::read(env!("CARGO_BIN_EXE_check-charm")).unwrap()).unwrap();
    assert!(real.runnable && real.interpreter && !real.is_static(), "{real:?}");
    assert!(real.libraries.iter().any(|name| name == "libc.so.6"), "{real:?}");
    assert!(real.versions.iter().any(|version| version.starts_with("GLIBC_2.")), "{real:?}");
}

#[test]
fn a_dynamic_binary_may_need_no_newer_glibc_than_its_base_has() {
    let mut binary = dynamic(&["libc.so.6", "libgcc_s.so.1"], &["GLIBC_2.2.5", "GLIBC_2.35"]);
    assert_eq!(binary.misses_on("22.04"), Vec::<String>::new());
    assert_eq!(binary.misses_on("20.04"), ["needs GLIBC_2.35, but ubuntu 20.04 has glibc 2.31"]);
    binary.versions.push("GLIBC_2.36".to_owned());
    assert_eq!(binary.misses_on("22.04"), ["needs GLIBC_2.36, but ubuntu 22.04 has glibc 2.35"]);
    binary.versions.push("GLIBC_ABI_DT_RELR".to_owned());
    assert_eq!(binary.misses_on("22.04").len(), 2);
    assert_eq!(
        binary.misses_on("18.04"),
        ["is not static, and the glibc of ubuntu 18.04 is not known"]
    );
}

#[test]
fn a_dynamic_binary_may_need_only_libraries_that_every_image_has() {
    let binary = dynamic(&["libc.so.6", "libssl.so.3"], &[]);
    assert_eq!(binary.misses_on("22.04"), ["needs libssl.so.3, which ubuntu 22.04 may not have"]);
}

#[test]
fn a_dynamic_charm_is_refused_on_a_base_whose_glibc_is_not_known() {
    let charm = with("dispatch", |member| member.content = elf(AMD64, true));
    accepted(&charm);
    let mut members = charm.members;
    let more =
        format!("{MANIFEST}  - {{name: ubuntu, channel: \"18.04\", architectures: [amd64]}}\n");
    members[1].content = more.into_bytes();
    refused(&crate::sample::packed(&members), "dispatch: is not static, and the glibc");
}

fn dynamic(libraries: &[&str], versions: &[&str]) -> Binary {
    let owned = |list: &[&str]| list.iter().map(|&it| it.to_owned()).collect();
    Binary {
        architecture: Some("amd64"),
        runnable: true,
        interpreter: true,
        libraries: owned(libraries),
        versions: owned(versions),
    }
}
