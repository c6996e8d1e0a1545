//! The papers as data: types and fields, who may ask for what, rules, display models and words.
//!
//! A document type is a table ([`field::DocumentType`]); one attribute set ([`attributes::Attributes`]) makes both its mdoc and its SD-CWT, and
//! reads both back with a cap and a kind per field. Who may ask for what is data too ([`roles::RoleTable`]), and what a person sees comes
//! as display models ([`display`]) whose keys stand in the catalogues ([`words`]).
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod attributes;
pub mod claim_keys;
pub mod display;
pub mod field;
pub mod insurance;
pub mod licence;
pub mod name_match;
pub mod roles;
pub mod types;
pub mod value;
pub mod words;

pub use attributes::Attributes;
pub use field::{DocumentType, Field, ValueKind};
pub use roles::{Role, RoleTable};
pub use types::{ALL as ALL_TYPES, by_doctype, by_id, by_vct};
pub use value::{FieldValue, picture_type};

/// What can be wrong with a document's data. Messages name fields and limits, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// No such document type.
    #[error("unknown document type")]
    UnknownType,
    /// The type has no such field.
    #[error("the document type has no such field")]
    UnknownField,
    /// The field's value is of another kind, too long, or out of range.
    #[error("field {0}: wrong kind of value")]
    WrongKind(&'static str),
    /// The same field came twice.
    #[error("field {0}: given twice")]
    Duplicate(&'static str),
    /// A field that every document of the type carries is missing.
    #[error("field {0}: missing")]
    Missing(&'static str),
    /// More entries than any document of the type can have.
    #[error("too many entries")]
    TooMany,
    /// The role table is not what it should be.
    #[error("role table: {0}")]
    Roles(&'static str),
}
