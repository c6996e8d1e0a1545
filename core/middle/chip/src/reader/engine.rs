//! The state machine behind [`super`].

use std::collections::BTreeMap;
use std::sync::Arc;

use wallet_base::crypto::ct_eq;
use wallet_base::random::Random;
use zeroize::Zeroize;

use super::{AccessRecord, ChipData, Input, Output, PasswordKind, Progress, ReadPlan};
use crate::ReadError;
use crate::access::SecurityInfos;
use crate::apdu::{Command, Response};
use crate::files::{AID, FileId};
use crate::pace::{Next, Password, Run, Terminal};
use crate::sm::{MAX_SHORT_READ, SecureMessaging};
use crate::sod::Sod;
use crate::tlv::{self, MAX_FILE};

/// Largest extended read that is asked for. Larger ones gain little and some phones' controllers fail on them.
const MAX_EXTENDED_READ: u32 = 4096;
/// Offsets above this need READ BINARY with an odd instruction (ISO/IEC 7816-4, 11.3.3).
const MAX_SHORT_OFFSET: usize = 0x7FFF;

/// What the last command was for.
enum Step {
    Idle,
    SelectMaster,
    /// The same in mid-reading, before a new session without a loss of power.
    ReopenMaster,
    CardAccess {
        selected: bool,
    },
    SelectCardAccess,
    Pace(Box<Run>),
    SelectApplication,
    Read {
        selected: bool,
    },
    SelectFile,
    Authenticate,
}

/// One file that is being read.
struct Partial {
    file: FileId,
    bytes: Vec<u8>,
    total: Option<usize>,
    /// The SOD read again after a loss, to be compared.
    proof: bool,
}

impl Partial {
    const fn new(file: FileId, proof: bool) -> Self {
        Self { file, bytes: Vec::new(), total: None, proof }
    }
}

/// The reading engine; see [`crate::reader`]. Not tied to a thread; `Debug` is redacted.
pub struct Reader {
    plan: ReadPlan,
    password: Password,
    random: Arc<dyn Random>,
    step: Step,
    session: Option<SecureMessaging>,
    card_access: Vec<u8>,
    access: Option<AccessRecord>,
    extended: bool,
    asked: u32,
    files: BTreeMap<FileId, Vec<u8>>,
    withheld: Vec<FileId>,
    listed: Option<Vec<FileId>>,
    partial: Option<Partial>,
    /// The file that a loss cut short; it goes on after the proof.
    interrupted: Option<Partial>,
    signature: Option<Vec<u8>>,
    authenticated: bool,
    exchanges: u32,
    resuming: bool,
    finished: bool,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader({:?})", self.progress())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        for bytes in self.files.values_mut() {
            bytes.zeroize();
        }
        for partial in [&mut self.partial, &mut self.interrupted].into_iter().flatten() {
            partial.bytes.zeroize();
        }
    }
}

const REFUSED: [u16; 4] = [0x6982, 0x6983, 0x6985, 0x6986];
const ABSENT: [u16; 2] = [0x6A82, 0x6A83];
/// Statuses of cards that do not read by short identifier in this state; then the file is selected first.
const NO_SHORT_ID: [u16; 7] = [0x6A81, 0x6A86, 0x6B00, 0x6D00, 0x6981, 0x6986, 0x6A80];

impl Reader {
    /// Prepares a reading. `random` makes the ephemeral keys of PACE.
    pub fn new(plan: ReadPlan, password: Password, random: Arc<dyn Random>) -> Self {
        let extended = plan.extended && plan.max_command >= 261;
        Self {
            plan,
            password,
            random,
            step: Step::Idle,
            session: None,
            card_access: Vec::new(),
            access: None,
            extended,
            asked: 0,
            files: BTreeMap::new(),
            withheld: Vec::new(),
            listed: None,
            partial: None,
            interrupted: None,
            signature: None,
            authenticated: false,
            exchanges: 0,
            resuming: false,
            finished: false,
        }
    }

