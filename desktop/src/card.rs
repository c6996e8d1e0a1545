//! The citizen's card and face on this machine: a card on a socket of the loopback interface, a picture as a phone's camera takes it.
use std::net::ToSocketAddrs;
use std::sync::Mutex;

use wallet_bindings::ports::{CardChannelPort, ChannelCapacity, ChannelFault};
use wallet_card_sim::SocketChannel;

use crate::trouble::Trouble;

/// Personal number of the citizen of the story (invented, as everybody in central's registry).
pub const CITIZEN: &str = "001090000123";

/// The card access number printed on a citizen card: the last six digits of the 12-digit number.
pub fn can_of(personal_number: &str) -> String {
    let start = personal_number.len().saturating_sub(6);
    personal_number.get(start..).unwrap_or_default().to_owned()
}

/// Pixels of the camera's picture: small enough for the wallet, which sends at most 180 KiB.
const SELFIE: (u32, u32) = (192, 256);

/// The face of an invented citizen as a phone's camera sees it.
pub fn selfie(personal_number: &str) -> Result<Vec<u8>, Trouble> {
    wallet_central::faces::selfie(personal_number, SELFIE.0, SELFIE.1).map_err(|e| Trouble::outside("taking a picture of the face", e))
}

/// A simulated card behind a socket.
pub struct SocketCard {
    channel: Mutex<SocketChannel>,
}

impl SocketCard {
    /// Holds the card at `address` to the phone.
    pub fn connect(address: &str) -> Result<Self, Trouble> {
        if address.to_socket_addrs().is_err() {
            return Err(Trouble::usage(format!("--card: {address} is no address; write HOST:PORT as `chip sim` prints it")));
        }
        SocketChannel::connect(address)
            .map(|channel| Self { channel: Mutex::new(channel) })
            .map_err(|e| Trouble::outside(&format!("reaching the card at {address}"), e))
    }
}

impl CardChannelPort for SocketCard {
    fn transceive(&self, command: Vec<u8>) -> Result<Vec<u8>, ChannelFault> {
        let mut channel = self.channel.lock().map_err(|_| ChannelFault::Other)?;
        channel.transceive(&command).map_err(|_| ChannelFault::CardLost)
    }

    fn capacity(&self) -> Result<ChannelCapacity, ChannelFault> {
        Ok(ChannelCapacity { max_command: 261, extended: false })
    }

    fn cancel(&self) -> Result<(), ChannelFault> {
        Ok(())
    }

    fn reconnect(&self) -> Result<(), ChannelFault> {
        let mut channel = self.channel.lock().map_err(|_| ChannelFault::Other)?;
        channel.reset().map_err(|_| ChannelFault::CardLost)
    }
}
