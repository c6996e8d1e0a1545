//! Secure messaging on the chip's side (9303-11, 9.8), written against the standard, not against the terminal's code; they share
//! only the keys' primitives ([`wallet_chip::sm::Keys`]).

use wallet_base::crypto::ct_eq;
use wallet_chip::apdu::{Command, Response};
use wallet_chip::sm::Keys;
use wallet_chip::symmetric::{AesKey, pad};
use wallet_chip::tlv;

/// Why a protected command was not taken: the status word that a chip answers, unprotected, before it drops the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 6987: an expected data object is missing.
    Missing,
    /// 6988: a data object is wrong.
    Wrong,
}

impl Refusal {
    /// The status word.
    pub const fn status(self) -> u16 {
        match self {
            Self::Missing => 0x6987,
            Self::Wrong => 0x6988,
        }
    }
}

/// The chip's end of a session.
#[derive(Debug)]
pub struct ChipSession {
    keys: Keys,
}

impl ChipSession {
    /// A session right after PACE.
    pub fn new(enc: AesKey, mac: AesKey) -> Self {
        Self::over(Keys::new(enc, mac))
    }

    /// A session over given keys and counter (for a recorded exchange).
    pub const fn over(keys: Keys) -> Self {
        Self { keys }
    }

    /// Verifies and opens a protected command.
    pub fn open(&mut self, outer: &Command) -> Result<Command, Refusal> {
        let counter = self.keys.advance().map_err(|_| Refusal::Wrong)?;
        let objects = tlv::Elements::new(&outer.data).all().map_err(|_| Refusal::Wrong)?;
        let object = |tag: u32| objects.iter().find(|object| object.tag == tag);
        let checksum = object(0x8E).ok_or(Refusal::Missing)?;
        if objects.last().map(|last| last.tag) != Some(0x8E)
            || objects.iter().any(|object| !matches!(object.tag, 0x87 | 0x85 | 0x97 | 0x8E))
        {
            return Err(Refusal::Wrong);
        }
        let covered: Vec<u8> = objects.iter().filter(|object| object.tag != 0x8E).flat_map(|object| object.raw.iter().copied()).collect();
        let input = if covered.is_empty() { outer.header().to_vec() } else { [pad(&outer.header()), covered].concat() };
        if !ct_eq(checksum.value, &self.keys.mac(counter, &input)) {
            return Err(Refusal::Wrong);
        }
        let mut inner = Command::new(outer.cla & !0x0C, outer.ins, outer.p1, outer.p2);
        if let Some(cipher) = object(if outer.ins & 1 == 1 { 0x85 } else { 0x87 }) {
            let ((0x87, [0x01, cipher @ ..]) | (0x85, cipher)) = (cipher.tag, cipher.value) else { return Err(Refusal::Wrong) };
            inner.data = self.keys.decrypt(counter, cipher).map_err(|_| Refusal::Wrong)?;
        }
        if let Some(le) = object(0x97) {
            inner.le = match *le.value {
                [0] => Some(256),
                [le] => Some(u32::from(le)),
                [0, 0] => Some(65_536),
                [a, b] => Some(u32::from(u16::from_be_bytes([a, b]))),
                _ => return Err(Refusal::Wrong),
            };
        }
        Ok(inner)
    }

    /// Protects a response: 87 (85 for odd instructions) when there are data, 99 with the status, 8E.
    pub fn protect(&mut self, ins: u8, response: &Response) -> Response {
        let protected = self.keys.advance().and_then(|counter| {
            let mut objects = Vec::new();
            if !response.data.is_empty() {
                let cipher = self.keys.encrypt(counter, &response.data)?;
                objects.extend(if ins & 1 == 1 { tlv::encode(0x85, &cipher) } else { tlv::encode_all(0x87, &[vec![0x01], cipher]) });
            }
            objects.extend(tlv::encode(0x99, &response.status.to_be_bytes()));
            let mac = self.keys.mac(counter, &objects);
            objects.extend(tlv::encode(0x8E, &mac));
            Ok(Response { data: objects, status: response.status })
        });
        protected.unwrap_or(Response::status(0x6F00))
    }
}
