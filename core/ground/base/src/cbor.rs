//! Bounded CBOR (RFC 8949) for hostile input.
//!
//! The tokens are read by `minicbor`; the limits, the refusal of duplicate map keys and the raw spans of the original bytes are ours, because
//! what is hashed or signed must be the bytes that arrived, never a re-encoding.

use minicbor::data::Type;
use minicbor::decode::Decoder;

/// Why some bytes were refused. Says where, never what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    /// Longer than the limit.
    #[error("the CBOR data is too long")]
    TooLong,
    /// Nested deeper than the limit.
    #[error("the CBOR data is nested too deeply")]
    TooDeep,
    /// More items than the limit.
    #[error("the CBOR data has too many items")]
    TooMany,
    /// Not well-formed, cut short, or text that is not UTF-8.
    #[error("the CBOR data is malformed at byte {0}")]
    Malformed(usize),
    /// Bytes after the end of the item.
    #[error("there are {0} bytes after the CBOR item")]
    Trailing(usize),
    /// The same map key twice.
    #[error("a CBOR map repeats a key")]
    DuplicateKey,
    /// Indefinite length where it is forbidden.
    #[error("the CBOR data uses an indefinite length")]
    Indefinite,
    /// Another type than the one asked for.
    #[error("the CBOR item has another type")]
    Type,
}

/// What one decoding may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest input in bytes.
    pub max_bytes: usize,
    /// Deepest nesting of arrays, maps and tags.
    pub max_depth: usize,
    /// Most items altogether.
    pub max_items: usize,
    /// Indefinite lengths are allowed.
    pub indefinite: bool,
}

impl Limits {
    /// 64 KiB, 16 levels, 8,192 items, definite lengths only.
    pub const STRICT: Self = Self { max_bytes: 64 * 1024, max_depth: 16, max_items: 8192, indefinite: false };

    /// Another length limit.
    pub const fn with_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Another item limit.
    pub const fn with_items(mut self, max_items: usize) -> Self {
        self.max_items = max_items;
        self
    }

    /// Indefinite lengths allowed.
    pub const fn allowing_indefinite(mut self) -> Self {
        self.indefinite = true;
        self
    }
}

/// One CBOR data item.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Major type 0.
    Unsigned(u64),
    /// Major type 1: the value is -1 - n.
    Negative(u64),
    /// Major type 2.
    Bytes(Vec<u8>),
    /// Major type 3.
    Text(String),
    /// Major type 4.
    Array(Vec<Value>),
    /// Major type 5, in the order of the encoding.
    Map(Vec<(Value, Value)>),
    /// Major type 6.
    Tag(u64, Box<Value>),
    /// `false` and `true`.
    Bool(bool),
    /// `null`.
    Null,
    /// `undefined`.
    Undefined,
    /// Other simple values.
    Simple(u8),
    /// Any floating-point number.
    Float(f64),
}

impl Value {
    /// An integer.
    pub fn int(n: i64) -> Self {
        u64::try_from(n).map_or_else(|_| Self::Negative(n.unsigned_abs() - 1), Self::Unsigned)
    }

    /// A text string.
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// A byte string.
    pub fn bytes(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }

    /// A tagged item.
    pub fn tag(tag: u64, value: Value) -> Self {
        Self::Tag(tag, Box::new(value))
    }

    /// The integer, if it is one and fits.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Unsigned(n) => i64::try_from(*n).ok(),
            Self::Negative(n) => i64::try_from(*n).ok().map(|n| -1 - n),
            _ => None,
        }
    }

    /// The unsigned integer, if it is one.
    pub fn as_u64(&self) -> Option<u64> {
        if let Self::Unsigned(n) = self { Some(*n) } else { None }
    }

    /// The byte string, if it is one.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// The text string, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The array, if it is one.
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&[(Value, Value)]> {
        if let Self::Map(entries) = self { Some(entries) } else { None }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(b) = self { Some(*b) } else { None }
    }

    /// The tag and its content, if it is tagged.
    pub fn as_tag(&self) -> Option<(u64, &Value)> {
        if let Self::Tag(tag, value) = self { Some((*tag, value)) } else { None }
    }

    /// A map's value by key.
    pub fn get(&self, key: &Value) -> Option<&Value> {
        self.as_map()?.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// A map's value by integer key.
    pub fn get_int(&self, key: i64) -> Option<&Value> {
        self.as_map()?.iter().find(|(k, _)| k.as_int() == Some(key)).map(|(_, v)| v)
    }

    /// A map's value by text key.
    pub fn get_text(&self, key: &str) -> Option<&Value> {
        self.as_map()?.iter().find(|(k, _)| k.as_text() == Some(key)).map(|(_, v)| v)
    }
}

