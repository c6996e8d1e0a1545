//! What a wallet is opened with.

use std::path::PathBuf;

/// Where the wallet lives and whom it trusts. Everything here is part of the app's build, nothing is secret.
#[derive(Clone, Debug)]
pub struct WalletConfig {
    /// Folder of the wallet's own: key-slot header, `wallet.db`, `cache.db`. Created when missing.
    pub directory: PathBuf,
    /// `https://host[:port]` of the central service. Plain HTTP is refused.
    pub service_url: String,
    /// DER of the one TLS root the service is trusted by.
    pub tls_root: Vec<u8>,
    /// `root.json` of the trust repository, as pinned by the build.
    pub trust_root: Vec<u8>,
    /// Lowest trust snapshot version this build accepts.
    pub trust_floor: u64,
    /// Copy sets to hold of each document: 1 to 20. A document is refilled when half of them or fewer are left.
    pub copies: u32,
}

/// Copy sets of a document when the app says nothing else.
pub const DEFAULT_COPIES: u32 = 8;
