//! PACE on the chip's side (9303-11, 4.4): ECDH, generic mapping, AES-128, brainpoolP256r1, with CAN or MRZ.

use wallet_base::crypto::ct_eq;
use wallet_base::random::{Random, array};
use wallet_chip::apdu::{Command, Response};
use wallet_chip::pace::curve::{Point, Secret};
use wallet_chip::pace::{self, Can, MrzKey, OID_ECDH_GM_AES128, PARAMETER_BRAINPOOL_P256R1, Password};
use wallet_chip::symmetric::AesKey;
use wallet_chip::tlv;

use crate::sm::ChipSession;

enum State {
    Idle,
    Chosen { key: AesKey },
    Nonce { nonce: [u8; 16] },
    Mapped { generator: Point },
    Agreed { enc: AesKey, mac: AesKey, terminal: Point, chip: Point },
}

/// The chip's side of PACE runs.
pub struct ChipPace {
    state: State,
    failures: u32,
}

impl Default for ChipPace {
    fn default() -> Self {
        Self { state: State::Idle, failures: 0 }
    }
}

const WRONG_DATA: Response = Response::status(0x6A80);
const CONDITIONS: Response = Response::status(0x6985);

impl ChipPace {
    /// How many runs ended with a wrong token.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Back to the beginning, as after a loss of power. Failures stay counted.
    pub fn reset(&mut self) {
        self.state = State::Idle;
    }

    /// MSE:Set AT: protocol (80), password (83), domain parameters (84, demanded when `need_parameter`).
    pub fn set_at(&mut self, command: &Command, can: &str, mrz_information: &str, need_parameter: bool) -> Response {
        self.state = State::Idle;
        let Ok(objects) = tlv::Elements::new(&command.data).all() else { return WRONG_DATA };
        let object = |tag: u32| objects.iter().find(|object| object.tag == tag).map(|object| object.value);
        if object(0x80) != Some(&OID_ECDH_GM_AES128) {
            return WRONG_DATA;
        }
        match object(0x84) {
            Some([PARAMETER_BRAINPOOL_P256R1]) => {}
            None if !need_parameter => {}
            _ => return Response::status(0x6A88),
        }
        let password = match object(0x83) {
            Some([1]) => MrzKey::from_mrz_information(mrz_information).map(Password::Mrz),
            Some([2]) => Can::new(can).map(Password::Can),
            _ => return Response::status(0x6A88),
        };
        let Ok(password) = password else { return Response::status(0x6A88) };
        self.state = State::Chosen { key: password.key() };
        Response::ok([])
    }

    /// GENERAL AUTHENTICATE. The second value is the session when the last step succeeded.
    pub fn general_authenticate(&mut self, command: &Command, random: &dyn Random) -> (Response, Option<ChipSession>) {
        let state = std::mem::replace(&mut self.state, State::Idle);
        let object = |tag: u32| pace::dynamic_object(&command.data, tag);
        let point = |tag: u32| Point::decode(object(tag)?);
        let last = command.cla & 0x10 == 0;
        match (state, last) {
            (State::Chosen { key }, false) => {
                if command.data != pace::dynamic_data(None) {
                    return (WRONG_DATA, None);
                }
                let nonce: [u8; 16] = array(random);
                let Ok(z) = key.cbc_encrypt(&[0; 16], &nonce) else { return (CONDITIONS, None) };
                self.state = State::Nonce { nonce };
                (Response::ok(pace::dynamic_data(Some((0x80, &z)))), None)
            }
            (State::Nonce { nonce }, false) => {
                let Ok(terminal) = point(0x81) else { return (WRONG_DATA, None) };
                let key = Secret::random(random);
                let (Ok(public), Ok(generator)) = (Point::generator().and_then(|g| key.public(&g)), key.map(&nonce, &terminal)) else {
                    return (WRONG_DATA, None);
                };
                if public == terminal {
                    return (WRONG_DATA, None);
                }
                self.state = State::Mapped { generator };
                (Response::ok(pace::dynamic_data(Some((0x82, &public.encode())))), None)
            }
            (State::Mapped { generator }, false) => {
                let Ok(terminal) = point(0x83) else { return (WRONG_DATA, None) };
                let key = Secret::random(random);
                let (Ok(chip), Ok(shared)) = (key.public(&generator), key.agree(&terminal)) else { return (WRONG_DATA, None) };
                if chip == terminal {
                    return (WRONG_DATA, None);
                }
                let (enc, mac) = pace::session_keys(&shared);
                self.state = State::Agreed { enc, mac, terminal, chip };
                (Response::ok(pace::dynamic_data(Some((0x84, &chip.encode())))), None)
            }
            (State::Agreed { enc, mac, terminal, chip }, true) => {
                let Ok(token) = object(0x85) else { return (WRONG_DATA, None) };
                if !ct_eq(token, &pace::token(&mac, &chip)) {
                    self.failures += 1;
                    return (Response::status(0x6300), None);
                }
                let ours = pace::token(&mac, &terminal);
                (Response::ok(pace::dynamic_data(Some((0x86, &ours)))), Some(ChipSession::new(enc, mac)))
            }
            _ => (CONDITIONS, None),
        }
    }
}