struct Reader<'b> {
    decoder: Decoder<'b>,
    limits: Limits,
    items: usize,
}

impl<'b> Reader<'b> {
    fn new(bytes: &'b [u8], limits: Limits) -> Result<Self, CborError> {
        if bytes.len() > limits.max_bytes {
            return Err(CborError::TooLong);
        }
        Ok(Self { decoder: Decoder::new(bytes), limits, items: 0 })
    }

    fn malformed(&self) -> CborError {
        CborError::Malformed(self.decoder.position())
    }

    fn count(&mut self) -> Result<(), CborError> {
        self.items += 1;
        if self.items > self.limits.max_items { Err(CborError::TooMany) } else { Ok(()) }
    }

    fn kind(&mut self, depth: usize) -> Result<Type, CborError> {
        if depth > self.limits.max_depth {
            return Err(CborError::TooDeep);
        }
        self.count()?;
        let kind = self.decoder.datatype().map_err(|_| self.malformed())?;
        let indefinite = matches!(kind, Type::BytesIndef | Type::StringIndef | Type::ArrayIndef | Type::MapIndef);
        if indefinite && !self.limits.indefinite { Err(CborError::Indefinite) } else { Ok(kind) }
    }

    /// Whether a container has another member: counted down, or until the break byte.
    fn more(&mut self, left: &mut Option<u64>) -> Result<bool, CborError> {
        match left {
            Some(0) => Ok(false),
            Some(n) => {
                *n -= 1;
                Ok(true)
            }
            None => match self.decoder.datatype().map_err(|_| self.malformed())? {
                Type::Break => {
                    let after = self.decoder.position() + 1;
                    self.decoder.set_position(after);
                    Ok(false)
                }
                _ => Ok(true),
            },
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, CborError> {
        let at = self.decoder.position();
        let bad = |_| CborError::Malformed(at);
        Ok(match self.kind(depth)? {
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => Value::Unsigned(self.decoder.u64().map_err(bad)?),
            Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int => {
                let n = i128::from(self.decoder.int().map_err(bad)?);
                Value::Negative(u64::try_from(-1 - n).map_err(|_| CborError::Malformed(at))?)
            }
            Type::Bytes => Value::Bytes(self.decoder.bytes().map_err(bad)?.to_vec()),
            Type::String => Value::Text(self.decoder.str().map_err(bad)?.to_owned()),
            Type::BytesIndef => {
                let mut joined = Vec::new();
                for chunk in self.decoder.bytes_iter().map_err(bad)? {
                    joined.extend_from_slice(chunk.map_err(bad)?);
                }
                Value::Bytes(joined)
            }
            Type::StringIndef => {
                let mut joined = String::new();
                for chunk in self.decoder.str_iter().map_err(bad)? {
                    joined.push_str(chunk.map_err(bad)?);
                }
                Value::Text(joined)
            }
            Type::Array | Type::ArrayIndef => {
                let mut left = self.decoder.array().map_err(bad)?;
                let mut items = Vec::new();
                while self.more(&mut left)? {
                    items.push(self.value(depth + 1)?);
                }
                Value::Array(items)
            }
            Type::Map | Type::MapIndef => {
                let mut left = self.decoder.map().map_err(bad)?;
                let mut entries = Vec::new();
                while self.more(&mut left)? {
                    let key = self.value(depth + 1)?;
                    entries.push((key, self.value(depth + 1)?));
                }
                refuse_duplicates(&entries)?;
                Value::Map(entries)
            }
            Type::Tag => {
                let tag = self.decoder.tag().map_err(bad)?.as_u64();
                Value::Tag(tag, Box::new(self.value(depth + 1)?))
            }
            Type::Bool => Value::Bool(self.decoder.bool().map_err(bad)?),
            Type::Null => {
                self.decoder.null().map_err(bad)?;
                Value::Null
            }
            Type::Undefined => {
                self.decoder.undefined().map_err(bad)?;
                Value::Undefined
            }
            Type::Simple => Value::Simple(self.decoder.simple().map_err(bad)?),
            Type::F16 => Value::Float(self.decoder.f16().map_err(bad)?.into()),
            Type::F32 => Value::Float(self.decoder.f32().map_err(bad)?.into()),
            Type::F64 => Value::Float(self.decoder.f64().map_err(bad)?),
            Type::Break | Type::Unknown(_) => return Err(CborError::Malformed(at)),
        })
    }
}

/// Keys are compared by their encoding, so that all kinds of key are covered; sorting keeps hostile maps cheap.
fn refuse_duplicates(entries: &[(Value, Value)]) -> Result<(), CborError> {
    let mut keys: Vec<Vec<u8>> = entries.iter().map(|(key, _)| encode(key)).collect();
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair.first() == pair.last()) { Err(CborError::DuplicateKey) } else { Ok(()) }
}

/// Decodes one item that must fill the whole input.
pub fn decode(bytes: &[u8], limits: Limits) -> Result<Value, CborError> {
    let (value, used) = decode_prefix(bytes, limits)?;
    if used == bytes.len() { Ok(value) } else { Err(CborError::Trailing(bytes.len() - used)) }
}

/// Decodes the first item and says how many bytes it took.
pub fn decode_prefix(bytes: &[u8], limits: Limits) -> Result<(Value, usize), CborError> {
    let mut reader = Reader::new(bytes, limits)?;
    let value = reader.value(0)?;
    Ok((value, reader.decoder.position()))
}

/// Length in bytes of the first item.
pub fn item_len(bytes: &[u8], limits: Limits) -> Result<usize, CborError> {
    decode_prefix(bytes, limits).map(|(_, used)| used)
}

fn span(bytes: &[u8], from: usize, to: usize) -> Result<&[u8], CborError> {
    bytes.get(from..to).ok_or(CborError::Malformed(from))
}

/// The members of an array as spans of the original bytes.
pub fn array_items(bytes: &[u8], limits: Limits) -> Result<Vec<&[u8]>, CborError> {
    let mut reader = Reader::new(bytes, limits)?;
    if !matches!(reader.kind(0)?, Type::Array | Type::ArrayIndef) {
        return Err(CborError::Type);
    }
    let mut left = reader.decoder.array().map_err(|_| CborError::Malformed(0))?;
    let mut items = Vec::new();
    while reader.more(&mut left)? {
        let from = reader.decoder.position();
        reader.value(1)?;
        items.push(span(bytes, from, reader.decoder.position())?);
    }
    finish(&reader, bytes)?;
    Ok(items)
}

/// A map entry's key and value as they were encoded.
pub type RawEntry<'b> = (&'b [u8], &'b [u8]);

/// The entries of a map as spans of the original bytes.
pub fn map_entries(bytes: &[u8], limits: Limits) -> Result<Vec<RawEntry<'_>>, CborError> {
    let mut reader = Reader::new(bytes, limits)?;
    if !matches!(reader.kind(0)?, Type::Map | Type::MapIndef) {
        return Err(CborError::Type);
    }
    let mut left = reader.decoder.map().map_err(|_| CborError::Malformed(0))?;
    let (mut spans, mut keys) = (Vec::new(), Vec::new());
    while reader.more(&mut left)? {
        let from = reader.decoder.position();
        keys.push((reader.value(1)?, Value::Null));
        let middle = reader.decoder.position();
        reader.value(1)?;
        spans.push((span(bytes, from, middle)?, span(bytes, middle, reader.decoder.position())?));
    }
    refuse_duplicates(&keys)?;
    finish(&reader, bytes)?;
    Ok(spans)
}

