//! An operator's days: the charm deployed in a whole model of the test bed, with writers that know what
//! was acknowledged, and a witness that shares no code with the charm.

#[cfg(test)]
mod actions;
#[cfg(test)]
mod chance;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod cuts;
#[cfg(test)]
mod departures;
#[cfg(test)]
mod deploy;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod hanging;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod outside;
#[cfg(test)]
mod pebble_faults;
#[cfg(test)]
mod quiet;
#[cfg(test)]
mod refresh;
#[cfg(all(test, feature = "long-stories"))]
mod refresh_at_length;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod roll;
#[cfg(test)]
mod room;
#[cfg(test)]
mod scale;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod statuses;
#[cfg(test)]
mod stops;
#[cfg(test)]
mod volumes;
#[cfg(test)]
mod witness;
#[cfg(test)]
mod writers;
