//! Asking: a signed request for some fields of one document, kept open in memory for its time.

use wallet_base::text::safe_text;
use wallet_base::time::Timestamp;
use wallet_documents::{DocumentType, Role, by_id};
use wallet_exchange::code_points::{CLOCK_SKEW, MAX_LIFETIME, MAX_PLACE};
use wallet_exchange::{ExchangeError, OpenRequest, RequestSpec, RequestedDocument};
use wallet_platform::ports::{Clock, KeyStore};

use crate::error::VerifierError;
use crate::verifier::{Verifier, lock};

/// Requests open at a time; the oldest closes when another is made.
const MAX_OPEN: usize = 32;
/// Hours the answer is kept: nothing of a citizen is stored here (DESIGN section 7), so the truth is 0.
const RETENTION_HOURS: u32 = 0;

/// What to ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// Document type id.
    pub document: String,
    /// Field ids; `None` for the role's usual ones. Fields that the role may not have are asked for when they are named here: the citizen's
    /// wallet raises the alarm.
    pub fields: Option<Vec<String>>,
    /// Purpose id of the role; empty for the role's first.
    pub purpose: String,
    /// Place as the citizen sees it; empty for the one of the enrolment.
    pub place: String,
}

/// A request that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The text to draw: `CWQ1:` and base45.
    pub text: String,
    /// Until when an answer is taken.
    pub expires: Timestamp,
    /// Document type id.
    pub document: String,
    /// Field ids.
    pub fields: Vec<String>,
    pub(crate) hash: [u8; 32],
}

/// An open request: the private half of its ephemeral key, in memory only.
pub(crate) struct OpenAsk {
    pub(crate) request: OpenRequest,
    pub(crate) document: &'static DocumentType,
    pub(crate) fields: Vec<String>,
    pub(crate) role: String,
    /// When it closes, by the clock that nobody can set.
    pub(crate) closes_at_millis: u64,
}

impl Verifier {
    /// Makes and signs a request, and keeps it open for its time. The device's key signs behind its port; no lock is held meanwhile.
    pub fn ask(&self, ask: &Ask) -> Result<Asked, VerifierError> {
        let trust = self.trust()?;
        let now = self.moment(self.clock_guard()?.anchor());
        let (papers, certificate, staff) = self.valid_papers(&trust.targets, now)?;
        let role = trust.roles.role(&staff.role).ok_or(VerifierError::UnknownRole)?;
        let document = by_id(&ask.document).ok_or(VerifierError::UnknownDocument)?;
        let fields = fields_of(ask, role, document)?;
        let spec = RequestSpec {
            role: staff.role.clone(),
            purpose: purpose_of(&ask.purpose, role)?,
            legal_basis: role.legal_basis().to_owned(),
            documents: vec![RequestedDocument { document: document.id.to_owned(), fields: fields.clone() }],
            retention_hours: RETENTION_HOURS,
            place: place_of(&ask.place, &staff.place)?,
            iat: now,
            exp: now.plus_secs(MAX_LIFETIME),
        };
        #[cfg(feature = "record")]
        let noted = crate::recorder::Noted::new(self.random.as_ref());
        #[cfg(feature = "record")]
        let random = &noted;
        #[cfg(not(feature = "record"))]
        let random = self.random.as_ref();
        let prepared = spec.prepare(&certificate, random).map_err(ask_error)?;
        let signature = self.keys.sign(None, &papers.key, prepared.to_be_signed())?;
        let (text, request) = prepared.finish(signature.to_vec()).map_err(ask_error)?;
        #[cfg(feature = "record")]
        if let Some(recorder) = &self.recorder {
            recorder.asked(&request.hash(), &noted.key());
        }
        let asked = Asked { text, expires: request.exp(), document: document.id.to_owned(), fields: fields.clone(), hash: request.hash() };
        let life = u64::try_from(MAX_LIFETIME + CLOCK_SKEW).unwrap_or(0).saturating_mul(1000);
        let monotonic = self.clock.monotonic_millis();
        let closes_at_millis = monotonic.saturating_add(life);
        let mut open = lock(&self.open);
        open.retain(|ask| ask.closes_at_millis > monotonic);
        if open.len() >= MAX_OPEN {
            open.remove(0);
        }
        open.push(OpenAsk { request, document, fields, role: staff.role, closes_at_millis });
        Ok(asked)
    }

    /// Closes a request: no answer to it is taken any more.
    pub fn cancel(&self, asked: &Asked) {
        lock(&self.open).retain(|open| open.request.hash() != asked.hash);
    }
}

/// The fields to ask for. The document's type must have them; whether the role may have them is the citizen's wallet to judge when a checker
/// names them, and the role's own default otherwise.
fn fields_of(ask: &Ask, role: &Role, document: &DocumentType) -> Result<Vec<String>, VerifierError> {
    let mut fields = match &ask.fields {
        // Whoever switched every field off did not mean the usual ones.
        Some(none) if none.is_empty() => return Err(VerifierError::NothingAsked),
        Some(named) => named.clone(),
        None => role.defaults(document.id),
    };
    if fields.is_empty() {
        return Err(VerifierError::UnknownDocument);
    }
    if fields.iter().any(|field| document.field(field).is_none()) {
        return Err(VerifierError::UnknownField);
    }
    fields.sort_unstable();
    fields.dedup();
    Ok(fields)
}

fn purpose_of(purpose: &str, role: &Role) -> Result<String, VerifierError> {
    if purpose.is_empty() {
        return role.purposes().first().cloned().ok_or(VerifierError::UnknownPurpose);
    }
    if role.purpose_allowed(purpose) { Ok(purpose.to_owned()) } else { Err(VerifierError::UnknownPurpose) }
}

fn place_of(place: &str, enrolled: &str) -> Result<String, VerifierError> {
    let place = if place.is_empty() { enrolled } else { place };
    safe_text(place, MAX_PLACE).ok_or(VerifierError::Parameter("place"))
}

fn ask_error(error: ExchangeError) -> VerifierError {
    match error {
        ExchangeError::TooLarge => VerifierError::TooLarge,
        ExchangeError::Sign => VerifierError::CertificateEnded,
        _ => VerifierError::Parameter("request"),
    }
}
