//! An operator's days: the charm deployed in a whole model of the test bed, with writers that know what
//! was acknowledged, and a witness that shares no code with the charm.

#[cfg(test)]
mod deploy;
#[cfg(test)]
mod stage;
