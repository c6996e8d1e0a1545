//! One file of signed public data that somebody carries: from a device that had a network to one that has none.
//!
//! Nothing in it is believed because of who brought it. It holds what a service publishes, as it was signed: the files of a trust repository
//! (which is why [`Carried`] is a [`TrustSource`]) and status lists, which whoever takes the file verifies.
//!
//! ```text
//! CBOR map, definite lengths, every key once:
//!   0: "citizen-wallet/carried"   what it is
//!   1: 1                          version of this form
//!   2: { name: bytes }            metadata of the trust repository: N.root.json, timestamp.json, N.snapshot.json, N.targets.json
//!   3: { name: bytes }            targets, by the name under which a repository stores them
//!   4: [ bytes ]                  status list tokens
//! ```

use std::collections::BTreeMap;

use wallet_base::cbor::{self, Limits, Value};

use crate::http::HttpError;
use crate::tuf::{MAX_ALL_TARGETS, MAX_METADATA, MAX_TARGET, MAX_TARGETS, TrustSource};

/// Longest file.
pub const MAX_CARRIED: usize = 64 << 20;
/// The most status lists.
pub const MAX_LISTS: usize = 512;
/// The most metadata files: every root version that one update walks, and the three other roles.
const MAX_METADATA_FILES: usize = 260;

const KIND: &str = "citizen-wallet/carried";
const VERSION: u64 = 1;

/// Why a file is no carried file. The text says which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarriedError {
    /// Not one of ours, cut short, damaged, or with parts that nobody put there.
    #[error("not a carried file: {0}")]
    Malformed(&'static str),
    /// Above a cap.
    #[error("too large: {0}")]
    TooLarge(&'static str),
    /// Of a later form than this build reads.
    #[error("the file is of a later form than this build reads")]
    Newer,
}

/// The parts of a carried file. None of them is verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Metadata files of a trust repository, by name.
    pub metadata: BTreeMap<String, Vec<u8>>,
    /// Target files, by stored name.
    pub targets: BTreeMap<String, Vec<u8>>,
    /// Status list tokens.
    pub lists: Vec<Vec<u8>>,
}

impl Carried {
    /// The file's bytes.
    pub fn encode(&self) -> Result<Vec<u8>, CarriedError> {
        let files = |files: &BTreeMap<String, Vec<u8>>| {
            Value::Map(files.iter().map(|(name, bytes)| (Value::text(name), Value::bytes(bytes))).collect())
        };
        let map = Value::Map(vec![
            (Value::int(0), Value::text(KIND)),
            (Value::int(1), Value::Unsigned(VERSION)),
            (Value::int(2), files(&self.metadata)),
            (Value::int(3), files(&self.targets)),
            (Value::int(4), Value::Array(self.lists.iter().map(|list| Value::bytes(list)).collect())),
        ]);
        self.within_caps()?;
        let bytes = cbor::encode(&map);
        if bytes.len() > MAX_CARRIED { Err(CarriedError::TooLarge("file")) } else { Ok(bytes) }
    }

    /// Reads a file. Everything has a cap; nothing is verified.
    pub fn decode(bytes: &[u8]) -> Result<Self, CarriedError> {
        let limits = Limits { max_bytes: MAX_CARRIED, max_depth: 4, max_items: 2048, indefinite: false };
        let Value::Map(entries) = cbor::decode(bytes, limits).map_err(of_cbor)? else {
            return Err(CarriedError::Malformed("form"));
        };
        let mut carried = Self::default();
        let mut parts = 0;
        for (key, value) in entries {
            match (key.as_int(), value) {
                (Some(0), Value::Text(kind)) if kind == KIND => {}
                (Some(1), Value::Unsigned(VERSION)) => {}
                (Some(1), Value::Unsigned(version)) if version > VERSION => return Err(CarriedError::Newer),
                (Some(2), Value::Map(files)) => carried.metadata = named(files)?,
                (Some(3), Value::Map(files)) => carried.targets = named(files)?,
                (Some(4), Value::Array(lists)) => carried.lists = lists.into_iter().map(content).collect::<Result<_, _>>()?,
                (Some(0), _) => return Err(CarriedError::Malformed("kind")),
                _ => return Err(CarriedError::Malformed("part")),
            }
            parts += 1;
        }
        // The map repeats no key (the decoder refuses that) and has no other than these five.
        if parts != 5 {
            return Err(CarriedError::Malformed("part missing"));
        }
        carried.within_caps()?;
        Ok(carried)
    }

