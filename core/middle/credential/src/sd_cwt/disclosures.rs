//! Matching disclosures with digests: what the holder chose to show, put back in its place.

use std::collections::BTreeMap;

use wallet_base::cbor::Value;

use super::code_points::{SIMPLE_REDACTED_KEYS, TAG_REDACTED_ELEMENT, TAG_TO_BE_DECOY, TAG_TO_BE_REDACTED};
use super::digest::{Content, Digest, Disclosure, is_claim_key, may_be_redacted};

/// Deepest nesting after disclosure.
const MAX_DEPTH: usize = 16;

/// Who applies the rules.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// A checker: digests without a disclosure are simply not shown.
    Verifier,
    /// A holder who received a fresh token: digests and disclosures match one to one, decoys included.
    Holder,
}

/// Puts the disclosed claims back into `payload`, any depth, and drops what stayed redacted.
///
/// Refuses: a disclosure without a digest, the same digest twice, a disclosure of the wrong kind for its place, a claim that may not be
/// redacted, a key that stands twice, marks that exist before issuance only, keys of another type, nesting beyond 16. For a holder also a
/// digest without disclosure.
pub(super) fn reveal(payload: &Value, disclosures: &[Disclosure], rule: Rule) -> Result<Value, &'static str> {
    let mut by_digest = BTreeMap::new();
    for disclosure in disclosures {
        if by_digest.insert(disclosure.digest, (&disclosure.content, false)).is_some() {
            return Err("a disclosure stands twice");
        }
    }
    let mut state = Matching { by_digest, seen: std::collections::BTreeSet::new(), rule };
    let revealed = state.value(payload, 0)?;
    if state.by_digest.values().any(|(_, used)| !used) {
        return Err("a disclosure without a signed digest");
    }
    Ok(revealed)
}

struct Matching<'a> {
    by_digest: BTreeMap<Digest, (&'a Content, bool)>,
    seen: std::collections::BTreeSet<Digest>,
    rule: Rule,
}

impl<'a> Matching<'a> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<Value, &'static str> {
        if depth > MAX_DEPTH {
            return Err("nested too deeply");
        }
        match value {
            Value::Map(entries) => self.map(entries, depth),
            Value::Array(items) => self.array(items, depth),
            Value::Tag(TAG_REDACTED_ELEMENT, _) => Err("a redacted element outside an array"),
            Value::Tag(TAG_TO_BE_REDACTED | TAG_TO_BE_DECOY, _) => Err("a mark that exists before issuance only"),
            Value::Tag(tag, inner) => Ok(Value::tag(*tag, self.value(inner, depth + 1)?)),
            other => Ok(other.clone()),
        }
    }

    fn map(&mut self, entries: &[(Value, Value)], depth: usize) -> Result<Value, &'static str> {
        let mut out: Vec<(Value, Value)> = Vec::with_capacity(entries.len());
        let mut disclosed = Vec::new();
        for (key, value) in entries {
            if *key == Value::Simple(SIMPLE_REDACTED_KEYS) {
                for digest in value.as_array().ok_or("redacted claims are no array")? {
                    match self.take(digest)? {
                        Some(Content::Entry { key, value }) => disclosed.push((key, value)),
                        Some(Content::Decoy) | None => {}
                        Some(Content::Element(_)) => return Err("an array element disclosed as a claim"),
                    }
                }
            } else if is_claim_key(key) {
                out.push((key.clone(), self.value(value, depth + 1)?));
            } else {
                return Err("a claim key of another type");
            }
        }
        for (key, value) in disclosed {
            if depth == 0 && !may_be_redacted(key) {
                return Err("a claim that may not be redacted");
            }
            if out.iter().any(|(known, _)| known == key) {
                return Err("a claim stands twice");
            }
            out.push((key.clone(), self.value(value, depth + 1)?));
        }
        Ok(Value::Map(out))
    }

    fn array(&mut self, items: &[Value], depth: usize) -> Result<Value, &'static str> {
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            let Value::Tag(TAG_REDACTED_ELEMENT, digest) = item else {
                out.push(self.value(item, depth + 1)?);
                continue;
            };
            match self.take(digest)? {
                Some(Content::Element(value)) => out.push(self.value(value, depth + 1)?),
                Some(Content::Decoy) | None => {}
                Some(Content::Entry { .. }) => return Err("a claim disclosed as an array element"),
            }
        }
        Ok(Value::Array(out))
    }

    /// The disclosure behind a digest, which may stand in the token once only.
    fn take(&mut self, digest: &Value) -> Result<Option<&'a Content>, &'static str> {
        let digest: Digest = digest.as_bytes().and_then(|bytes| bytes.try_into().ok()).ok_or("a digest of another length")?;
        if !self.seen.insert(digest) {
            return Err("a digest stands twice");
        }
        match self.by_digest.get_mut(&digest) {
            Some((content, used)) => {
                *used = true;
                Ok(Some(content))
            }
            None if self.rule == Rule::Holder => Err("a digest without disclosure"),
            None => Ok(None),
        }
    }
}
