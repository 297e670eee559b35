//! What a hook does: the compiled `dispatch`, real hook tool programs, real Redis and Sentinel.

#[cfg(test)]
mod asked;
#[cfg(test)]
mod census;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod departures;
#[cfg(test)]
mod elections;
#[cfg(test)]
mod failovers;
#[cfg(test)]
mod forgetting;
#[cfg(test)]
mod held;
#[cfg(test)]
mod leadership;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod logging;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod odd_servers;
#[cfg(test)]
mod own_place;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod stopping;
#[cfg(test)]
mod tool_failures;
#[cfg(test)]
mod toolbox;
#[cfg(test)]
mod votes;
