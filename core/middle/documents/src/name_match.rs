//! Does a name agree with the one on a boarding pass?
//!
//! The name field of a bar-coded boarding pass (IATA Resolution 792) is 20 characters: `SURNAME/GIVEN`, upper-case Latin without diacritics,
//! spaces often dropped, a title often glued on, cut off at the end. A difference is a reason to look, never a proof of fraud: amber, not red.

use wallet_base::fact::{By, Fact, FactName};
use wallet_base::text::fold_name;

/// Width of the passenger name field.
pub const BOARDING_NAME_WIDTH: usize = 20;
/// Longest name looked at.
const MAX_NAME: usize = 200;
const TITLES: [&str; 8] = ["MISS", "MSTR", "MRS", "CHD", "INF", "MR", "MS", "DR"];
/// Fillers for "first name unknown" and "last name unknown".
const UNKNOWN: [&str; 2] = ["FNU", "LNU"];

/// How the names compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameMatch {
    /// The same after transliteration, in either order.
    Same,
    /// The boarding pass shows only the beginning, and the beginning agrees.
    Truncated,
    /// Family and last name agree, a middle name is missing.
    MiddleMissing,
    /// One name repeated or filled up, as for people with a single name.
    SingleName,
    /// They differ.
    Different,
}

impl NameMatch {
    /// The fact `name.match`: passed; passed with a caution; not-checked (a person must look) when the names differ. Never failed.
    pub fn fact(self, by: By, about: &str) -> Fact {
        let passed = Fact::passed(FactName::NameMatch, by);
        match self {
            Self::Same | Self::Truncated => passed,
            Self::MiddleMissing => passed.with_caution("middle name missing"),
            Self::SingleName => passed.with_caution("single name"),
            Self::Different => Fact::not_checked(FactName::NameMatch, by, "names differ"),
        }
        .about(about)
    }
}

/// Compares a whole name as printed on the paper (family name first) with the name field of a boarding pass.
pub fn match_boarding_name(full_name: &str, boarding: &str) -> NameMatch {
    if full_name.chars().count() > MAX_NAME || boarding.chars().count() > MAX_NAME {
        return NameMatch::Different;
    }
    let folded = fold_name(full_name);
    let parts: Vec<&str> = folded.split(' ').filter(|part| !part.is_empty()).collect();
    // A field that is used to its last column may have lost its end.
    let cut = boarding.trim_end().chars().count() >= BOARDING_NAME_WIDTH;
    let readings = readings(boarding);
    let (Some((first, rest)), false) = (parts.split_first(), readings.is_empty()) else {
        return NameMatch::Different;
    };
    let Some((last, middle)) = rest.split_last() else {
        return single_name(first, &readings, cut);
    };
    let (middle, given) = (middle.concat(), rest.concat());
    // Family-first as in Viet Nam, and the Western orders a booking form makes of it.
    let whole = [format!("{first}{given}"), format!("{given}{first}"), format!("{last}{middle}{first}"), format!("{last}{first}{middle}")];
    let any = |hit: &dyn Fn(&str, &str) -> bool, candidates: &[String]| {
        readings.iter().any(|reading| candidates.iter().any(|candidate| hit(candidate, reading)))
    };
    let equal = |candidate: &str, reading: &str| candidate == reading;
    let begins = |candidate: &str, reading: &str| cut && candidate.starts_with(reading);
    if any(&equal, &whole) {
        return NameMatch::Same;
    }
    if any(&begins, &whole) {
        return NameMatch::Truncated;
    }
    let without_middle = [format!("{first}{last}"), format!("{last}{first}")];
    if !middle.is_empty() && (any(&equal, &without_middle) || any(&begins, &without_middle)) {
        return NameMatch::MiddleMissing;
    }
    NameMatch::Different
}

fn single_name(name: &str, readings: &[String], cut: bool) -> NameMatch {
    if readings.iter().any(|reading| reading == name) {
        return NameMatch::Same;
    }
    let filled = |reading: &String| {
        let doubled = format!("{name}{name}");
        *reading == doubled
            || (cut && doubled.starts_with(reading.as_str()))
            || UNKNOWN.iter().any(|filler| reading.strip_suffix(filler) == Some(name) || reading.strip_prefix(filler) == Some(name))
    };
    if readings.iter().any(filled) { NameMatch::SingleName } else { NameMatch::Different }
}

