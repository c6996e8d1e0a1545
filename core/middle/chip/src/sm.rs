//! Secure messaging with AES (9303-11, 9.8): the terminal's side. Fails closed: after one fault the session refuses everything.

use wallet_base::crypto::ct_eq;

use crate::ReadError;
use crate::apdu::{Command, Response};
use crate::symmetric::{AesKey, pad, unpad};
use crate::tlv;

/// Most plain bytes that one short protected response (at most 256 bytes of data) can carry under AES: DO87 of 228, DO99 of 4, DO8E of 10.
pub const MAX_SHORT_READ: u32 = 223;

/// The send sequence counter: 16 bytes for AES, zero after PACE (9303-11, 9.8.6.3). It never wraps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter(u128);

impl Counter {
    /// A counter in mid-session (for a recorded exchange).
    pub const fn at(value: u128) -> Self {
        Self(value)
    }

    /// One step on; before every command and every response.
    pub fn advance(&mut self) -> Result<[u8; 16], ReadError> {
        self.0 = self.0.checked_add(1).ok_or(ReadError::SecureMessaging { reason: "counter ran out" })?;
        Ok(self.0.to_be_bytes())
    }

    /// Value now.
    pub const fn value(self) -> u128 {
        self.0
    }
}

/// Both keys and the counter of one session; either side of it.
#[derive(Debug)]
pub struct Keys {
    enc: AesKey,
    mac: AesKey,
    counter: Counter,
}

impl Keys {
    /// Starts with counter zero.
    pub fn new(enc: AesKey, mac: AesKey) -> Self {
        Self { enc, mac, counter: Counter::default() }
    }

    /// Starts in mid-session.
    pub const fn at(enc: AesKey, mac: AesKey, counter: Counter) -> Self {
        Self { enc, mac, counter }
    }

    /// The next counter value.
    pub fn advance(&mut self) -> Result<[u8; 16], ReadError> {
        self.counter.advance()
    }

    /// Counter now.
    pub const fn counter(&self) -> Counter {
        self.counter
    }

    /// Pads and encrypts under the IV that belongs to a counter value.
    pub fn encrypt(&self, counter: [u8; 16], data: &[u8]) -> Result<Vec<u8>, ReadError> {
        self.enc.cbc_encrypt(&self.enc.encrypt_block(counter), &pad(data))
    }

    /// Decrypts and takes the padding off.
    pub fn decrypt(&self, counter: [u8; 16], data: &[u8]) -> Result<Vec<u8>, ReadError> {
        let plain = self.enc.cbc_decrypt(&self.enc.encrypt_block(counter), data)?;
        unpad(&plain).map(<[u8]>::to_vec).ok_or(ReadError::SecureMessaging { reason: "bad padding" })
    }

    /// MAC over counter || what, padded.
    pub fn mac(&self, counter: [u8; 16], what: &[u8]) -> [u8; 8] {
        let mut input = counter.to_vec();
        input.extend_from_slice(what);
        self.mac.cmac8(&pad(&input))
    }
}

/// The terminal's side of one session.
#[derive(Debug)]
pub struct SecureMessaging {
    keys: Keys,
    closed: bool,
    odd: bool,
}

const fn fault(reason: &'static str) -> ReadError {
    ReadError::SecureMessaging { reason }
}

impl SecureMessaging {
    /// A session right after PACE.
    pub fn new(enc: AesKey, mac: AesKey) -> Self {
        Self::over(Keys::new(enc, mac))
    }

    /// A session over given keys and counter.
    pub const fn over(keys: Keys) -> Self {
        Self { keys, closed: false, odd: false }
    }

    /// Counter now.
    pub const fn counter(&self) -> Counter {
        self.keys.counter()
    }