    /// How far the reading is.
    pub fn progress(&self) -> Progress {
        let files_total = self
            .listed
            .as_ref()
            .map_or_else(|| 5 + usize::from(self.plan.details) + usize::from(self.plan.face), |listed| listed.len() + 2);
        let files_done = (self.files.len() + self.withheld.len()).min(files_total);
        let partial = self.partial.as_ref().filter(|partial| !partial.proof).or(self.interrupted.as_ref());
        Progress {
            file: partial.map_or(FileId::CardAccess, |partial| partial.file),
            bytes_done: partial.map_or(0, |partial| partial.bytes.len()),
            bytes_total: partial.and_then(|partial| partial.total).unwrap_or(0),
            files_done,
            files_total,
        }
    }

    /// Command-response pairs so far, over all sessions.
    pub const fn exchanges(&self) -> u32 {
        self.exchanges
    }

    /// Moves on by one input.
    pub fn step(&mut self, input: Input<'_>) -> Output {
        let outcome = match input {
            _ if self.finished => Err(ReadError::OutOfOrder),
            Input::Start if self.exchanges == 0 && matches!(self.step, Step::Idle) => self.open(),
            Input::Start => Err(ReadError::OutOfOrder),
            Input::LinkLost => {
                self.drop_session();
                Err(ReadError::CardLost)
            }
            Input::Reconnected => {
                self.drop_session();
                self.forget_unproven();
                self.open()
            }
            Input::Response(bytes) => Response::decode(bytes).and_then(|response| self.respond(response)),
        };
        match outcome {
            Ok(Some(command)) => {
                self.exchanges = self.exchanges.saturating_add(1);
                Output::Send(command.encode())
            }
            Ok(None) => match self.finish() {
                Ok(data) => Output::Done(data),
                Err(error) => Output::Fail(error),
            },
            Err(error) => {
                self.drop_session();
                Output::Fail(error)
            }
        }
    }

    fn drop_session(&mut self) {
        self.session = None;
        self.step = Step::Idle;
    }

    /// After a loss: without a whole SOD there is nothing to prove the card by, so the reading starts over.
    fn forget_unproven(&mut self) {
        let partial = self.partial.take();
        if self.listed.is_some() {
            self.resuming = true;
            if let Some(partial) = partial.filter(|partial| !partial.proof) {
                self.interrupted = Some(partial);
            }
        } else {
            self.files.clear();
            self.withheld.clear();
        }
    }

    /// The first command of a session: the master file, where EF.CardAccess lies. Later sessions reuse the file.
    fn open(&mut self) -> Result<Option<Command>, ReadError> {
        if self.card_access.is_empty() {
            self.step = Step::SelectMaster;
            return Ok(Some(Command::new(0x00, 0xA4, 0x00, 0x0C).with_data([0x3F, 0x00])));
        }
        self.start_pace(false)
    }

    fn start_pace(&mut self, with_parameter: bool) -> Result<Option<Command>, ReadError> {
        let infos = SecurityInfos::parse_card_access(&self.card_access)?;
        let several = infos.pace.len() > 1;
        let (run, command) = Terminal::new(&self.password, &*self.random).start(infos.choose()?, several || with_parameter);
        self.step = Step::Pace(Box::new(run));
        Ok(Some(command))
    }

    fn respond(&mut self, response: Response) -> Result<Option<Command>, ReadError> {
        match std::mem::replace(&mut self.step, Step::Idle) {
            Step::Idle => Err(ReadError::OutOfOrder),
            Step::SelectMaster => {
                // Cards answer this in many ways (6D00, 6A86, 6283, ...); only reading the file decides.
                self.step = Step::CardAccess { selected: false };
                Ok(Some(Command::new(0x00, 0xB0, 0x80 | FileId::CardAccess.sfi(), 0x00).with_le(256)))
            }
            Step::CardAccess { selected } => self.card_access_read(response, selected),
            Step::SelectCardAccess => {
                self.step = Step::CardAccess { selected: true };
                Ok(Some(Command::new(0x00, 0xB0, 0x00, 0x00).with_le(256)))
            }
            Step::ReopenMaster => self.start_pace(false),
            Step::Pace(run) => self.pace(run, &response),
            Step::SelectApplication => {
                let response = self.unprotect(&response)?;
                match response.status {
                    0x9000 | 0x6283 => self.next(),
                    status if REFUSED.contains(&status) => Err(ReadError::AccessRefused { what: "the application" }),
                    _ => Err(ReadError::Unsupported { what: "a card without the travel document application" }),
                }
            }
            Step::Read { selected } => self.read_response(&response, selected),
            Step::SelectFile => {
                let response = self.unprotect(&response)?;
                match response.status {
                    0x9000 => self.read_command(true),
                    status => self.not_given(status),
                }
            }
            Step::Authenticate => {
                let response = self.unprotect(&response)?;
                self.authenticated = true;
                // A chip that refuses fails `chip.genuine`; the rest is still read and shown.
                self.signature = response.is_ok().then_some(response.data);
                self.next()
            }
        }
    }

