//! The wallet's encrypted answer (`CWA1:`) and the checker's open request.
//!
//! Key binding token, zlib, COSE_Encrypt to the request's ephemeral key ([`crate::ecdh_es`]) with the request's hash in the key derivation,
//! base45, prefix. Whoever films the screen reads nothing; an answer to another request does not open.

use std::collections::BTreeSet;

use wallet_base::crypto::{EphemeralKey, sha256};
use wallet_base::random::Random;
use wallet_base::time::Timestamp;
use zeroize::Zeroizing;

use crate::code_points::{CLOCK_SKEW, MAX_INFLATED, PREFIX_ANSWER};
use crate::codec;
use crate::ecdh_es::{self, Encrypted};
use crate::error::ExchangeError;
use crate::qr;
use crate::request::{RequestSpec, RequestedDocument, VerifiedRequest};
use crate::scan::{Scanned, expect};

/// Encrypts a key binding token to the checker whose request was verified; gives the text for one symbol.
///
/// # Errors
///
/// [`ExchangeError::TooLarge`] when it does not fit into one symbol: fewer fields, or a radio path.
pub fn seal(kbt: &[u8], request: &VerifiedRequest, random: &dyn Random) -> Result<String, ExchangeError> {
    let message = ecdh_es::encrypt(&codec::deflate(kbt), request.key(), &request.hash(), random)?;
    let text = format!("{PREFIX_ANSWER}{}", codec::to_base45(&message));
    if text.len() > qr::CEILING { Err(ExchangeError::TooLarge) } else { Ok(text) }
}

/// Reads the envelope of an answer without opening it.
///
/// # Errors
///
/// [`ExchangeError::Foreign`], [`ExchangeError::Wrong`], [`ExchangeError::Half`], [`ExchangeError::Damaged`], [`ExchangeError::TooLarge`].
pub fn read_envelope(text: &str) -> Result<Encrypted, ExchangeError> {
    codec::from_base45_with(expect(text, Scanned::Answer)?, |bytes| {
        codec::one_cbor_item(bytes)?;
        Encrypted::decode(bytes)
    })
}

/// A request the checker has shown. Its private key lives here and nowhere else: a restart closes every open request.
pub struct OpenRequest {
    /// `None` once the request is closed.
    ephemeral: Option<EphemeralKey>,
    nonce: [u8; 16],
    hash: [u8; 32],
    audience: String,
    spec: RequestSpec,
    seen: BTreeSet<[u8; 32]>,
}

impl std::fmt::Debug for OpenRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenRequest").field("role", &self.spec.role).field("open", &self.is_open()).finish_non_exhaustive()
    }
}

impl OpenRequest {
    pub(crate) fn new(ephemeral: EphemeralKey, nonce: [u8; 16], hash: [u8; 32], audience: String, spec: RequestSpec) -> Self {
        Self { ephemeral: Some(ephemeral), nonce, hash, audience, spec, seen: BTreeSet::new() }
    }

    /// The nonce the answer's `cnonce` must repeat.
    pub fn nonce(&self) -> [u8; 16] {
        self.nonce
    }

    /// SHA-256 of the exact request: what the answer must name.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// The `aud` the answer must carry.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Role id.
    pub fn role(&self) -> &str {
        &self.spec.role
    }

    /// Documents and fields asked for.
    pub fn documents(&self) -> &[RequestedDocument] {
        &self.spec.documents
    }

    /// When the request was issued.
    pub fn iat(&self) -> Timestamp {
        self.spec.iat
    }

    /// When the request expires.
    pub fn exp(&self) -> Timestamp {
        self.spec.exp
    }

    /// What was asked, whole.
    pub fn spec(&self) -> &RequestSpec {
        &self.spec
    }

    /// Whether an answer can still be taken.
    pub fn is_open(&self) -> bool {
        self.ephemeral.is_some()
    }

    /// Whether the window is over at `now`.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        now > self.spec.exp.plus_secs(CLOCK_SKEW)
    }

    /// Closes the request and wipes its key.
    pub fn close(&mut self) {
        self.ephemeral = None;
    }

    /// Whether a text opens with this request's key. Changes nothing: the request stays open, so that its taker can write down that it was
    /// answered before it is.
    pub fn takes(&self, text: &str) -> bool {
        let opens = |message: Encrypted, key| message.open(key, &self.hash).is_some();
        self.ephemeral.as_ref().is_some_and(|key| read_envelope(text).is_ok_and(|message| opens(message, key)))
    }

    /// Opens an answer; gives the key binding token, which is not verified yet. One answer is taken for each document asked for, each text once;
    /// with the last one the request closes. A text that does not open leaves the request as it was.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Closed`], [`ExchangeError::Stale`] (closes the request), [`ExchangeError::NotForUs`], and what every scanned text can be:
    /// foreign, wrong, half, damaged.
    pub fn open(&mut self, text: &str, now: Timestamp) -> Result<Zeroizing<Vec<u8>>, ExchangeError> {
        // What the text is comes first: a wrong code must not be told as a late one.
        let message = read_envelope(text)?;
        let key = self.ephemeral.as_ref().ok_or(ExchangeError::Closed)?;
        let compressed = message.open(key, &self.hash).ok_or(ExchangeError::NotForUs)?;
        if self.is_stale(now) {
            self.close();
            return Err(ExchangeError::Stale);
        }
        // The content is remembered, not the text: whoever sealed it once could seal it again.
        if !self.seen.insert(sha256(&compressed)) {
            return Err(ExchangeError::Closed);
        }
        if self.seen.len() >= self.spec.documents.len() {
            self.close();
        }
        let kbt = codec::inflate(&compressed, MAX_INFLATED)?;
        codec::one_cbor_item(&kbt)?;
        Ok(kbt)
    }
}
