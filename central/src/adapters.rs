//! What central asks of other services: delivery of codes and notices, and the comparison of faces. The back ends here are stand-ins; the states
//! and tries around them are real.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageFormat, ImageReader, imageops::FilterType};
use serde_json::json;
use wallet_base::time::Timestamp;

use crate::error::CentralError;

/// A message to a citizen's telephone.
pub struct Message<'a> {
    /// Telephone number.
    pub to: &'a str,
    /// What is being done (`activate`, `device-replaced`).
    pub action: &'a str,
    /// A name for the new device that the citizen can compare.
    pub device: &'a str,
    /// The code; empty for a notice.
    pub code: &'a str,
    /// When it was sent.
    pub at: Timestamp,
}

/// Out-of-band delivery. Called on a thread of its own, with a deadline, while central holds nothing.
pub trait Messenger: Send + Sync {
    /// Hands the message over for delivery. An error says that it was not and will not be delivered.
    fn send(&self, message: &Message<'_>) -> Result<(), CentralError>;
}

/// Writes each message to a JSON file of a spool directory; whoever reads it plays the telephone.
pub struct SpoolMessenger {
    directory: PathBuf,
}

impl SpoolMessenger {
    /// Messages go to `directory`, which is created when absent.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }
}

impl Messenger for SpoolMessenger {
    fn send(&self, message: &Message<'_>) -> Result<(), CentralError> {
        let failed = |error: std::io::Error| CentralError::Io { action: "write", file: "spool".into(), kind: error.kind() };
        fs::create_dir_all(&self.directory).map_err(failed)?;
        let body = json!({
            "to": message.to, "action": message.action, "device": message.device, "code": message.code, "at": message.at.to_rfc3339(),
        });
        // Names sort by time; a counter keeps messages of one second apart.
        for number in 0..10_000_u32 {
            let path = self.directory.join(format!("{:012}-{number:04}.json", message.at.unix().max(0)));
            if !path.exists() {
                return crate::files::write_private(&path, body.to_string().as_bytes());
            }
        }
        Err(CentralError::Io { action: "write", file: "spool".into(), kind: std::io::ErrorKind::AlreadyExists })
    }
}

/// What a face service answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaceAnswer {
    /// The same person.
    Same,
    /// Another person.
    Different,
    /// One of the pictures cannot be read.
    Unreadable,
    /// The service cannot say now: nothing was compared.
    Unavailable,
}

/// An outside service that compares a fresh picture with the chip's. Called on a thread of its own, with a deadline, while central holds nothing.
pub trait FaceService: Send + Sync {
    /// Compares the picture out of DG2 with the one just taken.
    fn compare(&self, chip_picture: &[u8], probe: &[u8]) -> FaceAnswer;
}

/// Stand-in for a face service: compares how light and dark lie in two pictures. It tells the synthetic faces apart and nothing more.
pub struct PictureComparison;

/// Side lengths of the thumbnails that are compared, in pixels.
const THUMB: (u32, u32) = (24, 32);
/// Largest mean absolute difference (0 to 255) of two pictures of one person.
const LARGEST_DIFFERENCE: f32 = 9.0;
/// Pictures larger than this are not decoded.
const MAX_PICTURE: usize = 2 << 20;

impl FaceService for PictureComparison {
    fn compare(&self, chip_picture: &[u8], probe: &[u8]) -> FaceAnswer {
        let (Some(chip), Some(probe)) = (thumb(chip_picture), thumb(probe)) else { return FaceAnswer::Unreadable };
        if difference(&chip, &probe) <= LARGEST_DIFFERENCE { FaceAnswer::Same } else { FaceAnswer::Different }
    }
}

/// Luma of a small version, brought to mean 0 and a common contrast so that exposure does not matter.
fn thumb(picture: &[u8]) -> Option<Vec<f32>> {
    if picture.len() > MAX_PICTURE {
        return None;
    }
    let mut reader = ImageReader::with_format(Cursor::new(picture), ImageFormat::Png);
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(4096);
    limits.max_image_height = Some(4096);
    limits.max_alloc = Some(64 << 20);
    reader.limits(limits);
    let small = reader.decode().ok()?.resize_exact(THUMB.0, THUMB.1, FilterType::Triangle).to_luma8();
    let values: Vec<f32> = small.pixels().map(|pixel| f32::from(pixel.0[0])).collect();
    let count = f32::from(u16::try_from(values.len()).ok()?);
    let mean = values.iter().sum::<f32>() / count;
    let spread = (values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / count).sqrt();
    // A picture without contrast shows no face.
    if spread < 4.0 {
        return None;
    }
    Some(values.into_iter().map(|value| (value - mean) / spread * 48.0).collect())
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    let count = f32::from(u16::try_from(a.len()).unwrap_or(u16::MAX));
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).sum::<f32>() / count
}

/// Directory of the spool inside the service's directory.
pub(crate) fn spool(dir: &Path) -> PathBuf {
    dir.join("spool")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::faces::{portrait, selfie};
    use crate::registry::SyntheticRegistry;

    #[test]
    fn each_face_matches_itself_and_nobody_else() {
        let registry = SyntheticRegistry::new().unwrap();
        for a in registry.all() {
            let chip = portrait(&a.personal_number, 240, 320).unwrap();
            for b in registry.all() {
                let probe = selfie(&b.personal_number, 300, 400).unwrap();
                let distance = difference(&thumb(&chip).unwrap(), &thumb(&probe).unwrap());
                let expected = if a.personal_number == b.personal_number { FaceAnswer::Same } else { FaceAnswer::Different };
                assert_eq!(PictureComparison.compare(&chip, &probe), expected, "distance {distance}");
            }
        }
    }

    #[test]
    fn bad_input_what_is_no_picture_is_unreadable() {
        let chip = portrait("001090000123", 240, 320).unwrap();
        for probe in [&b""[..], b"not a picture", chip.get(..200).unwrap()] {
            assert_eq!(PictureComparison.compare(&chip, probe), FaceAnswer::Unreadable);
        }
        let mut flat = Cursor::new(Vec::new());
        image::DynamicImage::new_luma8(64, 64).write_to(&mut flat, ImageFormat::Png).unwrap();
        assert_eq!(PictureComparison.compare(&chip, flat.get_ref()), FaceAnswer::Unreadable);
    }

    #[test]
    fn messages_of_one_second_do_not_overwrite_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let spool = SpoolMessenger::new(dir.path().join("spool"));
        for code in ["111111", "222222"] {
            spool.send(&Message { to: "+84", action: "activate", device: "d", code, at: Timestamp::from_unix(1_790_000_000) }).unwrap();
        }
        assert_eq!(std::fs::read_dir(dir.path().join("spool")).unwrap().count(), 2);
    }
}
