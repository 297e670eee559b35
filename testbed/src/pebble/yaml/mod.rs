//! YAML in and out. The library gives events; what a scalar means depends on the field that takes it, as in Go.

pub(crate) mod emit;
pub(crate) mod node;
