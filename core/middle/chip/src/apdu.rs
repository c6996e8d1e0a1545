//! Command and response APDUs (ISO/IEC 7816-4, 5.1), short and extended length, both directions.

use crate::ReadError;

/// Most data bytes of a command, and most of a response.
pub const MAX_DATA: usize = 65_535;

/// A command APDU. `Debug` shows its header and lengths only.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    /// Class byte.
    pub cla: u8,
    /// Instruction byte.
    pub ins: u8,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: u8,
    /// Command data; empty means no Lc.
    pub data: Vec<u8>,
    /// Expected length: `None` no Le, `Some(256)` short "all", `Some(65536)` extended "all".
    pub le: Option<u32>,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Command({:02X} {:02X} {:02X} {:02X}, {} bytes, le {:?})", self.cla, self.ins, self.p1, self.p2, self.data.len(), self.le)
    }
}

impl Command {
    /// A command without data and without Le.
    pub const fn new(cla: u8, ins: u8, p1: u8, p2: u8) -> Self {
        Self { cla, ins, p1, p2, data: Vec::new(), le: None }
    }

    /// Adds command data.
    pub fn with_data(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.data = data.into();
        self
    }

    /// Adds an expected length, 1 to 65536.
    pub const fn with_le(mut self, le: u32) -> Self {
        self.le = Some(le);
        self
    }

    /// The four header bytes.
    pub const fn header(&self) -> [u8; 4] {
        [self.cla, self.ins, self.p1, self.p2]
    }

    /// Lc or Le need the extended form.
    pub fn is_extended(&self) -> bool {
        self.data.len() > 255 || self.le.is_some_and(|le| le > 256)
    }

    /// The bytes on the wire: short form when it fits, extended otherwise. Data beyond 65535 bytes is cut (no caller makes it).
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.header().to_vec();
        let data = self.data.get(..MAX_DATA.min(self.data.len())).unwrap_or_default();
        if self.is_extended() {
            out.push(0);
            if !data.is_empty() {
                out.extend_from_slice(&u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
                out.extend_from_slice(data);
            }
            if let Some(le) = self.le {
                // 65536 is written as 0000.
                out.extend_from_slice(&u16::try_from(le.min(65_536) & 0xFFFF).unwrap_or(0).to_be_bytes());
            }
        } else {
            if !data.is_empty() {
                out.push(u8::try_from(data.len()).unwrap_or(u8::MAX));
                out.extend_from_slice(data);
            }
            if let Some(le) = self.le {
                // 256 is written as 00.
                out.push(u8::try_from(le & 0xFF).unwrap_or(0));
            }
        }
        out
    }

    /// Reads a command, as a card does. Every case of ISO/IEC 7816-3, 12.1.3.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReadError> {
        const BAD: ReadError = ReadError::malformed("command", "bad length fields");
        let (head, body) = bytes.split_at_checked(4).ok_or(BAD)?;
        let [cla, ins, p1, p2] = <[u8; 4]>::try_from(head).map_err(|_| BAD)?;
        let mut command = Self::new(cla, ins, p1, p2);
        let short_le = |byte: u8| if byte == 0 { 256 } else { u32::from(byte) };
        let long_le = |bytes: [u8; 2]| match u16::from_be_bytes(bytes) {
            0 => 65_536,
            le => u32::from(le),
        };
        match *body {
            [] => {}
            [le] => command.le = Some(short_le(le)),
            [0, a, b] => command.le = Some(long_le([a, b])),
            [0, a, b, ref rest @ ..] => {
                let (data, le) = rest.split_at_checked(usize::from(u16::from_be_bytes([a, b]))).ok_or(BAD)?;
                if data.is_empty() {
                    return Err(BAD);
                }
                command.data = data.to_vec();
                command.le = match *le {
                    [] => None,
                    [a, b] => Some(long_le([a, b])),
                    _ => return Err(BAD),
                };
            }
            [lc, ref rest @ ..] => {
                let (data, le) = rest.split_at_checked(usize::from(lc)).ok_or(BAD)?;
                command.data = data.to_vec();
                command.le = match *le {
                    [] => None,
                    [le] => Some(short_le(le)),
                    _ => return Err(BAD),
                };
            }
        }
        Ok(command)
    }
}

/// A response APDU. `Debug` shows its length and status only.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// Response data.
    pub data: Vec<u8>,
    /// SW1-SW2.
    pub status: u16,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Response({} bytes, {:04X})", self.data.len(), self.status)
    }
}

impl Response {
    /// A response of a status alone.
    pub const fn status(status: u16) -> Self {
        Self { data: Vec::new(), status }
    }

    /// Data with 9000.
    pub fn ok(data: impl Into<Vec<u8>>) -> Self {
        Self { data: data.into(), status: 0x9000 }
    }

    /// 9000.
    pub const fn is_ok(&self) -> bool {
        self.status == 0x9000
    }

    /// The bytes on the wire.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.data.clone();
        out.extend_from_slice(&self.status.to_be_bytes());
        out
    }

    /// Reads a response; at least two bytes, at most 65538.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReadError> {
        const BAD: ReadError = ReadError::malformed("response", "bad length");
        if bytes.len() > MAX_DATA + 3 {
            return Err(BAD);
        }
        let (data, status) = bytes.split_at_checked(bytes.len().checked_sub(2).ok_or(BAD)?).ok_or(BAD)?;
        let status = u16::from_be_bytes(<[u8; 2]>::try_from(status).map_err(|_| BAD)?);
        Ok(Self { data: data.to_vec(), status })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn every_case_of_7816_3_survives_a_round() {
        for data in [0usize, 1, 255, 256, 65_535] {
            for le in [None, Some(1), Some(255), Some(256), Some(257), Some(65_536)] {
                let mut command = Command::new(0, 0xB0, 1, 2).with_data(vec![5; data]);
                command.le = le;
                let back = Command::decode(&command.encode()).unwrap();
                assert_eq!(back, command);
            }
        }
        // 7816-3 case 2S, 3S, 2E, typed in.
        assert_eq!(Command::new(0, 0xB0, 0x9E, 0).with_le(256).encode(), [0, 0xB0, 0x9E, 0, 0]);
        assert_eq!(Command::new(0, 0xA4, 2, 0x0C).with_data([1, 0x1C]).encode(), [0, 0xA4, 2, 0x0C, 2, 1, 0x1C]);
        assert_eq!(Command::new(0, 0xB0, 0, 0).with_le(65_536).encode(), [0, 0xB0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn malformed_lengths_are_refused() {
        for bytes in
            [&[][..], &[0, 1, 2], &[0, 1, 2, 3, 5, 1], &[0, 1, 2, 3, 1, 1, 1, 1], &[0, 1, 2, 3, 0, 0, 2, 1], &[0, 1, 2, 3, 0, 0, 0, 1]]
        {
            assert!(Command::decode(bytes).is_err());
        }
        assert!(Response::decode(&[0x90]).is_err());
        assert_eq!(Response::decode(&[1, 0x62, 0x82]).unwrap(), Response { data: vec![1], status: 0x6282 });
    }

    #[test]
    fn debug_shows_no_data() {
        let text = format!("{:?} {:?}", Command::new(0, 0x86, 0, 0).with_data(*b"123456"), Response::ok(*b"NGUYEN"));
        assert!(!text.contains("123456") && !text.contains("49") && !text.contains("NGUYEN") && !text.contains("78"), "{text}");
    }
}
