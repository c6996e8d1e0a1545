//! `present`: an mdoc credential of a file as a `DeviceResponse` for one session, signed by a software key. The wallet's counting of copies is not
//! involved: this is for trying other people's verifiers.
use wallet_base::crypto::PublicKey;
use wallet_credential::mdoc::{self, IssuerSigned};
use wallet_platform::ports::{KeyId, KeyStore};
use wallet_platform::software::SoftwareKeyStore;

use super::files;
use crate::cli::PresentArgs;
use crate::screen::print_line;
use crate::trouble::{DONE, Trouble};

/// How long the authorisation of the one signature lasts.
const AUTHORISED: std::time::Duration = std::time::Duration::from_secs(10);

/// Writes the response.
pub fn present(arguments: &PresentArgs) -> Result<u8, Trouble> {
    let transcript = arguments.session.transcript()?;
    let transcript =
        transcript.ok_or_else(|| Trouble::usage("name the session: --client-id, --nonce and --response-uri, or --transcript"))?;
    let unusable = |e: &dyn std::fmt::Display| Trouble::usage(format!("{}: {e}", arguments.file.display()));
    let credential = IssuerSigned::decode(&files::unwrapped(files::read(&arguments.file)?)).map_err(|e| unusable(&e))?;
    let chosen: Vec<(&str, &str)> = arguments
        .show
        .iter()
        .map(|name| name.rsplit_once('/').ok_or_else(|| Trouble::usage("--show: write NAMESPACE/ELEMENT, several with commas")))
        .collect::<Result<_, _>>()?;
    let prepared = mdoc::present(&credential, &transcript, &chosen).map_err(|e| unusable(&e))?;
    let signature = sign(arguments, credential.device_key(), prepared.to_be_signed())?;
    let response = prepared.finish(&signature).map_err(|e| unusable(&e))?;
    std::fs::write(&arguments.out, &response).map_err(|e| Trouble::outside(&arguments.out.display().to_string(), e))?;
    print_line(&format!("Wrote {} bytes.", response.len()));
    Ok(DONE)
}

/// The signature of the key that the credential was issued to, found among the keys of the folder by what it signs.
fn sign(arguments: &PresentArgs, key: &PublicKey, bytes: &[u8]) -> Result<[u8; 64], Trouble> {
    let entries = std::fs::read_dir(&arguments.keys).map_err(|e| Trouble::usage(format!("--keys: {}: {e}", arguments.keys.display())))?;
    let store = SoftwareKeyStore::open(&arguments.keys).map_err(|e| Trouble::outside("opening the key store", e))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".key").map(str::to_owned));
    names
        .filter_map(|name| signature(&store, &KeyId(name), bytes))
        .find(|signature| key.verify(bytes, signature).is_ok())
        .ok_or_else(|| Trouble::usage("--keys: the key that this credential was issued to is not there"))
}

fn signature(store: &SoftwareKeyStore, id: &KeyId, bytes: &[u8]) -> Option<[u8; 64]> {
    let leave = store.authorise("present", std::slice::from_ref(id), 1, AUTHORISED).ok()?;
    store.sign(Some(&leave), id, bytes).ok()
}
