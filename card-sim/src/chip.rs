//! The simulated chip: takes command APDUs, gives response APDUs.

use std::sync::Arc;

use wallet_base::crypto::{Curve, HashAlg, SoftwareKey};
use wallet_base::random::{OsRandom, Random};
use wallet_chip::apdu::{Command, Response};
use wallet_chip::files::{AID, FileId};
use wallet_chip::tlv;

use crate::authority::CardProfile;
use crate::pace::ChipPace;
use crate::sm::ChipSession;

/// Most plain bytes in a protected response to a short command.
const SHORT_ROOM: usize = 223;
/// The same without secure messaging.
const PLAIN_ROOM: usize = 256;
/// The same with extended length.
const EXTENDED_ROOM: usize = 32_000;

/// How this card differs from a plain one. All off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// Takes extended-length commands; otherwise it answers 6700 in the clear and drops the session.
    pub extended: bool,
    /// Wants the domain parameter (84) in MSE:Set AT, else 6A88.
    pub wants_parameter: bool,
    /// Does not read by short identifier: 6A86.
    pub no_short_identifier: bool,
    /// EF.CardAccess cannot be reached: 6D00 on SELECT, 6982 on READ BINARY.
    pub hides_card_access: bool,
    /// Advertises PACE and answers MSE:Set AT with this status.
    pub refuses_pace: Option<u16>,
    /// Adds this many zero bytes after every file's outer element.
    pub padding: usize,
    /// Refuses Active Authentication with this status.
    pub refuses_active: Option<u16>,
    /// Most bytes in one READ BINARY response, as slow chips do; 0 for no limit of its own.
    pub read_limit: usize,
}

/// One simulated card. It holds its state between commands, as a powered chip does; [`Card::reset`] takes the power away.
pub struct Card {
    profile: CardProfile,
    behaviour: Behaviour,
    random: Arc<dyn Random>,
    pace: ChipPace,
    session: Option<ChipSession>,
    in_application: bool,
    current: Option<FileId>,
    commands: u64,
}

impl std::fmt::Debug for Card {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Card({} commands)", self.commands)
    }
}

impl Card {
    /// A card with plain behaviour and the system's randomness.
    pub fn new(profile: CardProfile) -> Self {
        Self::with(profile, Behaviour::default(), Arc::new(OsRandom))
    }

    /// A card with given behaviour and randomness.
    pub fn with(profile: CardProfile, behaviour: Behaviour, random: Arc<dyn Random>) -> Self {
        Self { profile, behaviour, random, pace: ChipPace::default(), session: None, in_application: false, current: None, commands: 0 }
    }

    /// Takes the power away: session, selection and PACE state are gone.
    pub fn reset(&mut self) {
        self.pace.reset();
        self.session = None;
        self.in_application = false;
        self.current = None;
    }

    /// Commands taken since the card was made.
    pub const fn commands(&self) -> u64 {
        self.commands
    }

    /// PACE runs that ended with a wrong password.
    pub const fn wrong_passwords(&self) -> u32 {
        self.pace.failures()
    }

    /// One command, one response.
    pub fn transmit(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.commands += 1;
        let Ok(command) = Command::decode(bytes) else { return Response::status(0x6700).encode() };
        if command.is_extended() && !self.behaviour.extended {
            self.session = None;
            return Response::status(0x6700).encode();
        }
        self.respond(&command).encode()
    }

    fn respond(&mut self, outer: &Command) -> Response {
        if outer.cla & 0x0C == 0x0C {
            let Some(mut session) = self.session.take() else { return Response::status(0x6988) };
            return match session.open(outer) {
                Ok(inner) => {
                    let room = if outer.is_extended() { EXTENDED_ROOM } else { SHORT_ROOM };
                    let response = self.execute(&inner, true, room);
                    let protected = session.protect(inner.ins, &response);
                    self.session = Some(session);
                    protected
                }
                // 9.8.9: the session ends at the first fault.
                Err(refusal) => Response::status(refusal.status()),
            };
        }
        // A plain command ends a session too.
        if self.session.take().is_some() {
            self.in_application = false;
            self.current = None;
        }
        let room = if outer.is_extended() { EXTENDED_ROOM } else { PLAIN_ROOM };
        self.execute(outer, false, room)
    }

