//! The ports in software: for desktop, tests and services. A phone never uses these; central takes their evidence only when it was
//! started with `--allow-software-keys`.
//!
//! What they protect against is a stolen backup of the data without the key file beside it, and nothing more: whoever can read the
//! directory can use the keys.

mod clock;
mod key_store;
mod loopback;
mod sealer;

pub use clock::{ManualClock, SystemClock};
pub use key_store::{EVIDENCE_LABEL, KeyStoreOptions, SoftwareKeyStore};
pub use loopback::RadioPipe;
pub use sealer::SoftwareSealer;

use std::io;
use std::path::Path;

use wallet_base::random::{OsRandom, array};
use zeroize::Zeroizing;

use crate::files;

/// Reads a 32-byte secret from a file of mode 0600, or makes one. A file of any other length is an error, never replaced: what was
/// sealed under the lost key would be lost in silence.
fn secret_file(path: &Path) -> io::Result<Zeroizing<[u8; 32]>> {
    match files::read_capped(path, 32) {
        Ok(bytes) => {
            let bytes = Zeroizing::new(bytes);
            <[u8; 32]>::try_from(bytes.as_slice())
                .map(Zeroizing::new)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "damaged key file"))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let secret = Zeroizing::new(array::<32>(&OsRandom));
            files::replace(path, secret.as_slice())?;
            Ok(secret)
        }
        Err(e) => Err(e),
    }
}
