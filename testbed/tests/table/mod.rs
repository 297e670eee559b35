//! What replays recorded tables of hook tools.

mod form;
pub(crate) mod row;
