//! Whatever a charm has on the command lines of its hook tools, each call is answered, and what is
//! committed afterwards is a model that Juju could have.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::Just;
use proptest::prelude::any;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::prop_oneof;
use proptest::sample::select;
use proptest::strategy::Strategy;
use proptest::test_runner::Config;
use proptest::test_runner::TestCaseError;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use tempfile::TempDir;

use super::Answer;
use super::Call;
use super::TOOLS;
use super::answer;
use crate::juju::commit::commit;
use crate::juju::context::Context;
use crate::juju::context::HookRelation;
use crate::juju::files::Files;
use crate::juju::hook::Happening;
use crate::juju::hook::Hook;
use crate::juju::model::Model;
use crate::juju::world::World;

#[test]
fn any_command_line_is_answered_and_any_commit_leaves_a_sound_model() {
    let cases = Cases::new();
    let config = Config { cases: 700, failure_persistence: None, ..Config::default() };
    let runs = vec(cases.run(), 1..4);
    TestRunner::new(config).run(&runs, |runs| cases.replay(&runs)).unwrap();
}

#[test]
fn a_call_that_fails_changes_nothing_of_the_model_but_what_it_reads() {
    let cases = Cases::new();
    let config = Config { cases: 700, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&cases.run(), |run| {
            let (mut world, mut context) = cases.begin(&run, cases.model.clone());
            for line in &run.lines {
                let before = world.model.clone();
                let answer = call(&mut world, &mut context, line)?;
                // What is read counts as read, even if it cannot be printed then.
                if answer.exit != 0 && line.tool != "secret-get" {
                    prop_assert!(world.model == before, "{line:?} has failed and changed it");
                }
            }
            Ok(())
        })
        .unwrap();
}

/// One hook with its calls.
#[derive(Clone, Debug)]
struct Run {
    unit: &'static str,
    kind: &'static str,
    lines: Vec<Line>,
}

/// One call.
#[derive(Clone, Debug)]
struct Line {
    tool: String,
    arguments: Vec<String>,
    stdin: String,
}

struct Cases {
    model: Model,
    /// Command lines that are known to lead somewhere.
    recorded: Vec<Vec<String>>,
    /// The only folder that a tool can reach, as the root of the container.
    root: TempDir,
}

