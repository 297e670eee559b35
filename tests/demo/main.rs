//! `make demo`, run with the compiled `dispatch`.
#![expect(clippy::disallowed_methods, reason = "the tests start the demo")]

#[cfg(test)]
mod story;
