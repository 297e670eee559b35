//! First deployments.

use crate::stage::Story;

#[test]
fn a_single_unit_comes_up_as_master() {
    let story = Story::of(1);
    assert_eq!(story.witness(1), Ok(0));
}

#[test]
fn three_units_are_active_and_every_sentinel_is_exact() {
    let story = Story::of(3);
    assert!(!story.databag().contains_key("bootstrap"), "the first start is over");
}
