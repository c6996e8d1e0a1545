//! Finding and reading QR symbols in pixels, so that both apps scan without foreign services.

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
    // The finder needs some surroundings; anything smaller holds no symbol (version 1 is 21 modules wide).
    if width < 21 || height < 21 {
        return Ok(Vec::new());
    }
    let pixel = |x: usize, y: usize| pixels.get(y * width + x).copied().unwrap_or(u8::MAX);
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, pixel);
    let grids = picture.detect_grids();
    Ok(grids.iter().take(MAX_SYMBOLS).filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect())
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
