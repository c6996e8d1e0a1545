//! The parties whose keys the service holds, as data: issuing authorities (one per document), reader authority, status signer.

use crate::config::DAY;

/// An issuing authority.
pub(crate) struct Authority {
    /// Id in the trust data; the document types name it.
    pub(crate) id: &'static str,
    /// Name in its certificates, ASCII.
    pub(crate) organisation: &'static str,
    /// Name for people.
    pub(crate) name: &'static str,
}

/// All issuing authorities.
pub(crate) const AUTHORITIES: &[Authority] = &[
    Authority {
        id: "vn-c06", organisation: "Cuc C06 Bo Cong an", name: "Cục Cảnh sát quản lý hành chính về trật tự xã hội (C06)"
    },
    Authority { id: "vn-c08", organisation: "Cuc C08 Bo Cong an", name: "Cục Cảnh sát giao thông (C08)" },
    Authority { id: "vn-bhxh", organisation: "Bao hiem xa hoi Viet Nam", name: "Bảo hiểm xã hội Việt Nam" },
    Authority { id: "vn-byt", organisation: "Bo Y te", name: "Bộ Y tế" },
];

/// The authority with this id.
pub(crate) fn authority(id: &str) -> Option<&'static Authority> {
    AUTHORITIES.iter().find(|authority| authority.id == id)
}

/// Life of an authority's root certificate.
pub(crate) const ROOT_LIFE: i64 = 15 * 365 * DAY;
/// Life of a document signer's, status signer's, TLS leaf's certificate.
pub(crate) const SIGNER_LIFE: i64 = 5 * 365 * DAY;
/// Certificates begin this long before they are made: clocks may be behind, and credentials are dated up to two days back.
pub(crate) const EARLY: i64 = 3 * DAY;
