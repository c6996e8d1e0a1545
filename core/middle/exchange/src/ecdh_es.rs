//! COSE_Encrypt to one recipient by direct key agreement: ECDH-ES + HKDF-256 on P-256, content by A128GCM.
//!
//! RFC 9052, 5.1 and 8.5.4 (structure), RFC 9053, 4.1 (AES-GCM), 5.2 (`COSE_KDF_Context`), 6.3.1 and table 18 (ECDH-ES + HKDF-256, -25).
//!
//! ```text
//! 96([ << {1: 1} >>,                         alg A128GCM
//!      {5: iv},                              12 bytes
//!      ciphertext || tag,
//!      [ [ << {1: -25} >>,                   alg ECDH-ES + HKDF-256
//!          {-1: COSE_Key},                   the sender's ephemeral key, y as a sign bit
//!          h'' ] ] ])
//!
//! secret = x coordinate of ECDH(ephemeral, recipient)          32 bytes
//! info   = CBOR [1, [sender, nil, nil], [receiver, nil, nil], [128, << {1: -25} >>, other]]
//! key    = HKDF-SHA-256(salt none, secret, info)               16 bytes
//! aad    = CBOR ["Encrypt", << {1: 1} >>, h'']
//! ```
//!
//! `sender` and `receiver` are `PartyUInfo.identity` and `PartyVInfo.identity`: the two public keys of the agreement, each as a compressed SEC 1
//! point of 33 bytes (02 or 03, then x). Nobody sends them: the one travels as COSE_Key, the other is the receiver's own. They are there because
//! the secret is an x coordinate only, the same for a point and its negative: without them the sign of the sender's key would be open to change.
//! `other` is `SuppPubInfo.other`: both sides know it, nobody sends it. An answer puts the SHA-256 of the exact request there.
//! docs/adr/0009-answer-envelope.md.

use wallet_base::cbor::{self, Limits, Value};
use wallet_base::crypto::{self, Curve, EphemeralKey, PublicKey};
use wallet_base::random::{self, Random};
use zeroize::Zeroizing;

use crate::error::ExchangeError;

const TAG_ENCRYPT: u64 = 96;
const ALG: i64 = 1;
const IV: i64 = 5;
const EPHEMERAL_KEY: i64 = -1;
const A128GCM: i64 = 1;
const KEY_BITS: i64 = 128;
const ECDH_ES_HKDF_256: i64 = -25;
/// Bound of a whole object in bytes.
const MAX_BYTES: usize = 8 * 1024;

const MALFORMED: ExchangeError = ExchangeError::Damaged("not an encrypted answer");

fn header(alg: i64) -> Vec<u8> {
    cbor::encode(&Value::Map(vec![(Value::int(ALG), Value::int(alg))]))
}

/// A P-256 public key as a COSE_Key with y as a sign bit (RFC 9053, 7.1.1): 32 bytes less than with both coordinates.
///
/// # Errors
///
/// [`ExchangeError::Damaged`] when the key is on another curve.
pub fn compressed_cose_key(key: &PublicKey) -> Result<Value, ExchangeError> {
    if key.curve() == Curve::P256 { Ok(key.to_compressed_cose_key()) } else { Err(MALFORMED) }
}

/// What the content key is bound to beside the secret.
struct Context<'a> {
    /// The sender's and the receiver's identity: compressed points.
    parties: [Option<&'a [u8]>; 2],
    /// `SuppPubInfo.other`.
    other: Option<&'a [u8]>,
}

/// A P-256 key as a compressed SEC 1 point: 33 bytes.
fn identity(key: &PublicKey) -> Vec<u8> {
    let (x, y) = key.coordinates();
    let odd = y.last().is_some_and(|last| last & 1 == 1);
    [&[2 + u8::from(odd)], x.as_slice()].concat()
}

/// `COSE_KDF_Context` (RFC 9053, 5.2), encoded.
fn kdf_context(recipient_protected: &[u8], context: &Context<'_>) -> Vec<u8> {
    let party = |identity: Option<&[u8]>| Value::Array(vec![identity.map_or(Value::Null, Value::bytes), Value::Null, Value::Null]);
    let [sender, receiver] = context.parties.map(party);
    let mut public = vec![Value::int(KEY_BITS), Value::bytes(recipient_protected)];
    public.extend(context.other.map(Value::bytes));
    cbor::encode(&Value::Array(vec![Value::int(A128GCM), sender, receiver, Value::Array(public)]))
}