/// Letters of the boarding name, with and without a title at its end.
fn readings(boarding: &str) -> Vec<String> {
    let letters: String = fold_name(&boarding.replace('/', " ")).split(' ').collect();
    let mut out = Vec::new();
    if letters.is_empty() {
        return out;
    }
    out.extend(TITLES.iter().filter_map(|title| letters.strip_suffix(title)).filter(|rest| !rest.is_empty()).map(ToOwned::to_owned));
    out.push(letters);
    out
}

#[cfg(test)]
mod tests {
    use wallet_base::fact::{Conclusion, Verdict};

    use super::*;

    #[test]
    fn both_orders_and_transliteration() {
        for boarding in
            ["NGUYEN/VAN AN", "NGUYEN/VANAN", "NGUYEN/VANANMR", "NGUYEN/VAN AN MR", "AN/NGUYEN VAN", "VANAN/NGUYEN", "NGUYEN VAN AN"]
        {
            assert_eq!(match_boarding_name("Nguyễn Văn An", boarding), NameMatch::Same, "{boarding}");
        }
        assert_eq!(match_boarding_name("Đặng Thị Ngọc Ánh", "DANG/THINGOCANHMS"), NameMatch::Same);
        // The title's letters may belong to the name.
        assert_eq!(match_boarding_name("Lê Ms", "LE/MS"), NameMatch::Same);
    }

    #[test]
    fn truncated_at_twenty_characters() {
        let name = "Nguyễn Hoàng Phương Thảo Nguyên";
        assert_eq!(match_boarding_name(name, "NGUYEN/HOANGPHUONGTH"), NameMatch::Truncated);
        assert_eq!("NGUYEN/HOANGPHUONGTH".len(), BOARDING_NAME_WIDTH);
        // Shorter than the field: nothing was cut off, so it is not a beginning but another name.
        assert_eq!(match_boarding_name(name, "NGUYEN/HOANG"), NameMatch::Different);
        assert_eq!(match_boarding_name(name, "NGUYEN/HOANGPHUONGTA"), NameMatch::Different);
    }

    #[test]
    fn missing_middle_name_is_amber() {
        for boarding in ["NGUYEN/AN", "AN/NGUYEN", "NGUYEN/AN MR"] {
            assert_eq!(match_boarding_name("Nguyễn Văn An", boarding), NameMatch::MiddleMissing, "{boarding}");
        }
        let verdict = Verdict::from(vec![NameMatch::MiddleMissing.fact(By::Verifier, "citizen-identity")]);
        assert_eq!(verdict.conclusion(), Conclusion::Undetermined(FactName::NameMatch));
    }

    #[test]
    fn people_with_one_name() {
        assert_eq!(match_boarding_name("Nga", "NGA/NGA"), NameMatch::SingleName);
        assert_eq!(match_boarding_name("Nga", "NGA/FNU"), NameMatch::SingleName);
        assert_eq!(match_boarding_name("Nga", "NGA"), NameMatch::Same);
        assert_eq!(match_boarding_name("Nga", "NGA/LAN"), NameMatch::Different);
    }

    #[test]
    fn a_mismatch_is_amber_not_red() {
        for (name, boarding) in [
            ("Nguyễn Văn An", "TRAN/VAN AN"),
            ("Nguyễn Văn An", "NGUYEN/VAN ANH"),
            ("Nguyễn Văn An", ""),
            ("", "NGUYEN/AN"),
            ("Nguyễn Văn An", "MR"),
        ] {
            assert_eq!(match_boarding_name(name, boarding), NameMatch::Different, "{name} {boarding}");
        }
        let verdict = Verdict::from(vec![NameMatch::Different.fact(By::Verifier, "")]);
        assert_eq!(verdict.conclusion(), Conclusion::Undetermined(FactName::NameMatch));
        assert_eq!(match_boarding_name(&"a ".repeat(5000), "A"), NameMatch::Different);
    }
}
