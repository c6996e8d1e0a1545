//! Active Authentication with ECDSA (9303-11, 6.1): the chip signs a challenge with a key that cannot be read out.

use wallet_base::crypto::{Curve, HashAlg};

use crate::ReadError;
use crate::access::SecurityInfos;
use crate::keys;
use crate::lds;

/// Verifies the chip's answer to `challenge`. `dg15` holds the key, `dg14` (when there is one) names the algorithm; both must already
/// be known to match the signed hashes. The signature is r || s (TR-03111, 5.2.1; 9303-11, 6.1.2.3).
///
/// `Ok(true)`: the chip holds the key. `Ok(false)`: it does not. `Err`: nothing can be said (key or algorithm not supported).
pub fn verify(dg15: &[u8], dg14: Option<&[u8]>, challenge: &[u8; 8], signature: &[u8]) -> Result<bool, ReadError> {
    let key = lds::parse_dg15(dg15)?;
    let named = match dg14 {
        Some(dg14) => SecurityInfos::parse_dg14(dg14)?.active_authentication,
        None => None,
    };
    let hash = match named {
        Some(oid) => match keys::ecdsa_of(&oid) {
            Some((hash, keys::Form::Plain)) => hash,
            _ => return Err(ReadError::Unsupported { what: "this form of Active Authentication" }),
        },
        // Without a name: the hash of the curve's size. A wrong guess can only make a genuine chip fail.
        None if key.curve() == Curve::P384 => HashAlg::Sha384,
        None => HashAlg::Sha256,
    };
    Ok(key.verify_hash(hash, challenge, signature).is_ok())
}