    fn within_caps(&self) -> Result<(), CarriedError> {
        let longest = |files: &BTreeMap<String, Vec<u8>>| files.values().map(Vec::len).max().unwrap_or(0);
        if self.metadata.len() > MAX_METADATA_FILES || longest(&self.metadata) > MAX_METADATA {
            return Err(CarriedError::TooLarge("metadata"));
        }
        let all: usize = self.targets.values().map(Vec::len).sum();
        if self.targets.len() > MAX_TARGETS || longest(&self.targets) > MAX_TARGET || all > MAX_ALL_TARGETS {
            return Err(CarriedError::TooLarge("targets"));
        }
        if self.lists.len() > MAX_LISTS {
            return Err(CarriedError::TooLarge("lists"));
        }
        Ok(())
    }
}

fn of_cbor(error: cbor::CborError) -> CarriedError {
    match error {
        cbor::CborError::TooLong => CarriedError::TooLarge("file"),
        cbor::CborError::TooMany => CarriedError::TooLarge("number of parts"),
        _ => CarriedError::Malformed("form"),
    }
}

fn content(value: Value) -> Result<Vec<u8>, CarriedError> {
    if let Value::Bytes(bytes) = value { Ok(bytes) } else { Err(CarriedError::Malformed("content")) }
}

fn named(files: Vec<(Value, Value)>) -> Result<BTreeMap<String, Vec<u8>>, CarriedError> {
    let mut found = BTreeMap::new();
    for (name, bytes) in files {
        match name {
            Value::Text(name) if plain(&name) => found.insert(name, content(bytes)?),
            _ => return Err(CarriedError::Malformed("file name")),
        };
    }
    Ok(found)
}

/// Plain file names only: nothing that leads anywhere, should somebody ever write them to a folder.
fn plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'%'))
}

impl TrustSource for Carried {
    fn metadata(&self, name: &str) -> Result<Option<Vec<u8>>, HttpError> {
        Ok(self.metadata.get(name).cloned())
    }
    fn target(&self, name: &str) -> Result<Option<Vec<u8>>, HttpError> {
        Ok(self.targets.get(name).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Carried {
        Carried {
            metadata: [("1.root.json".to_owned(), b"{}".to_vec()), ("timestamp.json".to_owned(), b"[]".to_vec())].into(),
            targets: [("00ff.issuers.json".to_owned(), b"x".to_vec())].into(),
            lists: vec![b"list".to_vec(), Vec::new()],
        }
    }

    fn with(part: i64, value: Option<Value>) -> Vec<u8> {
        let Value::Map(mut entries) = cbor::decode(&sample().encode().unwrap(), Limits::STRICT).unwrap() else { unreachable!() };
        entries.retain(|(key, _)| key.as_int() != Some(part));
        entries.extend(value.map(|value| (Value::int(part), value)));
        cbor::encode(&Value::Map(entries))
    }

    #[test]
    fn what_was_put_in_comes_out() {
        assert_eq!(Carried::decode(&sample().encode().unwrap()).unwrap(), sample());
    }

    #[test]
    fn bad_input_carried_files_that_are_none_are_refused() {
        let whole = sample().encode().unwrap();
        for cut in 0..whole.len() {
            assert!(Carried::decode(&whole[..cut]).is_err(), "{cut}");
        }
        assert!(Carried::decode(&[whole.as_slice(), b"\0"].concat()).is_err());
        for part in 0..5 {
            assert!(Carried::decode(&with(part, None)).is_err(), "{part} missing");
            assert!(Carried::decode(&with(part, Some(Value::Null))).is_err(), "{part} of another type");
        }
        assert!(Carried::decode(&with(5, Some(Value::Null))).is_err());
        assert_eq!(Carried::decode(&with(1, Some(Value::Unsigned(2)))), Err(CarriedError::Newer));
        for name in ["", "../x", ".x", "a/b", "ä", &"x".repeat(201)] {
            let files = Value::Map(vec![(Value::text(name), Value::bytes(b""))]);
            assert_eq!(Carried::decode(&with(2, Some(files))), Err(CarriedError::Malformed("file name")), "{name}");
        }
    }

    #[test]
    fn bad_input_a_carried_file_above_its_caps_is_refused() {
        let many = Value::Array(vec![Value::bytes(b""); MAX_LISTS + 1]);
        assert_eq!(Carried::decode(&with(4, Some(many))), Err(CarriedError::TooLarge("lists")));
        let large = Value::Map(vec![(Value::text("timestamp.json"), Value::Bytes(vec![0; MAX_METADATA + 1]))]);
        assert_eq!(Carried::decode(&with(2, Some(large))), Err(CarriedError::TooLarge("metadata")));
        let large = Value::Map(vec![(Value::text("t"), Value::Bytes(vec![0; MAX_TARGET + 1]))]);
        assert_eq!(Carried::decode(&with(3, Some(large))), Err(CarriedError::TooLarge("targets")));
        let mut mine = sample();
        mine.lists = vec![Vec::new(); MAX_LISTS + 1];
        assert_eq!(mine.encode(), Err(CarriedError::TooLarge("lists")));
    }
}
