//! The engine's own verifier under the pinned root, with one more thing said: whether a certificate that is out of its time would hold in its time.
//!
//! The engine looks at the dates of a certificate before it looks who issued it, so that anybody's old certificate is "expired" to it. To a person
//! that would say that the device's clock is wrong, and everybody between the device and the service could say so.

use rustls::CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use std::sync::Arc;

/// Accepts what the engine's verifier accepts, nothing else; only the reason of a refusal may be another one.
#[derive(Debug)]
pub(super) struct PinnedRoot(pub(super) Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for PinnedRoot {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let at = |moment| self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, moment);
        let refused = match at(now) {
            Err(refused @ Error::InvalidCertificate(_)) => refused,
            other => return other,
        };
        let in_its_time = match &refused {
            Error::InvalidCertificate(ExpiredContext { not_after, .. }) => at(*not_after),
            Error::InvalidCertificate(NotValidYetContext { not_before, .. }) => at(*not_before),
            Error::InvalidCertificate(Expired | NotValidYet) => return Err(CertificateError::UnknownIssuer.into()),
            _ => return Err(refused),
        };
        // A stranger's, or for another host: that is what is wrong with it.
        Err(if in_its_time.is_ok() { refused } else { CertificateError::UnknownIssuer.into() })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[rustls::DistinguishedName]> {
        self.0.root_hint_subjects()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.0.requires_raw_public_keys()
    }
}
