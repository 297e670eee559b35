//! Charmed Redis: what runs, once for every event, when Juju calls `dispatch`.
//!
//! ```text
//! variables -> event -> world -> plan -> effects -> verdict -> commit -> exit code
//!  env.rs    event.rs  observe/  decide/   act/     decide/verdict.rs  report.rs
//! ```
//!
//! Each stage takes the last one's data and hands on its own; nothing points back. `run.rs` is that
//! sentence as code, and `decide/mod.rs` the table of what happens at each event.

pub mod act;
pub mod clients;
pub mod clock;
pub mod decide;
pub mod env;
pub mod event;
pub mod journal;
pub mod keeper;
pub mod names;
pub mod observe;
pub mod procedure;
pub mod render;
pub mod report;
pub mod run;
pub mod world;
