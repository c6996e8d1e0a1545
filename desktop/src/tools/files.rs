//! Reading the files that people hand to the tools.
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use wallet_base::x509::Certificate;

use crate::trouble::Trouble;

/// Files larger than this are not read.
const MAX_FILE: u64 = 1 << 20;

/// A whole file of at most 1 MiB.
pub fn read(path: &Path) -> Result<Vec<u8>, Trouble> {
    let failed = |e| Trouble::usage(format!("{}: {e}", path.display()));
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_FILE {
        return Err(Trouble::usage(format!("{}: too large", path.display())));
    }
    std::fs::read(path).map_err(failed)
}

/// Base64 or base64url text becomes the bytes it stands for; everything else is bytes already.
pub fn unwrapped(bytes: Vec<u8>) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(&bytes) else { return bytes };
    let text: String = text.split_whitespace().collect();
    let text = text.trim_end_matches('=');
    [URL_SAFE_NO_PAD, STANDARD_NO_PAD].iter().find_map(|e| e.decode(text).ok()).unwrap_or(bytes)
}

/// A certificate of `--root`, DER or PEM.
pub fn certificate(bytes: &[u8]) -> Result<Certificate, Trouble> {
    let unreadable = || Trouble::usage("--root: not a certificate (DER or PEM)");
    let pem = std::str::from_utf8(bytes).ok().and_then(|text| {
        let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
        let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
        let body: String = body.split_whitespace().collect();
        STANDARD.decode(body).ok()
    });
    Certificate::from_der(pem.as_deref().unwrap_or(bytes)).map_err(|_| unreadable())
}