fn finish(reader: &Reader<'_>, bytes: &[u8]) -> Result<(), CborError> {
    match bytes.len() - reader.decoder.position() {
        0 => Ok(()),
        n => Err(CborError::Trailing(n)),
    }
}

/// What follows a given tag, as a span of the original bytes.
pub fn tag_content(bytes: &[u8], tag: u64) -> Result<&[u8], CborError> {
    let mut decoder = Decoder::new(bytes);
    let found = decoder.tag().map_err(|_| CborError::Type)?;
    if found.as_u64() != tag {
        return Err(CborError::Type);
    }
    span(bytes, decoder.position(), bytes.len())
}

/// The content of one definite byte string that fills the input.
pub fn byte_string(bytes: &[u8]) -> Result<&[u8], CborError> {
    let mut decoder = Decoder::new(bytes);
    let content = decoder.bytes().map_err(|_| CborError::Type)?;
    match bytes.len() - decoder.position() {
        0 => Ok(content),
        n => Err(CborError::Trailing(n)),
    }
}

fn head(out: &mut Vec<u8>, major: u8, n: u64) {
    let major = major << 5;
    if let Ok(small) = u8::try_from(n) {
        if small < 24 {
            out.push(major | small);
        } else {
            out.extend_from_slice(&[major | 0x18, small]);
        }
    } else if let Ok(n) = u16::try_from(n) {
        out.push(major | 0x19);
        out.extend_from_slice(&n.to_be_bytes());
    } else if let Ok(n) = u32::try_from(n) {
        out.push(major | 0x1a);
        out.extend_from_slice(&n.to_be_bytes());
    } else {
        out.push(major | 0x1b);
        out.extend_from_slice(&n.to_be_bytes());
    }
}

