//! Synthetic portraits: a drawn face per citizen, the same on every run, visibly different from the next citizen's.
//!
//! The registry's picture, the card's DG2 and (with another exposure and some noise) the phone's selfie are drawn here. No real person's picture is
//! involved anywhere.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use wallet_base::crypto::sha256;

use crate::error::CentralError;

/// Largest side of a drawn picture in pixels.
const MAX_SIDE: u32 = 1024;

/// Features of a face, each from one byte of a hash of the personal number.
struct Features {
    seed: [u8; 32],
}

impl Features {
    fn of(personal_number: &str) -> Self {
        let mut text = b"wallet-central face ".to_vec();
        text.extend_from_slice(personal_number.as_bytes());
        Self { seed: sha256(&text) }
    }

    /// Feature `index` as a value in `low..=high`.
    fn range(&self, index: usize, low: f32, high: f32) -> f32 {
        let byte = self.seed.get(index).copied().unwrap_or(128);
        low + (high - low) * f32::from(byte) / 255.0
    }

    /// Feature `index` as one of `count` kinds.
    fn kind(&self, index: usize, count: u8) -> u8 {
        self.seed.get(index).copied().unwrap_or(0) % count
    }

    /// Colour at (x, y), both in 0..1 from the top left.
    fn pixel(&self, x: f32, y: f32) -> [f32; 3] {
        let backdrop = [self.range(0, 120.0, 245.0), self.range(1, 130.0, 245.0), self.range(2, 140.0, 250.0)];
        let tone = self.range(3, 0.72, 1.08);
        let skin = [232.0 * tone, 190.0 * tone, 158.0 * tone];
        let hair = match self.kind(4, 4) {
            0 => [24.0, 22.0, 22.0],
            1 => [62.0, 42.0, 30.0],
            2 => [120.0, 118.0, 116.0],
            _ => [40.0, 30.0, 48.0],
        };
        let cloth = [self.range(5, 20.0, 235.0), self.range(6, 20.0, 235.0), self.range(7, 20.0, 235.0)];
        let (face_w, face_h) = (self.range(8, 0.19, 0.29), self.range(9, 0.25, 0.33));
        let (cx, cy) = (0.5 + self.range(10, -0.03, 0.03), 0.46);
        let inside = |px: f32, py: f32, rx: f32, ry: f32| ((x - px) / rx).powi(2) + ((y - py) / ry).powi(2) <= 1.0;

        let mut colour = backdrop;
        let shoulder = self.range(11, 0.34, 0.48);
        if inside(cx, 1.04, shoulder, 0.26) {
            colour = cloth;
        }
        // Long hair hangs behind the face.
        let long = self.kind(12, 2) == 1;
        if inside(cx, cy - 0.03, face_w + 0.05, face_h + 0.07) || (long && (x - cx).abs() < face_w + 0.05 && (0.4..0.85).contains(&y)) {
            colour = hair;
        }
        if (x - cx).abs() < face_w * 0.42 && (0.6..0.86).contains(&y) {
            colour = [skin[0] * 0.88, skin[1] * 0.88, skin[2] * 0.88];
        }
        if inside(cx, cy, face_w, face_h) {
            colour = skin;
            let fringe = cy - face_h * self.range(13, 0.35, 0.85);
            if y < fringe + 0.04 * ((x - cx) * self.range(14, -6.0, 6.0)) {
                colour = hair;
            }
        }
        let (eye_dx, eye_y) = (face_w * self.range(15, 0.36, 0.5), cy - face_h * self.range(16, 0.05, 0.22));
        let eye_r = self.range(17, 0.026, 0.042);
        for side in [-1.0, 1.0] {
            let ex = cx + side * eye_dx;
            if inside(ex, eye_y, eye_r, eye_r * 0.62) {
                colour = [245.0, 245.0, 245.0];
            }
            if inside(ex, eye_y, eye_r * 0.5, eye_r * 0.5) {
                colour = [22.0, 18.0, 16.0];
            }
            let brow = eye_y - eye_r * 1.5 + side * (x - ex) * self.range(18, -0.4, 0.4);
            if (x - ex).abs() < eye_r * 1.35 && (y - brow).abs() < self.range(19, 0.006, 0.016) {
                colour = hair;
            }
            if self.kind(20, 3) == 0 {
                let ring = ((x - ex) / (eye_r * 1.6)).powi(2) + ((y - eye_y) / (eye_r * 1.4)).powi(2);
                if (0.78..=1.1).contains(&ring) {
                    colour = [30.0, 30.0, 34.0];
                }
            }
        }
        let nose = self.range(21, 0.02, 0.045);
        if inside(cx, cy + face_h * 0.2, nose, nose * 1.3) && y > cy + face_h * 0.16 {
            colour = [skin[0] * 0.84, skin[1] * 0.8, skin[2] * 0.78];
        }
        let mouth_y = cy + face_h * self.range(22, 0.48, 0.62);
        let bend = self.range(23, -1.2, 1.2) * (x - cx).powi(2) * 4.0;
        if (x - cx).abs() < face_w * self.range(24, 0.26, 0.48) && (y - mouth_y + bend).abs() < self.range(25, 0.009, 0.02) {
            colour = [170.0 * tone, 72.0, 78.0];
        }
        if self.kind(26, 4) == 0 && inside(cx, cy + face_h * 0.85, face_w * 0.6, face_h * 0.28) {
            colour = hair;
        }
        colour
    }
}

