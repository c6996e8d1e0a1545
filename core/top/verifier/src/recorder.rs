//! The recorder's hook (feature `record`): what was decrypted, for the demo's record and for nothing else.
//!
//! The phone's library is built without this feature, and a test over its symbols proves it.

/// Receives the bytes of every answer that opened: the Key Binding Token with the disclosed values. Personal data.
pub trait Recorder: Send + Sync {
    /// `token` is the decrypted Key Binding Token of one answer.
    fn decrypted_answer(&self, token: &[u8]);
}
