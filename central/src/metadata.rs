//! Metadata documents: OpenID4VCI 1.0 section 12.2 and RFC 8414.

use serde_json::{Map, Value, json};
use wallet_documents::DocumentType;

use crate::service::Service;
use crate::tokens::PRE_AUTHORIZED;

/// A credential format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Mdoc,
    SdCwt,
}

impl Format {
    /// Format identifier in OpenID4VCI; the second is ours, none is registered for SD-CWT.
    pub(crate) const fn identifier(self) -> &'static str {
        match self {
            Self::Mdoc => "mso_mdoc",
            Self::SdCwt => "vn.sd-cwt",
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Mdoc => "mdoc",
            Self::SdCwt => "sd-cwt",
        }
    }
}

/// All credential configurations: id, document type, format.
pub(crate) fn configurations() -> impl Iterator<Item = (String, &'static DocumentType, Format)> {
    wallet_documents::ALL_TYPES.into_iter().flat_map(|document| {
        [Format::Mdoc, Format::SdCwt].into_iter().map(move |format| (format!("{}.{}", document.id, format.suffix()), document, format))
    })
}

/// Most keys in one attestation and credentials in one answer.
pub(crate) const BATCH: usize = 20;

impl Service {
    /// `GET /.well-known/openid-credential-issuer`.
    pub(crate) fn issuer_metadata(&self) -> Value {
        let base = &self.config.public_url;
        let mut supported = Map::new();
        for (id, document, format) in configurations() {
            let mut configuration = json!({
                "format": format.identifier(),
                "scope": id,
                "cryptographic_binding_methods_supported": ["cose_key"],
                "credential_signing_alg_values_supported": [-7],
                "proof_types_supported": {"attestation": {
                    "proof_signing_alg_values_supported": ["ES256"], "key_attestations_required": {},
                }},
            });
            if let Some(members) = configuration.as_object_mut() {
                let (name, value) = if format == Format::Mdoc { ("doctype", document.doctype) } else { ("vct", document.vct) };
                members.insert(name.to_owned(), json!(value));
            }
            supported.insert(id, configuration);
        }
        json!({
            "credential_issuer": base,
            "credential_endpoint": format!("{base}/credential"),
            "nonce_endpoint": format!("{base}/nonce"),
            "batch_credential_issuance": {"batch_size": BATCH},
            "credential_configurations_supported": supported,
        })
    }

    /// `GET /.well-known/oauth-authorization-server`.
    pub(crate) fn server_metadata(&self) -> Value {
        let base = &self.config.public_url;
        let scopes: Vec<String> = configurations().map(|(id, _, _)| id).collect();
        json!({
            "issuer": base,
            "token_endpoint": format!("{base}/token"),
            "grant_types_supported": [PRE_AUTHORIZED, "refresh_token"],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ["none"],
            "pre-authorized_grant_anonymous_access_supported": true,
            "dpop_signing_alg_values_supported": ["ES256"],
            "scopes_supported": scopes,
        })
    }
}
