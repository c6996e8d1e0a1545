//! Drawing: text to a QR symbol (ISO/IEC 18004), to PNG and to a terminal.
//!
//! Alphanumeric mode always: base45 text then costs 5.5 bits a character. Error correction M while the text fits version 22, else L up to
//! version 25; beyond that a phone's camera cannot be relied on.

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use qrcode::bits::Bits;
use qrcode::{Color, EcLevel, QrCode, Version};

use crate::codec::is_alphanumeric;
use crate::error::ExchangeError;

/// What one symbol should carry: characters of version 22 with error correction M.
pub const TARGET: usize = 1134;
/// What one symbol may carry: characters of version 25 with error correction L.
pub const CEILING: usize = 1853;
/// Light modules around the symbol (ISO/IEC 18004, 6.3.8).
const QUIET: usize = 4;
const MAX_SCALE: usize = 32;

/// A drawn symbol: square, dark modules are `true`.
#[derive(Clone, PartialEq, Eq)]
pub struct Symbol {
    width: usize,
    modules: Vec<bool>,
    version: i16,
    level: char,
}

impl std::fmt::Debug for Symbol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Symbol({}-{})", self.version, self.level)
    }
}

/// Draws a text.
///
/// # Errors
///
/// [`ExchangeError::NotAlphanumeric`] for characters outside base45's alphabet (or no text at all), [`ExchangeError::TooLarge`] beyond 25-L.
pub fn draw(text: &str) -> Result<Symbol, ExchangeError> {
    if text.is_empty() || !text.bytes().all(is_alphanumeric) {
        return Err(ExchangeError::NotAlphanumeric);
    }
    if text.len() > CEILING {
        return Err(ExchangeError::TooLarge);
    }
    let medium = (1..=22).map(|version| (version, EcLevel::M, 'M'));
    let low = (1..=25).map(|version| (version, EcLevel::L, 'L'));
    for (version, level, letter) in medium.chain(low) {
        let mut bits = Bits::new(Version::Normal(version));
        // Forced: the crate's optimizer may switch to byte mode in between.
        let fits = bits.push_alphanumeric_data(text.as_bytes()).and_then(|()| bits.push_terminator(level));
        if fits.is_err() {
            continue;
        }
        let code = QrCode::with_bits(bits, level).map_err(|_| ExchangeError::TooLarge)?;
        let width = code.width();
        let modules = code.into_colors().into_iter().map(|color| color == Color::Dark).collect();
        return Ok(Symbol { width, modules, version, level: letter });
    }
    Err(ExchangeError::TooLarge)
}

impl Symbol {
    /// Modules on one side, without the quiet zone.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Row by row, `true` is dark.
    pub fn modules(&self) -> &[bool] {
        &self.modules
    }

    /// Version, 1 to 25.
    pub fn version(&self) -> i16 {
        self.version
    }

    /// Error correction level, `M` or `L`.
    pub fn level(&self) -> char {
        self.level
    }

    fn dark(&self, x: usize, y: usize) -> bool {
        let inside = |n: usize| n.checked_sub(QUIET).filter(|n| *n < self.width);
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) => self.modules.get(y * self.width + x).copied().unwrap_or(false),
            _ => false,
        }
    }

    /// Grey picture with quiet zone, `scale` pixels (1 to 32) a module: (width = height in pixels, one byte a pixel, row by row).
    pub fn to_luma(&self, scale: usize) -> (usize, Vec<u8>) {
        let scale = scale.clamp(1, MAX_SCALE);
        let side = (self.width + 2 * QUIET) * scale;
        let pixel = |n: usize| if self.dark(n % side / scale, n / side / scale) { 0 } else { 255 };
        (side, (0..side * side).map(pixel).collect())
    }

    /// PNG with quiet zone, `scale` pixels (1 to 32) a module.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Picture`] when the encoder fails.
    pub fn to_png(&self, scale: usize) -> Result<Vec<u8>, ExchangeError> {
        let failed = ExchangeError::Picture("not encoded");
        let (side, pixels) = self.to_luma(scale);
        let side = u32::try_from(side).map_err(|_| failed)?;
        let mut png = Vec::new();
        PngEncoder::new(&mut png).write_image(&pixels, side, side, ExtendedColorType::L8).map_err(|_| failed)?;
        Ok(png)
    }

    /// Two modules a character with half blocks; light modules are drawn, so it reads on a dark terminal.
    pub fn to_terminal(&self) -> String {
        let side = self.width + 2 * QUIET;
        let mut out = String::new();
        for y in (0..side).step_by(2) {
            for x in 0..side {
                // Below the last row there is nothing to draw.
                out.push(match (self.dark(x, y), y + 1 >= side || self.dark(x, y + 1)) {
                    (false, false) => '\u{2588}',
                    (false, true) => '\u{2580}',
                    (true, false) => '\u{2584}',
                    (true, true) => ' ',
                });
            }
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(length: usize) -> String {
        "CWA1:%69 VD92EX0".chars().cycle().take(length).collect()
    }

    #[test]
    fn budget_of_the_design() {
        // ISO/IEC 18004, table 7: alphanumeric capacities.
        for (length, version, level) in
            [(20, 1, 'M'), (21, 2, 'M'), (TARGET, 22, 'M'), (TARGET + 1, 19, 'L'), (1460, 22, 'L'), (CEILING, 25, 'L')]
        {
            let symbol = draw(&text(length)).unwrap();
            assert_eq!((symbol.version(), symbol.level()), (version, level), "{length}");
            assert_eq!(symbol.width(), usize::try_from(symbol.version()).unwrap() * 4 + 17);
            assert_eq!(symbol.modules().len(), symbol.width() * symbol.width());
        }
        assert_eq!(draw(&text(CEILING + 1)).unwrap_err(), ExchangeError::TooLarge);
    }

    #[test]
    fn only_alphanumeric_text_is_drawn() {
        for bad in ["", "cwq1", "CWQ1:é", "A_B", "A\n"] {
            assert_eq!(draw(bad).unwrap_err(), ExchangeError::NotAlphanumeric);
        }
        // Digits stay alphanumeric: 20 digits would fit version 1 in numeric mode with room to spare; 21 do not fit it here.
        assert_eq!(draw(&"1".repeat(21)).unwrap().version(), 2);
    }

    #[test]
    fn pictures_have_a_quiet_zone() {
        let symbol = draw("CWQ1:BB8").unwrap();
        let (side, pixels) = symbol.to_luma(3);
        assert_eq!((side, pixels.len()), ((21 + 8) * 3, side * side));
        assert!(pixels[..side * 12].iter().all(|p| *p == 255));
        assert_eq!(pixels[12 * side + 12], 0, "the finder pattern's corner");
        assert!(symbol.to_png(2).unwrap().starts_with(b"\x89PNG"));
        let terminal = symbol.to_terminal();
        assert_eq!(terminal.lines().count(), 15);
        assert!(terminal.lines().all(|line| line.chars().count() == 29));
    }
}