    fn card_access_read(&mut self, response: Response, selected: bool) -> Result<Option<Command>, ReadError> {
        let usable = matches!(response.status, 0x9000 | 0x6282) && SecurityInfos::parse_card_access(&response.data).is_ok();
        let from_hint = if usable {
            // Padding after the set is cut: the bytes are compared with DG14 later.
            self.card_access = tlv::first(&response.data).map(|(set, _)| set.raw.to_vec()).unwrap_or_default();
            false
        } else if !selected && !response.is_ok() {
            self.step = Step::SelectCardAccess;
            return Ok(Some(Command::new(0x00, 0xA4, 0x02, 0x0C).with_data(FileId::CardAccess.fid())));
        } else if let Some(hint) = self.plan.card_access_hint.clone().filter(|_| !response.is_ok()) {
            self.card_access = hint;
            true
        } else if response.is_ok() {
            return Err(ReadError::malformed("EF.CardAccess", "does not parse"));
        } else {
            return Err(ReadError::Unsupported { what: "a card without PACE" });
        };
        let infos = SecurityInfos::parse_card_access(&self.card_access)?;
        let info = infos.choose()?;
        self.access = Some(AccessRecord {
            card_access: self.card_access.clone(),
            from_hint,
            protocol: info.protocol.clone(),
            parameter: info.parameter.unwrap_or_default(),
            password: match self.password {
                Password::Can(_) => PasswordKind::Can,
                Password::Mrz(_) => PasswordKind::Mrz,
            },
        });
        self.start_pace(false)
    }

    fn pace(&mut self, mut run: Box<Run>, response: &Response) -> Result<Option<Command>, ReadError> {
        if run.wants_parameter(response) {
            // No password has been used yet, so this is no second try.
            return self.start_pace(true);
        }
        match Terminal::new(&self.password, &*self.random).respond(&mut run, response) {
            Ok(Next::Send(command)) => {
                self.step = Step::Pace(run);
                Ok(Some(command))
            }
            Ok(Next::Open(session)) => {
                self.session = Some(session);
                self.step = Step::SelectApplication;
                self.send(&Command::new(0x00, 0xA4, 0x04, 0x0C).with_data(AID))
            }
            // The password opened the first card, so a card that refuses it is another one.
            Err(ReadError::WrongPassword { .. }) if self.resuming => Err(ReadError::DifferentCard),
            Err(error) => Err(error),
        }
    }

    fn send(&mut self, command: &Command) -> Result<Option<Command>, ReadError> {
        let session = self.session.as_mut().ok_or(ReadError::OutOfOrder)?;
        session.protect(command).map(Some)
    }

    fn unprotect(&mut self, response: &Response) -> Result<Response, ReadError> {
        self.session.as_mut().ok_or(ReadError::OutOfOrder)?.open(response)
    }

    /// Chooses what comes next: the proof of the same card, then files in order, then nothing.
    fn next(&mut self) -> Result<Option<Command>, ReadError> {
        if self.resuming {
            self.partial = Some(Partial::new(FileId::Sod, true));
            return self.read_command(false);
        }
        for file in [FileId::Com, FileId::Sod, FileId::Dg14, FileId::Dg15] {
            if self.is_due(file) {
                return self.begin(file);
            }
        }
        if !self.authenticated
            && self.files.contains_key(&FileId::Dg15)
            && let Some(challenge) = self.plan.challenge
        {
            self.step = Step::Authenticate;
            return self.send(&Command::new(0x00, 0x88, 0x00, 0x00).with_data(challenge).with_le(256));
        }
        for file in [FileId::Dg1, FileId::Dg13, FileId::Dg2] {
            if self.is_due(file) {
                return self.begin(file);
            }
        }
        Ok(None)
    }

