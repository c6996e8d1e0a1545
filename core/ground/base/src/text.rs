//! Text from outside, made safe to show; names made comparable.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// NFC text without control, bidirectional-override, invisible or private-use characters, at most `max_chars` long. `None` when it is not.
///
/// An issuer's or verifier's text is shown to a person who decides by it, so characters that change how other text looks are refused.
pub fn safe_text(text: &str, max_chars: usize) -> Option<String> {
    // NFC can only shorten Vietnamese text; the raw cap bounds the work.
    if text.len() > max_chars.saturating_mul(12) {
        return None;
    }
    let text: String = text.nfc().collect();
    (text.chars().count() <= max_chars && !text.chars().any(is_unsafe) && !has_piled_marks(&text)).then_some(text)
}

/// More marks on one letter than any language writes: they hide or overwrite the lines around them.
fn has_piled_marks(text: &str) -> bool {
    let mut marks = 0;
    text.chars().any(|c| {
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        marks > 2
    })
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{fe00}'..='\u{fe0f}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{10ffff}')
}

/// Folds a name for comparing with a machine-readable zone or a boarding pass (ICAO 9303-3, 6): upper-case ASCII letters, single spaces.
/// Vietnamese diacritics fall away, `Đ` becomes `D`; `<`, hyphens and apostrophes separate or vanish as in the MRZ.
pub fn fold_name(name: &str) -> String {
    let mut folded = String::new();
    for c in name.nfd() {
        match c {
            'đ' | 'Đ' => folded.push('D'),
            c if c.is_ascii_alphabetic() => folded.push(c.to_ascii_uppercase()),
            ' ' | '<' | '-' | '\t' | '\u{a0}' if !folded.is_empty() && !folded.ends_with(' ') => folded.push(' '),
            _ => {}
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vietnamese_names_fold_to_the_mrz() {
        assert_eq!(fold_name("Nguyễn Văn An"), "NGUYEN VAN AN");
        assert_eq!(fold_name("Đặng Thị Ngọc Ánh"), "DANG THI NGOC ANH");
        assert_eq!(fold_name("NGUYEN<<VAN<AN<<<<"), "NGUYEN VAN AN");
        assert_eq!(fold_name("  Trần-Lê  O'Brien "), "TRAN LE OBRIEN");
        // Composed and decomposed spellings agree.
        assert_eq!(fold_name("Nguye\u{302}\u{303}n"), fold_name("Nguyễn"));
    }

    #[test]
    fn text_that_lies_about_itself_is_refused() {
        assert_eq!(safe_text("Cổng 12, Nội Bài", 40).as_deref(), Some("Cổng 12, Nội Bài"));
        assert!(safe_text("gate\u{202e}21", 40).is_none());
        assert!(safe_text("a\u{200b}b", 40).is_none());
        assert!(safe_text("line\nbreak", 40).is_none());
        assert!(safe_text("abcdef", 5).is_none());
        assert!(safe_text(&format!("a{}", "\u{301}".repeat(60)), 100).is_none());
        assert!(safe_text("a\u{3164}b", 100).is_none());
        assert!(safe_text(&"a".repeat(1_000_000), 5).is_none());
    }
}
