//! Keys, labels and limits of the request and the answer: one file, because they are the project's own.

/// Prefix of a request.
pub const PREFIX_REQUEST: &str = "CWQ1:";
/// Prefix of an answer.
pub const PREFIX_ANSWER: &str = "CWA1:";
/// Prefix of a one-way code (path C).
pub const PREFIX_ONE_WAY: &str = "CWP1:";
/// Prefix of one frame of several.
pub const PREFIX_FRAME: &str = "CWF1:";

/// `typ` (RFC 9596) of a request.
pub const TYP_REQUEST: &str = "application/cwq1";

/// Request payload: version of the format, 1.
pub const REQ_VERSION: i64 = 1;
/// Request payload: role id.
pub const REQ_ROLE: i64 = 2;
/// Request payload: purpose id.
pub const REQ_PURPOSE: i64 = 3;
/// Request payload: legal basis, text.
pub const REQ_LEGAL_BASIS: i64 = 4;
/// Request payload: `[[document type id, [field id, ...]], ...]`.
pub const REQ_DOCUMENTS: i64 = 5;
/// Request payload: how long the answer is kept, in hours.
pub const REQ_RETENTION: i64 = 6;
/// Request payload: place, text, shown large to the citizen.
pub const REQ_PLACE: i64 = 7;
/// Request payload: nonce, 16 bytes.
pub const REQ_NONCE: i64 = 8;
/// Request payload: issued at, Unix seconds.
pub const REQ_IAT: i64 = 9;
/// Request payload: expires at, Unix seconds.
pub const REQ_EXP: i64 = 10;
/// Request payload: ephemeral P-256 COSE_Key with a compressed point (RFC 9053, 7.1.1: y as a sign bit).
pub const REQ_KEY: i64 = 11;

/// Longest lifetime of a request in seconds.
pub const MAX_LIFETIME: i64 = 120;
/// Allowed difference between two clocks in seconds.
pub const CLOCK_SKEW: i64 = 60;
/// Largest reader certificate in bytes.
pub const MAX_CERTIFICATE: usize = 400;
/// Longest validity of a reader certificate in seconds: seven days.
pub const MAX_CERTIFICATE_LIFE: i64 = 7 * 86_400;
/// Most documents in one request.
pub const MAX_DOCUMENTS: usize = 4;
/// Most fields of one document in one request.
pub const MAX_FIELDS: usize = 32;
/// Longest id (role, purpose, document type, field) in bytes.
pub const MAX_ID: usize = 48;
/// Longest place in characters.
pub const MAX_PLACE: usize = 60;
/// Longest legal basis in characters.
pub const MAX_LEGAL_BASIS: usize = 80;
/// Longest retention in hours: ten years.
pub const MAX_RETENTION: u32 = 87_600;

/// Longest text looked at: beyond what any QR symbol holds.
pub const MAX_TEXT: usize = 8192;
/// Decompression cap of a request or a one-way code in bytes.
pub const MAX_INFLATED: usize = 16 * 1024;
