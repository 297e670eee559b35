//! `manifest.yaml`, broken in each way that Juju refuses.

use crate::sample::accepted;
use crate::sample::refused;
use crate::sample::replaced;

#[test]
fn a_manifest_that_juju_refuses_is_refused() {
    for (from, to, message) in [
        ("", "", "manifest.yaml: is empty"),
        ("", "- bases", "manifest.yaml: is not a map"),
        ("", "bases: [", "manifest.yaml: "),
        ("", "other: 1", "manifest.yaml: has no `bases`"),
        ("", "bases: []", "manifest.yaml: bases: names no base"),
        ("\"22.04\"", "22.04", "bases.0.channel: is the number 22.04, not a string: quote it"),
        ("\"22.04\"", "\"22.04/rare\"", "`22.04/rare` is no channel"),
        ("channel: \"22.04\"", "x: y", "bases.0: has no `channel`"),
        ("name: ubuntu", "x: y", "bases.0: has no `name`"),
        ("ubuntu", "plan9", "`plan9` is no system that Juju knows"),
        ("[amd64]", "[all]", "`all` is no architecture that Juju knows"),
        ("[amd64]", "[]", "architectures: names no architecture"),
        ("architectures: [amd64]", "x: y", "bases.0: has no `architectures`"),
    ] {
        refused(&replaced("manifest.yaml", from, to), message);
    }
}

#[test]
fn a_channel_may_name_its_risk() {
    accepted(&replaced("manifest.yaml", "\"22.04\"", "\"22.04/stable\""));
}
