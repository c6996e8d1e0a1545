//! SD-CWT claim keys of the domestic fields: one file, because no registry knows them.
//!
//! RFC 8392, 9.1 leaves integer claim keys below -65536 to private use; each costs five bytes in a disclosure. A key means the same thing
//! in every type that uses it, and is never given to another meaning.

/// Whole name as printed.
pub const FULL_NAME: i64 = -65537;
/// Date of birth.
pub const BIRTH_DATE: i64 = -65538;
/// Sex, ISO/IEC 5218.
pub const SEX: i64 = -65539;
/// Nationality, ISO 3166-1 alpha-2.
pub const NATIONALITY: i64 = -65540;
/// Twelve-digit personal identification number.
pub const PERSONAL_NUMBER: i64 = -65541;
/// Place of residence.
pub const RESIDENT_ADDRESS: i64 = -65542;
/// Place of birth or of birth registration.
pub const PLACE_OF_BIRTH: i64 = -65543;
/// Day of issue of the paper.
pub const ISSUE_DATE: i64 = -65544;
/// Last day of the paper's validity.
pub const EXPIRY_DATE: i64 = -65545;
/// Portrait of at most 4 KB.
pub const PORTRAIT_SMALL: i64 = -65546;

/// Number of the driving licence.
pub const LICENCE_NUMBER: i64 = -65560;
/// Driving privileges with their scheme.
pub const PRIVILEGES: i64 = -65561;
/// Points left, 0 to 12.
pub const POINTS: i64 = -65562;
/// As of when the points are told.
pub const POINTS_AS_OF: i64 = -65563;

/// Number of the health insurance card, in any of its three forms.
pub const CARD_NUMBER: i64 = -65570;
/// Benefit level, 1 to 5.
pub const BENEFIT_LEVEL: i64 = -65572;
/// Facility of first registration.
pub const FACILITY: i64 = -65573;
/// First day of cover.
pub const VALID_FROM: i64 = -65574;
/// Last day of cover.
pub const VALID_TO: i64 = -65575;
/// Day from which five continuous years count.
pub const CONTINUOUS_FROM: i64 = -65576;

/// Blood group.
pub const BLOOD_GROUP: i64 = -65580;
/// Allergies.
pub const ALLERGIES: i64 = -65581;
/// Conditions.
pub const CONDITIONS: i64 = -65582;
/// Last entries of the health book.
pub const LAST_ENTRIES: i64 = -65583;
/// As of when the summary is told.
pub const AS_OF: i64 = -65584;
