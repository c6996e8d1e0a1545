//! The trust snapshot as the verifier uses it: read once, kept until the next sync.

use std::sync::Arc;

use wallet_base::fact::{By, Fact};
use wallet_base::time::Timestamp;
use wallet_credential::trust::TrustTargets;
use wallet_documents::RoleTable;
use wallet_platform::tuf::TrustSnapshot;

use crate::error::VerifierError;
use crate::sync::TrustDates;

/// A verified snapshot and what its targets mean.
pub(crate) struct Trust {
    pub(crate) targets: TrustTargets,
    pub(crate) roles: RoleTable,
    snapshot: Arc<TrustSnapshot>,
}

impl Trust {
    /// Reads the four targets of a snapshot.
    pub(crate) fn read(snapshot: Arc<TrustSnapshot>) -> Result<Self, VerifierError> {
        const MALFORMED: VerifierError = VerifierError::Answer("trust data");
        let target = |name: &str| snapshot.target(name).ok_or(MALFORMED);
        let targets = TrustTargets::parse(target("issuers.json")?, target("readers.json")?, target("status.json")?, target("cards.json")?);
        let targets = targets.map_err(|_| MALFORMED)?;
        let roles = RoleTable::parse(targets.roles()).map_err(|_| MALFORMED)?;
        Ok(Self { targets, roles, snapshot })
    }

    pub(crate) fn dates(&self) -> TrustDates {
        TrustDates { version: self.snapshot.version(), signed_at: self.snapshot.signed_at(), expires: self.snapshot.expires() }
    }

    /// The fact `trust.freshness` at a check.
    pub(crate) fn freshness(&self, now: Timestamp) -> Fact {
        self.snapshot.freshness(now, By::Verifier)
    }
}
