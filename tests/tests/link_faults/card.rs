//! The bad link between phone and card: a proxy before the card's socket that counts commands and harms one of them.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use wallet_bindings::ports::{CardChannelPort, ChannelCapacity, ChannelFault};
use wallet_card_sim::{Card, CardProfile, SocketChannel, socket};

/// What becomes of one command to the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandFault {
    /// The connection breaks before the card sees the command.
    CommandLost,
    /// The connection breaks after the card acted.
    ResponseLost,
    /// The card leaves the field.
    FieldLost,
    /// The response comes a little late.
    Slow,
    /// The card acts; the phone's reader gives up waiting.
    NoAnswer,
    /// Half of the response arrives.
    Halved,
    /// The last byte of the response is missing.
    LastByteLost,
    /// One byte more than the card gave.
    OneByteMore,
    /// The card sees the command twice; the phone gets the first response.
    TwiceFirst,
    /// The card sees the command twice; the phone gets the second response.
    TwiceSecond,
    /// The first byte of the response is changed.
    FirstByteChanged,
    /// A byte in the middle of the response is changed.
    MiddleByteChanged,
    /// The last byte of the response, of its status word, is changed.
    LastByteChanged,
    /// The card acts; the phone gets this status word alone.
    Status(u16),
    /// The card does not see the command; the phone gets this status word alone.
    StatusUnseen(u16),
    /// The card acts; the phone gets the response to the command before.
    AnotherResponse,
}

impl CommandFault {
    pub const ALL: [Self; 20] = [
        Self::CommandLost,
        Self::ResponseLost,
        Self::FieldLost,
        Self::Slow,
        Self::NoAnswer,
        Self::Halved,
        Self::LastByteLost,
        Self::OneByteMore,
        Self::TwiceFirst,
        Self::TwiceSecond,
        Self::FirstByteChanged,
        Self::MiddleByteChanged,
        Self::LastByteChanged,
        Self::Status(0x6F00),
        Self::Status(0x6982),
        Self::Status(0x6988),
        Self::Status(0x9000),
        Self::StatusUnseen(0x6F00),
        Self::StatusUnseen(0x6982),
        Self::AnotherResponse,
    ];
}

#[derive(Default)]
struct State {
    plan: Option<(usize, CommandFault)>,
    seen: usize,
    hit: bool,
    before: Vec<u8>,
    gave_up: bool,
}

/// A card behind a bad link.
pub struct CardLink {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl CardLink {
    pub fn holding(profile: CardProfile) -> Self {
        let (card, _) = socket::spawn(TcpListener::bind("127.0.0.1:0").unwrap(), Card::new(profile)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let link = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let state = link.state.clone();
        std::thread::spawn(move || {
            for phone in listener.incoming().flatten() {
                // However it ends, the card waits for the next.
                let _ = serve(phone, card, &state);
            }
        });
        link
    }

    /// Counts from 0 again; the command with number `at` meets `fault`.
    pub fn arm(&self, at: usize, fault: CommandFault) {
        *self.state() = State { plan: Some((at, fault)), ..State::default() };
    }

    /// Commands pass from now on. Gives how many were seen since counting began.
    pub fn disarm(&self) -> usize {
        let mut state = self.state();
        state.plan = None;
        std::mem::take(&mut state.seen)
    }

    pub fn was_hit(&self) -> bool {
        self.state().hit
    }

    /// The card held to the phone.
    pub fn channel(&self) -> Arc<Held> {
        Arc::new(Held { channel: Mutex::new(SocketChannel::connect(self.address).unwrap()), state: self.state.clone() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn read_frame(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn write_frame(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length[..], bytes].concat())
}

fn serve(mut phone: TcpStream, card: SocketAddr, state: &Mutex<State>) -> io::Result<()> {
    phone.set_nodelay(true)?;
    let mut card = TcpStream::connect(card)?;
    card.set_nodelay(true)?;
    let mut ask = |command: &[u8]| -> io::Result<Vec<u8>> {
        write_frame(&mut card, command)?;
        if command.is_empty() { Ok(Vec::new()) } else { read_frame(&mut card) }
    };
    loop {
        let command = read_frame(&mut phone)?;
        if command.is_empty() {
            // The card is held again; nothing answers that.
            ask(&command)?;
            continue;
        }
        let (fault, before) = {
            let mut state = state.lock().unwrap();
            let number = state.seen;
            state.seen += 1;
            let fault = state.plan.filter(|(at, _)| *at == number && !state.hit).map(|(_, fault)| fault);
            state.hit |= fault.is_some();
            (fault, state.before.clone())
        };
        let unseen = match fault {
            Some(CommandFault::CommandLost) => return Ok(()),
            Some(CommandFault::FieldLost) => Some(Vec::new()),
            Some(CommandFault::StatusUnseen(status)) => Some(status.to_be_bytes().to_vec()),
            _ => None,
        };
        if let Some(response) = unseen {
            write_frame(&mut phone, &response)?;
            continue;
        }
        let mut response = ask(&command)?;
        let end = response.len();
        match fault {
            None => state.lock().unwrap().before.clone_from(&response),
            Some(CommandFault::ResponseLost) => return Ok(()),
            Some(CommandFault::Slow) => std::thread::sleep(Duration::from_millis(20)),
            Some(CommandFault::NoAnswer) => {
                state.lock().unwrap().gave_up = true;
            }
            Some(CommandFault::Halved) => response.truncate(end.div_ceil(2)),
            Some(CommandFault::LastByteLost) => response.truncate(end - 1),
            Some(CommandFault::OneByteMore) => response.push(0),
            Some(CommandFault::TwiceFirst) => drop(ask(&command)?),
            Some(CommandFault::TwiceSecond) => response = ask(&command)?,
            Some(CommandFault::FirstByteChanged) => response[0] ^= 0x01,
            Some(CommandFault::MiddleByteChanged) => response[end / 2] ^= 0x10,
            Some(CommandFault::LastByteChanged) => response[end - 1] ^= 0x02,
            Some(CommandFault::Status(status)) => response = status.to_be_bytes().to_vec(),
            // Before the first response there is none.
            Some(CommandFault::AnotherResponse) => response = if before.is_empty() { vec![0x90, 0x00] } else { before },
            Some(CommandFault::CommandLost | CommandFault::FieldLost | CommandFault::StatusUnseen(_)) => unreachable!("answered above"),
        }
        write_frame(&mut phone, &response)?;
    }
}

/// The phone's reader with the card before it.
pub struct Held {
    channel: Mutex<SocketChannel>,
    state: Arc<Mutex<State>>,
}

impl CardChannelPort for Held {
    fn transceive(&self, command: Vec<u8>) -> Result<Vec<u8>, ChannelFault> {
        let response = self.channel.lock().unwrap().transceive(&command).map_err(|_| ChannelFault::CardLost)?;
        // The reader's patience is over: what came later is nobody's.
        if std::mem::take(&mut self.state.lock().unwrap().gave_up) { Err(ChannelFault::TimedOut) } else { Ok(response) }
    }

    fn capacity(&self) -> Result<ChannelCapacity, ChannelFault> {
        Ok(ChannelCapacity { max_command: 261, extended: false })
    }

    fn cancel(&self) -> Result<(), ChannelFault> {
        Ok(())
    }

    fn reconnect(&self) -> Result<(), ChannelFault> {
        self.channel.lock().unwrap().reset().map_err(|_| ChannelFault::CardLost)
    }
}
