//! SecurityInfos (9303-11, 9.2): EF.CardAccess and DG14 have the same form.

use crate::ReadError;
use crate::pace::{OID_ECDH_GM_AES128, PARAMETER_BRAINPOOL_P256R1};
use crate::tlv::{self, Tlv};

/// id-PACE, 0.4.0.127.0.7.2.2.4.
const ID_PACE: [u8; 8] = [0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x04];
/// id-icao-mrtd-security-aaProtocolObject, 2.23.136.1.1.5.
const ID_AA: [u8; 6] = [0x67, 0x81, 0x08, 0x01, 0x01, 0x05];

/// EF.CardAccess as it was seen on Vietnamese cards. A named, opt-in hint for phones that cannot reach the file
/// ([`crate::reader::ReadPlan::card_access_hint`]); when it is wrong, PACE fails cleanly.
pub const VN_CCCD_CARD_ACCESS: [u8; 54] = [
    0x31, 0x34, 0x30, 0x0D, 0x06, 0x08, 0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x02, 0x02, 0x01, 0x01, 0x30, 0x0F, 0x06, 0x0A, 0x04,
    0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x03, 0x02, 0x02, 0x02, 0x01, 0x01, 0x30, 0x12, 0x06, 0x0A, 0x04, 0x00, 0x7F, 0x00, 0x07, 0x02,
    0x02, 0x04, 0x02, 0x02, 0x02, 0x01, 0x02, 0x02, 0x01, 0x0D,
];

/// One PACEInfo (9303-11, 9.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaceInfo {
    /// Protocol, content bytes of the object identifier.
    pub protocol: Vec<u8>,
    /// Version; 2 for everything in use.
    pub version: u8,
    /// Standardised domain parameters, when named.
    pub parameter: Option<u8>,
}

impl PaceInfo {
    /// The suite this crate speaks: ECDH, generic mapping, AES-128, brainpoolP256r1.
    pub fn is_supported(&self) -> bool {
        self.protocol == OID_ECDH_GM_AES128 && self.version == 2 && self.parameter == Some(PARAMETER_BRAINPOOL_P256R1)
    }
}

/// Parsed SecurityInfos. Unknown entries are kept raw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityInfos {
    /// Every PACEInfo, in the file's order. (PACEDomainParameterInfo entries are among `others`.)
    pub pace: Vec<PaceInfo>,
    /// Signature algorithm of Active Authentication (content bytes of the OID; 9303-11, 9.2.4), when there is an entry.
    pub active_authentication: Option<Vec<u8>>,
    /// DER of the other entries: terminal and chip authentication and what is not known.
    pub others: Vec<Vec<u8>>,
}

impl SecurityInfos {
    /// Parses a SET OF SecurityInfo, as EF.CardAccess holds it. Bytes after the set are padding.
    pub fn parse_card_access(bytes: &[u8]) -> Result<Self, ReadError> {
        const FILE: &str = "EF.CardAccess";
        let set = tlv::file(bytes, 0x31).map_err(|fault| fault.within(FILE))?;
        Self::parse_set(set).map_err(|fault| fault.within(FILE))
    }

    /// Parses DG14: 6E { SET OF SecurityInfo }.
    pub fn parse_dg14(bytes: &[u8]) -> Result<Self, ReadError> {
        const FILE: &str = "EF.DG14";
        let outer = tlv::file(bytes, 0x6E).map_err(|fault| fault.within(FILE))?;
        let set = tlv::only_tag(outer.value, 0x31).map_err(|fault| fault.within(FILE))?;
        Self::parse_set(set).map_err(|fault| fault.within(FILE))
    }

    fn parse_set(set: Tlv<'_>) -> Result<Self, tlv::TlvError> {
        let mut out = Self { pace: Vec::new(), active_authentication: None, others: Vec::new() };
        for info in set.children().all()? {
            if info.tag != 0x30 {
                return Err(tlv::TlvError::Unexpected);
            }
            let mut fields = info.children();
            let protocol = fields.next_tag(0x06)?.value;
            let is_pace = protocol.strip_prefix(&ID_PACE).is_some_and(|rest| rest.len() == 2);
            if is_pace {
                let version = small(fields.next_tag(0x02)?)?;
                let parameter = fields.next_if(0x02)?.map(small).transpose()?;
                out.pace.push(PaceInfo { protocol: protocol.to_vec(), version, parameter });
            } else if protocol == ID_AA && out.active_authentication.is_none() {
                small(fields.next_tag(0x02)?)?;
                out.active_authentication = Some(fields.next_tag(0x06)?.value.to_vec());
            } else {
                out.others.push(info.raw.to_vec());
            }
        }
        Ok(out)
    }

    /// The PACEInfo to use: the first one that this crate speaks, wherever it stands in the set. `Err` when the card offers
    /// PACE in other forms only, or no PACE: there is no fall-back.
    pub fn choose(&self) -> Result<&PaceInfo, ReadError> {
        self.pace
            .iter()
            .find(|info| info.is_supported())
            .ok_or(ReadError::Unsupported { what: if self.pace.is_empty() { "a card without PACE" } else { "this card's form of PACE" } })
    }
}

fn small(integer: Tlv<'_>) -> Result<u8, tlv::TlvError> {
    match *integer.value {
        [value] if value < 0x80 => Ok(value),
        _ => Err(tlv::TlvError::Unexpected),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn info(protocol: &str, rest: &str) -> Vec<u8> {
        tlv::encode(0x30, &[tlv::encode(6, &hex::decode(protocol).unwrap()), hex::decode(rest).unwrap()].concat())
    }

    #[test]
    fn the_right_pace_info_is_chosen_not_the_first() {
        let set = tlv::encode_all(
            0x31,
            &[
                info("04007f00070202040101", "02010202010d"),
                info("04007f00070202040202", "02010202010c"),
                info("04007f00070202040202", "02010202010d"),
            ],
        );
        let infos = SecurityInfos::parse_card_access(&set).unwrap();
        assert_eq!(infos.pace.len(), 3);
        assert_eq!(infos.choose().unwrap().parameter, Some(13));
    }

    #[test]
    fn no_pace_or_another_pace_is_unsupported() {
        let none = SecurityInfos::parse_card_access(&tlv::encode(0x31, &[])).unwrap();
        assert_eq!(none.choose(), Err(ReadError::Unsupported { what: "a card without PACE" }));
        let other = SecurityInfos::parse_card_access(&tlv::encode(0x31, &info("04007f00070202040202", "020102"))).unwrap();
        assert_eq!(other.choose(), Err(ReadError::Unsupported { what: "this card's form of PACE" }));
    }

    #[test]
    fn hostile_security_infos_are_refused() {
        for bytes in [&[][..], &[0x31], &[0x31, 0x02, 0x30], &[0x31, 0x02, 0x04, 0x00], &[0x31, 0x03, 0x30, 0x01, 0x06], &[0x30, 0x00]] {
            assert!(SecurityInfos::parse_card_access(bytes).is_err());
        }
        assert!(SecurityInfos::parse_dg14(&[0x6E, 0x00]).is_err());
    }
}
