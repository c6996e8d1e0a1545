//! A card in a reader's field: it can leave, come back, and be exchanged for another.

use std::collections::VecDeque;

use crate::chip::Card;

/// A card and the hand that holds it.
#[derive(Debug)]
pub struct Field {
    card: Card,
    leaves: VecDeque<u32>,
    answered: u32,
    gone: bool,
}

impl From<Card> for Field {
    fn from(card: Card) -> Self {
        Self::new(card)
    }
}

impl Field {
    /// A card that stays.
    pub const fn new(card: Card) -> Self {
        Self { card, leaves: VecDeque::new(), answered: 0, gone: false }
    }

    /// A card that leaves after so many answers, counted anew after each return: `[5, 0]` answers five commands, comes back, answers
    /// none, comes back and stays.
    pub fn leaving_after(card: Card, answers: impl IntoIterator<Item = u32>) -> Self {
        Self { leaves: answers.into_iter().collect(), ..Self::new(card) }
    }

    /// One command; `None` when the card leaves or has left.
    pub fn transceive(&mut self, command: &[u8]) -> Option<Vec<u8>> {
        if !self.gone && self.leaves.front() == Some(&self.answered) {
            self.leaves.pop_front();
            self.gone = true;
        }
        if self.gone {
            return None;
        }
        self.answered += 1;
        Some(self.card.transmit(command))
    }

    /// The card is held to the reader again (or for the first time): powered anew.
    pub fn reset(&mut self) {
        self.card.reset();
        self.answered = 0;
        self.gone = false;
    }

    /// Another card is held to the reader.
    pub fn exchange(&mut self, card: Card) {
        self.card = card;
        self.reset();
    }

    /// The card.
    pub const fn card(&self) -> &Card {
        &self.card
    }
}