    /// Protects a command (9.8.4): CLA gets bits 0C, data goes into 87 (85 for odd instructions), Le into 97, the MAC into 8E.
    pub fn protect(&mut self, command: &Command) -> Result<Command, ReadError> {
        if self.closed {
            return Err(fault("session is closed"));
        }
        let counter = self.keys.advance()?;
        self.odd = command.ins & 1 == 1;
        let mut out = Command::new(command.cla | 0x0C, command.ins, command.p1, command.p2);
        let mut objects = Vec::new();
        if !command.data.is_empty() {
            let mut value = self.keys.encrypt(counter, &command.data)?;
            if !self.odd {
                value.insert(0, 0x01);
            }
            objects.extend(tlv::encode(if self.odd { 0x85 } else { 0x87 }, &value));
        }
        if let Some(le) = command.le {
            let value = if le > 256 {
                (le & 0xFFFF).to_be_bytes().get(2..).unwrap_or_default().to_vec()
            } else {
                vec![u8::try_from(le & 0xFF).unwrap_or(0)]
            };
            objects.extend(tlv::encode(0x97, &value));
        }
        let mut input = pad(&out.header());
        input.extend_from_slice(&objects);
        // Without data objects only the header is authenticated, and its own padding is the padding.
        let mac = if objects.is_empty() { self.keys.mac(counter, &out.header()) } else { self.keys.mac(counter, &input) };
        objects.extend(tlv::encode(0x8E, &mac));
        let extended = command.is_extended() || objects.len() > 255;
        out.data = objects;
        out.le = Some(if extended { 65_536 } else { 256 });
        Ok(out)
    }

    /// Verifies and opens a protected response. Every fault closes the session.
    pub fn open(&mut self, response: &Response) -> Result<Response, ReadError> {
        if self.closed {
            return Err(fault("session is closed"));
        }
        let opened = self.open_inner(response);
        if opened.is_err() {
            self.closed = true;
        }
        opened
    }

    fn open_inner(&mut self, response: &Response) -> Result<Response, ReadError> {
        let counter = self.keys.advance()?;
        if response.data.is_empty() {
            return Err(fault("response came unprotected"));
        }
        let mut elements = tlv::Elements::new(&response.data);
        let mut data = None;
        let mut status = None;
        let mut covered = Vec::new();
        let mut mac = None;
        while !elements.is_empty() {
            let object = elements.next_any().map_err(|_| fault("response is not made of data objects"))?;
            if mac.is_some() {
                return Err(fault("data after the checksum"));
            }
            match object.tag {
                0x87 | 0x85 if data.is_none() && status.is_none() => data = Some(object),
                0x99 if status.is_none() => status = Some(object),
                0x8E => {
                    mac = Some(object.value);
                    continue;
                }
                _ => return Err(fault("unknown data object")),
            }
            covered.extend_from_slice(object.raw);
        }
        let mac = mac.ok_or(fault("no checksum"))?;
        if !ct_eq(mac, &self.keys.mac(counter, &covered)) {
            return Err(fault("checksum is wrong"));
        }
        let status = status.ok_or(fault("no protected status"))?;
        let status = u16::from_be_bytes(status.value.try_into().map_err(|_| fault("bad protected status"))?);
        if status != response.status {
            return Err(fault("status differs from the protected one"));
        }
        let data = match data {
            None => Vec::new(),
            Some(object) => {
                let ((0x87, false, [0x01, cipher @ ..]) | (0x85, true, cipher)) = (object.tag, self.odd, object.value) else {
                    return Err(fault("wrong form of encrypted data"));
                };
                if cipher.is_empty() {
                    return Err(fault("empty encrypted data"));
                }
                self.keys.decrypt(counter, cipher)?
            }
        };
        Ok(Response { data, status })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::symmetric::KeyUse;

    #[test]
    fn the_counter_never_wraps() {
        let key = || AesKey::derive(b"x", KeyUse::Encrypt);
        let mut session = SecureMessaging::over(Keys::at(key(), key(), Counter::at(u128::MAX)));
        assert_eq!(session.protect(&Command::new(0, 0xB0, 0, 0)), Err(fault("counter ran out")));
    }

    #[test]
    fn the_largest_short_read_fits_a_short_response() {
        // DO87 (3 + 1 + padded data), DO99 (4), DO8E (10): at most 256 bytes.
        let room = |plain: usize| 4 + pad(&vec![0; plain]).len() + 4 + 10;
        assert!(room(MAX_SHORT_READ as usize) <= 256 && room(MAX_SHORT_READ as usize + 1) > 256);
    }
}
