//! Files: their bytes, owners and modes, and errors of single paths that come with HTTP status 200.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::symlink;
use std::process::Command;

use redis_k8s::clients::pebble::error::PebbleError;
use redis_k8s::clients::pebble::files::FileKind;
use redis_k8s::clients::pebble::files::NewFile;
use redis_k8s::clients::pebble::files::Owner;

use crate::container::Container;
use crate::container::LONG;
use crate::container::is_root;
use crate::server::Server;

/// Who runs the tests: anybody may give a file to itself.
fn me() -> (String, String) {
    let ask = |option: &str| {
        let told = Command::new("id").args([option, "-n"]).output().unwrap();
        String::from_utf8(told.stdout).unwrap().trim().to_owned()
    };
    (ask("-u"), ask("-g"))
}

fn write(container: &Container, path: &str, content: &[u8]) -> Result<(), PebbleError> {
    let (user, group) = me();
    let owner = Owner { user: &user, group: &group };
    container.pebble().write_files(&[NewFile { path, content, mode: 0o640, owner }])
}

#[test]
fn a_file_is_read_as_it_was_written() {
    let container = Container::start();
    let every_byte: Vec<u8> = (0..=255).collect();
    let long = every_byte.repeat(4000);
    let tricky = b"\r\n--\r\n\r\n--boundary--\r\n".as_slice();
    for (name, content) in [
        ("bytes", every_byte.as_slice()),
        ("empty", b""),
        ("tricky", tricky),
        ("long", &long),
        ("a \"quoted\" \\ name=\"response\" of ümläuts&%20?", b"x"),
    ] {
        let path = container.path(name);
        write(&container, &path, content).unwrap();
        assert_eq!(fs::read(&path).unwrap(), content, "{name}");
        assert!(container.pebble().read_file(&path).unwrap() == content, "{name}");
    }
}

#[test]
fn a_file_has_exactly_its_mode_and_missing_folders_are_made() {
    let container = Container::start();
    let path = container.path("made/for/it/file");
    for mode in [0o600, 0o007, 0o755] {
        let (user, group) = me();
        let owner = Owner { user: &user, group: &group };
        let file = NewFile { path: &path, content: b"x", mode, owner };
        container.pebble().write_files(&[file]).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, mode);
        let info = container.pebble().file_info(&path).unwrap().unwrap();
        assert_eq!(info.permissions, format!("{mode:03o}"));
    }
}

#[test]
fn a_file_that_takes_the_place_of_another_has_the_owner_that_was_asked_for() {
    if !is_root() {
        return;
    }
    let container = Container::start();
    let path = container.path("folder/file");
    for owner in [
        Owner { user: "root", group: "root" },
        Owner { user: "daemon", group: "bin" },
        Owner { user: "daemon", group: "bin" },
    ] {
        let file = NewFile { path: &path, content: b"x", mode: 0o640, owner };
        container.pebble().write_files(&[file]).unwrap();
        let info = container.pebble().file_info(&path).unwrap().unwrap();
        assert_eq!((info.user.as_str(), info.group.as_str()), (owner.user, owner.group));
        assert_eq!(info.permissions, "640");
    }
}

#[test]
fn an_owner_that_the_container_does_not_know_is_an_error_of_the_file() {
    let container = Container::start();
    let path = container.path("file");
    let owner = Owner { user: "no-such-user", group: "no-such-group" };
    let file = NewFile { path: &path, content: b"x", mode: 0o640, owner };
    let error = container.pebble().write_files(&[file]).unwrap_err();
    assert!(matches!(error, PebbleError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("no-such-user"), "{error}");
}

#[test]
fn a_symbolic_link_does_not_outlive_a_file_that_is_written_there() {
    let container = Container::start();
    let (target, link) = (container.path("target"), container.path("link"));
    fs::write(&target, "old").unwrap();
    symlink(&target, &link).unwrap();
    write(&container, &link, b"new").unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"old");
    assert!(fs::symlink_metadata(&link).unwrap().is_file());
}

#[test]
fn the_one_of_several_files_that_fails_is_named() {
    let container = Container::start();
    fs::create_dir(container.path("folder")).unwrap();
    let paths = ["first", "folder", "last"].map(|name| container.path(name));
    let (user, group) = me();
    let owner = Owner { user: &user, group: &group };
    let files = paths.each_ref().map(|path| NewFile { path, content: b"x", mode: 0o600, owner });
    let error = container.pebble().write_files(&files).unwrap_err();
    let told = error.to_string();
    let begin = format!("cannot write {} in container redis: ", paths[1]);
    assert!(told.starts_with(&begin), "{told}");
    let PebbleError::Refused { status, kind, .. } = error else { panic!("{error:?}") };
    assert_eq!((status, kind.as_str()), (200, "generic-file-error"));
    // Not all or nothing.
    assert_eq!(fs::read(&paths[0]).unwrap(), b"x");
}

