//! The keeper and the starter of Sentinel in their containers: real Redis, real Sentinels, and a
//! Pebble that starts them with the charm's own layers.

#[cfg(test)]
mod adopting;
#[cfg(test)]
mod clean_stops;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod cut_switches;
#[cfg(test)]
mod empty_volumes;
#[cfg(test)]
mod forgetting;
#[cfg(test)]
mod full_restart;
#[cfg(test)]
mod handing_over;
#[cfg(test)]
mod late_replicas;
#[cfg(test)]
mod noting;
#[cfg(test)]
mod pods;
#[cfg(test)]
mod probes;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod ringing;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod starting;
#[cfg(test)]
mod syncing;
