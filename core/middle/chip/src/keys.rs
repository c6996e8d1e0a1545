//! Public keys as cards and document signers write them: named curves, and explicit parameters when they are exactly those of a
//! curve we have. Anything else is refused: parameters out of a file are never computed with.

use wallet_base::crypto::{Curve, HashAlg, PublicKey};
use wallet_base::x509::Certificate;

use crate::ReadError;
use crate::tlv;

const ID_EC: [u8; 7] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
const ID_RSA: [u8; 9] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
const PRIME_FIELD: [u8; 7] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x01, 0x01];

struct Parameters {
    curve: Curve,
    oid: &'static [u8],
    p: &'static str,
    a: &'static str,
    b: &'static str,
    x: &'static str,
    y: &'static str,
    n: &'static str,
}

/// FIPS 186-4, D.1.2.3 and D.1.2.4; RFC 5639, 3.4.
const CURVES: [Parameters; 3] = [
    Parameters {
        curve: Curve::P256,
        oid: &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07],
        p: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        a: "ffffffff00000001000000000000000000000000fffffffffffffffffffffffc",
        b: "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
        x: "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        y: "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        n: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    },
    Parameters {
        curve: Curve::P384,
        oid: &[0x2B, 0x81, 0x04, 0x00, 0x22],
        p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
        a: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000fffffffc",
        b: "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
        x: "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
        y: "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
        n: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    },
    Parameters {
        curve: Curve::BrainpoolP256r1,
        oid: &[0x2B, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07],
        p: "a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377",
        a: "7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9",
        b: "26dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6",
        x: "8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262",
        y: "547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997",
        n: "a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7",
    },
];

/// `bytes`, without leading zeros, are this hexadecimal number without leading zeros.
fn is_number(bytes: &[u8], hex: &str) -> bool {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('?'));
        text.push(char::from_digit(u32::from(byte & 0xF), 16).unwrap_or('?'));
    }
    text.trim_start_matches('0') == hex.trim_start_matches('0')
}

/// The key of a SubjectPublicKeyInfo. `file` names the place in errors.
pub(crate) fn public_key(spki: &[u8], file: &'static str) -> Result<PublicKey, ReadError> {
    let fault = |fault: tlv::TlvError| fault.within(file);
    let mut outer = tlv::only_tag(spki, 0x30).map_err(fault)?.children();
    let mut algorithm = outer.next_tag(0x30).map_err(fault)?.children();
    let key = outer.next_tag(0x03).map_err(fault)?;
    let oid = algorithm.next_tag(0x06).map_err(fault)?.value;
    if oid == ID_RSA {
        return Err(ReadError::Unsupported { what: "an RSA key" });
    }
    if oid != ID_EC {
        return Err(ReadError::Unsupported { what: "this kind of key" });
    }
    let parameters = algorithm.next_any().map_err(fault)?;
    let curve = match parameters.tag {
        0x06 => CURVES.iter().find(|known| known.oid == parameters.value),
        0x30 => {
            let explicit = Explicit::read(parameters).map_err(fault)?;
            CURVES.iter().find(|known| explicit.is(known))
        }
        _ => return Err(ReadError::malformed(file, "curve parameters")),
    };
    let curve = curve.ok_or(ReadError::Unsupported { what: "this curve" })?.curve;
    let [0, point @ ..] = key.value else { return Err(ReadError::malformed(file, "public key")) };
    PublicKey::from_sec1(curve, point).map_err(|_| ReadError::malformed(file, "not a point of the curve"))
}

/// Explicit parameters (TR-03111, 5.1.1; RFC 3279, 2.3.5).
struct Explicit<'a> {
    p: &'a [u8],
    a: &'a [u8],
    b: &'a [u8],
    base: &'a [u8],
    n: &'a [u8],
    cofactor: Option<&'a [u8]>,
}

impl<'a> Explicit<'a> {
    fn read(parameters: tlv::Tlv<'a>) -> Result<Self, tlv::TlvError> {
        let mut fields = parameters.children();
        fields.next_tag(0x02)?;
        let mut field = fields.next_tag(0x30)?.children();
        if field.next_tag(0x06)?.value != PRIME_FIELD {
            return Err(tlv::TlvError::Unexpected);
        }
        let p = field.next_tag(0x02)?.value;
        let mut curve = fields.next_tag(0x30)?.children();
        let (a, b) = (curve.next_tag(0x04)?.value, curve.next_tag(0x04)?.value);
        let base = fields.next_tag(0x04)?.value;
        let n = fields.next_tag(0x02)?.value;
        let cofactor = fields.next_if(0x02)?.map(|cofactor| cofactor.value);
        Ok(Self { p, a, b, base, n, cofactor })
    }

    fn is(&self, known: &Parameters) -> bool {
        let Some((form, rest)) = self.base.split_first() else { return false };
        let length = known.curve.field_len();
        let right_base = match (form, rest.split_at_checked(length)) {
            (4, Some((x, y))) => is_number(x, known.x) && y.len() == length && is_number(y, known.y),
            _ => false,
        };
        right_base
            && is_number(self.p, known.p)
            && is_number(self.a, known.a)
            && is_number(self.b, known.b)
            && is_number(self.n, known.n)
            && self.cofactor.is_none_or(|cofactor| cofactor == [1])
    }
}

