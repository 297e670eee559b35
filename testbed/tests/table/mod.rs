//! What replays recorded tables of hook tools.

mod capture;
mod form;
pub(crate) mod row;
