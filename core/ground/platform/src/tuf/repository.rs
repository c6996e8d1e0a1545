//! The same client over any repository, as a tool has it: update, look for one target, fetch it.

use std::path::Path;
use std::sync::Arc;

use wallet_base::fact::FactName;
use wallet_base::time::Timestamp;

use super::TrustError;
use super::client::{Begin, Client, Fault};
use super::metadata::TargetInfo;
use super::source::TrustSource;
use super::store::Store;
use super::trusted::TrustMark;

/// Why a repository was refused: the fact that failed and a safe text, or what went wrong around it.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A rule of the specification is broken.
    #[error("{0}: {1}")]
    Fact(FactName, String),
    /// Nothing could be judged.
    #[error(transparent)]
    Error(#[from] TrustError),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Signature(detail) => Self::Fact(FactName::TrustSignature, detail.to_owned()),
            Fault::Version(detail) => Self::Fact(FactName::TrustVersion, detail),
            Fault::Freshness(detail) => Self::Fact(FactName::TrustFreshness, detail),
            Fault::Error(error) => Self::Error(error),
        }
    }
}

/// A client of one repository that keeps what it trusts in a directory: `root.json`, `timestamp.json`, `snapshot.json`, `targets.json` and one file
/// for each delegated role, bytes as they came. It is the client that [`super::TrustUpdater`] works with.
pub struct RepositoryClient(Client);

impl std::fmt::Debug for RepositoryClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RepositoryClient")
    }
}

impl RepositoryClient {
    /// Begins with a root that is trusted by itself. Touches no network.
    pub fn new(pinned: &[u8], directory: &Path, source: Arc<dyn TrustSource>, now: Timestamp) -> Result<Self, Refusal> {
        let store = Store::at(directory)?;
        Ok(Self(Client::begin(Begin { pinned, store, source, now: Some(now), floor: 0, mark: TrustMark::default() })?))
    }

    /// Updates root, timestamp, snapshot and targets.
    pub fn refresh(&mut self) -> Result<(), Refusal> {
        Ok(self.0.refresh()?)
    }

    /// Looks for a target, through delegations where there are any. After [`RepositoryClient::refresh`].
    pub fn find(&mut self, path: &str) -> Result<Option<TargetInfo>, Refusal> {
        Ok(self.0.find(path)?)
    }

    /// Fetches a target; what comes is what was described.
    pub fn fetch(&self, path: &str, info: &TargetInfo) -> Result<Vec<u8>, Refusal> {
        Ok(self.0.fetch(path, info)?)
    }
}