    fn execute(&mut self, command: &Command, secure: bool, room: usize) -> Response {
        match (command.ins, command.p1, command.p2) {
            (0xA4, p1, _) => self.select(p1, &command.data),
            (0xB0, p1, p2) => {
                let (file, offset) = if p1 & 0x80 != 0 {
                    if self.behaviour.no_short_identifier && secure {
                        return Response::status(0x6A86);
                    }
                    (self.by_short_identifier(p1 & 0x1F), usize::from(p2))
                } else {
                    (self.current, usize::from(u16::from_be_bytes([p1, p2])))
                };
                self.read(file, offset, command.le, secure, room)
            }
            (0xB1, 0, p2) => {
                let file = if p2 == 0 { self.current } else { self.by_short_identifier(p2) };
                let Ok(offset) = tlv::only_tag(&command.data, 0x54) else { return Response::status(0x6A80) };
                let offset = offset.value.iter().fold(0usize, |sum, byte| (sum << 8 | usize::from(*byte)) & 0xFF_FFFF);
                // The wrapping data object needs room of its own.
                let le = command.le.map(|le| le.saturating_sub(4).max(1));
                let response = self.read(file, offset, le, secure, room.saturating_sub(4));
                if response.data.is_empty() { response } else { Response { data: tlv::encode(0x53, &response.data), ..response } }
            }
            (0x22, 0xC1, 0xA4) if !secure => match self.behaviour.refuses_pace {
                Some(status) => Response::status(status),
                None => self.pace.set_at(command, &self.profile.can, &self.profile.mrz_information, self.behaviour.wants_parameter),
            },
            (0x86, 0, 0) if !secure => {
                let (response, session) = self.pace.general_authenticate(command, &*self.random);
                if session.is_some() {
                    self.session = session;
                }
                response
            }
            (0x88, 0, 0) => self.authenticate(&command.data, secure),
            _ => Response::status(0x6D00),
        }
    }

    fn select(&mut self, p1: u8, data: &[u8]) -> Response {
        match (p1, data) {
            (0x00, [] | [0x3F, 0x00]) => {
                if self.behaviour.hides_card_access {
                    return Response::status(0x6D00);
                }
                self.in_application = false;
                self.current = None;
                Response::ok([])
            }
            (0x04, aid) if aid == AID => {
                self.in_application = true;
                self.current = None;
                Response::ok([])
            }
            (0x02, [0x01, short]) => match self.by_short_identifier(*short) {
                Some(FileId::CardAccess) if self.behaviour.hides_card_access => Response::status(0x6982),
                Some(file) if self.profile.files.contains_key(&file) => {
                    self.current = Some(file);
                    Response::ok([])
                }
                _ => Response::status(0x6A82),
            },
            _ => Response::status(0x6A82),
        }
    }

    /// EF.CardAccess lies in the master file, the others in the application.
    fn by_short_identifier(&self, short: u8) -> Option<FileId> {
        if self.in_application {
            FileId::APPLICATION.into_iter().find(|file| file.sfi() == short)
        } else {
            Some(FileId::CardAccess).filter(|file| file.sfi() == short)
        }
    }

    fn read(&mut self, file: Option<FileId>, offset: usize, le: Option<u32>, secure: bool, room: usize) -> Response {
        let Some(file) = file else { return Response::status(0x6A82) };
        let Some(content) = self.profile.files.get(&file) else { return Response::status(0x6A82) };
        let allowed = match file {
            FileId::CardAccess => !self.behaviour.hides_card_access,
            // Terminal authentication is not there, so fingers never are.
            FileId::Dg3 => false,
            _ => secure,
        };
        if !allowed {
            return Response::status(0x6982);
        }
        self.current = Some(file);
        let mut content = content.clone();
        content.resize(content.len() + self.behaviour.padding, 0);
        let Some(rest) = content.get(offset..).filter(|rest| !rest.is_empty()) else { return Response::status(0x6B00) };
        let wanted = le.map_or(0, |le| usize::try_from(le).unwrap_or(usize::MAX));
        let limit = if self.behaviour.read_limit == 0 { room } else { room.min(self.behaviour.read_limit) };
        let length = wanted.min(limit).min(rest.len());
        let ended = rest.len() < wanted && wanted < 256;
        Response { data: rest.get(..length).unwrap_or_default().to_vec(), status: if ended { 0x6282 } else { 0x9000 } }
    }

    /// INTERNAL AUTHENTICATE (9303-11, 6.1): ECDSA over eight bytes, r || s.
    fn authenticate(&self, challenge: &[u8], secure: bool) -> Response {
        if let Some(status) = self.behaviour.refuses_active {
            return Response::status(status);
        }
        if !secure || !self.in_application {
            return Response::status(0x6982);
        }
        if challenge.len() != 8 {
            return Response::status(0x6700);
        }
        SoftwareKey::from_scalar(Curve::BrainpoolP256r1, &self.profile.active_key)
            .ok()
            .and_then(|key| key.sign_hash(HashAlg::Sha256, challenge).ok())
            .map_or(Response::status(0x6985), Response::ok)
    }
}
