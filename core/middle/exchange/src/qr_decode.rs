//! Finding and reading QR symbols in pixels, so that both apps scan without foreign services.

use std::borrow::Cow;
use std::io::Cursor;

use image::{ImageFormat, ImageReader, Limits};

use crate::error::ExchangeError;

/// Largest picture in pixels: 16 megapixels.
pub const MAX_PIXELS: usize = 16 * 1024 * 1024;
/// Largest side in pixels.
pub const MAX_SIDE: u32 = 8192;
/// Largest PNG file in bytes.
pub const MAX_PNG: usize = 16 * 1024 * 1024;
/// Most symbols read in one picture.
const MAX_SYMBOLS: usize = 8;

/// Texts of the symbols in a grey picture, `width * height` bytes, row by row, 0 is black. Symbols that cannot be corrected are left out.
///
/// # Errors
///
/// [`ExchangeError::Picture`] when the size does not fit the bytes or exceeds the caps.
pub fn decode_luma(width: usize, height: usize, pixels: &[u8]) -> Result<Vec<String>, ExchangeError> {
    let size = width.checked_mul(height).filter(|size| *size == pixels.len() && *size > 0).ok_or(ExchangeError::Picture("size"))?;
    if size > MAX_PIXELS || [width, height].iter().any(|side| u32::try_from(*side).is_ok_and(|side| side > MAX_SIDE)) {
        return Err(ExchangeError::Picture("too large"));
    }
    // Anything smaller holds no symbol (version 1 is 21 modules wide).
    if width < 21 || height < 21 {
        return Ok(Vec::new());
    }
    let picture = Grey { width, height, pixels: pixels.into() };
    // The finder judges light against its surroundings, so what fails as it came may be found with a white margin, in another size, or inverted
    // (dark screens). Tried in the order of how often it helps; the first that reads anything wins.
    let attempts: [fn(&Grey<'_>) -> Option<Grey<'static>>; 5] = [
        |picture| picture.with_margin(),
        |picture| picture.half(),
        |picture| picture.half()?.with_margin(),
        |picture| picture.double()?.with_margin(),
        |picture| picture.inverted().with_margin(),
    ];
    let mut found = picture.read();
    for attempt in attempts {
        if !found.is_empty() {
            break;
        }
        found = attempt(&picture).map_or_else(Vec::new, |other| other.read());
    }
    Ok(found)
}

/// Largest picture that is tried again in other forms, in pixels: what a phone's preview gives. A larger one is read as it came and at half size.
const MAX_RETRIED: usize = 2 * 1024 * 1024;

/// A grey picture, row by row, 0 is black.
struct Grey<'a> {
    width: usize,
    height: usize,
    pixels: Cow<'a, [u8]>,
}

impl Grey<'_> {
    fn at(&self, x: usize, y: usize) -> u8 {
        self.pixels.get(y * self.width + x).copied().unwrap_or(u8::MAX)
    }

    fn read(&self) -> Vec<String> {
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(self.width, self.height, |x, y| self.at(x, y));
        let grids = picture.detect_grids();
        grids.iter().take(MAX_SYMBOLS).filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect()
    }

    fn made(width: usize, height: usize, pixel: impl Fn(usize, usize) -> u8) -> Grey<'static> {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect();
        Grey { width, height, pixels: Cow::Owned(pixels) }
    }

    fn is_large(&self) -> bool {
        self.pixels.len() > MAX_RETRIED
    }

    /// White all around, half as wide as the picture.
    fn with_margin(&self) -> Option<Grey<'static>> {
        let (left, top) = (self.width / 2, self.height / 2);
        let inside = |x: usize, y: usize| (left..left + self.width).contains(&x) && (top..top + self.height).contains(&y);
        let pixel = |x, y| if inside(x, y) { self.at(x - left, y - top) } else { u8::MAX };
        (!self.is_large()).then(|| Self::made(self.width + 2 * left, self.height + 2 * top, pixel))
    }

    fn half(&self) -> Option<Grey<'static>> {
        let pixel = |x: usize, y: usize| {
            let sum: u16 = [(0, 0), (1, 0), (0, 1), (1, 1)].iter().map(|(dx, dy)| u16::from(self.at(2 * x + dx, 2 * y + dy))).sum();
            u8::try_from(sum / 4).unwrap_or(u8::MAX)
        };
        (self.width >= 42 && self.height >= 42).then(|| Self::made(self.width / 2, self.height / 2, pixel))
    }

    fn double(&self) -> Option<Grey<'static>> {
        (!self.is_large()).then(|| Self::made(self.width * 2, self.height * 2, |x, y| self.at(x / 2, y / 2)))
    }

    fn inverted(&self) -> Grey<'static> {
        Self::made(self.width, self.height, |x, y| u8::MAX - self.at(x, y))
    }
}

/// Texts of the symbols in a PNG file.
///
/// # Errors
///
/// [`ExchangeError::Picture`] when the file is too large, no PNG, or damaged.
pub fn decode_png(png: &[u8]) -> Result<Vec<String>, ExchangeError> {
    if png.len() > MAX_PNG {
        return Err(ExchangeError::Picture("too large"));
    }
    let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    // Four channels of 16 bits, and the decoder's own rows.
    limits.max_alloc = Some(MAX_PIXELS as u64 * 9);
    reader.limits(limits);
    let picture = reader.decode().map_err(|_| ExchangeError::Picture("not a readable PNG"))?.into_luma8();
    let side = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    decode_luma(side(picture.width()), side(picture.height()), picture.as_raw())
}

