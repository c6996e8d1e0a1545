//! PACE with ECDH, generic mapping, AES-128 and brainpoolP256r1: the suite of Vietnamese cards (9303-11, 4.4).
//!
//! [`Terminal`] is the reader's side as a state machine: it gives commands and takes responses. What both sides share
//! (mapping, key derivation, tokens, data objects) are free functions, which the card simulator uses too.

pub mod curve;
mod password;

use wallet_base::crypto::ct_eq;
use wallet_base::random::Random;

use crate::ReadError;
use crate::access::PaceInfo;
use crate::apdu::{Command, Response};
use crate::sm::SecureMessaging;
use crate::symmetric::{AesKey, KeyUse};
use crate::tlv;
use curve::{Point, Secret};
pub use password::{Can, MrzKey, Password};

/// id-PACE-ECDH-GM-AES-CBC-CMAC-128, 0.4.0.127.0.7.2.2.4.2.2, content bytes.
pub const OID_ECDH_GM_AES128: [u8; 10] = [0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x04, 0x02, 0x02];
/// Standardised domain parameters 13: brainpoolP256r1 (9303-11, 9.5.1).
pub const PARAMETER_BRAINPOOL_P256R1: u8 = 13;

const STEP: &str = "PACE";

/// Session keys: KSEnc and KSMAC out of the shared secret (9303-11, 9.7.1).
pub fn session_keys(shared: &[u8]) -> (AesKey, AesKey) {
    (AesKey::derive(shared, KeyUse::Encrypt), AesKey::derive(shared, KeyUse::Authenticate))
}

/// Input of an authentication token: 7F49 { 06 protocol, 86 public key } (9303-11, 9.3 and 4.4.3.4).
pub fn token_input(public: &Point) -> Vec<u8> {
    tlv::encode_all(0x7F49, &[tlv::encode(0x06, &OID_ECDH_GM_AES128), tlv::encode(0x86, &public.encode())])
}

/// The token over the *other* side's ephemeral key.
pub fn token(mac: &AesKey, public: &Point) -> [u8; 8] {
    mac.cmac8(&token_input(public))
}

/// Decrypts z to the nonce s with K-pi, IV zero (9303-11, 4.4.3.2).
pub fn decrypt_nonce(key: &AesKey, z: &[u8]) -> Result<[u8; 16], ReadError> {
    const BAD: ReadError = ReadError::malformed(STEP, "nonce is not one block");
    if z.len() != 16 {
        return Err(BAD);
    }
    key.cbc_decrypt(&[0; 16], z)?.as_slice().try_into().map_err(|_| BAD)
}

/// Dynamic authentication data 7C with at most one data object (9303-11, 4.4.4.2).
pub fn dynamic_data(object: Option<(u32, &[u8])>) -> Vec<u8> {
    tlv::encode(0x7C, &object.map(|(tag, value)| tlv::encode(tag, value)).unwrap_or_default())
}

/// The one data object with this tag out of dynamic authentication data.
pub fn dynamic_object(data: &[u8], tag: u32) -> Result<&[u8], ReadError> {
    let outer = tlv::only_tag(data, 0x7C).map_err(|fault| fault.within(STEP))?;
    // Certification authority references (87, 88) may follow the token; they matter to terminal authentication only.
    outer.children().find(tag).map(|object| object.value).map_err(|fault| fault.within(STEP))
}

/// GENERAL AUTHENTICATE: chained (10) but for the last (00). The first two steps of the ICAO example carry Le.
fn general_authenticate(last: bool, data: Vec<u8>) -> Command {
    Command::new(if last { 0x00 } else { 0x10 }, 0x86, 0, 0).with_data(data).with_le(256)
}

enum State {
    SetAt,
    Nonce,
    Map { nonce: zeroize::Zeroizing<[u8; 16]>, key: Secret },
    Agree { key: Secret, public: Point, generator: Point },
    Confirm { enc: AesKey, mac: AesKey, expected: [u8; 8] },
}