fn write(out: &mut Vec<u8>, value: &Value, sorted: bool) {
    match value {
        Value::Unsigned(n) => head(out, 0, *n),
        Value::Negative(n) => head(out, 1, *n),
        Value::Bytes(bytes) => {
            head(out, 2, bytes.len() as u64);
            out.extend_from_slice(bytes);
        }
        Value::Text(text) => {
            head(out, 3, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Array(items) => {
            head(out, 4, items.len() as u64);
            for item in items {
                write(out, item, sorted);
            }
        }
        Value::Map(entries) => {
            head(out, 5, entries.len() as u64);
            let mut encoded: Vec<(Vec<u8>, &Value)> = entries
                .iter()
                .map(|(key, value)| {
                    let mut bytes = Vec::new();
                    write(&mut bytes, key, sorted);
                    (bytes, value)
                })
                .collect();
            if sorted {
                encoded.sort_by(|a, b| a.0.cmp(&b.0));
            }
            for (key, value) in encoded {
                out.extend_from_slice(&key);
                write(out, value, sorted);
            }
        }
        Value::Tag(tag, value) => {
            head(out, 6, *tag);
            write(out, value, sorted);
        }
        Value::Bool(b) => out.push(0xf4 + u8::from(*b)),
        Value::Null => out.push(0xf6),
        Value::Undefined => out.push(0xf7),
        Value::Simple(n) if *n < 24 => out.push(0xe0 | n),
        Value::Simple(n) => out.extend_from_slice(&[0xf8, *n]),
        Value::Float(f) => {
            out.push(0xfb);
            out.extend_from_slice(&f.to_be_bytes());
        }
    }
}

/// Encodes with shortest heads and definite lengths, keeping the order of map entries.
pub fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, value, false);
    out
}

