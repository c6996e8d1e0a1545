//! One entry of one list, judged at the moment of a check.

use std::collections::BTreeMap;
use std::sync::Arc;

use wallet_base::cbor::Value;
use wallet_base::fact::{By, Fact, FactName};
use wallet_base::time::Timestamp;

use super::list::{INVALID, SUSPENDED, VALID};
use super::token::VerifiedStatusList;

const SECONDS_PER_HOUR: i64 = 3600;

/// Where a credential's status stands: claim 65535 of a CWT, member `status` of a mobile security object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusRef {
    /// Address of the list.
    pub uri: String,
    /// Entry in the list.
    pub index: u64,
}

impl StatusRef {
    /// `{"status_list": {"idx": index, "uri": uri}}` (Token Status List, 6.3).
    pub fn to_value(&self) -> Value {
        let inner = Value::Map(vec![(Value::text("idx"), Value::Unsigned(self.index)), (Value::text("uri"), Value::text(&self.uri))]);
        Value::Map(vec![(Value::text("status_list"), inner)])
    }

    /// Reads it back; `None` when it is of another shape.
    pub fn from_value(value: &Value) -> Option<Self> {
        let inner = value.get_text("status_list")?;
        Some(Self { uri: inner.get_text("uri")?.as_text()?.to_owned(), index: inner.get_text("idx")?.as_u64()? })
    }
}

/// How old a list may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreshnessPolicy {
    /// Up to this age, in hours, a list is fresh.
    pub green_hours: u32,
    /// Up to this age it passes with a caution; beyond, the status is not checked.
    pub caution_hours: u32,
}

/// Lists at hand.
pub trait StatusLookup: Send + Sync {
    /// The verified list for an address, if there is one.
    fn status_list(&self, uri: &str) -> Option<Arc<VerifiedStatusList>>;
}

/// Lists in memory, by address.
#[derive(Clone, Debug, Default)]
pub struct StatusLists(BTreeMap<String, Arc<VerifiedStatusList>>);

impl StatusLists {
    /// No lists yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a list; a list of the same address that was signed later stays.
    pub fn insert(&mut self, list: VerifiedStatusList) {
        let newer = self.0.get(list.uri()).is_some_and(|kept| kept.issued_at() > list.issued_at());
        if !newer {
            self.0.insert(list.uri().to_owned(), Arc::new(list));
        }
    }

    /// The lists.
    pub fn iter(&self) -> impl Iterator<Item = &VerifiedStatusList> {
        self.0.values().map(Arc::as_ref)
    }
}

impl StatusLookup for StatusLists {
    fn status_list(&self, uri: &str) -> Option<Arc<VerifiedStatusList>> {
        self.0.get(uri).cloned()
    }
}

/// No lists at hand: every status is not checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoStatusLists;

impl StatusLookup for NoStatusLists {
    fn status_list(&self, _uri: &str) -> Option<Arc<VerifiedStatusList>> {
        None
    }
}

/// Lists at hand and how old they may be.
#[derive(Clone, Copy)]
pub struct StatusCheck<'a> {
    /// The lists.
    pub lists: &'a dyn StatusLookup,
    /// The policy.
    pub policy: FreshnessPolicy,
}

impl StatusCheck<'_> {
    /// The facts `status.freshness` and `credential.status`, in this order.
    ///
    /// | list | `status.freshness` | `credential.status` |
    /// | --- | --- | --- |
    /// | none named by the credential | not-checked, not needed | not-checked, not needed |
    /// | not at hand | not-checked | not-checked |
    /// | past its `exp`, or signed in the future | failed | not-checked |
    /// | older than `caution_hours` | not-checked | failed if the entry is bad, else not-checked |
    /// | older than `green_hours` | passed with caution | by the entry |
    /// | fresh | passed | by the entry |
    ///
    /// A bad entry (or an index outside the list) fails `credential.status`; the detail says `suspended` or `revoked` and the list's issue time.
    pub fn judge(&self, reference: Option<&StatusRef>, at: Timestamp, skew_secs: i64, by: By) -> [Fact; 2] {
        const FRESHNESS: FactName = FactName::StatusFreshness;
        const STATUS: FactName = FactName::CredentialStatus;
        let both = |detail: &str| [Fact::not_checked(FRESHNESS, by, detail), Fact::not_checked(STATUS, by, detail)];
        let Some(reference) = reference else {
            return both("the document names no status list").map(Fact::optional);
        };
        let Some(list) = self.lists.status_list(&reference.uri) else {
            return both("no status list at hand");
        };
        let issued = list.issued_at();
        let depends = || Fact::not_checked(STATUS, by, format!("depends on {FRESHNESS}"));
        if list.uri() != reference.uri {
            return both("the list at hand is for another address");
        }
        if let Some(expires) = list.expires().filter(|expires| at >= *expires) {
            return [Fact::failed(FRESHNESS, by, format!("list of {issued} expired {expires}")), depends()];
        }
        if at.plus_secs(skew_secs) < issued {
            return [Fact::failed(FRESHNESS, by, format!("list signed in the future, {issued}")), depends()];
        }
        let entry = judge_entry(&list, reference.index);
        let age_secs = at.unix().saturating_sub(issued.unix());
        let hours = |hours: u32| i64::from(hours) * SECONDS_PER_HOUR;
        if age_secs > hours(self.policy.caution_hours) {
            let old = format!("list of {issued} is too old");
            let status = match entry {
                Err(bad) => Fact::failed(STATUS, by, bad),
                Ok(()) => Fact::not_checked(STATUS, by, old.clone()),
            };
            return [Fact::not_checked(FRESHNESS, by, old), status];
        }
        let freshness = if age_secs > hours(self.policy.green_hours) {
            Fact::passed(FRESHNESS, by).with_caution(format!("list of {issued}, {} hours old", age_secs / SECONDS_PER_HOUR))
        } else {
            Fact::passed(FRESHNESS, by).with_detail(format!("list of {issued}"))
        };
        let status = match entry {
            Err(bad) => Fact::failed(STATUS, by, bad),
            Ok(()) => Fact::passed(STATUS, by).with_detail(format!("valid in the list of {issued}")),
        };
        [freshness, status]
    }
}

fn judge_entry(list: &VerifiedStatusList, index: u64) -> Result<(), String> {
    let issued = list.issued_at();
    match list.get(index) {
        None => Err(format!("entry outside the list of {issued}")),
        Some(VALID) => Ok(()),
        Some(INVALID) => Err(format!("revoked in the list of {issued}")),
        Some(SUSPENDED) => Err(format!("suspended in the list of {issued}")),
        Some(other) => Err(format!("status {other} in the list of {issued}")),
    }
}
