//! Every credential is judged before it is stored: issuer chain by trust, signature, digests one to one, own key, validity, status by the
//! fetched shard, type asked for. Both formats of a copy must pass every clause and agree with each other.

use wallet_base::crypto::PublicKey;
use wallet_base::fact::{By, Fact, FactName, Outcome};
use wallet_base::time::Timestamp;
use wallet_credential::status::{FreshnessPolicy, StatusCheck, StatusLists, StatusRef};
use wallet_credential::trust::IssuerTrust;
use wallet_credential::{Check, ExpectedType, mdoc, sd_cwt};
use wallet_documents::{Attributes, DocumentType};

use crate::error::WalletError;

/// Clock difference tolerated for "not yet valid".
const SKEW_SECS: i64 = 60;
/// A list fetched for this check may be so old; past its own `exp` it fails whatever stands here.
const POLICY: FreshnessPolicy = FreshnessPolicy { green_hours: 48, caution_hours: 14 * 24 };
/// Formats, as facts name them after the document.
const MDOC: &str = "mdoc";
const SD_CWT: &str = "sd-cwt";
/// Clauses that must have passed, not merely not failed.
const NEEDED: [FactName; 8] = [
    FactName::CredentialChain,
    FactName::CredentialSignature,
    FactName::CredentialDigest,
    FactName::CredentialHolder,
    FactName::CredentialValidity,
    FactName::StatusFreshness,
    FactName::CredentialStatus,
    FactName::CredentialType,
];

/// Both formats of one copy as they came, and the key they must be for.
#[derive(Clone, Copy)]
pub(crate) struct Received<'a> {
    pub(crate) mdoc: &'a [u8],
    pub(crate) sd_cwt: &'a [u8],
    pub(crate) key: &'a PublicKey,
}

/// A copy whose every clause passed.
pub(crate) struct VerifiedCopy {
    pub(crate) attributes: Attributes,
    pub(crate) valid_from: Timestamp,
    pub(crate) valid_until: Timestamp,
    /// Where the status of both formats stands: no two copies may share an entry.
    pub(crate) status: [StatusRef; 2],
}

/// Where the status of both formats stands, before anything is believed: which shards to fetch.
pub(crate) fn status_of(received: &Received<'_>) -> Result<[Option<StatusRef>; 2], WalletError> {
    let issuer_signed = mdoc::IssuerSigned::decode(received.mdoc).map_err(|_| WalletError::Answer("mdoc"))?;
    let token = sd_cwt::SdCwt::decode(received.sd_cwt).map_err(|_| WalletError::Answer("SD-CWT"))?;
    Ok([issuer_signed.mso().status().cloned(), token.status().cloned()])
}

/// Judges both formats of one copy. `Ok` with facts of both when every clause passed; the fact that stopped it otherwise.
pub(crate) fn verify_copy(
    kind: &'static DocumentType,
    received: &Received<'_>,
    trust: &dyn IssuerTrust,
    lists: &StatusLists,
    at: Timestamp,
) -> (Vec<Fact>, Result<VerifiedCopy, WalletError>) {
    let mut facts = Vec::new();
    let result = judge(kind, received, trust, lists, at, &mut facts);
    (facts, result)
}

fn judge(
    kind: &'static DocumentType,
    received: &Received<'_>,
    trust: &dyn IssuerTrust,
    lists: &StatusLists,
    at: Timestamp,
    facts: &mut Vec<Fact>,
) -> Result<VerifiedCopy, WalletError> {
    let check =
        |expected| Check { trust, expected, at, skew_secs: SKEW_SECS, status: StatusCheck { lists, policy: POLICY }, by: By::Wallet };

    let expected = ExpectedType::new(kind.id, kind.doctype);
    let (found, document) = mdoc::verify_issued(received.mdoc, &check(&expected), received.key).map_err(|_| WalletError::Answer("mdoc"))?;
    let judged = all_passed(&found);
    facts.extend(about(kind, MDOC, found));
    judged?;
    let document = document.ok_or(WalletError::Internal("verified mdoc"))?;

    let expected = ExpectedType::new(kind.id, kind.vct);
    let (found, token) =
        sd_cwt::verify_issued(received.sd_cwt, &check(&expected), received.key).map_err(|_| WalletError::Answer("SD-CWT"))?;
    let judged = all_passed(&found);
    facts.extend(about(kind, SD_CWT, found));
    judged?;
    let token = token.ok_or(WalletError::Internal("verified SD-CWT"))?;

    let attributes = agreed(kind, &document, &token)?;
    let until = token.expires().ok_or(WalletError::Unchecked(FactName::CredentialValidity))?.min(document.valid_until());
    let from = document.issuer_signed().mso().valid_from();
    let (Some(first), Some(second)) = (document.status().cloned(), token.status().cloned()) else {
        return Err(WalletError::Unchecked(FactName::CredentialStatus));
    };
    Ok(VerifiedCopy {
        attributes,
        valid_from: token.issued_at().map_or(from, |issued| issued.max(from)).min(at),
        valid_until: until,
        status: [first, second],
    })
}

/// The facts of one format of a document: both formats are judged by the same clauses and must be told apart.
fn about(kind: &DocumentType, format: &'static str, facts: Vec<Fact>) -> impl Iterator<Item = Fact> {
    let what = format!("{}.{format}", kind.id);
    facts.into_iter().map(move |fact| fact.about(&what))
}

/// The first needed clause that failed or was not checked.
fn all_passed(facts: &[Fact]) -> Result<(), WalletError> {
    if let Some(failed) = facts.iter().find(|fact| fact.outcome() == Outcome::Failed) {
        return Err(WalletError::Untrusted(failed.name()));
    }
    let passed = |name: FactName| facts.iter().any(|fact| fact.name() == name && fact.outcome() == Outcome::Passed);
    NEEDED.into_iter().find(|name| !passed(*name)).map_or(Ok(()), |name| Err(WalletError::Unchecked(name)))
}

/// The values of both formats together. A field that both carry must say the same in both: the citizen consents to one document.
fn agreed(
    kind: &'static DocumentType,
    document: &mdoc::VerifiedIssuerSigned,
    token: &sd_cwt::VerifiedSdCwt,
) -> Result<Attributes, WalletError> {
    let bad = |_| WalletError::Answer("document fields");
    let mut attributes = Attributes::from_elements(kind, document.elements()).map_err(bad)?;
    let claims = token.claims().as_map().unwrap_or_default();
    let domestic = claims.iter().filter_map(|(key, value)| Some((key.as_int().filter(|key| kind.field_of_claim(*key).is_some())?, value)));
    let from_claims = Attributes::from_claims(kind, domestic).map_err(bad)?;
    for (field, value) in from_claims.iter() {
        match attributes.get(field.id) {
            Some(known) if known != value => return Err(WalletError::Answer("pair of formats: they disagree")),
            Some(_) => {}
            None => attributes.set(field.id, value.clone()).map_err(bad)?,
        }
    }
    attributes.check_complete().map_err(bad)?;
    Ok(attributes)
}
