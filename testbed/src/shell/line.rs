//! From a line of text to a command.

use clap::Parser;
use clap::error::ErrorKind;

use super::command::Command;
use super::command::Line;
use super::error::ShellError;
use crate::pebble::plan::words;

/// A line that says something.
#[derive(Debug, PartialEq)]
pub struct Order {
    /// What to do.
    pub command: Command,
    /// Whether a file of commands goes on when it fails: its line begins with `-`.
    pub may_fail: bool,
}

/// Reads a line; one that is empty or a comment says nothing.
pub fn parse(text: &str) -> Result<Option<Order>, ShellError> {
    let text = text.trim();
    let (may_fail, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    // Juju's users may be used to saying it.
    let words = words::split(text).map_err(|_| ShellError::Unclosed)?;
    let words: &[String] = match words.split_first() {
        Some((first, rest)) if first == "juju" && !rest.is_empty() => rest,
        _ => &words,
    };
    if words.is_empty() {
        return Ok(None);
    }
    match Line::try_parse_from(words) {
        Ok(Line { command }) => Ok(Some(Order { command, may_fail })),
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            let command = words.iter().filter(|word| !word.starts_with('-')).cloned().collect();
            Ok(Some(Order { command: Command::Help { command }, may_fail }))
        }
        Err(error) => Err(ShellError::Usage(said(&error))),
    }
}

