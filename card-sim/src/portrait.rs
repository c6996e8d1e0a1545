//! Draws a synthetic portrait: two numbers give two visibly different faces. It stands for a photograph and shows nobody.

use std::io::Cursor;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{Rgb, RgbImage};
use wallet_base::crypto::sha256;

use crate::SimError;

const WIDTH: u32 = 156;
const HEIGHT: u32 = 208;

struct Look {
    skin: [f32; 3],
    hair: [f32; 3],
    clothes: [f32; 3],
    face_width: f32,
    face_height: f32,
    hairline: f32,
    long_hair: bool,
    eye_distance: f32,
    eye_size: f32,
    brow: f32,
    nose: f32,
    mouth_width: f32,
    mouth_curve: f32,
    glasses: bool,
}

impl Look {
    fn of(seed: &str) -> Self {
        let digest = sha256(seed.as_bytes());
        let unit = |at: usize| f32::from(digest.get(at).copied().unwrap_or(0)) / 255.0;
        let between = |at: usize, low: f32, high: f32| low + unit(at) * (high - low);
        let tone = between(0, 0.72, 1.0);
        Self {
            skin: [236.0 * tone, 196.0 * tone, 160.0 * tone],
            hair: [between(1, 15.0, 70.0), between(1, 12.0, 50.0), between(1, 10.0, 40.0)],
            clothes: [between(2, 20.0, 200.0), between(3, 20.0, 200.0), between(4, 40.0, 220.0)],
            face_width: between(5, 40.0, 52.0),
            face_height: between(6, 54.0, 68.0),
            hairline: between(7, 0.35, 0.75),
            long_hair: unit(8) > 0.5,
            eye_distance: between(9, 15.0, 24.0),
            eye_size: between(10, 3.5, 6.5),
            brow: between(11, 8.0, 13.0),
            nose: between(12, 10.0, 22.0),
            mouth_width: between(13, 11.0, 21.0),
            mouth_curve: between(14, -1.0, 5.0),
            glasses: unit(15) > 0.7,
        }
    }

    /// Colour at a point, before grain.
    fn colour(&self, x: f32, y: f32) -> [f32; 3] {
        let (dx, dy) = (x - 78.0, y - 96.0);
        let inside = |dx: f32, dy: f32, a: f32, b: f32| (dx / a).powi(2) + (dy / b).powi(2) <= 1.0;
        let side = dx.abs();
        let background = 226.0 - 18.0 * y / 208.0;
        let mut colour = [background - 6.0, background, background + 8.0];
        if self.long_hair && inside(dx, dy - 10.0, self.face_width + 13.0, self.face_height + 34.0) {
            colour = self.hair;
        }
        if inside(dx, y - 232.0, 74.0, 62.0) {
            colour = self.clothes;
        }
        if side < 19.0 && y > 120.0 && y < 182.0 {
            colour = self.skin.map(|c| c * 0.88);
        }
        if inside(dx, dy + 6.0, self.face_width + 6.0, self.face_height + 8.0) && dy < 0.0 {
            colour = self.hair;
        }
        let face = inside(dx, dy, self.face_width, self.face_height);
        if face && dy > -self.face_height * self.hairline {
            let shade = 1.0 - 0.12 * (dx / self.face_width).powi(2) - 0.04 * dy / self.face_height;
            colour = self.skin.map(|c| c * shade);
            let eye = side - self.eye_distance;
            if inside(eye, dy + 10.0, self.eye_size * 1.7, self.eye_size) {
                colour = if inside(eye, dy + 10.0, self.eye_size * 0.8, self.eye_size * 0.9) {
                    [30.0, 22.0, 18.0]
                } else {
                    [245.0, 245.0, 242.0]
                };
            }
            if eye.abs() < self.eye_size * 2.0 && (dy + 10.0 + self.brow + eye.abs() * 0.12).abs() < 1.8 {
                colour = self.hair;
            }
            if self.glasses {
                let ring = (eye / 12.0).powi(2) + ((dy + 10.0) / 10.0).powi(2);
                if (0.8..1.1).contains(&ring) || (side < self.eye_distance - 11.0 && (dy + 11.0).abs() < 1.2) {
                    colour = [50.0, 50.0, 56.0];
                }
            }
            if side < 6.0 && (dy - self.nose).abs() < 1.6 {
                colour = self.skin.map(|c| c * 0.78);
            }
            let lip = dy - 34.0 - self.mouth_curve * (1.0 - (dx / self.mouth_width).powi(2));
            if side < self.mouth_width && lip.abs() < 2.6 {
                colour = [168.0, 84.0, 80.0];
            }
        }
        colour
    }
}

/// A PNG of 156 by 208 pixels, about as large as the face of a real card (12 to 20 KB), the same for the same seed.
pub fn draw(seed: &str) -> Result<Vec<u8>, SimError> {
    let look = Look::of(seed);
    let mut state = sha256(seed.as_bytes()).iter().fold(0x9E37_79B9_u32, |sum, byte| sum.rotate_left(5) ^ u32::from(*byte)) | 1;
    let mut grain = || {
        // xorshift32: grain like a sensor's, so that the file does not compress to nothing.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        f32::from(u8::try_from(state >> 30).unwrap_or(0).min(2)) * 2.0 - 2.0
    };
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // Coordinates are below 256, colours are clamped.
    let picture = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let noise = grain();
        Rgb(look.colour(x as f32, y as f32).map(|c| ((c / 4.0).round() * 4.0 + noise).clamp(0.0, 255.0) as u8))
    });
    let mut out = Cursor::new(Vec::new());
    let encoder = PngEncoder::new_with_quality(&mut out, CompressionType::Best, FilterType::NoFilter);
    picture.write_with_encoder(encoder).map_err(|_| SimError::Portrait)?;
    Ok(out.into_inner())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn faces_differ_repeat_and_have_a_real_cards_size() {
        let (a, b) = (draw("001090000123").unwrap(), draw("079201000456").unwrap());
        assert_ne!(a, b);
        assert_eq!(a, draw("001090000123").unwrap());
        for face in [&a, &b] {
            assert!((12_000..20_000).contains(&face.len()), "{} bytes", face.len());
        }
        let (a, b) = (image::load_from_memory(&a).unwrap().to_rgb8(), image::load_from_memory(&b).unwrap().to_rgb8());
        let apart = a.pixels().zip(b.pixels()).filter(|(a, b)| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > 24)).count();
        assert!(apart > 2_000, "only {apart} pixels differ visibly");
    }
}
