//! Actions, in the Python charm's words.

use testbed::lab::target::Target;

use crate::stage::Story;
use crate::stage::name;

#[test]
fn actions_answer_as_those_of_the_python_charm_do() {
    let story = Story::of(1);
    let bag = story.databag();
    for (action, key, wanted) in [
        ("check-service", "result", "Service is running"),
        ("get-initial-admin-password", "redis-password", bag["redis-password"].as_str()),
        ("get-sentinel-password", "sentinel-password", bag["sentinel-password"].as_str()),
    ] {
        let result = story.lab.run(&name(0), action, &[]).unwrap();
        assert_eq!(result.status, "completed", "{action}: {result:?}");
        assert_eq!(result.results[key], wanted, "{action}");
    }
    story.lab.freeze(&name(0), &Target::process("redis", "redis-server")).unwrap();
    let result = story.lab.run(&name(0), "check-service", &[]).unwrap();
    assert_eq!(result.results["result"], "Service is not running", "{result:?}");
    story.lab.thaw(&name(0), &Target::process("redis", "redis-server")).unwrap();
}