/// What clap says, in the words of a shell instead of those of a program.
fn said(error: &clap::Error) -> String {
    let text = error.to_string();
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let (_, listed) = text.split_once("\nCommands:\n").unwrap_or_default();
        let (listed, _) = listed.split_once("\n\n").unwrap_or((listed, ""));
        return format!("expected one of these behind it:\n{listed}");
    }
    let text = text.replacen("unrecognized subcommand", "there is no command", 1);
    let text = text.replacen("a similar subcommand exists", "a similar one exists", 1);
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let ends = ["\nUsage: model", "\nFor more information"];
    let end = ends.iter().filter_map(|end| text.find(end)).min();
    text.get(..end.unwrap_or(text.len())).unwrap_or(text).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::super::command::Deploy;
    use super::super::command::Ends;
    use super::super::command::Format;
    use super::super::command::State;
    use super::super::command::Units;
    use super::super::fault::CallMoment;
    use super::super::fault::Disturbance;
    use super::super::fault::Fault;
    use super::super::fault::Moment;
    use super::super::fault::Strike;
    use super::super::fault::Victim;
    use super::super::fault::Volume;
    use super::super::value::Pair;
    use super::super::value::Setting;
    use super::super::value::UnitName;
    use super::Command;
    use super::Order;
    use super::parse;

    fn unit(number: u32) -> UnitName {
        UnitName { application: "redis-k8s".to_owned(), number: Some(number) }
    }

    fn pair(key: &str, value: &str) -> Pair {
        Pair { key: key.to_owned(), value: value.to_owned() }
    }

    fn app() -> String {
        "redis-k8s".to_owned()
    }

    fn deploy() -> Deploy {
        Deploy { num_units: 1, ..Deploy::default() }
    }

    fn fault(fault: Fault) -> Command {
        Command::Fault { fault }
    }

    fn victim(container: Option<&str>, process: Option<&str>) -> Victim {
        Victim {
            unit: unit(0),
            container: container.map(str::to_owned),
            process: process.map(str::to_owned),
        }
    }

    fn assert_table(table: Vec<(&str, Command)>) {
        for (text, command) in table {
            let expected = Order { command, may_fail: false };
            match parse(text) {
                Ok(order) => assert_eq!(order, Some(expected), "{text}"),
                Err(error) => panic!("{text}: {error}"),
            }
        }
    }

    #[test]
    fn what_juju_does_with_applications_is_understood() {
        assert_table(vec![
            ("deploy", Command::Deploy(deploy())),
            (
                "juju deploy ./mine my-app -n 3 --config a=b --config c='d e' --trust",
                Command::Deploy(Deploy {
                    charm: Some("./mine".to_owned()),
                    name: Some("my-app".to_owned()),
                    num_units: 3,
                    config: vec![pair("a", "b"), pair("c", "d e")],
                    trust: true,
                    ..deploy()
                }),
            ),
            (
                "deploy . --num-units=2 --resource cert-file=/tmp/a --memory redis=64",
                Command::Deploy(Deploy {
                    charm: Some(".".to_owned()),
                    num_units: 2,
                    resource: vec![pair("cert-file", "/tmp/a")],
                    memory: vec![pair("redis", "64")],
                    ..deploy()
                }),
            ),
            (
                "refresh redis-k8s --path ../other",
                Command::Refresh { application: app(), path: Some(PathBuf::from("../other")) },
            ),
            ("scale redis-k8s 5", Command::ScaleApplication { application: app(), units: 5 }),
            (
                "scale-application redis-k8s 0",
                Command::ScaleApplication { application: app(), units: 0 },
            ),
            ("add-unit redis-k8s", Command::AddUnit(Units { application: app(), num_units: 1 })),
            (
                "remove-unit redis-k8s --num-units 2",
                Command::RemoveUnit(Units { application: app(), num_units: 2 }),
            ),
            (
                "config redis-k8s a=1 b",
                Command::Config {
                    application: app(),
                    settings: vec![Setting::Set(pair("a", "1")), Setting::Show("b".to_owned())],
                    reset: vec![],
                },
            ),
            (
                "config redis-k8s --reset a,b",
                Command::Config {
                    application: app(),
                    settings: vec![],
                    reset: vec!["a".to_owned(), "b".to_owned()],
                },
            ),
            (
                "relate redis-k8s:redis client",
                Command::Integrate(Ends {
                    one: "redis-k8s:redis".to_owned(),
                    other: "client".to_owned(),
                }),
            ),
        ]);
    }

    #[test]
    fn what_juju_does_with_units_is_understood() {
        assert_table(vec![
            (
                "status --relations --format json",
                Command::Status { relations: true, format: Format::Json },
            ),
            (
                "run redis-k8s/leader get-password username=admin",
                Command::Run {
                    unit: UnitName { application: app(), number: None },
                    action: "get-password".to_owned(),
                    parameters: vec![pair("username", "admin")],
                },
            ),
            (
                "exec --unit redis-k8s/0,redis-k8s/1 -- relation-get -r 0 - redis-k8s/1",
                Command::Exec {
                    unit: vec![unit(0), unit(1)],
                    command: ["relation-get", "-r", "0", "-", "redis-k8s/1"]
                        .map(str::to_owned)
                        .to_vec(),
                },
            ),
            (
                "ssh --container redis redis-k8s/0 ls -l /",
                Command::Ssh {
                    container: "redis".to_owned(),
                    unit: unit(0),
                    command: ["ls", "-l", "/"].map(str::to_owned).to_vec(),
                },
            ),
            (
                "resolved redis-k8s/0 redis-k8s/1 --no-retry",
                Command::Resolved { units: vec![unit(0), unit(1)], no_retry: true },
            ),
            (
                "debug-log -n 50 --include redis-k8s/0 --replay",
                Command::DebugLog {
                    lines: 50,
                    include: vec!["redis-k8s/0".to_owned()],
                    replay: true,
                    tail: false,
                },
            ),
            (
                "wait-for application redis-k8s --timeout 30s",
                Command::WaitFor {
                    state: State::Application { application: app(), status: "active".to_owned() },
                    timeout: Duration::from_secs(30),
                },
            ),
            ("help fault cut", Command::Help { command: vec!["fault".into(), "cut".into()] }),
            ("fault cut --help", Command::Help { command: vec!["fault".into(), "cut".into()] }),
            ("quit", Command::Exit),
        ]);
    }

    #[test]
    fn each_fault_can_be_said() {
        let volume = || Volume { unit: unit(0), storage: "database".to_owned() };
        let lose = |moment| Fault::LoseLeader { application: app(), moment };
        assert_table(vec![
            ("fault kill redis-k8s/0", fault(Fault::Kill(victim(None, None)))),
            (
                "fault kill redis-k8s/0 redis redis-server",
                fault(Fault::Kill(victim(Some("redis"), Some("redis-server")))),
            ),
            ("fault freeze redis-k8s/0 redis", fault(Fault::Freeze(victim(Some("redis"), None)))),
            ("fault thaw redis-k8s/0", fault(Fault::Thaw(victim(None, None)))),
            (
                "fault cut redis-k8s/0 redis-k8s/1",
                fault(Fault::Cut { unit: unit(0), other: Some(unit(1)), one_way: false }),
            ),
            (
                "fault cut --one-way redis-k8s/0 redis-k8s/1",
                fault(Fault::Cut { unit: unit(0), other: Some(unit(1)), one_way: true }),
            ),
            (
                "fault cut redis-k8s/0",
                fault(Fault::Cut { unit: unit(0), other: None, one_way: false }),
            ),
            ("fault heal", fault(Fault::Heal { unit: None, other: None })),
            ("fault heal redis-k8s/0", fault(Fault::Heal { unit: Some(unit(0)), other: None })),
            ("fault silence-dns", fault(Fault::SilenceDns { unit: None })),
            ("fault slow-dns 500", fault(Fault::SlowDns { by: Duration::from_millis(500) })),
            ("fault late-dns 5", fault(Fault::LateDns { by: Duration::from_secs(5) })),
            ("fault heal-dns", fault(Fault::HealDns)),
            ("fault wipe redis-k8s/0 database", fault(Fault::Wipe(volume()))),
            (
                "fault snapshot redis-k8s/0 database old",
                fault(Fault::Snapshot { volume: volume(), name: "old".to_owned() }),
            ),
            (
                "fault roll-back redis-k8s/0 database old",
                fault(Fault::RollBack { volume: volume(), name: "old".to_owned() }),
            ),
            (
                "fault slow-disk redis-k8s/0 redis 20",
                fault(Fault::SlowDisk {
                    unit: unit(0),
                    container: "redis".to_owned(),
                    by: Duration::from_millis(20),
                }),
            ),
            ("fault lose-leader redis-k8s", fault(lose(None))),
            (
                "fault lose-leader redis-k8s at-call 3",
                fault(lose(Some(Moment::AtCall { number: 3, hook: "leader-elected".to_owned() }))),
            ),
            (
                "fault lose-leader redis-k8s at-commit start",
                fault(lose(Some(Moment::AtCommit { hook: "start".to_owned() }))),
            ),
            ("fault steal-leader redis-k8s", fault(Fault::StealLeader { application: app() })),
            ("fault make-leader redis-k8s/0", fault(Fault::MakeLeader { unit: unit(0) })),
            (
                "fault no-leader redis-k8s 2m",
                fault(Fault::NoLeader { application: app(), span: Duration::from_mins(2) }),
            ),
            (
                "fault lose-leader-elected redis-k8s/0",
                fault(Fault::LoseLeaderElected { unit: unit(0) }),
            ),
            ("fault controller-away", fault(Fault::ControllerAway)),
            ("fault controller-back", fault(Fault::ControllerBack)),
            ("fault restart-agent redis-k8s/0", fault(Fault::RestartAgent { unit: unit(0) })),
            (
                "fault hook redis-k8s/0 leader-elected kill at-call 2",
                fault(Fault::Hook {
                    unit: unit(0),
                    hook: "leader-elected".to_owned(),
                    strike: Strike::Kill,
                    moment: CallMoment::AtCall { number: 2 },
                }),
            ),
            (
                "fault lose-record redis-k8s/0 start",
                fault(Fault::LoseRecord { unit: unit(0), hook: "start".to_owned() }),
            ),
            (
                "fault notices redis-k8s/0 redis delay 10s",
                fault(Fault::Notices {
                    unit: unit(0),
                    container: "redis".to_owned(),
                    disturbance: Disturbance::Delay { by: Duration::from_secs(10) },
                }),
            ),
        ]);
    }

    #[test]
    fn comments_say_nothing_and_a_dash_lets_a_command_fail() {
        for text in ["", "   ", "# deploy", "  # status"] {
            assert!(parse(text).unwrap().is_none(), "{text}");
        }
        let order = parse("- status # all of it").unwrap().unwrap();
        assert!(order.may_fail);
        assert_eq!(order.command, Command::Status { relations: false, format: Format::Tabular });
    }

    #[test]
    fn an_error_says_what_is_expected() {
        let table = [
            ("stats", "there is no command 'stats'\n\n  tip: a similar one exists: 'status'"),
            ("scale redis-k8s", "<UNITS>"),
            ("scale redis-k8s many", "invalid digit"),
            ("run redis-k8s get-password", "expected a unit: APPLICATION/NUMBER"),
            ("run redis-k8s/0 get-password admin", "expected KEY=VALUE"),
            ("fault", "expected one of these behind it:\n  kill  "),
            ("fault lose-leader redis-k8s at-call 0", "0 is not in 1.."),
            ("fault slow-dns soon", "expected a span of time, such as 500ms"),
            ("fault hook redis-k8s/0 start tickle at-call 1", "[possible values: fail, hang, kill"),
            ("config", "Usage: config"),
            ("deploy 'my charm", "a quote is not closed"),
        ];
        for (text, expected) in table {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
            for word in ["binary", "subcommand", "--help"] {
                assert!(!error.contains(word), "{text}: {error}");
            }
        }
    }
}
