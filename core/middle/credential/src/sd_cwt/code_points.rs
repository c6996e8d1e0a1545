//! Every code point of SD-CWT in one file: the draft still moves. Read from the working copy of 2026-04-24 (after -07).

/// COSE header `kcwt`: the presented SD-CWT inside the key binding token's protected header.
pub const HEADER_KCWT: i64 = 13;
/// COSE header "CWT Claims" (RFC 9597): forbidden in the key binding token, not used by our profile.
pub const HEADER_CWT_CLAIMS: i64 = 15;
/// COSE header `typ`.
pub const HEADER_TYP: i64 = 16;
/// COSE header `kid`.
pub const HEADER_KID: i64 = 4;
/// COSE header `sd_claims`: the disclosures, unprotected.
pub const HEADER_SD_CLAIMS: i64 = 17;
/// COSE header `sd_alg`: digest algorithm, protected.
pub const HEADER_SD_ALG: i64 = 170;

/// COSE algorithm SHA-256, the default of `sd_alg`.
pub const ALG_SHA_256: i64 = -16;

/// CBOR simple value that is the map key of redacted claim digests.
pub const SIMPLE_REDACTED_KEYS: u8 = 59;
/// CBOR tag of a redacted array element.
pub const TAG_REDACTED_ELEMENT: u64 = 60;
/// CBOR tag "to be redacted": before issuance only.
pub const TAG_TO_BE_REDACTED: u64 = 58;
/// CBOR tag "to be decoy": before issuance only.
pub const TAG_TO_BE_DECOY: u64 = 62;

/// `typ` of an SD-CWT, as a CoAP content format.
pub const TYP_SD_CWT: u64 = 293;
/// `typ` of an SD-CWT, as a media type.
pub const TYP_SD_CWT_TEXT: &str = "application/sd-cwt";
/// `typ` of a key binding token, as a CoAP content format.
pub const TYP_KBT: u64 = 294;
/// `typ` of a key binding token, as a media type.
pub const TYP_KBT_TEXT: &str = "application/kb+cwt";

/// CWT claim `iss`.
pub const CLAIM_ISS: i64 = 1;
/// CWT claim `sub`.
pub const CLAIM_SUB: i64 = 2;
/// CWT claim `aud`.
pub const CLAIM_AUD: i64 = 3;
/// CWT claim `exp`.
pub const CLAIM_EXP: i64 = 4;
/// CWT claim `nbf`.
pub const CLAIM_NBF: i64 = 5;
/// CWT claim `iat`.
pub const CLAIM_IAT: i64 = 6;
/// CWT claim `cti`.
pub const CLAIM_CTI: i64 = 7;
/// CWT claim `cnf` (RFC 8747).
pub const CLAIM_CNF: i64 = 8;
/// Member of `cnf`: a COSE_Key.
pub const CNF_COSE_KEY: i64 = 1;
/// CWT claim `vct`: the credential type.
pub const CLAIM_VCT: i64 = 11;
/// CWT claim `cnonce`.
pub const CLAIM_CNONCE: i64 = 39;
/// CWT claim `status` (Token Status List).
pub const CLAIM_STATUS: i64 = 65535;

/// Our private claim of the key binding token: SHA-256 of the exact request bytes.
pub const CLAIM_REQUEST_HASH: i64 = -65537;
/// Our private claim of the key binding token: [`MODE_B`] or [`MODE_C`].
pub const CLAIM_MODE: i64 = -65538;
/// Path B: an answer to a request.
pub const MODE_B: u64 = 1;
/// Path C: a one-way code.
pub const MODE_C: u64 = 2;

/// Claims that are never redacted: whoever could withhold them could change what the token means.
pub const NEVER_REDACTED: [i64; 10] =
    [CLAIM_ISS, CLAIM_AUD, CLAIM_EXP, CLAIM_NBF, CLAIM_IAT, CLAIM_CTI, CLAIM_CNF, CLAIM_CNONCE, CLAIM_VCT, CLAIM_STATUS];

/// Bytes of a disclosure's salt.
pub const SALT_BYTES: usize = 16;
/// Longest text key of a claims map, in bytes.
pub const MAX_TEXT_KEY_BYTES: usize = 255;