fn content_key(secret: &[u8], recipient_protected: &[u8], context: &Context<'_>) -> Result<Zeroizing<[u8; 16]>, ExchangeError> {
    let mut key = Zeroizing::new([0; 16]);
    crypto::hkdf_sha256(secret, &[], &kdf_context(recipient_protected, context), key.as_mut()).map_err(|_| MALFORMED)?;
    Ok(key)
}

/// `Enc_structure` (RFC 9052, 5.3).
fn associated_data(protected: &[u8]) -> Vec<u8> {
    cbor::encode(&Value::Array(vec![Value::text("Encrypt"), Value::bytes(protected), Value::bytes(&[])]))
}

/// Encrypts `plaintext` to `recipient`; gives the encoded COSE_Encrypt, tagged 96.
///
/// # Errors
///
/// [`ExchangeError::Damaged`] when the recipient's key is not on P-256.
pub fn encrypt(plaintext: &[u8], recipient: &PublicKey, other: &[u8], random: &dyn Random) -> Result<Vec<u8>, ExchangeError> {
    let ephemeral = EphemeralKey::generate(random);
    let iv: [u8; 12] = random::array(random);
    let secret = ephemeral.agree(recipient).map_err(|_| MALFORMED)?;
    let (protected, recipient_protected) = (header(A128GCM), header(ECDH_ES_HKDF_256));
    let (sender, receiver) = (identity(&ephemeral.public()), identity(recipient));
    let context = Context { parties: [Some(&sender), Some(&receiver)], other: Some(other) };
    let key = content_key(secret.as_ref(), &recipient_protected, &context)?;
    let ciphertext = crypto::aes_gcm_seal(key.as_ref(), &iv, &associated_data(&protected), plaintext).map_err(|_| MALFORMED)?;
    envelope(protected, &iv, ciphertext, recipient_protected, &ephemeral.public())
}

/// The COSE_Encrypt around a ciphertext, encoded.
fn envelope(
    protected: Vec<u8>,
    iv: &[u8; 12],
    ciphertext: Vec<u8>,
    recipient_protected: Vec<u8>,
    sender: &PublicKey,
) -> Result<Vec<u8>, ExchangeError> {
    let sender = (Value::int(EPHEMERAL_KEY), compressed_cose_key(sender)?);
    let recipient = Value::Array(vec![Value::Bytes(recipient_protected), Value::Map(vec![sender]), Value::bytes(&[])]);
    let message = Value::Array(vec![
        Value::Bytes(protected),
        Value::Map(vec![(Value::int(IV), Value::bytes(iv))]),
        Value::Bytes(ciphertext),
        Value::Array(vec![recipient]),
    ]);
    Ok(cbor::encode(&Value::tag(TAG_ENCRYPT, message)))
}

/// A COSE_Encrypt of the one kind we take, read and not yet opened.
#[derive(Clone, Debug)]
pub struct Encrypted {
    protected: Vec<u8>,
    iv: [u8; 12],
    ciphertext: Vec<u8>,
    recipient_protected: Vec<u8>,
    sender: PublicKey,
}

impl Encrypted {
    /// Reads a COSE_Encrypt exactly as [`encrypt`] writes it.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Damaged`] for any other structure, algorithm or key, an IV of another length, and anything more or written otherwise: what
    /// is not under the encryption has one form only, so that no two texts are the same answer.
    pub fn decode(bytes: &[u8]) -> Result<Self, ExchangeError> {
        let message = Self::decode_any(bytes)?;
        let form = envelope(
            message.protected.clone(),
            &message.iv,
            message.ciphertext.clone(),
            message.recipient_protected.clone(),
            &message.sender,
        )?;
        if form == bytes { Ok(message) } else { Err(MALFORMED) }
    }

    /// Reads a COSE_Encrypt, tagged 96 or untagged, with exactly one recipient, and unprotected headers we do not know.
    fn decode_any(bytes: &[u8]) -> Result<Self, ExchangeError> {
        let value = cbor::decode(bytes, Limits::STRICT.with_bytes(MAX_BYTES).with_items(64)).map_err(|_| MALFORMED)?;
        Self::from_value(&value).ok_or(MALFORMED)
    }