    fn is_due(&self, file: FileId) -> bool {
        let wanted = match &self.listed {
            Some(listed) => listed.contains(&file),
            None => matches!(file, FileId::Com | FileId::Sod),
        };
        wanted && !self.withheld.contains(&file) && !self.files.contains_key(&file)
    }

    fn begin(&mut self, file: FileId) -> Result<Option<Command>, ReadError> {
        self.partial = Some(Partial::new(file, false));
        self.read_command(false)
    }

    /// READ BINARY for the next piece. The first piece names the file by its short identifier, unless it was selected.
    fn read_command(&mut self, selected: bool) -> Result<Option<Command>, ReadError> {
        let partial = self.partial.as_ref().ok_or(ReadError::OutOfOrder)?;
        let offset = partial.bytes.len();
        let largest = if self.extended { MAX_EXTENDED_READ } else { MAX_SHORT_READ };
        let left = partial.total.map_or(largest, |total| u32::try_from(total.saturating_sub(offset)).unwrap_or(largest));
        let mut le = left.clamp(1, largest);
        let command = if offset == 0 && !selected {
            Command::new(0x00, 0xB0, 0x80 | partial.file.sfi(), 0x00)
        } else if offset <= MAX_SHORT_OFFSET {
            let [p1, p2] = u16::try_from(offset).unwrap_or(0).to_be_bytes();
            Command::new(0x00, 0xB0, p1, p2)
        } else {
            // The response wraps the bytes in data object 53, which takes four bytes of the room.
            le = if self.extended { le } else { le.min(MAX_SHORT_READ - 4) };
            let [_, a, b, c] = u32::try_from(offset).unwrap_or(0).to_be_bytes();
            let command = Command::new(0x00, 0xB1, 0x00, 0x00).with_data(tlv::encode(0x54, &[a, b, c]));
            self.step = Step::Read { selected: true };
            self.asked = le;
            return self.send(&command.with_le(le + 4));
        };
        self.asked = le;
        self.step = Step::Read { selected: selected || offset > 0 };
        self.send(&command.with_le(le))
    }

    fn read_response(&mut self, response: &Response, selected: bool) -> Result<Option<Command>, ReadError> {
        // A card that cannot do extended length says so outside secure messaging and has ended the session: step down, open a new one.
        if self.extended && response.data.is_empty() && !response.is_ok() {
            self.extended = false;
            self.drop_session();
            self.forget_unproven();
            self.step = Step::ReopenMaster;
            return Ok(Some(Command::new(0x00, 0xA4, 0x00, 0x0C).with_data([0x3F, 0x00])));
        }
        let response = self.unprotect(response)?;
        let (file, offset) = self.partial.as_ref().map(|partial| (partial.file, partial.bytes.len())).ok_or(ReadError::OutOfOrder)?;
        match response.status {
            // 6282: the file ended before Le bytes.
            0x9000 | 0x6282 => {}
            0x6700 | 0x6C00..=0x6CFF if self.extended => {
                self.extended = false;
                return self.read_command(selected);
            }
            status if offset == 0 && !selected && NO_SHORT_ID.contains(&status) => {
                self.step = Step::SelectFile;
                return self.send(&Command::new(0x00, 0xA4, 0x02, 0x0C).with_data(file.fid()));
            }
            status => return self.not_given(status),
        }
        let piece = if offset > MAX_SHORT_OFFSET {
            tlv::only_tag(&response.data, 0x53).map_err(|fault| fault.within(file.name()))?.value
        } else {
            &response.data
        };
        if piece.is_empty() {
            return Err(ReadError::malformed(file.name(), "ends early"));
        }
        if piece.len() > usize::try_from(self.asked).unwrap_or(usize::MAX) {
            return Err(ReadError::malformed(file.name(), "more than was asked for"));
        }
        let partial = self.partial.as_mut().ok_or(ReadError::OutOfOrder)?;
        partial.bytes.extend_from_slice(piece);
        if partial.total.is_none() {
            let (tag, head, length) = tlv::header(&partial.bytes).map_err(|fault| fault.within(file.name()))?;
            if tag != file.tag() {
                return Err(ReadError::malformed(file.name(), "wrong file tag"));
            }
            let total = head.saturating_add(length);
            if total > MAX_FILE {
                return Err(ReadError::malformed(file.name(), "too large"));
            }
            partial.total = Some(total);
        }
        match partial.total {
            Some(total) if partial.bytes.len() < total => self.read_command(true),
            total => {
                // What a card sends after the file's outer element is padding.
                partial.bytes.truncate(total.unwrap_or_default());
                self.file_done()
            }
        }
    }

