//! The error type of the simulator.

/// Why a card could not be made or stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimError {
    /// The holder's data do not fit a card.
    #[error("the holder's data do not fit a card")]
    Holder,
    /// The portrait could not be written.
    #[error("the portrait could not be written")]
    Portrait,
    /// A key or certificate could not be made.
    #[error("a key or certificate could not be made")]
    Crypto,
    /// A stored card or authority does not parse.
    #[error("the stored card or authority does not parse")]
    Stored,
    /// The card to be forged lacks the file.
    #[error("the card lacks this file")]
    Forge,
}
