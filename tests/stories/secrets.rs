//! The search for passwords at each story's end: in all that was said where others may read it, and in
//! the files that others may read.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use testbed::pod::CHARM;
use testbed::transcript::lines_that_leak;

use crate::stage::SERVER_LOG;
use crate::stage::Story;

/// Where a password was shown, masked. It is first proved that the search would find each.
pub(crate) fn leaks(story: &Story) -> Vec<String> {
    let secrets = secrets(story);
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    assert!(secrets.len() >= 2, "there is no password to search for");
    let said = said(story);
    for secret in &secrets {
        assert_eq!(lines_that_leak(&format!("say {secret}!"), &[secret]), ["say ***!"]);
    }
    let mut leaks = lines_that_leak(&said, &secrets);
    for pod in story.lab.pods().iter().filter(|pod| pod.phase == "Running") {
        for container in pod.containers.iter().filter(|it| it.is_running) {
            let found = readable(story, &pod.unit, &container.name, &secrets);
            let place = |file: &String| format!("{} {}: {file}", pod.unit, container.name);
            leaks.extend(found.iter().map(place));
        }
    }
    leaks
}

/// Every password there was: those in databags, and those that a hook handed to a tool, also where its
/// commit never came.
fn secrets(story: &Story) -> BTreeSet<String> {
    let mut bags: Vec<BTreeMap<String, String>> = story
        .lab
        .controller()
        .inputs()
        .iter()
        .filter_map(|input| serde_json::from_str(input).ok())
        .collect();
    bags.push(story.databag());
    let is_password = |(key, _): &(String, String)| PASSWORDS.contains(&key.as_str());
    bags.into_iter().flatten().filter(is_password).map(|(_, value)| value).collect()
}

/// All that was said: by hooks and to hook tools, statuses, what units keep and tell, what containers
/// and Redis log, command lines, plans.
fn said(story: &Story) -> String {
    let controller = story.lab.controller();
    // An action that is asked for a password has no other way to give it.
    let lines = controller.transcript();
    let mut said: Vec<String> =
        lines.lines().filter(|line| !line.starts_with("action-set ")).map(str::to_owned).collect();
    controller.read(|model| {
        for unit in model.applications.values().flat_map(|it| it.units.values()) {
            said.extend(unit.state.iter().map(|(key, value)| format!("state {key}: {value}")));
        }
        for member in model.relations.iter().flat_map(|it| it.units.values()) {
            said.extend(member.data.iter().map(|(key, value)| format!("unit bag {key}: {value}")));
        }
    });
    for pod in story.lab.pods().iter().filter(|pod| pod.phase == "Running") {
        for container in pod.containers.iter().filter(|it| it.is_running) {
            said.push(story.shell(&pod.unit, &container.name, COMMAND_LINES, ""));
            said.push(story.lab.container_log(&pod.unit, &container.name).unwrap_or_default());
            if container.name != CHARM {
                said.push(plan(story, &pod.unit, &container.name));
                said.push(story.shell(&pod.unit, &container.name, SERVER_LOG, ""));
            }
        }
    }
    said.join("\n")
}

fn plan(story: &Story, unit: &str, container: &str) -> String {
    let pod = story.lab.pod(unit).unwrap();
    let pebble = pod.wait_for_pebble(container, Duration::from_secs(20)).unwrap();
    pebble.get("/v1/plan?format=yaml").unwrap().json().to_string()
}

/// The files of a container that hold a password and that a user who owns nothing can read. One is
/// planted for each password, and has to be found.
fn readable(story: &Story, unit: &str, container: &str, secrets: &[&str]) -> Vec<String> {
    let found = story.shell(unit, container, READABLE_FILES, &secrets.join("\n"));
    let (planted, others): (Vec<&str>, Vec<&str>) =
        found.lines().partition(|file| file.starts_with(PLANTED));
    assert_eq!(planted.len(), secrets.len(), "{unit} {container}: the search finds {found:?}");
    others.into_iter().map(str::to_owned).collect()
}

/// The keys of the passwords in a databag.
const PASSWORDS: [&str; 2] = ["redis-password", "sentinel-password"];

const COMMAND_LINES: &str =
    r"for it in /proc/[0-9]*/cmdline; do tr '\0' ' ' <$it; echo; done 2>/dev/null";

/// The passwords come by standard input, and stand in no command line.
const READABLE_FILES: &str = r#"
umask 022
secrets=$(cat)
number=0
for secret in $secrets; do
    number=$((number + 1))
    printf '%s' "$secret" >/tmp/planted-$number
done
for folder in /etc /opt /var /tmp /run /root /home /charm; do
    [ -d $folder ] && set -- "$@" $folder
done
printf '%s' "$secrets" |
    setpriv --reuid 65534 --regid 65534 --clear-groups grep -rlsF -D skip -f - "$@"
rm -f /tmp/planted-*"#;

const PLANTED: &str = "/tmp/planted-";
