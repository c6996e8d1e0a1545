//! The files of the logical data structure (9303-10, 4): parsed for reading, always kept as the bytes that arrived.

pub mod com;
pub mod dg13;
pub mod dg2;

use wallet_base::crypto::PublicKey;

use crate::ReadError;
use crate::mrz::Mrz;
use crate::tlv;

/// DG1 (9303-10, 4.7.1): 61 { 5F1F MRZ }. TD1 only.
pub fn parse_dg1(bytes: &[u8]) -> Result<Mrz, ReadError> {
    const FILE: &str = "EF.DG1";
    let outer = tlv::file(bytes, 0x61).map_err(|fault| fault.within(FILE))?;
    let mrz = tlv::only_tag(outer.value, 0x5F1F).map_err(|fault| fault.within(FILE))?;
    let text = std::str::from_utf8(mrz.value).map_err(|_| ReadError::malformed(FILE, "not text"))?;
    if text.len() != 90 {
        return Err(ReadError::Unsupported { what: "a machine readable zone that is not TD1" });
    }
    Mrz::parse_td1(text)
}

/// DG15 (9303-10, 4.7.15): 6F { SubjectPublicKeyInfo }. `Unsupported` for RSA and for curves that this crate does not have.
pub fn parse_dg15(bytes: &[u8]) -> Result<PublicKey, ReadError> {
    const FILE: &str = "EF.DG15";
    let outer = tlv::file(bytes, 0x6F).map_err(|fault| fault.within(FILE))?;
    let spki = tlv::only_tag(outer.value, 0x30).map_err(|fault| fault.within(FILE))?;
    crate::keys::public_key(spki.raw, FILE)
}
