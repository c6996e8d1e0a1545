//! What a verifier is opened with.

use std::path::PathBuf;

/// Where the verifier lives and whom it trusts. Everything here is part of the app's build, nothing is secret.
#[derive(Clone, Debug)]
pub struct VerifierConfig {
    /// Folder of the verifier's own: key-slot header and `cache.db`. Created when missing; never shared with a wallet.
    pub directory: PathBuf,
    /// `https://host[:port]` of the central service. Plain HTTP is refused.
    pub service_url: String,
    /// DER of the one TLS root the service is trusted by.
    pub tls_root: Vec<u8>,
    /// `root.json` of the trust repository, as pinned by the build.
    pub trust_root: Vec<u8>,
    /// Lowest trust snapshot version this build accepts.
    pub trust_floor: u64,
}