/// Encodes deterministically: map keys in bytewise order (RFC 8949, 4.2.1).
pub fn encode_sorted(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, value, true);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        hex::decode(text).unwrap()
    }

    #[test]
    fn rfc8949_appendix_a() {
        let cases = [
            ("00", Value::Unsigned(0)),
            ("1818", Value::Unsigned(24)),
            ("1b000000e8d4a51000", Value::Unsigned(1_000_000_000_000)),
            ("1bffffffffffffffff", Value::Unsigned(u64::MAX)),
            ("3bffffffffffffffff", Value::Negative(u64::MAX)),
            ("20", Value::int(-1)),
            ("3903e7", Value::int(-1000)),
            ("f4", Value::Bool(false)),
            ("f6", Value::Null),
            ("f7", Value::Undefined),
            ("f0", Value::Simple(16)),
            ("f8ff", Value::Simple(255)),
            ("c074323031332d30332d32315432303a30343a30305a", Value::tag(0, Value::text("2013-03-21T20:04:00Z"))),
            ("4401020304", Value::bytes(&[1, 2, 3, 4])),
            ("62c3bc", Value::text("ü")),
            (
                "8301820203820405",
                Value::Array(vec![
                    Value::int(1),
                    Value::Array(vec![Value::int(2), Value::int(3)]),
                    Value::Array(vec![Value::int(4), Value::int(5)]),
                ]),
            ),
            ("a201020304", Value::Map(vec![(Value::int(1), Value::int(2)), (Value::int(3), Value::int(4))])),
            ("fb3ff199999999999a", Value::Float(1.1)),
        ];
        for (text, value) in cases {
            assert_eq!(decode(&hex(text), Limits::STRICT).unwrap(), value, "{text}");
            assert_eq!(encode(&value), hex(text), "{text}");
        }
        assert_eq!(decode(&hex("f93c00"), Limits::STRICT).unwrap(), Value::Float(1.0));
    }

    #[test]
    fn indefinite_lengths_only_where_allowed() {
        let open = Limits::STRICT.allowing_indefinite();
        for text in ["9fff", "bf01ff", "5f42010243030405ff", "7f657374726561646d696e67ff", "9f018202039f0405ffff"] {
            assert_eq!(decode(&hex(text), Limits::STRICT), Err(CborError::Indefinite), "{text}");
        }
        assert_eq!(decode(&hex("5f42010243030405ff"), open).unwrap(), Value::bytes(&[1, 2, 3, 4, 5]));
        assert_eq!(decode(&hex("9f018202039f0405ffff"), open).unwrap(), decode(&hex("8301820203820405"), open).unwrap());
        assert!(decode(&hex("bf01ff"), open).is_err(), "a map with a key and no value");
        assert!(decode(&hex("9f01"), open).is_err(), "no break");
    }

    #[test]
    fn hostile_input_is_refused_cheaply() {
        assert_eq!(decode(&hex("a201020103"), Limits::STRICT), Err(CborError::DuplicateKey));
        // The same key in another encoding is still the same key.
        assert_eq!(decode(&hex("a20102180103"), Limits::STRICT), Err(CborError::DuplicateKey));
        assert!(matches!(decode(&hex("9bffffffffffffffff"), Limits::STRICT), Err(CborError::Malformed(_))));
        assert!(matches!(decode(&hex("5bffffffffffffffff"), Limits::STRICT), Err(CborError::Malformed(_))));
        assert_eq!(decode(&[0x81; 40], Limits::STRICT), Err(CborError::TooDeep));
        assert_eq!(decode(&[0xc1; 40], Limits::STRICT), Err(CborError::TooDeep));
        assert_eq!(decode(&[0; 100], Limits::STRICT.with_bytes(99)), Err(CborError::TooLong));
        assert_eq!(decode(&hex("0000"), Limits::STRICT), Err(CborError::Trailing(1)));
        let many = [vec![0x99, 0xff, 0xff], vec![0; 0xffff]].concat();
        assert_eq!(decode(&many, Limits::STRICT.with_bytes(1 << 20)), Err(CborError::TooMany));
        for text in ["", "18", "62c3", "61ff", "ff", "fc", "c1"] {
            assert!(decode(&hex(text), Limits::STRICT).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_are_the_original_bytes() {
        // Non-shortest heads survive in the spans.
        let bytes = hex("8218011900ff");
        assert_eq!(array_items(&bytes, Limits::STRICT).unwrap(), [&hex("1801")[..], &hex("1900ff")[..]]);
        let map = hex("a2616101616202");
        assert_eq!(map_entries(&map, Limits::STRICT).unwrap()[1], (&hex("6162")[..], &hex("02")[..]));
        assert_eq!(tag_content(&hex("d81843010203"), 24).unwrap(), hex("43010203"));
        assert_eq!(byte_string(&hex("43010203")).unwrap(), [1, 2, 3]);
        assert_eq!(tag_content(&hex("c143010203"), 24), Err(CborError::Type));
        assert_eq!(byte_string(&hex("4301020300")), Err(CborError::Trailing(1)));
        assert_eq!(array_items(&map, Limits::STRICT), Err(CborError::Type));
    }

    #[test]
    fn deterministic_order_is_bytewise() {
        let map = Value::Map(vec![(Value::text("b"), Value::int(1)), (Value::int(-1), Value::int(2)), (Value::int(10), Value::int(3))]);
        assert_eq!(hex::encode(encode_sorted(&map)), "a30a032002616201");
    }
}