    fn from_value(value: &Value) -> Option<Self> {
        let value = match value {
            Value::Tag(TAG_ENCRYPT, inner) => inner,
            other => other,
        };
        let [protected, unprotected, ciphertext, recipients] = value.as_array()? else { return None };
        let [recipient] = recipients.as_array()? else { return None };
        let [recipient_protected, recipient_unprotected, empty] = recipient.as_array()? else { return None };
        // Direct key agreement: nothing is wrapped (RFC 9052, 8.5.4).
        if !empty.as_bytes()?.is_empty() {
            return None;
        }
        let (protected, recipient_protected) = (protected.as_bytes()?.to_vec(), recipient_protected.as_bytes()?.to_vec());
        // Exactly our headers: anything more would be something we do not understand.
        if protected != header(A128GCM) || recipient_protected != header(ECDH_ES_HKDF_256) {
            return None;
        }
        Some(Self {
            protected,
            iv: unprotected.get_int(IV)?.as_bytes()?.try_into().ok()?,
            ciphertext: ciphertext.as_bytes()?.to_vec(),
            recipient_protected,
            sender: PublicKey::from_cose_key(recipient_unprotected.get_int(EPHEMERAL_KEY)?)
                .ok()
                .filter(|key| key.curve() == Curve::P256)?,
        })
    }

    /// Opens with the recipient's key; `None` when key or `other` are not those it was made for, or a bit was changed.
    pub fn open(&self, key: &EphemeralKey, other: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (sender, receiver) = (identity(&self.sender), identity(&key.public()));
        self.open_in(key, &Context { parties: [Some(&sender), Some(&receiver)], other: Some(other) })
    }

    fn open_in(&self, key: &EphemeralKey, context: &Context<'_>) -> Option<Zeroizing<Vec<u8>>> {
        let secret = key.agree(&self.sender).ok()?;
        let key = content_key(secret.as_ref(), &self.recipient_protected, context).ok()?;
        crypto::aes_gcm_open(key.as_ref(), &self.iv, &associated_data(&self.protected), &self.ciphertext).ok()
    }
}

#[cfg(test)]
mod tests {
    use wallet_base::random::SeededRandom;

    use super::*;

    /// RFC 9052, appendix C.3.1 (Direct ECDH); the recipient's private key is in C.7.2.
    const C_3_1: &str = "d8608443a10101a1054cc9cf4df2fe6c632bf788641358247adbe2709ca818fb415f1e5df66f4e1a51053ba6d65a1a0c52a357da7a644b8070a151b0\
        818344a1013818a220a4010220012158209 8f50a4ff6c05861c8860d13a638ea56c3f5ad7590bbfbf054e1c7b4d91d628022f504\
        58246d65726961646f632e6272616e64796275636b406275636b6c616e642e6578616d706c6540";
    const C_7_2_D: &str = "aff907c99f9ad3aae6c4cdf21122bce2bd68b5283e6907154ad911840fa208cf";

    fn example() -> (Vec<u8>, EphemeralKey) {
        let text: String = C_3_1.split_whitespace().collect();
        let key = EphemeralKey::from_scalar(&hex::decode(C_7_2_D).unwrap()).unwrap();
        (hex::decode(text).unwrap(), key)
    }

    /// The RFC's example names no parties and puts nothing into `SuppPubInfo.other`.
    const PLAIN: Context<'_> = Context { parties: [None, None], other: None };

    #[test]
    fn opens_the_example_of_rfc_9052() {
        let (bytes, key) = example();
        assert_eq!(bytes.len(), 151, "the size the RFC gives");
        let message = Encrypted::decode_any(&bytes).unwrap();
        assert_eq!(message.open_in(&key, &PLAIN).unwrap().as_slice(), b"This is the content.");
        assert!(message.open_in(&key, &Context { other: Some(b"x"), ..PLAIN }).is_none());
        assert!(message.open(&key, b"").is_none());
        assert!(Encrypted::decode(&bytes).is_err(), "its kid is not in our form");
    }

    #[test]
    fn bad_input_any_bit_of_an_envelope_changed() {
        let random = SeededRandom::new(5);
        // Keys with both signs of y, so that the sign bit is turned on as well as off.
        for _ in 0..4 {
            let key = EphemeralKey::generate(&random);
            let bytes = encrypt(b"content", &key.public(), b"request", &random).unwrap();
            assert!(Encrypted::decode(&bytes).unwrap().open(&key, b"request").is_some());
            for bit in 0..bytes.len() * 8 {
                let mut altered = bytes.clone();
                altered[bit / 8] ^= 1 << (bit % 8);
                let opened = Encrypted::decode(&altered).ok().and_then(|message| message.open(&key, b"request"));
                assert!(opened.is_none(), "bit {} of byte {}", bit % 8, bit / 8);
            }
        }
    }