impl Cases {
    fn new() -> Self {
        let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hook-tools.json");
        let table: Value = serde_json::from_slice(&fs::read(table).unwrap()).unwrap();
        let model = serde_json::from_value(table["fixtures"]["cluster"].clone()).unwrap();
        let rows = table["cases"].as_array().unwrap();
        let steps = rows.iter().flat_map(|row| {
            let before = row["before"].as_array().into_iter().flatten();
            before.chain([row]).filter(|step| step["argv"].is_array())
        });
        let recorded = steps.map(|step| {
            let words = step["argv"].as_array().unwrap().iter().filter_map(Value::as_str);
            words.map(|word| word.replace("{{cwd}}", "/charm")).collect()
        });
        let recorded = recorded.collect();
        let root = TempDir::new().unwrap();
        for folder in ["charm", "resources"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        Self { model, recorded, root }
    }

    fn begin(&self, run: &Run, model: Model) -> (World, Context) {
        let mut world = World::new(model);
        let relation = (run.kind == "relation").then(|| HookRelation {
            id: 3,
            endpoint: "redis".to_owned(),
            remote_application: "web".to_owned(),
            remote_unit: "web/0".to_owned(),
        });
        let hook = match run.kind {
            "action" => Hook::action(run.unit, "check", "1").parameter("key", Value::from(1.5)),
            "relation" => {
                Hook::relation(run.unit, 3, Happening::Changed { unit: "web/0".to_owned() })
            }
            other => Hook::new(run.unit, other),
        };
        let files =
            Files { root: self.root.path().to_owned(), resources: Path::new("/resources").into() };
        let context = Context::begin(&hook, relation, files, &mut world);
        (world, context)
    }

    fn run(&self) -> impl Strategy<Value = Run> + use<> {
        let unit = select(vec!["redis-k8s/0", "redis-k8s/1", "web/0"]);
        let kind = select(vec!["update-status", "install", "action", "relation"]);
        let lines = vec(line(self.recorded.clone()), 1..6);
        (unit, kind, lines).prop_map(|(unit, kind, lines)| Run { unit, kind, lines })
    }

    /// Runs the hooks one after the other on one model.
    fn replay(&self, runs: &[Run]) -> Result<(), TestCaseError> {
        let mut model = self.model.clone();
        for run in runs {
            let (mut world, mut context) = self.begin(run, model);
            for line in &run.lines {
                call(&mut world, &mut context, line)?;
            }
            // Whether it is refused is no matter here.
            let _ = commit(&context, &mut world.model);
            model = world.model;
            check(&model)?;
        }
        Ok(())
    }
}

fn call(world: &mut World, context: &mut Context, line: &Line) -> Result<Answer, TestCaseError> {
    let added = context.secrets.created.last().map(|it| it.id.clone()).unwrap_or_default();
    let arguments = line.arguments.iter().map(|it| it.replace("{{S1}}", &added));
    let arguments: Vec<String> = arguments.collect();
    let mut answer_with = |stdin| {
        answer(Call {
            context,
            world,
            directory: Path::new("/charm"),
            tool: &line.tool,
            arguments: &arguments,
            stdin,
            notice: String::new(),
        })
    };
    let first = answer_with(None);
    let answer = first.or_else(|| answer_with(Some(line.stdin.as_bytes())));
    let answer = answer.ok_or_else(|| TestCaseError::fail("standard input is wanted twice"))?;
    let stderr = String::from_utf8_lossy(&answer.stderr).into_owned();
    prop_assert!(answer.exit <= 2, "{answer:?}");
    if answer.exit == 0 {
        prop_assert!(!stderr.contains("ERROR "), "{stderr}");
    } else {
        prop_assert!(stderr.contains("ERROR ") && stderr.ends_with('\n'), "{stderr}");
        prop_assert!(answer.stdout.is_empty(), "{answer:?}");
    }
    Ok(answer)
}

/// What holds of every model.
fn check(model: &Model) -> Result<(), TestCaseError> {
    let text = serde_json::to_string(model).unwrap();
    let again: Model = serde_json::from_str(&text).unwrap();
    prop_assert!(again == *model, "it is another one after it was written and read");
    for relation in &model.relations {
        let bags = relation.units.values().map(|member| &member.data);
        for bag in bags.chain(relation.application_data.values()) {
            prop_assert!(bag.iter().all(|(key, value)| !key.is_empty() && !value.is_empty()));
        }
    }
    let mut labels = BTreeSet::new();
    for (id, secret) in &model.secrets {
        prop_assert!(!secret.revisions.is_empty(), "{id} has no content");
        let owned = (!secret.label.is_empty()).then_some((&secret.owner, &secret.label));
        let read = secret.consumers.iter().map(|(unit, consumer)| (unit, &consumer.label));
        for name in owned.into_iter().chain(read.filter(|(_, label)| !label.is_empty())) {
            prop_assert!(labels.insert(name), "{name:?} is used twice");
        }
        let subjects: BTreeSet<_> = secret.grants.iter().map(|grant| &grant.subject).collect();
        prop_assert_eq!(subjects.len(), secret.grants.len());
        for consumer in secret.consumers.values() {
            prop_assert!((1..=secret.latest()).contains(&consumer.revision), "{id}");
        }
    }
    Ok(())
}

/// An arbitrary line, or one that leads somewhere with some words replaced or put in.
fn line(recorded: Vec<Vec<String>>) -> impl Strategy<Value = Line> {
    let names: Vec<String> = TOOLS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let arbitrary = (select(names), vec(argument(), 0..6));
    let change = (0_usize..6, any::<bool>(), argument());
    let changed = (select(recorded), vec(change, 0..3)).prop_map(|(mut words, changes)| {
        let tool = words.remove(0);
        for (place, is_new, word) in changes {
            let place = place.min(words.len());
            let end = if is_new { place } else { words.len().min(place + 1) };
            words.splice(place..end, [word]);
        }
        (tool, words)
    });
    let line = prop_oneof![1 => arbitrary, 5 => changed];
    (line, text()).prop_map(|((tool, arguments), stdin)| Line { tool, arguments, stdin })
}

/// A flag with or without a value, or a word.
fn argument() -> impl Strategy<Value = String> {
    let flag = (select(FLAGS.to_vec()), option::of(word()));
    let flag = flag.prop_map(|(flag, value)| match value {
        Some(value) => format!("{flag}={value}"),
        None => flag.to_owned(),
    });
    prop_oneof![3 => flag, 5 => word()]
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => select(WORDS.to_vec()).prop_map(str::to_owned),
        3 => (select(KEYS.to_vec()), text()).prop_map(|(key, value)| format!("{key}={value}")),
        2 => text(),
        1 => any::<i64>().prop_map(|number| number.to_string()),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ -~]{0,12}",
        2 => any::<String>(),
        2 => "(key|l|é): [ -~é\n\u{85}]{0,20}",
        1 => ("[a-z\u{e9}\u{1f600}]", 1_usize..80_000).prop_map(|(each, count)| each.repeat(count)),
        1 => Just("\0\u{7f}\u{feff}\u{2028}".to_owned()),
    ]
}

const FLAGS: &[&str] = &[
    "--",
    "-",
    "-r",
    "-r3",
    "-r1",
    "--relation",
    "--app",
    "--application",
    "--unit",
    "--format",
    "--output",
    "-o",
    "--file",
    "--label",
    "--peek",
    "--refresh",
    "--owner",
    "--expire",
    "--rotate",
    "--description",
    "--revision",
    "--all",
    "--include-data",
    "--strict",
    "-s",
    "--log-level",
    "-l",
    "--endpoints",
    "--bind-address",
    "--ingress-address",
    "--primary-address",
    "--now",
    "--help",
    "-h",
    "--debug",
    "--x",
    "--=",
    "-é",
    "---",
];

const WORDS: &[&str] = &[
    "",
    "-",
    "3",
    "1",
    "10",
    "db:3",
    "redis",
    "web",
    "web/0",
    "redis-k8s",
    "redis-k8s/0",
    "json",
    "yaml",
    "smart",
    "unit",
    "application",
    "daily",
    "never",
    "24h",
    "2030-01-02T03:04:05Z",
    "own",
    "admin",
    "mine",
    "secret:d0a1b2c3d4e5f6g7h8i0",
    "secret:d0a1b2c3d4e5f6g7h8j0",
    "secret:d0a1b2c3d4e5f6g7h8n0",
    "d0a1b2c3d4e5f6g7h8k0",
    "secret:d0a1b2c3d4e5f6g7h8m0",
    "secret://7d1f0c56-3c1b-4e0a-8a53-0f1c2b3d4e5f/d0a1b2c3d4e5f6g7h8l0",
    "secret:d0a1b2c3d4e5f6g7h8v0",
    "secret:é",
    "6379/tcp",
    "80-100/udp",
    "icmp",
    "70000",
    "active",
    "blocked",
    "error",
    "data/0",
    "location",
    "password",
    "password#base64",
    "/charm/file",
    "file",
    "a.b.c",
    "true",
    "private-address",
    "config",
    "INFO",
];

const KEYS: &[&str] =
    &["key", "key#base64", "key#file", "password", "a", "a.b", "A_b", "", " key ", "é", "data"];
