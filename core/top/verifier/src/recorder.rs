//! The recorder's hook (feature `record`): what was decrypted, and with what, for the demo's record and for nothing else.
//!
//! The phone's library is built without this feature, and a test over its symbols proves it.

use std::sync::{Mutex, PoisonError};

use wallet_base::random::Random;

/// Receives what an auditor needs to judge the answers of a record without believing this code. Personal data and keys.
pub trait Recorder: Send + Sync {
    /// `token` is the decrypted Key Binding Token of one answer: it holds the disclosed values.
    fn decrypted_answer(&self, token: &[u8]);

    /// A request was made: the SHA-256 of its exact bytes, and the private scalar (32 bytes, big-endian) of its ephemeral P-256 key.
    fn asked(&self, request: &[u8; 32], key: &[u8]) {
        let _ = (request, key);
    }
}

/// Randomness that keeps the last 32 bytes drawn at once: of a request that is its ephemeral key, made after its nonce of 16 bytes.
pub(crate) struct Noted<'r> {
    random: &'r dyn Random,
    last: Mutex<Vec<u8>>,
}

impl<'r> Noted<'r> {
    pub(crate) const fn new(random: &'r dyn Random) -> Self {
        Self { random, last: Mutex::new(Vec::new()) }
    }

    pub(crate) fn key(self) -> Vec<u8> {
        self.last.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Random for Noted<'_> {
    fn fill(&self, out: &mut [u8]) {
        self.random.fill(out);
        if out.len() == 32 {
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = out.to_vec();
        }
    }
}
