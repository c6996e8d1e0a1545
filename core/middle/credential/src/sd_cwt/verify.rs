//! Judging an SD-CWT: the rungs that do not depend on how it was presented, and the check before it is stored.

use wallet_base::cbor::Value;
use wallet_base::crypto::PublicKey;
use wallet_base::fact::{Fact, FactName, Ladder};
use wallet_base::time::Timestamp;

use super::disclosures::{Rule, reveal};
use super::token::SdCwt;
use crate::CredentialError;
use crate::check::{self, Check, RUNGS};
use crate::status::StatusRef;
use crate::trust::{SignerRef, TrustedSigner, Untrusted};

/// A credential whose every clause was checked. `Debug` shows no claims.
pub struct VerifiedSdCwt {
    pub(super) token: SdCwt,
    pub(super) claims: Value,
    pub(super) signer: TrustedSigner,
}

impl std::fmt::Debug for VerifiedSdCwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedSdCwt").field("vct", &self.token.vct).finish_non_exhaustive()
    }
}

impl VerifiedSdCwt {
    /// Credential type.
    pub fn vct(&self) -> &str {
        self.token.vct.as_deref().unwrap_or_default()
    }

    /// All claims with what was disclosed in its place: registered claims too, as a map.
    pub fn claims(&self) -> &Value {
        &self.claims
    }

    /// One claim.
    pub fn claim(&self, key: i64) -> Option<&Value> {
        self.claims.get_int(key)
    }

    /// The holder's key.
    pub fn holder_key(&self) -> &PublicKey {
        &self.token.cnf
    }

    /// When it was issued.
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.token.issued_at
    }

    /// End of validity.
    pub fn expires(&self) -> Option<Timestamp> {
        self.token.expires
    }

    /// Where its status stands.
    pub fn status(&self) -> Option<&StatusRef> {
        self.token.status.as_ref()
    }

    /// Who signed.
    pub fn signer(&self) -> &TrustedSigner {
        &self.signer
    }

    /// The token itself.
    pub fn token(&self) -> &SdCwt {
        &self.token
    }
}

/// Judges an SD-CWT before it is stored: the ladder, where `credential.holder` means that it was issued to `holder_key`, and digests and disclosures
/// must match one to one, decoys included.
///
/// # Errors
/// The bytes are no SD-CWT.
pub fn verify_issued(
    bytes: &[u8],
    check: &Check<'_>,
    holder_key: &PublicKey,
) -> Result<(Vec<Fact>, Option<VerifiedSdCwt>), CredentialError> {
    let token = SdCwt::decode(bytes)?;
    let mut ladder = Ladder::new(check.by, &check.expected.id);
    let judged = issuer_rungs(&mut ladder, &token, check, Rule::Holder);
    ladder.check(FactName::CredentialHolder, if token.cnf == *holder_key { Ok(()) } else { Err("issued to another key") });
    let validity = token.period().judge(check.at, check.skew_secs).map(|()| None);
    check::side_by_side(&mut ladder, check, validity, token.status.as_ref(), token.vct.as_deref());
    let facts = ladder.into_facts();
    let verified = judged.filter(|_| check::holds(&facts, &RUNGS)).map(|(signer, claims)| VerifiedSdCwt { token, claims, signer });
    Ok((facts, verified))
}

/// Chain, signature, digests. Gives the signer and the claims with the disclosures in their places when all three hold.
pub(super) fn issuer_rungs(ladder: &mut Ladder, token: &SdCwt, check: &Check<'_>, rule: Rule) -> Option<(TrustedSigner, Value)> {
    let signer = find_signer(token, check);
    ladder.check(FactName::CredentialChain, signer.as_ref().map(|_| ()).map_err(ToString::to_string));
    let signer = signer.ok();
    ladder.check_with(FactName::CredentialSignature, || {
        let key = signer.as_ref().ok_or("no signer")?.certificate().public_key().map_err(|_| "signer key cannot be read")?;
        token.sign1.verify(&key, b"").map_err(|_| "issuer signature does not verify")
    });
    // Disclosures are looked at only when the issuer's signature holds.
    let revealed = if ladder.is_whole() { reveal(&token.claims, &token.disclosures, rule) } else { Err("") };
    ladder.check(FactName::CredentialDigest, revealed.as_ref().map(|_| ()).map_err(|why| *why));
    Some((signer?, revealed.ok()?))
}

fn find_signer(token: &SdCwt, check: &Check<'_>) -> Result<TrustedSigner, Untrusted> {
    let kid = token.sign1.kid().ok_or(Untrusted::Unnamed)?;
    check.trust.signer(SignerRef::Kid(kid), check::listed_for(check, token.vct.as_deref()), check.at)
}
