//! Refilling: trust by TUF, then the whole set of status lists. Every list is verified before it is stored.

use std::sync::Arc;

use wallet_base::fact::{By, Fact, FactName, Verdict};
use wallet_base::time::Timestamp;
use wallet_credential::status::{UnverifiedStatusList, VerifiedStatusList};
use wallet_platform::ports::{Clock, Listener, Progress};
use wallet_platform::tuf::{TrustError, TrustSnapshot, TrustSource, TrustUpdate};

use crate::error::VerifierError;
use crate::rows::{self, ListRow};
use crate::service;
use crate::trust::Trust;
use crate::verifier::{Verifier, lock};

/// How far ahead a list may be dated: what [`UnverifiedStatusList::verify`] lets pass.
const AHEAD_SECS: i64 = wallet_credential::status::SKEW_SECS;

/// Dates of the trust data that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustDates {
    /// Snapshot version.
    pub version: u64,
    /// When it was signed, where the repository says so.
    pub signed_at: Option<Timestamp>,
    /// Until when it is current.
    pub expires: Timestamp,
}

/// Dates of one status list that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListDates {
    /// Address, as credentials name it.
    pub uri: String,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// Until when it may be used.
    pub expires_at: Option<Timestamp>,
    /// When this device fetched it.
    pub fetched_at: Timestamp,
}

impl From<&ListRow> for ListDates {
    fn from(row: &ListRow) -> Self {
        Self { uri: row.uri.clone(), issued_at: row.issued_at, expires_at: row.expires_at, fetched_at: row.fetched_at }
    }
}

/// What a sync came to.
#[derive(Clone, Debug)]
pub struct SyncReport {
    /// `trust.*`, then one `status.signature` and one `status.freshness` for the whole set, then `clock`.
    pub verdict: Verdict,
    /// The trust data held now.
    pub trust: Option<TrustDates>,
    /// Lists of the published set.
    pub lists: usize,
    /// Lists stored by this sync.
    pub stored: usize,
}

/// What the lists of one set came to, summed up by fact.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) lists: usize,
    pub(crate) stored: usize,
    pub(crate) older: usize,
    pub(crate) signature: Vec<String>,
    pub(crate) freshness: Vec<String>,
    pub(crate) signed: Vec<Timestamp>,
}

/// Whether this build can read what a snapshot says.
fn readable(snapshot: &Arc<TrustSnapshot>) -> bool {
    Trust::read(Arc::clone(snapshot)).is_ok()
}

impl Verifier {
    /// Fetches trust and status lists. What cannot be verified is not stored, what is held stays, and the verdict says so.
    ///
    /// Errors are the network's and the disk's; what was verified before one of them is kept.
    pub fn sync(&self) -> Result<SyncReport, VerifierError> {
        let _working = self.working.begin().ok_or(VerifierError::Busy)?;
        let mut verdict = Verdict::default();
        verdict.extend(self.sync_trust()?);
        let mut tally = Tally::default();
        match self.trust() {
            Ok(trust) => {
                self.sync_lists(&trust, &mut tally)?;
                verdict.extend(tally.facts());
            }
            Err(VerifierError::NoTrust) => verdict.extend(unchecked("no trust data is held")),
            Err(error) => return Err(error),
        }
        self.concluded(verdict, &tally)
    }

    /// The end of every taking of public data, fetched or carried: the clock is judged by what was signed, the shell is told.
    pub(crate) fn concluded(&self, mut verdict: Verdict, tally: &Tally) -> Result<SyncReport, VerifierError> {
        self.observe(tally.signed.iter().copied())?;
        verdict.push(self.clock_fact()?);
        self.tell("trust", "synced");
        let trust = lock(&self.trust).as_ref().map(|trust| trust.dates());
        Ok(SyncReport { verdict, trust, lists: tally.lists, stored: tally.stored })
    }

    /// One trust update. Gives its facts; on success the new snapshot is in use.
    fn sync_trust(&self) -> Result<Vec<Fact>, VerifierError> {
        self.update_at_a_moment(|now| self.updater.update(&self.http, "/trust/metadata/", "/trust/targets/", now, &readable))
    }

    /// One trust update out of files that are at hand.
    pub(crate) fn update_trust(&self, source: Arc<dyn TrustSource>) -> Result<Vec<Fact>, VerifierError> {
        self.update_at_a_moment(|now| self.updater.update_from(Arc::clone(&source), now, &readable))
    }

    /// Judged by the moment that signed times prove. When that refuses an update, and the device's own clock is earlier, once more by the clock:
    /// a date that was wrong by years must not keep out the version that corrects it. Nothing is lost by it: older versions are refused either way,
    /// and at a check freshness is judged by the moment again.
    fn update_at_a_moment(&self, update: impl Fn(Timestamp) -> Result<TrustUpdate, TrustError>) -> Result<Vec<Fact>, VerifierError> {
        let (now, wall) = (self.moment(self.clock_guard()?.anchor()), self.clock.wall());
        let first = update(now)?;
        if first.accepted.is_none() && wall < now {
            let again = update(wall)?;
            if again.accepted.is_some() {
                return self.take_trust(again);
            }
        }
        self.take_trust(first)
    }

