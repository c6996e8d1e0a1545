//! Which session an mdoc presentation belongs to: what its holder's key signed over and its reader must know.
use std::path::PathBuf;

use clap::Args;
use wallet_base::jose::b64u_decode;
use wallet_credential::mdoc::{SessionTranscript, openid4vp_transcript};

use super::files;
use crate::trouble::Trouble;

/// The session of a presentation: the parts of an OpenID4VP 1.0 request (appendix B.2.6.1), or a transcript of any other protocol.
#[derive(Debug, Args)]
pub struct SessionArgs {
    /// Client identifier of the verifier, with its prefix (`x509_hash:...`).
    #[arg(long, value_name = "ID", allow_hyphen_values = true, requires_all = ["nonce", "response_uri"])]
    client_id: Option<String>,
    /// Nonce of the request.
    #[arg(long, allow_hyphen_values = true, requires = "client_id")]
    nonce: Option<String>,
    /// Where the response is sent to.
    #[arg(long, value_name = "URI", allow_hyphen_values = true, requires = "client_id")]
    response_uri: Option<String>,
    /// SHA-256 thumbprint (RFC 7638, base64url) of the key that the response is encrypted to; without it, the response is not encrypted.
    #[arg(long, value_name = "THUMBPRINT", allow_hyphen_values = true, requires = "client_id")]
    jwk_thumbprint: Option<String>,
    /// File of a whole session transcript (CBOR, raw or base64).
    #[arg(long, value_name = "FILE", conflicts_with = "client_id")]
    transcript: Option<PathBuf>,
}

impl SessionArgs {
    /// The transcript, where a session was named.
    pub fn transcript(&self) -> Result<Option<SessionTranscript>, Trouble> {
        if let Some(file) = &self.transcript {
            let bytes = files::unwrapped(files::read(file)?);
            return SessionTranscript::from_bytes(&bytes).map(Some).map_err(|e| Trouble::usage(format!("--transcript: {e}")));
        }
        let (Some(client_id), Some(nonce), Some(response_uri)) = (&self.client_id, &self.nonce, &self.response_uri) else {
            return Ok(None);
        };
        let thumbprint = self.jwk_thumbprint.as_deref().map(thumbprint).transpose()?;
        Ok(Some(openid4vp_transcript(client_id, nonce, thumbprint.as_ref(), response_uri)))
    }
}

fn thumbprint(text: &str) -> Result<[u8; 32], Trouble> {
    let bytes = b64u_decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.ok_or_else(|| Trouble::usage("--jwk-thumbprint: not a SHA-256 thumbprint in base64url (43 characters)"))
}