    #[test]
    fn one_answer_has_one_form() {
        let random = SeededRandom::new(6);
        let key = EphemeralKey::generate(&random);
        let bytes = encrypt(b"content", &key.public(), b"request", &random).unwrap();
        let value = cbor::decode(&bytes, Limits::STRICT).unwrap();
        let (_, array) = value.as_tag().unwrap();
        let message = Encrypted::decode(&bytes).unwrap();
        let parts = array.as_array().unwrap();
        let with = |iv: Value, key: Value| {
            let recipient = Value::Array(vec![Value::Bytes(header(ECDH_ES_HKDF_256)), key, Value::bytes(&[])]);
            Value::Array(vec![parts[0].clone(), iv, parts[2].clone(), Value::Array(vec![recipient])])
        };
        let iv = || (Value::int(IV), Value::bytes(&message.iv));
        let sender = |key: Value| (Value::int(EPHEMERAL_KEY), key);
        let (short, long) = (message.sender.to_compressed_cose_key(), message.sender.to_cose_key());
        let kid = || (Value::int(4), Value::bytes(b"kid"));
        let same = with(Value::Map(vec![iv()]), Value::Map(vec![sender(short.clone())]));
        assert_eq!(cbor::encode(&Value::tag(TAG_ENCRYPT, same.clone())), bytes);
        for other in [
            same,
            Value::tag(TAG_ENCRYPT, with(Value::Map(vec![iv()]), Value::Map(vec![sender(long)]))),
            Value::tag(TAG_ENCRYPT, with(Value::Map(vec![iv(), kid()]), Value::Map(vec![sender(short.clone())]))),
            Value::tag(TAG_ENCRYPT, with(Value::Map(vec![iv()]), Value::Map(vec![sender(short), kid()]))),
        ] {
            let other = cbor::encode(&other);
            // It would open, had it a second form.
            assert!(Encrypted::decode_any(&other).is_ok() && Encrypted::decode(&other).is_err());
        }
    }

    #[test]
    fn round_trip_binds_key_and_other() {
        let random = SeededRandom::new(5);
        let (mine, theirs) = (EphemeralKey::generate(&random), EphemeralKey::generate(&random));
        let bytes = encrypt(b"content", &mine.public(), b"request", &random).unwrap();
        let message = Encrypted::decode(&bytes).unwrap();
        assert_eq!(message.open(&mine, b"request").unwrap().as_slice(), b"content");
        assert!(message.open(&mine, b"another").is_none());
        assert!(message.open(&mine, b"").is_none());
        assert!(message.open(&theirs, b"request").is_none());
        assert!(message.open_in(&mine, &Context { other: Some(b"request"), ..PLAIN }).is_none(), "the parties are bound");
        assert_eq!(bytes.len() - b"content".len(), 91, "what the envelope costs");
    }

    #[test]
    fn other_structures_are_refused() {
        let (bytes, _) = example();
        let value = cbor::decode(&bytes, Limits::STRICT).unwrap();
        let (_, array) = value.as_tag().unwrap();
        let parts = array.as_array().unwrap().to_vec();
        let refused = |parts: Vec<Value>| assert!(Encrypted::decode_any(&cbor::encode(&Value::Array(parts))).is_err());
        assert!(Encrypted::decode_any(&cbor::encode(array)).is_ok());
        let change = |n: usize, value: Value| {
            let mut parts = parts.clone();
            parts[n] = value;
            refused(parts);
        };
        change(0, Value::Bytes(header(3)));
        change(0, Value::bytes(&[]));
        change(1, Value::Map(vec![(Value::int(5), Value::bytes(&[0; 11]))]));
        change(1, Value::Map(vec![]));
        change(2, Value::Null);
        change(3, Value::Array(vec![]));
        let recipient = parts[3].as_array().unwrap()[0].clone();
        change(3, Value::Array(vec![recipient.clone(), recipient.clone()]));
        let fields = recipient.as_array().unwrap().to_vec();
        change(3, Value::Array(vec![Value::Array(vec![Value::Bytes(header(-26)), fields[1].clone(), fields[2].clone()])]));
        change(3, Value::Array(vec![Value::Array(vec![fields[0].clone(), fields[1].clone(), Value::bytes(b"x")])]));
        change(3, Value::Array(vec![Value::Array(vec![fields[0].clone(), Value::Map(vec![]), fields[2].clone()])]));
        // A point that is not on the curve: x = 2^256 - 1.
        let off = Value::Map(vec![
            (Value::int(1), Value::int(2)),
            (Value::int(-1), Value::int(1)),
            (Value::int(-2), Value::bytes(&[0xff; 32])),
            (Value::int(-3), Value::Bool(true)),
        ]);
        let off = Value::Map(vec![(Value::int(-1), off)]);
        change(3, Value::Array(vec![Value::Array(vec![fields[0].clone(), off, fields[2].clone()])]));
        refused(parts[..3].to_vec());
    }
}
