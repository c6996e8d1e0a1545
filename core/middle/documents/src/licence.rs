//! Driving privileges (hạng giấy phép lái xe) and what they mean.
//!
//! The classes of 2008 and of 2024 (Law 36/2024/QH15, from 1 January 2025) share letters with different meanings (B1 was a car and is a
//! three-wheeler now), so every privilege names its scheme.

use wallet_base::time::Date;

/// ISO/IEC 18013-5, 7.2.4: where the internationally readable privileges stand.
pub const ISO_PRIVILEGES: (&str, &str) = ("org.iso.18013.5.1", "driving_privileges");
/// Most privileges on one licence.
pub const MAX_PRIVILEGES: usize = 20;
/// The holder may not drive at zero points; a test restores twelve (Law 36/2024/QH15).
pub const FULL_POINTS: i64 = 12;

/// Which list of classes a privilege belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Classes of the Law on Road Traffic 2008, in use until renewal.
    Y2008,
    /// Classes of the Law on Road Traffic Order and Safety 2024.
    Y2024,
}

impl Scheme {
    /// `2008` or `2024`.
    pub const fn year(self) -> i64 {
        match self {
            Self::Y2008 => 2008,
            Self::Y2024 => 2024,
        }
    }

    /// From the year.
    pub const fn from_year(year: i64) -> Option<Self> {
        match year {
            2008 => Some(Self::Y2008),
            2024 => Some(Self::Y2024),
            _ => None,
        }
    }

    /// The classes of the scheme.
    pub const fn classes(self) -> &'static [&'static str] {
        match self {
            Self::Y2008 => &["A1", "A2", "A3", "A4", "B1", "B2", "C", "D", "E", "FB2", "FC", "FD", "FE"],
            Self::Y2024 => &["A1", "A", "B1", "B", "C1", "C", "D1", "D2", "D", "BE", "C1E", "CE", "D1E", "D2E", "DE"],
        }
    }
}

/// One class that the holder may drive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privilege {
    class: &'static str,
    scheme: Scheme,
    issued: Date,
    expires: Option<Date>,
}

impl Privilege {
    /// A privilege of a class that exists in its scheme; `None` otherwise, or when it ends before it begins.
    pub fn new(class: &str, scheme: Scheme, issued: Date, expires: Option<Date>) -> Option<Self> {
        let class = scheme.classes().iter().find(|known| **known == class)?;
        if expires.is_some_and(|end| end < issued) {
            return None;
        }
        Some(Self { class, scheme, issued, expires })
    }

    /// The class as printed.
    pub fn class(&self) -> &'static str {
        self.class
    }

    /// The list it belongs to.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Since when.
    pub fn issued(&self) -> Date {
        self.issued
    }

    /// Until when; `None` is no limit (A1, A and B1 of 2024).
    pub fn expires(&self) -> Option<Date> {
        self.expires
    }

    /// Holds on that day.
    pub fn valid_on(&self, day: Date) -> bool {
        self.issued <= day && self.expires.is_none_or(|end| day <= end)
    }

    /// The category of ISO/IEC 18013-1, annex B that means the same vehicles. Classes without an exact counterpart have none, and are told only in the
    /// domestic namespace: a foreign reader must not take a 2008 `B1` for a quadricycle.
    pub fn iso_category(&self) -> Option<&'static str> {
        if self.scheme == Scheme::Y2008 {
            return None;
        }
        match self.class {
            "B1" | "D2" | "D2E" => None,
            same => Some(same),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        Date::parse_iso(text).unwrap()
    }

    #[test]
    fn classes_belong_to_their_scheme() {
        let issued = day("2020-05-01");
        assert!(Privilege::new("B2", Scheme::Y2008, issued, None).is_some());
        assert!(Privilege::new("B2", Scheme::Y2024, issued, None).is_none());
        assert!(Privilege::new("D2E", Scheme::Y2008, issued, None).is_none());
        assert_eq!(Scheme::Y2024.classes().len(), 15);
        assert!(Scheme::from_year(2012).is_none());
    }

    #[test]
    fn same_letters_do_not_travel_as_the_same_category() {
        let issued = day("2025-02-01");
        assert_eq!(Privilege::new("B", Scheme::Y2024, issued, None).unwrap().iso_category(), Some("B"));
        assert_eq!(Privilege::new("B1", Scheme::Y2008, issued, None).unwrap().iso_category(), None);
        assert_eq!(Privilege::new("B1", Scheme::Y2024, issued, None).unwrap().iso_category(), None);
    }

    #[test]
    fn validity_and_no_limit() {
        let unlimited = Privilege::new("A1", Scheme::Y2024, day("2025-02-01"), None).unwrap();
        assert!(unlimited.valid_on(day("2090-01-01")) && !unlimited.valid_on(day("2025-01-31")));
        let ten = Privilege::new("B", Scheme::Y2024, day("2025-02-01"), Some(day("2035-02-01"))).unwrap();
        assert!(ten.valid_on(day("2035-02-01")) && !ten.valid_on(day("2035-02-02")));
        assert!(Privilege::new("B", Scheme::Y2024, day("2025-02-01"), Some(day("2025-01-31"))).is_none());
    }
}