    /// Puts an accepted snapshot into use; gives the update's facts.
    pub(crate) fn take_trust(&self, update: TrustUpdate) -> Result<Vec<Fact>, VerifierError> {
        if let Some(snapshot) = update.accepted {
            let trust = Trust::read(Arc::clone(&snapshot))?;
            self.keep_mark()?;
            self.observe_trust(&snapshot)?;
            *lock(&self.trust) = Some(Arc::new(trust));
        }
        Ok(update.facts)
    }

    fn sync_lists(&self, trust: &Trust, tally: &mut Tally) -> Result<(), VerifierError> {
        let paths = service::list_paths(&self.http)?;
        tally.lists = paths.len();
        let total = u64::try_from(paths.len()).unwrap_or(0);
        let mut kept = Vec::new();
        for (done, path) in (0..).zip(&paths) {
            let response = service::list(&self.http, path)?;
            if let Some(time) = service::date_of(&response) {
                self.observe_service(time)?;
            }
            let now = self.moment(self.clock_guard()?.anchor());
            kept.extend(self.take_list(path, response.body, trust, now, tally)?);
            self.listener.progress(Progress { step: "status".to_owned(), done: done + 1, total, ..Progress::default() });
        }
        // The set's index is not signed: a list that it no longer names is dropped only when its own time is over as well.
        let now = self.moment(self.clock_guard()?.anchor());
        self.write(|tx| rows::drop_ended(tx, &kept, now))
    }

    /// Verifies one fetched list and stores it, unless a newer one is held. Gives the address of a list that verified.
    pub(crate) fn take_list(
        &self,
        path: &str,
        token: Vec<u8>,
        trust: &Trust,
        now: Timestamp,
        tally: &mut Tally,
    ) -> Result<Option<String>, VerifierError> {
        let Some(list) = verify(&token, path, trust, now, tally) else { return Ok(None) };
        if list.issued_at() > now.plus_secs(AHEAD_SECS) {
            // Signed by a service whose clock is wrong, or this device's is: the facts say so, and what is held stays.
            return Ok(None);
        }
        tally.signed.push(list.issued_at());
        let uri = list.uri().to_owned();
        let row = ListRow { uri: uri.clone(), token, issued_at: list.issued_at(), expires_at: list.expires(), fetched_at: now };
        if self.write(|tx| rows::put_list(tx, &row, now.plus_secs(AHEAD_SECS)))? {
            tally.stored += 1;
        } else {
            tally.older += 1;
        }
        Ok(Some(uri))
    }

    pub(crate) fn clock_fact(&self) -> Result<Fact, VerifierError> {
        Ok(self.clock_guard()?.fact(&self.clock, By::Verifier))
    }
}

/// The facts of status lists that could not be looked at.
pub(crate) fn unchecked(why: &str) -> [Fact; 2] {
    [FactName::StatusSignature, FactName::StatusFreshness].map(|name| Fact::not_checked(name, By::Verifier, why))
}

/// Verifies one fetched list. One that is signed by somebody else, or that is for another address, is not given: what is held stays. A genuine
/// one past its end is given, so that every check can say that it ended.
fn verify(body: &[u8], path: &str, trust: &Trust, now: Timestamp, tally: &mut Tally) -> Option<VerifiedStatusList> {
    let Ok(list) = UnverifiedStatusList::decode(body) else {
        tally.signature.push(format!("{path}: not a status list"));
        return None;
    };
    if service::path_of(list.uri()).as_deref() != Some(path) {
        tally.signature.push(format!("{path}: a list for another address"));
        return None;
    }
    let uri = list.uri().to_owned();
    let (facts, verified) = list.verify(&trust.targets, &uri, now, By::Verifier);
    for fact in facts.iter().filter(|fact| fact.outcome() == wallet_base::fact::Outcome::Failed) {
        let notes = if fact.name() == FactName::StatusSignature { &mut tally.signature } else { &mut tally.freshness };
        notes.push(format!("{path}: {}", fact.detail()));
    }
    verified
}

impl Tally {
    pub(crate) fn facts(&self) -> Vec<Fact> {
        let count = self.lists;
        let fact = |name, notes: &[String]| match notes.first() {
            None => Fact::passed(name, By::Verifier).with_detail(format!("{count} lists")),
            Some(first) => Fact::failed(name, By::Verifier, format!("{} of {count} lists; {first}", notes.len())),
        };
        let signature = fact(FactName::StatusSignature, &self.signature);
        let mut freshness = fact(FactName::StatusFreshness, &self.freshness);
        if self.freshness.is_empty() && self.older > 0 {
            // A genuine list that is older than the one held: never put back, but somebody should wonder why it came.
            freshness = freshness.with_caution(format!("{} of {count} lists are older than those held, which stay", self.older));
        }
        if count > 0 && self.signature.len() == count {
            freshness = Fact::not_checked(FactName::StatusFreshness, By::Verifier, "depends on status.signature");
        }
        vec![signature, freshness]
    }
}
