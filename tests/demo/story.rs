//! The demo as a program: how it ends, and what it prints.

use std::process::Command;
use std::process::Output;

use testbed::programs;

#[cfg(test)]
fn demo(dispatch: &str) -> (Output, String) {
    let output = Command::new(programs::own("demo").unwrap()).arg(dispatch).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text)
}

#[cfg(test)]
/// The words of a text that have the form of a password of the charm: 32 letters and digits.
fn like_passwords(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() == 32).collect()
}

#[test]
fn the_demo_comes_to_its_end_and_shows_no_password() {
    let (output, text) = demo(env!("CARGO_BIN_EXE_dispatch"));
    assert!(output.status.success(), "{text}");
    assert!(text.contains("all 6 steps came out as they should"), "{text}");
    assert!(!text.contains('\x1b'), "colours outside a terminal");
    assert_eq!(like_passwords(&text), [""; 0]);
    let planted = format!("{text} redis-password {}", "aB3".repeat(11).get(1..).unwrap());
    assert_eq!(like_passwords(&planted).len(), 1, "the search finds nothing");
}

#[test]
fn the_demo_fails_and_names_the_step_when_the_charm_does_nothing() {
    let (output, text) = demo("/bin/true");
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("step 1: no master was recorded"), "{text}");
}
