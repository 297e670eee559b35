//! The client of the Kubernetes API against servers that are not as they should be. (What the API is for
//! is shown in a whole model, by the rolls in `tests/stories`.)

#[cfg(test)]
mod odd_servers;
#[cfg(test)]
mod server;
