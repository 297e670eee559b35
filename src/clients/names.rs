//! Host names.

use std::net::IpAddr;
use std::net::ToSocketAddrs;

/// The first address of a name; `None` where it has none. It may take as long as the resolver
/// likes: call it on a thread that can be left behind.
pub fn address_of(host: &str) -> Option<IpAddr> {
    if let Ok(address) = host.parse() {
        return Some(address);
    }
    (host, 0).to_socket_addrs().ok()?.next().map(|address| address.ip())
}
