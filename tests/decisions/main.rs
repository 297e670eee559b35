//! What is decided, without starting a process: worlds in, plans out.

#[cfg(test)]
mod arbitrary_input;
#[cfg(test)]
mod containers;
#[cfg(test)]
mod data_loss;
#[cfg(test)]
mod forgetting;
#[cfg(test)]
mod full_restart;
#[cfg(test)]
mod keeper_laws;
#[cfg(test)]
mod keeper_running;
#[cfg(test)]
mod keeper_start;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod layout;
#[cfg(test)]
mod leader_elected;
#[cfg(test)]
mod lineage;
#[cfg(test)]
mod other_events;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod rendering;
#[cfg(test)]
mod roll;
#[cfg(test)]
mod switchover;
#[cfg(test)]
mod switchover_laws;
#[cfg(test)]
mod switchover_model;
#[cfg(test)]
mod verdicts;
#[cfg(test)]
mod workload;
#[cfg(test)]
mod worlds;
