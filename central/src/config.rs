//! Configuration of one service directory (`config.json`), written by `init`.

use std::net::IpAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::CentralError;
use crate::files;

const FILE: &str = "config.json";
/// Layout of the directory; raised when it changes.
const VERSION: u32 = 1;

/// What an operator may set. Durations in seconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Layout of the directory.
    pub version: u32,
    /// `https://host[:port]`, no slash at the end: what phones see, and the origin in every DPoP proof and status URI.
    pub public_url: String,
    /// Status lists.
    pub status: StatusConfig,
    /// Trust repository.
    pub trust: TrustConfig,
    /// Limits of the HTTP service.
    #[serde(default)]
    pub limits: LimitsConfig,
}

/// Limits of the HTTP service. "Address" is an IPv4 address or an IPv6 network of 64 bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Activation sessions that one address may open in an hour.
    pub sessions_per_hour: u32,
    /// Refused token requests, tokens and proofs of one address in an hour.
    pub token_errors_per_hour: u32,
    /// Wrong staff codes of one address in an hour.
    pub staff_code_errors_per_hour: u32,
    /// Connections at once.
    pub connections: usize,
    /// Connections at once of one address; trusted proxies are not counted.
    pub connections_per_address: usize,
    /// Addresses of reverse proxies whose `proxy_header` is believed. None: every peer is the client itself.
    pub trusted_proxies: Vec<IpAddr>,
    /// The header in which a trusted proxy adds its client's address at the end.
    pub proxy_header: String,
}

impl Default for LimitsConfig {
    /// Wide enough for a mobile network with thousands of phones behind one address.
    fn default() -> Self {
        Self {
            sessions_per_hour: 1000,
            token_errors_per_hour: 1000,
            staff_code_errors_per_hour: 60,
            connections: 4096,
            connections_per_address: 512,
            trusted_proxies: Vec::new(),
            proxy_header: "x-forwarded-for".to_owned(),
        }
    }
}

/// Status list parameters (DESIGN section 7).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusConfig {
    /// Entries in each list.
    pub entries: u32,
    /// `ttl`.
    pub ttl: i64,
    /// From `iat` to `exp`.
    pub life: i64,
    /// A list older than this is signed anew.
    pub refresh: i64,
    /// Lists exist for the weeks from this long ago ...
    pub behind: i64,
    /// ... to this far ahead.
    pub ahead: i64,
}

/// Life of each TUF role's metadata.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustConfig {
    /// `timestamp.json`.
    pub timestamp_life: i64,
    /// `snapshot.json`.
    pub snapshot_life: i64,
    /// `targets.json`.
    pub targets_life: i64,
    /// `root.json`.
    pub root_life: i64,
}

pub(crate) const HOUR: i64 = 3600;
pub(crate) const DAY: i64 = 24 * HOUR;

impl Config {
    /// The defaults for a public URL, which must be `https` with a host and without path, query or user.
    pub fn new(public_url: &str) -> Result<Self, CentralError> {
        let public_url = public_url.trim_end_matches('/').to_owned();
        let url = Url::parse(&public_url).map_err(|_| CentralError::Invalid("public URL"))?;
        let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if url.scheme() != "https" || url.host_str().is_none() || !plain || url.password().is_some() {
            return Err(CentralError::Invalid("public URL"));
        }
        Ok(Self {
            version: VERSION,
            public_url,
            status: StatusConfig {
                entries: 1 << 20,
                ttl: 12 * HOUR,
                life: 14 * DAY,
                refresh: 12 * HOUR,
                behind: 14 * DAY,
                ahead: 60 * DAY,
            },
            trust: TrustConfig { timestamp_life: 14 * DAY, snapshot_life: 30 * DAY, targets_life: 180 * DAY, root_life: 10 * 365 * DAY },
            limits: LimitsConfig::default(),
        })
    }

    /// Host of the public URL.
    pub(crate) fn host(&self) -> Result<String, CentralError> {
        let url = Url::parse(&self.public_url).map_err(|_| CentralError::Damaged("configuration"))?;
        url.host_str().map(str::to_owned).ok_or(CentralError::Damaged("configuration"))
    }

    /// Reads the configuration of a directory.
    pub fn load(dir: &Path) -> Result<Self, CentralError> {
        if !dir.join(FILE).exists() {
            return Err(CentralError::Directory("the directory holds no service"));
        }
        let config: Self = serde_json::from_slice(&files::read(&dir.join(FILE))?).map_err(|_| CentralError::Damaged("configuration"))?;
        if config.version == VERSION { Ok(config) } else { Err(CentralError::Damaged("configuration version")) }
    }

    /// Writes it, once.
    pub(crate) fn store_new(&self, dir: &Path) -> Result<(), CentralError> {
        let text = serde_json::to_vec_pretty(self).map_err(|_| CentralError::Issue("a configuration"))?;
        files::write_public(&dir.join(FILE), &text)
    }

    /// Whether a directory already holds a service.
    pub(crate) fn exists(dir: &Path) -> bool {
        dir.join(FILE).exists()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_https_origin_is_a_public_url() {
        assert_eq!(Config::new("https://localhost:8443/").unwrap().public_url, "https://localhost:8443");
        for bad in ["http://localhost", "https://", "https://a/b", "https://a?x", "https://u:p@a", "localhost", ""] {
            assert!(Config::new(bad).is_err(), "{bad}");
        }
    }
}
