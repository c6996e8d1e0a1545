//! DG2 (9303-10, 4.7.2): the face, in the CBEFF frame of ISO/IEC 7816-11 around an ISO/IEC 19794-5:2005 record. The image is
//! handed out as bytes and never decoded here.

use crate::ReadError;
use crate::tlv;

const FILE: &str = "EF.DG2";

/// A face image. `Debug` shows kind and size only.
#[derive(Clone, PartialEq, Eq)]
pub struct Face {
    /// The image file's bytes.
    pub image: Vec<u8>,
    /// `image/jpeg`, `image/jp2`, `image/j2k`, `image/png`, or `application/octet-stream`, told by the image's first bytes.
    pub mime: &'static str,
}

impl std::fmt::Debug for Face {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Face({}, {} bytes)", self.mime, self.image.len())
    }
}

/// Kind of image by its first bytes.
pub fn mime_of(image: &[u8]) -> &'static str {
    match image {
        [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
        [0, 0, 0, 0x0C, b'j', b'P', b' ', b' ', ..] => "image/jp2",
        [0xFF, 0x4F, 0xFF, 0x51, ..] => "image/j2k",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        _ => "application/octet-stream",
    }
}

impl Face {
    /// The first face of DG2: 75 { 7F61 { 02 count, 7F60 { A1 header, 5F2E | 7F2E record } ... } }.
    pub fn parse_dg2(bytes: &[u8]) -> Result<Self, ReadError> {
        let fault = |fault: tlv::TlvError| fault.within(FILE);
        let outer = tlv::file(bytes, 0x75).map_err(fault)?;
        let group = tlv::only_tag(outer.value, 0x7F61).map_err(fault)?;
        let mut elements = group.children();
        let count = elements.next_tag(0x02).map_err(fault)?;
        if count.value.is_empty() || count.value == [0] {
            return Err(ReadError::malformed(FILE, "no face"));
        }
        let template = elements.next_tag(0x7F60).map_err(fault)?;
        let block = template
            .children()
            .all()
            .map_err(fault)?
            .into_iter()
            .find(|element| matches!(element.tag, 0x5F2E | 0x7F2E))
            .ok_or(ReadError::malformed(FILE, "no biometric data block"))?;
        Self::parse_record(block.value)
    }

    /// ISO/IEC 19794-5:2005, 5: general header (14 bytes), facial information (20), feature points (8 each), image information (12), image.
    fn parse_record(record: &[u8]) -> Result<Self, ReadError> {
        const SHORT: ReadError = ReadError::malformed(FILE, "face record ends early");
        let number = |from: usize, length: usize| -> Result<usize, ReadError> {
            let bytes = record.get(from..from + length).ok_or(SHORT)?;
            Ok(bytes.iter().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte)))
        };
        match record.get(..8).ok_or(SHORT)? {
            b"FAC\x00010\x00" => {}
            _ => return Err(ReadError::Unsupported { what: "a face record that is not ISO/IEC 19794-5:2005" }),
        }
        if number(8, 4)? > record.len() || number(12, 2)? == 0 {
            return Err(ReadError::malformed(FILE, "face record lengths"));
        }
        let block = number(14, 4)?;
        let points = number(18, 2)?;
        let start = 14 + 20 + 8 * points + 12;
        let end = 14usize.checked_add(block).ok_or(SHORT)?;
        let image = record.get(start..end).ok_or(ReadError::malformed(FILE, "face record lengths"))?;
        if image.is_empty() {
            return Err(ReadError::malformed(FILE, "no image"));
        }
        Ok(Self { image: image.to_vec(), mime: mime_of(image) })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    /// ISO/IEC 19794-5:2005 typed in: header, one face with one feature point, image information, image.
    fn record(image: &[u8]) -> Vec<u8> {
        let block = u32::try_from(20 + 8 + 12 + image.len()).unwrap();
        let mut out = b"FAC\x00010\x00".to_vec();
        out.extend((14 + block).to_be_bytes());
        out.extend([0, 1]);
        out.extend(block.to_be_bytes());
        out.extend([0, 1]);
        out.extend([0; 14]);
        out.extend([1, 0x21, 0, 1, 0, 2, 0, 0]);
        out.extend([1, 0, 0, 240, 1, 64, 1, 2, 0, 0, 0, 0]);
        out.extend(image);
        out
    }

    fn dg2(record: &[u8]) -> Vec<u8> {
        let template = tlv::encode_all(0x7F60, &[tlv::encode(0xA1, &[0x80, 2, 1, 1]), tlv::encode(0x5F2E, record)]);
        tlv::encode(0x75, &tlv::encode_all(0x7F61, &[vec![2, 1, 1], template]))
    }

    #[test]
    fn the_image_comes_out_whole() {
        let image = [0xFF, 0xD8, 0xFF, 0xE0, 1, 2, 3];
        let face = Face::parse_dg2(&dg2(&record(&image))).unwrap();
        assert_eq!((face.image.as_slice(), face.mime), (&image[..], "image/jpeg"));
        assert_eq!(format!("{face:?}"), "Face(image/jpeg, 7 bytes)");
        for (image, mime) in [
            (&b"\x89PNG"[..], "image/png"),
            (b"\0\0\0\x0CjP  ", "image/jp2"),
            (b"\xFF\x4F\xFF\x51", "image/j2k"),
            (b"GIF", "application/octet-stream"),
        ] {
            assert_eq!(mime_of(image), mime);
        }
    }

    #[test]
    fn hostile_records_are_refused() {
        let good = record(&[0xFF, 0xD8, 0xFF]);
        for cut in 0..good.len() {
            assert!(Face::parse_dg2(&dg2(&good[..cut])).is_err(), "cut at {cut}");
        }
        for (at, byte) in [(0, 0), (8, 0xFF), (13, 0), (14, 0xFF), (17, 0), (18, 0xFF)] {
            let mut bad = good.clone();
            bad[at] = byte;
            assert!(Face::parse_dg2(&dg2(&bad)).is_err(), "byte {at}");
        }
        assert!(Face::parse_dg2(&[0x75, 0]).is_err());
        assert!(Face::parse_dg2(&tlv::encode(0x75, &tlv::encode(0x7F61, &[2, 1, 0]))).is_err());
    }
}
