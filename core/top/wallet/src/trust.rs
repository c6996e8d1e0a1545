//! Whom the wallet trusts: the current snapshot of the trust repository and its meaning.

use std::sync::Arc;

use wallet_base::fact::{By, Fact, FactName, Outcome};
use wallet_base::time::Timestamp;
use wallet_credential::trust::TrustTargets;
use wallet_documents::RoleTable;
use wallet_platform::rusqlite::OptionalExtension;
use wallet_platform::tuf::{TrustMark, TrustSnapshot};

use crate::clock;
use crate::error::WalletError;
use crate::inner::Inner;

const METADATA: &str = "/trust/metadata/";
const TARGETS: &str = "/trust/targets/";

/// A snapshot, read.
pub(crate) struct Trust {
    snapshot: Arc<TrustSnapshot>,
    targets: TrustTargets,
    roles: RoleTable,
}

impl Trust {
    fn read(snapshot: Arc<TrustSnapshot>) -> Result<Self, WalletError> {
        let bad = WalletError::Answer("trust targets");
        let target = |name: &str| snapshot.target(name);
        let (Some(issuers), Some(readers), Some(status), Some(cards)) =
            (target("issuers.json"), target("readers.json"), target("status.json"), target("cards.json"))
        else {
            return Err(bad);
        };
        let targets = TrustTargets::parse(issuers, readers, status, cards).map_err(|_| WalletError::Answer("trust targets"))?;
        let roles = RoleTable::parse(targets.roles()).map_err(|_| bad)?;
        Ok(Self { snapshot, targets, roles })
    }

    /// Version of the snapshot.
    pub(crate) fn version(&self) -> u64 {
        self.snapshot.version()
    }

    /// Issuers, readers, status signers, card authorities.
    pub(crate) fn targets(&self) -> &TrustTargets {
        &self.targets
    }

    /// Who may ask for what.
    pub(crate) fn roles(&self) -> &RoleTable {
        &self.roles
    }

    /// `trust.freshness` at a check. Expired trust is told with a caution: expiry stops an update; a citizen without a network must not be
    /// without papers, and what the trust says was signed.
    pub(crate) fn freshness(&self, now: Timestamp) -> Fact {
        let fact = self.snapshot.freshness(now, By::Wallet);
        if fact.outcome() == Outcome::Failed {
            Fact::passed(FactName::TrustFreshness, By::Wallet).with_caution(fact.detail().to_owned())
        } else {
            fact
        }
    }
}

/// The trust in use, if there is any.
pub(crate) fn current(inner: &Inner) -> Result<Option<Arc<Trust>>, WalletError> {
    let Some(snapshot) = inner.updater().current() else {
        return Ok(None);
    };
    let stamp = (snapshot.version(), snapshot.timestamp_version());
    if let Some(known) = inner.trust().filter(|t| (t.snapshot.version(), t.snapshot.timestamp_version()) == stamp) {
        return Ok(Some(known));
    }
    // Kept by another build: signed, and of no use to this one.
    let trust = Arc::new(Trust::read(snapshot).map_err(|_| WalletError::Untrusted(FactName::TrustSignature))?);
    inner.set_trust(Arc::clone(&trust));
    Ok(Some(trust))
}

/// Fetches trust; whatever fails, the snapshot in use stays. Gives the facts of the update.
pub(crate) fn update(inner: &Inner) -> Result<Vec<Fact>, WalletError> {
    let readable = |snapshot: &Arc<TrustSnapshot>| Trust::read(Arc::clone(snapshot)).is_ok();
    let update = inner.updater().update(inner.service.http(), METADATA, TARGETS, inner.now(), &readable)?;
    if let Some(snapshot) = update.accepted {
        keep_mark(inner)?;
        clock::observe_trust(inner, &snapshot)?;
    }
    Ok(update.facts)
}

/// Holds the trust folder to the highest versions that the cache remembers: a folder that was put back to an older state is not used.
pub(crate) fn hold(inner: &Inner) -> Result<(), WalletError> {
    let text: Option<String> =
        inner.read_cache(|db| Ok(db.query_row("SELECT value FROM setting WHERE name = 'trust.mark'", [], |r| r.get(0)).optional()?))?;
    let kept = text.as_deref().and_then(TrustMark::from_text).unwrap_or_default();
    if inner.updater().hold(&kept) {
        tracing::warn!("the trust folder was put back to an older state; it is not used until the next sync");
    }
    if inner.updater().mark() == kept { Ok(()) } else { keep_mark(inner) }
}

/// Before the wallet is created there is nowhere to keep it.
fn keep_mark(inner: &Inner) -> Result<(), WalletError> {
    let Some(text) = inner.updater().proven_mark().map(|mark| mark.to_text()) else { return Ok(()) };
    let written = inner.write_cache(|db| {
        db.execute("INSERT INTO setting (name, value) VALUES ('trust.mark', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1", [&text])?;
        Ok(())
    });
    match written {
        Err(WalletError::NotCreated | WalletError::Locked) => Ok(()),
        other => other,
    }
}

/// There must be trust that has not expired before the network is used for anything else.
pub(crate) fn ensure(inner: &Inner) -> Result<(), WalletError> {
    let now = inner.now();
    let fresh = |trust: &Arc<Trust>| now < trust.snapshot.expires();
    // What this build cannot read is replaced like what has expired.
    if let Ok(Some(trust)) = &current(inner)
        && fresh(trust)
    {
        return Ok(());
    }
    let facts = update(inner)?;
    if let Some(failed) = facts.iter().find(|fact| fact.outcome() == Outcome::Failed) {
        return Err(WalletError::Untrusted(failed.name()));
    }
    if current(inner)?.is_some() { Ok(()) } else { Err(WalletError::Unchecked(FactName::TrustSignature)) }
}
