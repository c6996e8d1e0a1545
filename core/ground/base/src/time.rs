//! Times and dates. What depends on the time takes it from a [`TimeSource`], never from the system.

use std::fmt;

use time::format_description::well_known::Rfc3339;
use time::{Month, OffsetDateTime};

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Years 1 to 9999: what RFC 3339 can write.
const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

impl Timestamp {
    /// From Unix seconds; out-of-range values are clamped to the years 1 to 9999.
    pub fn from_unix(seconds: i64) -> Self {
        Self(seconds.clamp(*RANGE.start(), *RANGE.end()))
    }

    /// Unix seconds.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// Reads an RFC 3339 time with any offset.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        OffsetDateTime::parse(text, &Rfc3339).ok().map(|t| Self::from_unix(t.unix_timestamp()))
    }

    /// `2026-11-21T08:00:00Z`.
    pub fn to_rfc3339(self) -> String {
        OffsetDateTime::from_unix_timestamp(self.0).ok().and_then(|t| t.format(&Rfc3339).ok()).unwrap_or_default()
    }

    /// Later (or earlier, when negative) by some seconds; saturates.
    pub fn plus_secs(self, seconds: i64) -> Self {
        Self::from_unix(self.0.saturating_add(seconds))
    }

    /// The UTC day.
    pub fn date(self) -> Date {
        match OffsetDateTime::from_unix_timestamp(self.0) {
            Ok(t) => Date { year: t.year(), month: u8::from(t.month()), day: t.day() },
            Err(_) => Date { year: 1970, month: 1, day: 1 },
        }
    }

    /// Midnight UTC of a day.
    pub fn from_date(date: Date) -> Self {
        date.inner().map_or(Self(0), |d| Self::from_unix(d.midnight().assume_utc().unix_timestamp()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: i32,
    month: u8,
    day: u8,
}

impl Date {
    /// A day that exists.
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let date = Self { year, month, day };
        (1..=9999).contains(&year).then_some(())?;
        date.inner().map(|_| date)
    }

    fn inner(self) -> Option<time::Date> {
        time::Date::from_calendar_date(self.year, Month::try_from(self.month).ok()?, self.day).ok()
    }

    /// Reads `YYYY-MM-DD`.
    pub fn parse_iso(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
        if parts.next().is_some() || !digits(year, 4) || !digits(month, 2) || !digits(day, 2) {
            return None;
        }
        Self::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    }

    /// `YYYY-MM-DD`.
    pub fn to_iso(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// The year.
    pub const fn year(self) -> i32 {
        self.year
    }

    /// The month, 1 to 12.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month.
    pub const fn day(self) -> u8 {
        self.day
    }

    /// ISO 8601 week: (week-based year, week 1 to 53).
    pub fn iso_week(self) -> (i32, u8) {
        self.inner().map_or((1970, 1), |d| {
            let (year, week, _) = d.to_iso_week_date();
            (year, week)
        })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_iso())
    }
}

/// Where the time comes from.
pub trait TimeSource: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still: for tests and for judging something as of a given moment.
#[derive(Clone, Copy, Debug)]
pub struct FixedTime(pub Timestamp);

impl TimeSource for FixedTime {
    fn now(&self) -> Timestamp {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_round_trip_and_offsets() {
        let t = Timestamp::parse_rfc3339("2026-11-21T15:00:00+07:00").unwrap();
        assert_eq!(t.to_rfc3339(), "2026-11-21T08:00:00Z");
        assert_eq!(t.date().to_iso(), "2026-11-21");
        assert_eq!(t.date().iso_week(), (2026, 47));
        assert!(Timestamp::parse_rfc3339("2026-11-21").is_none());
    }

    #[test]
    fn impossible_days_are_refused() {
        assert!(Date::parse_iso("2026-02-29").is_none());
        assert!(Date::parse_iso("2024-02-29").is_some());
        assert!(Date::parse_iso("2026-1-1").is_none());
        assert!(Date::parse_iso("+026-01-01").is_none());
        assert_eq!(Timestamp::from_unix(i64::MAX).plus_secs(1).date().year(), 9999);
    }
}