#[cfg(test)]
mod tests {
    use wallet_base::crypto::sha256;

    use super::*;
    use crate::qr::{CEILING, TARGET, draw};

    fn text(length: usize) -> String {
        let noise: Vec<u8> = (0u32..100).flat_map(|n| sha256(&n.to_be_bytes())).collect();
        format!("CWA1:{}", crate::codec::to_base45(&noise)).chars().take(length).collect()
    }

    #[test]
    fn what_is_drawn_is_read_from_pixels() {
        for length in [8, 100, TARGET, CEILING] {
            let text = text(length);
            let symbol = draw(&text).unwrap();
            assert_eq!(decode_png(&symbol.to_png(4).unwrap()).unwrap(), [text.as_str()], "{length}");
            let (side, pixels) = symbol.to_luma(3);
            assert_eq!(decode_luma(side, side, &pixels).unwrap(), [text.as_str()], "{length}");
        }
    }

    #[test]
    fn a_worn_picture_is_still_read() {
        // Grey instead of black, uneven light, and one module in fifty wrong: error correction M mends up to 15 percent of the codewords.
        let text = text(300);
        let (side, mut pixels) = draw(&text).unwrap().to_luma(5);
        for (n, pixel) in pixels.iter_mut().enumerate() {
            let light = u8::try_from(60 + n % side * 60 / side).unwrap();
            *pixel = if *pixel == 0 { light / 2 } else { 120 + light };
        }
        assert_eq!(decode_luma(side, side, &pixels).unwrap(), [text]);
    }

    /// Three box blurs of this radius: close to a Gaussian.
    fn blurred(side: usize, pixels: &[u8], radius: usize) -> Vec<u8> {
        let mut picture = pixels.to_vec();
        for step in [1, side, 1, side, 1, side] {
            let before = picture.clone();
            for (n, pixel) in picture.iter_mut().enumerate() {
                let near: Vec<u32> = (0..=2 * radius)
                    .filter_map(|k| before.get((n + k * step).wrapping_sub(radius * step)))
                    .map(|p| u32::from(*p))
                    .collect();
                *pixel = u8::try_from(near.iter().sum::<u32>() / u32::try_from(near.len()).unwrap()).unwrap();
            }
        }
        picture
    }

    #[test]
    fn blurred_and_inverted_pictures_are_read() {
        for length in [300, TARGET] {
            let text = text(length);
            let (side, pixels) = draw(&text).unwrap().to_luma(6);
            assert_eq!(decode_luma(side, side, &blurred(side, &pixels, 1)).unwrap(), [text.as_str()], "{length} blurred");
            let inverted: Vec<u8> = pixels.iter().map(|p| 255 - p).collect();
            assert_eq!(decode_luma(side, side, &inverted).unwrap(), [text.as_str()], "{length} inverted");
        }
    }

    #[test]
    fn hostile_pictures_are_refused_or_empty() {
        assert_eq!(decode_luma(10, 10, &[0; 99]), Err(ExchangeError::Picture("size")));
        assert_eq!(decode_luma(usize::MAX, 2, &[]), Err(ExchangeError::Picture("size")));
        assert_eq!(decode_luma(0, 0, &[]), Err(ExchangeError::Picture("size")));
        assert_eq!(decode_luma(MAX_PIXELS + 1, 1, &vec![0; MAX_PIXELS + 1]), Err(ExchangeError::Picture("too large")));
        assert_eq!(decode_luma(9000, 1, &[0; 9000]), Err(ExchangeError::Picture("too large")));
        assert_eq!(decode_luma(1, 1, &[0]).unwrap(), Vec::<String>::new());
        assert_eq!(decode_png(b"not a picture"), Err(ExchangeError::Picture("not a readable PNG")));
        let png = draw("CWQ1:BB8").unwrap().to_png(2).unwrap();
        assert!(decode_png(&png[..png.len() / 2]).is_err());
        // A header that promises 8,000 million pixels.
        let mut huge = png.clone();
        huge[16..24].copy_from_slice(&[0, 1, 0x5f, 0x90, 0, 1, 0x5f, 0x90]);
        assert!(decode_png(&huge).is_err());
    }

    #[test]
    fn noise_never_panics() {
        for seed in 0u32..40 {
            let (width, height) = (30 + seed as usize * 3, 40 + seed as usize * 2);
            let noise: Vec<u8> =
                (0..width * height).map(|n| sha256(&[seed.to_be_bytes().as_slice(), &n.to_be_bytes()].concat())[0]).collect();
            assert!(decode_luma(width, height, &noise).is_ok());
            // A real symbol with torn parts.
            let (side, mut pixels) = draw(&text(200)).unwrap().to_luma(2);
            let tear = usize::try_from(seed).unwrap() * 37;
            for (to, from) in pixels.iter_mut().skip(tear * side / 16).step_by(3).zip(noise) {
                *to = from;
            }
            assert!(decode_luma(side, side, &pixels).is_ok());
        }
    }
}
