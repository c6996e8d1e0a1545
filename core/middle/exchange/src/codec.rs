//! The transport chain: zlib, base45 (RFC 9285), prefix; and back with caps.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use zeroize::Zeroizing;

use crate::code_points::{MAX_INFLATED, PREFIX_ONE_WAY};
use crate::error::ExchangeError;
use crate::scan::{Scanned, expect};

/// Compression effort: the content is small, so the best costs nothing.
const BEST: u8 = 9;

/// zlib (RFC 1950).
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(bytes, BEST)
}

/// Inflates a whole zlib stream of at most `cap` bytes.
///
/// # Errors
///
/// [`ExchangeError::Half`] when the stream ends early, [`ExchangeError::Damaged`] when it is altered, longer than the cap, or followed by more.
pub fn inflate(bytes: &[u8], cap: usize) -> Result<Zeroizing<Vec<u8>>, ExchangeError> {
    let mut out = Zeroizing::new(vec![0; cap]);
    let flags = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, used, written) = decompress(&mut DecompressorOxide::new(), bytes, &mut out, 0, flags);
    match status {
        TINFLStatus::Done if used == bytes.len() => {
            out.truncate(written);
            Ok(out)
        }
        TINFLStatus::Done => Err(ExchangeError::Damaged("something follows the content")),
        TINFLStatus::FailedCannotMakeProgress | TINFLStatus::NeedsMoreInput => Err(ExchangeError::Half),
        TINFLStatus::HasMoreOutput => Err(ExchangeError::Damaged("the content is larger than allowed")),
        _ => Err(ExchangeError::Damaged("the content does not inflate")),
    }
}

/// base45 (RFC 9285).
pub fn to_base45(bytes: &[u8]) -> String {
    base45::encode(bytes)
}

/// Reads base45. A text that was cut inside a group of three is told from one that was altered.
///
/// # Errors
///
/// [`ExchangeError::Half`] when the last group is incomplete, [`ExchangeError::Damaged`] for any other text that is not base45.
pub fn from_base45(text: &str) -> Result<Vec<u8>, ExchangeError> {
    let damaged = ExchangeError::Damaged("not base45");
    let whole = text.len() - text.len() % 3;
    let (groups, tail) = text.split_at_checked(whole).ok_or(damaged)?;
    let mut bytes = base45::decode(groups).map_err(|_| damaged)?;
    let digits: Option<Vec<u16>> = tail.bytes().map(digit).collect();
    match digits.ok_or(damaged)?.as_slice() {
        [] => {}
        // Two characters are one byte (RFC 9285, 4). Worked out here: the crate lets values beyond 255 wrap around.
        [low, high] => bytes.push(u8::try_from(low + 45 * high).map_err(|_| ExchangeError::Half)?),
        _ => return Err(ExchangeError::Half),
    }
    Ok(bytes)
}

/// Reads base45 and hands the bytes on. A cut may leave two characters of a group of three, which then look like a last byte of their own: when the
/// bytes make no sense with it and are merely incomplete without it, the text was cut.
pub(crate) fn from_base45_with<T>(text: &str, read: impl Fn(&[u8]) -> Result<T, ExchangeError>) -> Result<T, ExchangeError> {
    let bytes = from_base45(text)?;
    let found = read(&bytes);
    if let (Err(ExchangeError::Damaged(_)), 2, Some((_, rest))) = (&found, text.len() % 3, bytes.split_last())
        && matches!(read(rest), Err(ExchangeError::Half))
    {
        return Err(ExchangeError::Half);
    }
    found
}

/// Value of a character, 0 to 44 (RFC 9285, table 1).
fn digit(b: u8) -> Option<u16> {
    const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    ALPHABET.iter().position(|known| *known == b).and_then(|n| u16::try_from(n).ok())
}

/// The 45 characters of QR's alphanumeric mode (ISO/IEC 18004, 7.4.4) and of base45.
pub const fn is_alphanumeric(b: u8) -> bool {
    matches!(b, b'0'..=b'9' | b'A'..=b'Z' | b' ' | b'$' | b'%' | b'*' | b'+' | b'-' | b'.' | b'/' | b':')
}

/// The length of the one CBOR item that `bytes` must be.
///
/// # Errors
///
/// [`ExchangeError::Half`] when the item is longer than the bytes, [`ExchangeError::Damaged`] when it is no CBOR or something follows.
pub(crate) fn one_cbor_item(bytes: &[u8]) -> Result<(), ExchangeError> {
    let mut decoder = minicbor::Decoder::new(bytes);
    match decoder.skip() {
        Ok(()) if decoder.position() == bytes.len() => Ok(()),
        Ok(()) => Err(ExchangeError::Damaged("something follows the content")),
        Err(error) if error.is_end_of_input() => Err(ExchangeError::Half),
        Err(_) => Err(ExchangeError::Damaged("not CBOR")),
    }
}

/// Compressed content as text: request and one-way code.
pub(crate) fn pack(prefix: &str, content: &[u8]) -> String {
    format!("{prefix}{}", to_base45(&deflate(content)))
}