#[test]
fn a_file_that_is_not_there_is_not_found() {
    let container = Container::start();
    let pebble = container.pebble();
    let path = container.path("none");
    let error = pebble.read_file(&path).unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    assert!(error.to_string().starts_with(&format!("cannot read {path} in container redis: ")));
    assert_eq!(pebble.file_info(&path).unwrap(), None);
    assert!(pebble.list_files(&path).unwrap_err().is_not_found());
    pebble.remove_files(&[&path]).unwrap();
}

#[test]
fn a_folder_is_no_file_to_be_read() {
    let container = Container::start();
    let error = container.pebble().read_file(&container.path("")).unwrap_err();
    assert!(matches!(&error, PebbleError::Refused { .. }), "{error:?}");
    assert!(!error.is_not_found(), "{error:?}");
}

#[test]
fn a_folder_is_listed_with_what_each_thing_in_it_is() {
    let container = Container::start();
    let folder = container.path("folder");
    fs::create_dir_all(format!("{folder}/sub")).unwrap();
    fs::write(format!("{folder}/file"), "12345").unwrap();
    symlink("file", format!("{folder}/link")).unwrap();
    let listed = container.pebble().list_files(&folder).unwrap();
    let listed: Vec<_> =
        listed.iter().map(|file| (file.name.as_str(), file.kind, file.size)).collect();
    assert_eq!(
        listed,
        [
            ("file", FileKind::File, Some(5)),
            ("link", FileKind::Symlink, None),
            ("sub", FileKind::Directory, None),
        ]
    );
    let itself = container.pebble().file_info(&folder).unwrap().unwrap();
    assert_eq!((itself.kind, itself.path), (FileKind::Directory, folder));
}

#[test]
fn folders_are_made_with_their_parents_and_one_that_exists_stays_as_it_is() {
    let container = Container::start();
    let (user, group) = me();
    let owner = Owner { user: &user, group: &group };
    let (deep, other) = (container.path("a/b/c"), container.path("d"));
    container.pebble().make_folders(&[&deep, &other], 0o750, owner).unwrap();
    let mode = |path: &str| fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!([mode(&deep), mode(&container.path("a")), mode(&other)], [0o750; 3]);
    container.pebble().make_folders(&[&deep], 0o700, owner).unwrap();
    assert_eq!(mode(&deep), 0o750);

    let file = container.path("file");
    fs::write(&file, "").unwrap();
    let within = format!("{file}/folder");
    let error = container.pebble().make_folders(&[&other, &within], 0o750, owner).unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot make {within} in ")), "{error}");
}

#[test]
fn what_is_removed_is_gone_with_all_that_is_in_it() {
    let container = Container::start();
    let (file, folder) = (container.path("file"), container.path("folder"));
    fs::write(&file, "").unwrap();
    fs::create_dir_all(format!("{folder}/full")).unwrap();
    container.pebble().remove_files(&[&file, &folder]).unwrap();
    assert!(!fs::exists(&file).unwrap() && !fs::exists(&folder).unwrap());
    let error = container.pebble().remove_files(&["relative"]).unwrap_err();
    assert!(error.to_string().starts_with("cannot remove relative in container"), "{error}");
}

#[test]
fn a_path_that_the_answer_says_nothing_about_is_an_error() {
    for results in [
        r#"{"type":"sync","result":[]}"#,
        r#"{"type":"sync","result":null}"#,
        r#"{"type":"sync","result":[{"path":"/another"}]}"#,
    ] {
        let server = Server::answering(results);
        let error = server.pebble(LONG).remove_files(&["/one"]).unwrap_err();
        assert!(matches!(error, PebbleError::Garbage { .. }), "{error:?}");
        assert!(error.to_string().starts_with("cannot remove /one in container redis: "));
    }
}

#[test]
fn a_file_that_is_longer_than_any_that_is_asked_for_is_an_error() {
    let container = Container::start();
    let path = container.path("long");
    fs::write(&path, vec![b'x'; 2_000_000]).unwrap();
    let error = container.pebble().read_file(&path).unwrap_err();
    assert!(matches!(error, PebbleError::TooLong { .. }), "{error:?}");
}