/// What the terminal does next.
pub enum Next {
    /// Send this command and hand its response to [`Terminal::respond`].
    Send(Command),
    /// PACE succeeded; everything after goes through this session.
    Open(SecureMessaging),
}

/// The reader's side of one PACE run.
pub struct Terminal<'r> {
    password: &'r Password,
    random: &'r dyn Random,
}

/// A PACE run under way. It holds no password and no random source, so that a reader can keep it between steps.
pub struct Run {
    state: State,
    parameter_sent: bool,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("pace::Run(redacted)")
    }
}

impl<'r> Terminal<'r> {
    /// Prepares the side that knows the password.
    pub const fn new(password: &'r Password, random: &'r dyn Random) -> Self {
        Self { password, random }
    }

    /// MSE:Set AT (9303-11, 4.4.4.1). `with_parameter` adds data object 84, which chips with several PACEInfos need.
    pub fn start(&self, info: &PaceInfo, with_parameter: bool) -> (Run, Command) {
        let mut objects = vec![tlv::encode(0x80, &OID_ECDH_GM_AES128), tlv::encode(0x83, &[self.password.reference()])];
        if with_parameter && let Some(parameter) = info.parameter {
            objects.push(tlv::encode(0x84, &[parameter]));
        }
        let command = Command::new(0x00, 0x22, 0xC1, 0xA4).with_data(objects.concat());
        (Run { state: State::SetAt, parameter_sent: with_parameter }, command)
    }

    /// Takes the response to the last command. An error ends the run.
    pub fn respond(&self, run: &mut Run, response: &Response) -> Result<Next, ReadError> {
        match std::mem::replace(&mut run.state, State::SetAt) {
            State::SetAt => {
                // 63Cx here only tells how many tries are left; zero means blocked.
                match response.status {
                    0x9000 | 0x63C1..=0x63CF => {}
                    0x63C0 | 0x6983 | 0x6982 | 0x6985 => return Err(ReadError::AccessRefused { what: STEP }),
                    status => return Err(ReadError::Status { step: "MSE:Set AT", status }),
                }
                run.state = State::Nonce;
                Ok(Next::Send(general_authenticate(false, dynamic_data(None))))
            }
            State::Nonce => {
                check_status(response)?;
                let nonce = decrypt_nonce(&self.password.key(), dynamic_object(&response.data, 0x80)?)?;
                let key = Secret::random(self.random);
                let public = key.public(&Point::generator()?)?;
                run.state = State::Map { nonce: nonce.into(), key };
                Ok(Next::Send(general_authenticate(false, dynamic_data(Some((0x81, &public.encode()))))))
            }
            State::Map { nonce, key } => {
                check_status(response)?;
                let peer = Point::decode(dynamic_object(&response.data, 0x82)?)?;
                if peer == key.public(&Point::generator()?)? {
                    return Err(ReadError::malformed(STEP, "the card repeated our key"));
                }
                let generator = key.map(&nonce, &peer)?;
                let key = Secret::random(self.random);
                let public = key.public(&generator)?;
                run.state = State::Agree { key, public, generator };
                Ok(Next::Send(general_authenticate(false, dynamic_data(Some((0x83, &public.encode()))))))
            }
            State::Agree { key, public, generator } => {
                check_status(response)?;
                let peer = Point::decode(dynamic_object(&response.data, 0x84)?)?;
                // 4.4.3.3: both sides check that the two ephemeral keys differ.
                if peer == public || peer == generator {
                    return Err(ReadError::malformed(STEP, "the card repeated our key"));
                }
                let (enc, mac) = session_keys(&key.agree(&peer)?);
                let ours = token(&mac, &peer);
                let expected = token(&mac, &public);
                run.state = State::Confirm { enc, mac, expected };
                Ok(Next::Send(general_authenticate(true, dynamic_data(Some((0x85, &ours))))))
            }
            State::Confirm { enc, mac, expected } => {
                check_status(response)?;
                if !ct_eq(dynamic_object(&response.data, 0x86)?, &expected) {
                    return Err(ReadError::WrongPassword { tries_left: None });
                }
                Ok(Next::Open(SecureMessaging::new(enc, mac)))
            }
        }
    }
}

