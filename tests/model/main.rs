//! The charm in a whole model: deployed by an operator, its hooks run by agents, in the order of events.

#[cfg(test)]
mod deploy;
