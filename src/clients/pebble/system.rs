//! `/v1/system-info`: whether a Pebble is there, and which.

use serde::Deserialize;

use crate::clients::pebble::Pebble;
use crate::clients::pebble::error::PebbleError;

/// What a Pebble tells of itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SystemInfo {
    /// Another one at each start of a Pebble that is process 1, as in a container.
    pub boot_id: String,
    /// With a leading `v`, and perhaps a suffix.
    pub version: String,
}

impl Pebble {
    /// `GET /v1/system-info`; anybody may ask. That it succeeds says "can connect", and only for this
    /// moment: the container can go before the next call.
    pub fn system_info(&self) -> Result<SystemInfo, PebbleError> {
        let call = self.call("ask for system information");
        let answer = self.get(&call, "/v1/system-info", &[])?;
        let info = self.result(&call, &answer)?;
        info.ok_or_else(|| PebbleError::garbage(call, "no result"))
    }
}