impl Run {
    /// MSE:Set AT was the last command, went without data object 84, and was answered in a way that chips use when they want it.
    pub(crate) fn wants_parameter(&self, response: &Response) -> bool {
        matches!(self.state, State::SetAt) && !self.parameter_sent && matches!(response.status, 0x6A80 | 0x6A87 | 0x6A88)
    }
}

fn check_status(response: &Response) -> Result<(), ReadError> {
    match response.status {
        0x9000 => Ok(()),
        // Some cards answer 63xx already at step 2 or 3.
        status @ 0x63C0..=0x63CF => Err(ReadError::WrongPassword { tries_left: u8::try_from(status & 0xF).ok() }),
        0x6300 => Err(ReadError::WrongPassword { tries_left: None }),
        0x6982 | 0x6983 | 0x6985 => Err(ReadError::AccessRefused { what: STEP }),
        status => Err(ReadError::Status { step: "GENERAL AUTHENTICATE", status }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use wallet_base::random::SeededRandom;

    /// A run up to its mapping or agreement step, and the terminal's own public key in it.
    fn run_to(step: usize, random: &SeededRandom) -> (Password, Run, Vec<u8>) {
        let password = Password::Can(Can::new("123456").unwrap());
        let terminal = Terminal::new(&password, random);
        let info = PaceInfo { protocol: OID_ECDH_GM_AES128.to_vec(), version: 2, parameter: Some(13) };
        let (mut run, _) = terminal.start(&info, false);
        let chip = Secret::random(&SeededRandom::new(99)).public(&Point::generator().unwrap()).unwrap().encode();
        let answers = [Vec::new(), dynamic_data(Some((0x80, &[7; 16]))), dynamic_data(Some((0x82, &chip)))];
        let mut own = Vec::new();
        for answer in answers.into_iter().take(step) {
            let Next::Send(command) = terminal.respond(&mut run, &Response::ok(answer)).unwrap() else { panic!("too early") };
            own = tlv::only(&command.data).unwrap().children().next_any().map(|object| object.value.to_vec()).unwrap_or_default();
        }
        (password, run, own)
    }

    fn answer(step: usize, data: impl FnOnce(&[u8]) -> Vec<u8>) -> ReadError {
        let random = SeededRandom::new(1);
        let (password, mut run, own) = run_to(step, &random);
        let response = Response::ok(data(&own));
        Terminal::new(&password, &random).respond(&mut run, &response).map(|_| ()).unwrap_err()
    }

    #[test]
    fn a_repeated_key_is_refused_in_both_agreements() {
        // 9303-11, 4.4.3.3: the two public keys shall differ.
        for (step, tag) in [(2, 0x82), (3, 0x84)] {
            assert_eq!(answer(step, |own| dynamic_data(Some((tag, own)))), ReadError::malformed(STEP, "the card repeated our key"));
        }
    }

    #[test]
    fn bad_points_are_refused_in_both_agreements() {
        for (step, tag) in [(2, 0x82), (3, 0x84)] {
            let good = Point::generator().unwrap().encode();
            let mut off = good.clone();
            off[64] ^= 1;
            let compressed = [&[2], &good[1..33]].concat();
            for point in [off, compressed, vec![0], Vec::new(), vec![4; 65], good[..64].to_vec(), [&good[..], &[0]].concat()] {
                let error = answer(step, |_| dynamic_data(Some((tag, &point))));
                assert_eq!(error, ReadError::malformed(STEP, "not a point of the curve"));
            }
        }
    }

    #[test]
    fn malformed_answers_are_refused_at_every_step() {
        for (step, tag) in [(1, 0x80), (2, 0x82), (3, 0x84)] {
            for data in [
                Vec::new(),
                vec![0x7C, 0],
                vec![0x7C, 5, 0x80],
                dynamic_data(Some((0x99, &[0; 16]))),
                dynamic_data(Some((tag, &[]))),
                vec![0x30, 0],
            ] {
                assert!(matches!(answer(step, |_| data), ReadError::Malformed { .. }));
            }
        }
    }
}