    fn file_done(&mut self) -> Result<Option<Command>, ReadError> {
        let partial = self.partial.take().ok_or(ReadError::OutOfOrder)?;
        if partial.proof {
            let kept = self.files.get(&FileId::Sod).ok_or(ReadError::OutOfOrder)?;
            if !ct_eq(kept, &partial.bytes) {
                return Err(ReadError::DifferentCard);
            }
            self.resuming = false;
            return self.continue_interrupted();
        }
        if partial.file == FileId::Sod {
            let sod = Sod::parse(&partial.bytes)?;
            let listed = sod.groups().filter_map(FileId::of_group).filter(|file| match file {
                FileId::Dg1 | FileId::Dg14 | FileId::Dg15 => true,
                FileId::Dg2 => self.plan.face,
                FileId::Dg13 => self.plan.details,
                _ => false,
            });
            self.listed = Some(listed.collect());
        }
        self.files.insert(partial.file, partial.bytes);
        self.next()
    }

    /// Goes on with the file that a loss cut short, at its offset.
    fn continue_interrupted(&mut self) -> Result<Option<Command>, ReadError> {
        let Some(partial) = self.interrupted.take() else { return self.next() };
        let (file, begun) = (partial.file, !partial.bytes.is_empty());
        self.partial = Some(partial);
        if begun {
            // The new session has no current file yet.
            self.step = Step::SelectFile;
            return self.send(&Command::new(0x00, 0xA4, 0x02, 0x0C).with_data(file.fid()));
        }
        self.read_command(false)
    }

    /// The card did not give a file.
    fn not_given(&mut self, status: u16) -> Result<Option<Command>, ReadError> {
        let partial = self.partial.take().ok_or(ReadError::OutOfOrder)?;
        let file = partial.file;
        let refused = REFUSED.contains(&status);
        if !refused && !ABSENT.contains(&status) && !NO_SHORT_ID.contains(&status) {
            return Err(ReadError::Status { step: "READ BINARY", status });
        }
        match file {
            // Unsigned and needed for nothing.
            FileId::Com => {
                self.files.insert(file, Vec::new());
                self.next()
            }
            // Nobody but the verdict decides what a hidden file means.
            FileId::Dg13 | FileId::Dg14 | FileId::Dg15 if !partial.proof && partial.bytes.is_empty() => {
                self.withheld.push(file);
                self.next()
            }
            _ if refused => Err(ReadError::AccessRefused { what: file.name() }),
            _ => Err(ReadError::MissingFile { file: file.name() }),
        }
    }

    fn finish(&mut self) -> Result<Box<ChipData>, ReadError> {
        let mut take = |file: FileId| self.files.remove(&file);
        let sod = take(FileId::Sod).ok_or(ReadError::OutOfOrder)?;
        let data = ChipData {
            com: take(FileId::Com).unwrap_or_default(),
            dg1: take(FileId::Dg1).ok_or(ReadError::MissingFile { file: FileId::Dg1.name() })?,
            dg2: take(FileId::Dg2),
            dg13: take(FileId::Dg13),
            dg14: take(FileId::Dg14),
            dg15: take(FileId::Dg15),
            aa_signature: self.signature.take(),
            challenge: self.plan.challenge.filter(|_| self.authenticated),
            access: self.access.clone().ok_or(ReadError::OutOfOrder)?,
            withheld: std::mem::take(&mut self.withheld),
            exchanges: self.exchanges,
            sod,
        };
        self.finished = true;
        self.drop_session();
        Ok(Box::new(data))
    }
}
