//! The search for passwords bites: what is shown on purpose is found, and fails the story.

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use crate::secrets;
use crate::stage::Story;
use crate::stage::name;

#[test]
fn a_story_in_which_a_password_was_shown_fails_at_its_end() {
    let story = Story::of(1);
    assert_eq!(secrets::leaks(&story), [""; 0]);
    let password = story.databag().remove("redis-password").unwrap();
    for (container, script, found) in [
        ("redis", "(umask 022; cat >/opt/note)", "redis-k8s/0 redis: /opt/note"),
        ("charm", "(umask 022; cat >/root/note)", "redis-k8s/0 charm: /root/note"),
        ("sentinel", "cat >>/var/log/redis/note", "log ***"),
        (
            "redis",
            "it=$(cat); sh -c 'sleep 60; exit' it $it >/dev/null 2>&1 &",
            "sh -c sleep 60; exit it",
        ),
    ] {
        let input = if found == "log ***" { format!("log {password}") } else { password.clone() };
        assert!(!is_found(&story, found), "{found} is there before");
        story.shell(&name(0), container, script, &input);
        assert!(is_found(&story, found), "{script}: {:#?}", secrets::leaks(&story));
    }
    let failure = catch_unwind(AssertUnwindSafe(move || drop(story))).unwrap_err();
    let text = failure.downcast_ref::<String>().unwrap();
    assert!(text.contains("a password was shown") && !text.contains(&password), "{text}");
}

fn is_found(story: &Story, text: &str) -> bool {
    secrets::leaks(story).iter().any(|leak| leak.contains(text))
}