fn check(width: u32, height: u32) -> Result<(), CentralError> {
    if (16..=MAX_SIDE).contains(&width) && (16..=MAX_SIDE).contains(&height) { Ok(()) } else { Err(CentralError::Invalid("picture size")) }
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most 1024 pixels; values clamped to 0..=255
fn draw(personal_number: &str, width: u32, height: u32, adjust: impl Fn(u32, u32, f32) -> f32) -> RgbImage {
    let features = Features::of(personal_number);
    RgbImage::from_fn(width, height, |column, row| {
        let colour = features.pixel((column as f32 + 0.5) / width as f32, (row as f32 + 0.5) / height as f32);
        Rgb(colour.map(|channel| adjust(column, row, channel).clamp(0.0, 255.0) as u8))
    })
}

fn png(picture: DynamicImage) -> Result<Vec<u8>, CentralError> {
    let mut out = Cursor::new(Vec::new());
    picture.write_to(&mut out, ImageFormat::Png).map_err(|_| CentralError::Issue("a picture"))?;
    Ok(out.into_inner())
}

/// The portrait of a citizen in the registry, as a colour PNG. Sides from 16 to 1024 pixels.
pub fn portrait(personal_number: &str, width: u32, height: u32) -> Result<Vec<u8>, CentralError> {
    check(width, height)?;
    png(DynamicImage::ImageRgb8(draw(personal_number, width, height, |_, _, value| value)))
}

/// The same face as a phone's camera sees it: another exposure and some noise, so that comparing it is not comparing equal bytes.
pub fn selfie(personal_number: &str, width: u32, height: u32) -> Result<Vec<u8>, CentralError> {
    check(width, height)?;
    png(DynamicImage::ImageRgb8(draw(personal_number, width, height, |column, row, value| {
        // A small multiplicative hash over blocks of pixels is noise enough and the same on every run.
        let hash = ((column / 3).wrapping_mul(0x9E37_79B1) ^ (row / 3).wrapping_mul(0x85EB_CA77)).wrapping_mul(0xC2B2_AE3D) >> 27;
        value * 0.9 + 14.0 + f32::from(u8::try_from(hash).unwrap_or(0)) - 15.5
    })))
}

/// Largest portrait inside a credential, in bytes.
pub const MAX_SMALL_PORTRAIT: usize = 4096;

/// The portrait that goes into credentials: greyscale PNG of at most [`MAX_SMALL_PORTRAIT`] bytes.
pub fn small_portrait(personal_number: &str) -> Result<Vec<u8>, CentralError> {
    // Levels are thinned out so that PNG's compression keeps the picture small.
    for (width, height, step) in [(96, 120, 8_u8), (72, 90, 16), (48, 60, 16), (32, 40, 32)] {
        let grey = DynamicImage::ImageRgb8(draw(personal_number, width, height, |_, _, value| value)).to_luma8();
        let thinned = GrayImage::from_fn(width, height, |x, y| Luma([grey.get_pixel(x, y).0[0] / step * step]));
        let bytes = png(DynamicImage::ImageLuma8(thinned))?;
        if bytes.len() <= MAX_SMALL_PORTRAIT {
            return Ok(bytes);
        }
    }
    Err(CentralError::Issue("a small portrait"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn portraits_are_the_same_every_time_and_small_ones_fit() {
        assert_eq!(portrait("001090000123", 240, 320).unwrap(), portrait("001090000123", 240, 320).unwrap());
        assert_ne!(portrait("001090000123", 240, 320).unwrap(), selfie("001090000123", 240, 320).unwrap());
        for citizen in crate::registry::SyntheticRegistry::new().unwrap().all() {
            let small = small_portrait(&citizen.personal_number).unwrap();
            assert!(small.len() <= MAX_SMALL_PORTRAIT);
            assert!(small.starts_with(b"\x89PNG"));
            assert!(image::load_from_memory(&small).unwrap().width() >= 72);
        }
        assert!(portrait("001090000123", 8, 8).is_err());
        assert!(portrait("001090000123", 240, 99_999).is_err());
    }
}