/// The content of a compressed text.
pub(crate) fn unpack(text: &str, wanted: Scanned) -> Result<Zeroizing<Vec<u8>>, ExchangeError> {
    from_base45_with(expect(text, wanted)?, |bytes| {
        let content = inflate(bytes, MAX_INFLATED)?;
        one_cbor_item(&content)?;
        Ok(content)
    })
}

/// A key binding token as a one-way code (path C): readable by everybody who films it.
///
/// # Errors
///
/// [`ExchangeError::TooLarge`] when it does not fit into one symbol.
pub fn pack_one_way(kbt: &[u8]) -> Result<String, ExchangeError> {
    let text = pack(PREFIX_ONE_WAY, kbt);
    if text.len() > crate::qr::CEILING { Err(ExchangeError::TooLarge) } else { Ok(text) }
}

/// The key binding token of a one-way code, unverified.
///
/// # Errors
///
/// As for every scanned text: foreign, wrong, half, damaged.
pub fn unpack_one_way(text: &str) -> Result<Vec<u8>, ExchangeError> {
    unpack(text, Scanned::OneWay).map(|content| content.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base45_examples_of_rfc_9285() {
        // RFC 9285, 4.3 and 4.4.
        for (bytes, text) in
            [(&b"AB"[..], "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0"), (b"", "")]
        {
            assert_eq!(to_base45(bytes), text);
            assert_eq!(from_base45(text).unwrap(), bytes);
        }
        assert_eq!(from_base45("QED8WEX0").unwrap(), b"ietf!");
    }

    #[test]
    fn base45_outside_its_range_is_refused() {
        // RFC 9285, 6: "GGW" is 65536, ":::" 91124; both do not fit into two bytes.
        for text in ["GGW", ":::", "BB8GGW", "bb8", "BB8é", "ÉÉÉ", "BB\u{0}"] {
            assert_eq!(from_base45(text), Err(ExchangeError::Damaged("not base45")), "{text}");
        }
        // "FGW" is 65535.
        assert_eq!(from_base45("FGW").unwrap(), [0xff, 0xff]);
        // Two characters beyond 255, and one alone, are beginnings of a group of three.
        assert_eq!(from_base45("::"), Err(ExchangeError::Half));
        assert_eq!(from_base45("BB8B"), Err(ExchangeError::Half));
        assert_eq!(from_base45("U5").unwrap(), [0xff]);
        assert_eq!(from_base45("V5"), Err(ExchangeError::Half));
    }

    #[test]
    fn zlib_bomb_is_stopped_at_the_cap() {
        let bomb = deflate(&vec![0; 10 * 1024 * 1024]);
        assert!(bomb.len() < 16 * 1024);
        assert_eq!(inflate(&bomb, MAX_INFLATED).unwrap_err(), ExchangeError::Damaged("the content is larger than allowed"));
        assert_eq!(inflate(&deflate(&[7; MAX_INFLATED]), MAX_INFLATED).unwrap().len(), MAX_INFLATED);
    }

    #[test]
    fn zlib_cut_altered_and_followed() {
        let whole = deflate(b"a content that is long enough to be cut somewhere in the middle of it");
        for cut in 1..whole.len() {
            assert_eq!(inflate(&whole[..cut], 1024).unwrap_err(), ExchangeError::Half, "{cut}");
        }
        let mut altered = whole.clone();
        *altered.last_mut().unwrap() ^= 1;
        assert!(matches!(inflate(&altered, 1024), Err(ExchangeError::Damaged(_))));
        let followed = [whole.as_slice(), b"x"].concat();
        assert_eq!(inflate(&followed, 1024).unwrap_err(), ExchangeError::Damaged("something follows the content"));
        assert!(matches!(inflate(b"no zlib", 1024), Err(ExchangeError::Damaged(_))));
    }

    #[test]
    fn one_way_round_trip_and_limits() {
        let kbt = [&[0x58, 200][..], &[9; 200]].concat();
        let text = pack_one_way(&kbt).unwrap();
        assert!(text.starts_with(PREFIX_ONE_WAY) && text.bytes().all(is_alphanumeric));
        assert_eq!(unpack_one_way(&text).unwrap(), kbt);
        let noise: Vec<u8> = (0u32..3000).flat_map(|n| wallet_base::crypto::sha256(&n.to_be_bytes())).take(1300).collect();
        assert_eq!(pack_one_way(&noise), Err(ExchangeError::TooLarge));
    }

    #[test]
    fn bad_input_half_qr_at_every_length() {
        let kbt = [&[0x58, 200][..], &wallet_base::crypto::sha512(b"x").repeat(4)[..200]].concat();
        let text = pack_one_way(&kbt).unwrap();
        for cut in PREFIX_ONE_WAY.len()..text.len() {
            assert_eq!(unpack_one_way(&text[..cut]), Err(ExchangeError::Half), "{cut}");
        }
    }
}
