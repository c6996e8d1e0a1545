//! Why something is no credential at all.

/// Input that cannot be judged, or a request to issue or present that cannot be met. Texts are static: nothing of the holder is in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Above one of the caps.
    #[error("above the size limit: {0}")]
    TooLarge(&'static str),
    /// Not of the shape its standard prescribes.
    #[error("not well-formed: {0}")]
    Malformed(&'static str),
    /// Well-formed, but a version or algorithm that is not offered here.
    #[error("not supported: {0}")]
    Unsupported(&'static str),
    /// What was asked to be issued or presented breaks a rule of the format.
    #[error("cannot be made: {0}")]
    Specification(&'static str),
    /// The credential holds no such element or claim.
    #[error("no such element in this credential")]
    NoSuchElement,
    /// The key refused to sign, or the signature has the wrong form.
    #[error("signing failed")]
    Signing,
    /// A trust target cannot be read.
    #[error("trust data: {0}")]
    Trust(&'static str),
}