/// The key of a certificate, out of its bytes as they arrived; explicit parameters are understood.
pub(crate) fn certificate_key(certificate: &Certificate) -> Result<PublicKey, ReadError> {
    const FILE: &str = "certificate";
    let fault = |fault: tlv::TlvError| fault.within(FILE);
    let mut tbs = tlv::only_tag(certificate.der(), 0x30).map_err(fault)?.children().next_tag(0x30).map_err(fault)?.children();
    tbs.next_if(0xA0).map_err(fault)?;
    for tag in [0x02, 0x30, 0x30, 0x30, 0x30] {
        tbs.next_tag(tag).map_err(fault)?;
    }
    public_key(tbs.next_tag(0x30).map_err(fault)?.raw, FILE)
}

/// A critical extension that nobody here understands (all but key usage, names, basic constraints and extended key usage).
pub(crate) fn has_strange_critical_extension(certificate: &Certificate) -> Result<bool, tlv::TlvError> {
    let tbs = tlv::only_tag(certificate.der(), 0x30)?.children().next_tag(0x30)?;
    let Some(wrapped) = tbs.children().all()?.into_iter().find(|field| field.tag == 0xA3) else { return Ok(false) };
    for extension in tlv::only_tag(wrapped.value, 0x30)?.children().all()? {
        let mut fields = extension.children();
        let oid = fields.next_tag(0x06)?.value;
        let critical = fields.next_if(0x01)?.is_some_and(|flag| flag.value != [0]);
        if critical && !matches!(oid, [0x55, 0x1D, 15 | 17 | 18 | 19 | 37]) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A hash by the OID's content bytes.
pub(crate) fn hash_of(oid: &[u8]) -> Option<HashAlg> {
    match oid {
        [0x2B, 0x0E, 0x03, 0x02, 0x1A] => Some(HashAlg::Sha1),
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01] => Some(HashAlg::Sha256),
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02] => Some(HashAlg::Sha384),
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03] => Some(HashAlg::Sha512),
        _ => None,
    }
}

/// How an ECDSA signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Ecdsa-Sig-Value (X9.62).
    Der,
    /// r || s (TR-03111, 5.2.1).
    Plain,
}

/// An ECDSA algorithm by the OID's content bytes: X9.62 (1.2.840.10045.4...) and plain (0.4.0.127.0.7.1.1.4.1...).
pub(crate) fn ecdsa_of(oid: &[u8]) -> Option<(HashAlg, Form)> {
    match oid {
        [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x01] => Some((HashAlg::Sha1, Form::Der)),
        [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02] => Some((HashAlg::Sha256, Form::Der)),
        [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03] => Some((HashAlg::Sha384, Form::Der)),
        [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x04] => Some((HashAlg::Sha512, Form::Der)),
        [0x04, 0x00, 0x7F, 0x00, 0x07, 0x01, 0x01, 0x04, 0x01, last] => match last {
            1 => Some((HashAlg::Sha1, Form::Plain)),
            3 => Some((HashAlg::Sha256, Form::Plain)),
            4 => Some((HashAlg::Sha384, Form::Plain)),
            5 => Some((HashAlg::Sha512, Form::Plain)),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use wallet_base::crypto::{Signer, SoftwareKey};

    fn explicit_spki(known: &Parameters, point: &[u8], spoil: Option<&str>) -> Vec<u8> {
        let bytes = |name: &str, hex: &str| {
            let mut bytes = hex::decode(hex).unwrap();
            if spoil == Some(name) {
                *bytes.last_mut().unwrap() ^= 1;
            }
            bytes
        };
        let integer = |bytes: Vec<u8>| tlv::encode(2, &[vec![0], bytes].concat());
        let field = tlv::encode_all(0x30, &[tlv::encode(6, &PRIME_FIELD), integer(bytes("p", known.p))]);
        let curve = tlv::encode_all(0x30, &[tlv::encode(4, &bytes("a", known.a)), tlv::encode(4, &bytes("b", known.b))]);
        let base = tlv::encode(4, &[vec![4], bytes("x", known.x), bytes("y", known.y)].concat());
        let parameters = tlv::encode_all(
            0x30,
            &[vec![2, 1, 1], field, curve, base, integer(bytes("n", known.n)), vec![2, 1, if spoil == Some("h") { 2 } else { 1 }]],
        );
        let algorithm = tlv::encode_all(0x30, &[tlv::encode(6, &ID_EC), parameters]);
        tlv::encode_all(0x30, &[algorithm, tlv::encode(3, &[vec![0], point.to_vec()].concat())])
    }

    #[test]
    fn explicit_parameters_of_known_curves_only() {
        for known in &CURVES {
            let key = SoftwareKey::from_scalar(known.curve, &vec![7; known.curve.field_len()]).unwrap().public_key();
            let point = key.to_sec1();
            assert_eq!(public_key(&explicit_spki(known, &point, None), "test").unwrap(), key);
            assert_eq!(public_key(&key.to_spki_der().unwrap(), "test").unwrap(), key);
            for part in ["p", "a", "b", "x", "y", "n", "h"] {
                let refused = public_key(&explicit_spki(known, &point, Some(part)), "test");
                assert_eq!(refused, Err(ReadError::Unsupported { what: "this curve" }), "{part}");
            }
        }
    }
}
