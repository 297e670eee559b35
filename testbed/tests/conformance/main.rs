//! Rules of databags, commits, leadership and secrets that the recorded table of hook tools does not show.
//!
//! Each rule is a row of a table and is asserted by real calls of real tools, in hooks that the
//! controller runs one at a time. Which hooks run when is no matter of this suite.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a row that cannot be run stops the test"
)]

mod caches;
mod databags;
mod endings;
mod leadership;
mod secrets;
mod stage;
