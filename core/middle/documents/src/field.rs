//! What a document type is: a table of fields.

/// The kind of a field's value, with its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Safe text of at most `max` characters.
    Text {
        /// Longest text in characters.
        max: usize,
    },
    /// Exactly `len` ASCII digits, as text: leading zeros count.
    Digits {
        /// Number of digits.
        len: usize,
    },
    /// One of a few fixed words.
    Word(&'static [&'static str]),
    /// A day: tag 1004 (RFC 8943 full-date) in an mdoc, tag 100 (days since 1970) in an SD-CWT.
    Date,
    /// A moment: tag 0 (tdate) in an mdoc, tag 1 (seconds since 1970) in an SD-CWT.
    Moment,
    /// An integer between two bounds, both included.
    Integer {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// Yes or no.
    Bool,
    /// The bytes of a JPEG, JPEG 2000, PNG or WebP picture, at most `max` bytes.
    Image {
        /// Largest size in bytes.
        max: usize,
    },
    /// Driving privileges, each with its scheme ([`crate::licence`]).
    Privileges,
    /// A health insurance card number in one of its three forms ([`crate::insurance`]).
    CardNumber,
    /// A list of at most `max` dated entries of a health book.
    Entries {
        /// Most entries.
        max: usize,
    },
}

/// One field of a document type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Id used in requests, roles, logs and errors, for example `full_name`.
    pub id: &'static str,
    /// Namespace and element identifier in the mdoc; `None` when the mdoc does not carry the field.
    pub mdoc: Option<(&'static str, &'static str)>,
    /// Claim key in the SD-CWT; `None` when the SD-CWT does not carry the field.
    pub claim: Option<i64>,
    /// Kind and limits of the value.
    pub kind: ValueKind,
    /// Never part of a default selection, and shown as a secret.
    pub sensitive: bool,
    /// Fits beside a holder binding in one QR symbol; portraits do not.
    pub single_symbol: bool,
    /// Every document of the type carries it.
    pub required: bool,
    /// Catalogue key of its label.
    pub label: &'static str,
}

impl Field {
    /// Namespace in the mdoc, or empty.
    pub fn namespace(&self) -> &'static str {
        self.mdoc.map_or("", |(namespace, _)| namespace)
    }

    /// Element identifier in the mdoc, or empty.
    pub fn element(&self) -> &'static str {
        self.mdoc.map_or("", |(_, element)| element)
    }

    pub(crate) const fn new(id: &'static str, label: &'static str, kind: ValueKind) -> Self {
        Self { id, mdoc: None, claim: None, kind, sensitive: false, single_symbol: true, required: false, label }
    }

    pub(crate) const fn in_mdoc(mut self, namespace: &'static str, element: &'static str) -> Self {
        self.mdoc = Some((namespace, element));
        self
    }

    pub(crate) const fn in_claims(mut self, key: i64) -> Self {
        self.claim = Some(key);
        self
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    pub(crate) const fn large(mut self) -> Self {
        self.single_symbol = false;
        self
    }
}

/// One document type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentType {
    /// Id used everywhere inside, for example `driving-licence`.
    pub id: &'static str,
    /// `docType` of the mdoc.
    pub doctype: &'static str,
    /// `vct` (claim 11) of the SD-CWT.
    pub vct: &'static str,
    /// Id of the issuing authority.
    pub authority: &'static str,
    /// Catalogue key of the type's name.
    pub label: &'static str,
    /// Number of redacted claims in every SD-CWT of the type, decoys included: how many fields a citizen's paper really has must not show.
    pub redacted_claims: usize,
    /// All fields, in the order of display.
    pub fields: &'static [Field],
}

impl DocumentType {
    /// The field of that id.
    pub fn field(&self, id: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.id == id)
    }

    /// The field that an mdoc element carries.
    pub fn field_of_element(&self, namespace: &str, element: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.mdoc == Some((namespace, element)))
    }

    /// The field that an SD-CWT claim carries.
    pub fn field_of_claim(&self, key: i64) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.claim == Some(key))
    }

    /// The mdoc elements (namespace, element) that show the given fields. Unknown ids and fields without an element give none; driving
    /// privileges give two, the domestic one and ISO's.
    pub fn elements_of<'a>(&self, fields: impl IntoIterator<Item = &'a str>) -> Vec<(&'static str, &'static str)> {
        let mut out = Vec::new();
        for field in fields.into_iter().filter_map(|id| self.field(id)) {
            out.extend(field.mdoc);
            if field.kind == ValueKind::Privileges {
                out.push(crate::licence::ISO_PRIVILEGES);
            }
        }
        out
    }

    /// The SD-CWT claim keys that show the given fields.
    pub fn claims_of<'a>(&self, fields: impl IntoIterator<Item = &'a str>) -> Vec<i64> {
        fields.into_iter().filter_map(|id| self.field(id)?.claim).collect()
    }
}
