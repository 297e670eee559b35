//! Ports that units open.

use std::fmt;
use std::fmt::Display;
use std::fmt::Formatter;
use std::str::FromStr;

use serde::Deserialize;
use serde::Serialize;

use crate::juju::names::quoted;

/// A range of ports, open for one endpoint or for all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OpenedPort {
    /// The range.
    pub range: PortRange,
    /// The endpoint; empty for all.
    #[serde(default)]
    pub endpoint: String,
}

/// A range of ports, mostly of one. Ranges are ordered by protocol, then by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PortRange {
    /// What is spoken there.
    pub protocol: Protocol,
    /// The first port; 0 of ICMP, which has none.
    pub from: u16,
    /// The last port.
    pub to: u16,
}

/// A protocol that a port may be opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// ICMP, without ports.
    Icmp,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Display for PortRange {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Icmp => return to.write_str("icmp"),
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        if self.from == self.to {
            write!(to, "{}/{protocol}", self.from)
        } else {
            write!(to, "{}-{}/{protocol}", self.from, self.to)
        }
    }
}

impl FromStr for PortRange {
    /// The text that Juju's tools print.
    type Err = String;

    /// Reads `6379/tcp`, `6379`, `100-200/udp` or `icmp`.
    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_lowercase();
        if lower == "icmp" {
            return Ok(Self { protocol: Protocol::Icmp, from: 0, to: 0 });
        }
        let (ports, protocol) = lower.split_once('/').unwrap_or((&lower, "tcp"));
        let (from, to) = ports.split_once('-').unwrap_or((ports, ports));
        let (from, to) = (number(from)?, number(to)?);
        let protocol = match protocol {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            other => {
                let expected = r#"expected "tcp", "udp", or "icmp""#;
                return Err(format!("invalid protocol {}, {expected}", quoted(other)));
            }
        };
        if from > to {
            return Err(format!("invalid port range {ports}"));
        }
        let bounded = u16::try_from(from).ok().zip(u16::try_from(to).ok());
        let (from, to) = bounded.ok_or_else(|| {
            format!("port range bounds must be between 0 and 65535, got {from}-{to}")
        })?;
        Ok(Self { protocol, from, to })
    }
}

impl TryFrom<String> for PortRange {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<PortRange> for String {
    fn from(range: PortRange) -> Self {
        range.to_string()
    }
}

fn number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| {
        let text = quoted(text);
        format!("invalid port {text}: strconv.Atoi: parsing {text}: invalid syntax")
    })
}
