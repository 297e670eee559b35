//! `config.yaml` and `actions.yaml`, broken in each way that Juju refuses.

use crate::sample::CONFIG;
use crate::sample::accepted;
use crate::sample::refused;
use crate::sample::replaced;

#[test]
fn a_config_that_juju_refuses_is_refused() {
    for (from, to, message) in [
        ("", "", "config.yaml: is empty"),
        ("options:", "option:", "config.yaml: has no `options`"),
        ("type: boolean", "type: banana", "`banana` is none of the types string, int"),
        ("type: boolean, ", "", "options.enable-tls: has no `type`"),
        ("default: false", "default: no", "default: is the string `no`, no boolean"),
        ("default: false", "default: 0", "default: is the number 0, no boolean"),
    ] {
        refused(&replaced("config.yaml", from, to), message);
    }
    for (option, message) in [
        ("{type: string, default: 3}", "is the number 3, no string"),
        ("{type: string, default: on}", "`on` is a boolean to Juju"),
        ("{type: int, default: 1.5}", "is the number 1.5, no int"),
        ("{type: float, default: a}", "is the string `a`, no float"),
        ("{type: secret, default: swordfish}", "no secret"),
        ("{type: int, description: 5}", "description: is the number 5, not a string"),
    ] {
        refused(&replaced("config.yaml", "", &format!("{CONFIG}  other: {option}\n")), message);
    }
}

#[test]
fn options_of_each_type_are_accepted() {
    for option in [
        "{type: string, default: a}",
        "{type: string, default: }",
        "{type: int, default: -3}",
        "{type: float, default: 1}",
        "{type: secret, default: \"secret:abc\"}",
        "{type: secret}",
    ] {
        accepted(&replaced("config.yaml", "", &format!("{CONFIG}  other: {option}\n")));
    }
}

#[test]
fn actions_that_juju_refuses_are_refused() {
    for (action, message) in [
        ("Fix: {}", "Fix: is no name for an action"),
        ("fix_it: {}", "fix_it: is no name for an action"),
        ("fix-: {}", "fix-: is no name for an action"),
        ("juju-fix: {}", "`juju` and names that start so"),
        ("fix: {description: 5}", "fix.description: is the number 5, not a string"),
        ("fix: {parallel: maybe}", "fix.parallel: is the string `maybe`, not a boolean"),
        ("fix: {parms: {}}", "fix.parms: is no key of an action"),
        ("fix: {required: unit}", "fix.required: is not a list"),
        ("fix: {required: [unit]}", "`unit` is no parameter of this action"),
        ("fix: {params: {u: {}}, required: [u, u]}", "`u` stands twice"),
        ("fix: {params: [u]}", "fix.params: is not a map"),
        ("fix: {params: {u: 1}}", "fix.params.u: is not a map"),
        ("fix: {params: {u: {type: text}}}", "is none of the types array"),
        ("fix: {params: {u: {type: [text]}}}", "is none of the types array"),
        ("fix: {params: {u: {enum: []}}}", "u.enum: allows nothing"),
        ("fix: {params: {u: {minimum: a}}}", "u.minimum: is no number"),
        ("fix: {params: {u: {minLength: -1}}}", "u.minLength: is no number of 0 or more"),
        ("fix: {params: {u: {required: true}}}", "u.required: is no list of names"),
        ("fix: {params: {u: {$ref: x}}}", "u.$ref: is forbidden by Juju"),
        ("fix: {params: {u: {properties: {v: {$schema: x}}}}}", "v.$schema: is forbidden by Juju"),
        ("fix: {params: {u: {items: {$ref: x}}}}", "items.$ref: is forbidden by Juju"),
        ("fix: {params: {u: {not: {anyOf: [{$ref: x}]}}}}", "$ref: is forbidden by Juju"),
    ] {
        let text = format!("{}{action}\n", crate::sample::ACTIONS);
        refused(&replaced("actions.yaml", "", &text), message);
    }
}

#[test]
fn an_action_with_parameters_is_accepted() {
    let action = "fix: {description: Mend., parallel: true, required: [unit], params: {\
                  unit: {type: string, pattern: a.*, default: a, enum: [a, ab]}, \
                  deep: {type: object, properties: {x: {type: [integer, 'null'], minimum: 0}}}}}";
    accepted(&replaced("actions.yaml", "", &format!("{}{action}\n", crate::sample::ACTIONS)));
}
