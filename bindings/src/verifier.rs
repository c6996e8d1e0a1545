//! The checker's side at the border.

use std::path::PathBuf;
use std::sync::Arc;

use wallet_documents::Role;
use wallet_verifier as core;

use crate::display::DisplayView;
use crate::entry::enter;
use crate::error::WalletError;
use crate::ports::{self, ClockPort, DeviceSealerPort, KeyStorePort, ListenerPort};
use crate::task::{CancelHandle, stoppable, whole};
use crate::verdict::VerdictView;
use crate::wipe;

/// Where a staff device lives and whom it trusts. Everything here is part of the app's build, nothing is secret.
#[derive(Debug, Clone, uniffi::Record)]
pub struct VerifierConfig {
    /// Folder of the verifier's own.
    pub directory: String,
    /// `https://host[:port]` of the central service.
    pub service_url: String,
    /// DER of the one TLS root the service is trusted by.
    pub tls_root: Vec<u8>,
    /// `root.json` of the trust repository.
    pub trust_root: Vec<u8>,
    /// Lowest trust snapshot version this build accepts.
    pub trust_floor: u64,
}

/// Who a staff device is to citizens.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StaffView {
    /// Role id.
    pub role: String,
    /// Organisation.
    pub organisation: String,
    /// The device's pseudonym.
    pub device: String,
    /// Place given at enrolment.
    pub place: String,
    /// When the certificate ends, RFC 3339.
    pub valid_until: String,
    /// As it is shown.
    pub display: DisplayView,
}

/// Dates of the trust data.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TrustDatesView {
    /// Snapshot version.
    pub version: u64,
    /// When it was signed, RFC 3339, where the repository says so.
    pub signed_at: Option<String>,
    /// Until when it is current, RFC 3339.
    pub expires: String,
}

/// Dates of a status list.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ListDatesView {
    /// Address.
    pub uri: String,
    /// When it was signed, RFC 3339.
    pub issued_at: String,
    /// Until when it may be used, RFC 3339.
    pub expires: Option<String>,
    /// When this device fetched it, RFC 3339.
    pub fetched_at: String,
}

/// What a verifier's sync came to.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct VerifierSyncReport {
    /// Facts about trust, lists and clock.
    pub verdict: VerdictView,
    /// The trust data held now.
    pub trust: Option<TrustDatesView>,
    /// Lists of the published set.
    pub lists: u64,
    /// Lists stored by this sync.
    pub stored: u64,
    /// As it is shown.
    pub display: DisplayView,
}

/// What a verifier holds for the time without a network.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CacheView {
    /// Trust data.
    pub trust: Option<TrustDatesView>,
    /// Status lists.
    pub lists: Vec<ListDatesView>,
    /// As it is shown.
    pub display: DisplayView,
}

/// What a role may ask of one document.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PolicyDocument {
    /// Document type id.
    pub document: String,
    /// Field ids the role may ask for.
    pub allowed: Vec<String>,
    /// Field ids asked for when the checker chooses none.
    pub defaults: Vec<String>,
}

/// One row of the table of roles.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PolicyView {
    /// Role id.
    pub role: String,
    /// Name, Vietnamese.
    pub label_vi: String,
    /// Name, English.
    pub label_en: String,
    /// This device's own role.
    pub own: bool,
    /// What may be asked for.
    pub documents: Vec<PolicyDocument>,
    /// Purposes that may be named.
    pub purposes: Vec<String>,
    /// The role has a boarding pass before it, whose name can be compared with the signed one.
    pub boarding_pass: bool,
    /// Up to how many hours a status list is young enough.
    pub status_green_hours: u32,
    /// Up to how many hours it may be used with a caution.
    pub status_caution_hours: u32,
    /// Whether the face must be compared before a verdict is green.
    pub face_required: bool,
    /// Longest retention that may be asked for, in hours.
    pub max_retention_hours: u32,
}

/// A staff device: asks, checks, and keeps signed public lists for the time without a network.
#[derive(uniffi::Object)]
pub struct Verifier(Arc<core::Verifier>);

#[uniffi::export]
impl Verifier {
    /// Opens the verifier of a folder; makes it the first time. Touches no network, but the disk: call it off the main thread.
    #[uniffi::constructor]
    pub fn open(
        config: VerifierConfig,
        keys: Arc<dyn KeyStorePort>,
        sealer: Arc<dyn DeviceSealerPort>,
        clock: Arc<dyn ClockPort>,
        listener: Option<Arc<dyn ListenerPort>>,
    ) -> Result<Arc<Self>, WalletError> {
        let ports = ports::of_app(keys, sealer, clock, listener);
        enter(|| Ok(Arc::new(Self(Arc::new(core::Verifier::open(&config.into(), ports)?)))))
    }

    /// Enrols this device with a one-time code of the central service: a key, a certificate of seven days, both checked before they are kept.
    #[uniffi::method(default(cancel = None))]
    pub async fn enrol(&self, code: String, cancel: Option<Arc<CancelHandle>>) -> Result<StaffView, WalletError> {
        let this = Arc::clone(&self.0);
        stoppable("enrol", cancel, move || Ok(staff_view(&this.enrol(&code)?, &this))).await
    }

    /// Who this device is, if it is enrolled.
    pub async fn staff(&self) -> Result<Option<StaffView>, WalletError> {
        let this = Arc::clone(&self.0);
        whole("staff", move || Ok(this.staff()?.map(|staff| staff_view(&staff, &this)))).await
    }

    /// Fetches trust and status lists. What cannot be verified is not stored, and the verdict says so.
    #[uniffi::method(default(cancel = None))]
    pub async fn sync(&self, cancel: Option<Arc<CancelHandle>>) -> Result<VerifierSyncReport, WalletError> {
        let this = Arc::clone(&self.0);
        stoppable("sync", cancel, move || Ok(sync_report(&this.sync()?, &this))).await
    }

    /// One file of all signed public data that this device holds (trust repository and status lists), for a device without a network. Nothing in
    /// it is secret or personal; whoever takes it judges it as if it came from the service.
    pub async fn carry(&self) -> Result<Vec<u8>, WalletError> {
        let this = Arc::clone(&self.0);
        whole("carry", move || Ok(this.carry()?)).await
    }

    /// Takes a carried file of another device, judged exactly as a sync. What is older than what is held changes nothing, and the verdict
    /// says so. Touches no network.
    pub async fn take(&self, file: Vec<u8>) -> Result<VerifierSyncReport, WalletError> {
        let this = Arc::clone(&self.0);
        whole("take", move || Ok(sync_report(&this.take_carried(&file)?, &this))).await
    }

    /// The dates of what is held.
    pub async fn cache(&self) -> Result<CacheView, WalletError> {
        let this = Arc::clone(&self.0);
        whole("cache", move || {
            let (trust, lists) = this.dates()?;
            let display = DisplayView::from(&core::display::held(trust.as_ref(), &lists, this.now()));
            Ok(CacheView { trust: trust.map(TrustDatesView::from), lists: lists.iter().map(ListDatesView::from).collect(), display })
        })
        .await
    }

    /// The table of roles.
    pub async fn policies(&self) -> Result<Vec<PolicyView>, WalletError> {
        let this = Arc::clone(&self.0);
        whole("policies", move || {
            let own = this.staff()?.map(|staff| staff.role);
            Ok(this.policies()?.iter().map(|role| policy(role, own.as_deref())).collect())
        })
        .await
    }

    /// Makes a signed request and keeps it open in memory for its time. No `fields`: the role's usual ones (an empty list asks for nothing
    /// and is refused); empty `purpose`: the role's first; empty `place`: the one of the enrolment. Fields that the role may not have are
    /// asked for only when they are named here.
    pub async fn ask(
        &self,
        document: String,
        fields: Option<Vec<String>>,
        purpose: String,
        place: String,
    ) -> Result<Arc<OpenRequest>, WalletError> {
        let this = Arc::clone(&self.0);
        whole("ask", move || {
            let asked = this.ask(&core::Ask { document, fields, purpose, place })?;
            Ok(Arc::new(OpenRequest { verifier: Arc::clone(&this), asked }))
        })
        .await
    }

    /// Checks the text of an answer against the open requests of this device.
    pub async fn check(&self, text: String) -> Result<Arc<CheckResult>, WalletError> {
        let this = Arc::clone(&self.0);
        whole("check", move || Ok(Arc::new(CheckResult(this.check(&text)?)))).await
    }

    /// The same, and compares the signed name with the one on a boarding pass.
    pub async fn check_with_boarding_name(&self, text: String, name: String) -> Result<Arc<CheckResult>, WalletError> {
        let this = Arc::clone(&self.0);
        whole("check-with-boarding-name", move || Ok(Arc::new(CheckResult(this.check_with_boarding_name(&text, &name)?)))).await
    }

    /// Closes the cache and every open request.
    pub fn close(&self) -> Result<(), WalletError> {
        enter(|| Ok(self.0.close()?))
    }
}

#[cfg(feature = "software")]
impl Verifier {
    /// Opens the verifier with a patience of its own towards the service (feature `software`: tests of slow links).
    pub fn open_within(
        config: VerifierConfig,
        keys: Arc<dyn KeyStorePort>,
        sealer: Arc<dyn DeviceSealerPort>,
        clock: Arc<dyn ClockPort>,
        patience: std::time::Duration,
    ) -> Result<Arc<Self>, WalletError> {
        let ports = ports::of_app(keys, sealer, clock, None);
        enter(|| Ok(Arc::new(Self(Arc::new(core::Verifier::open_within(&config.into(), ports, patience)?)))))
    }
}

#[cfg(feature = "record")]
impl Verifier {
    /// Opens the verifier with a recorder of what is decrypted (feature `record`; desktop only, not exported to other languages).
    pub fn open_recorded(
        config: VerifierConfig,
        keys: Arc<dyn KeyStorePort>,
        sealer: Arc<dyn DeviceSealerPort>,
        clock: Arc<dyn ClockPort>,
        listener: Option<Arc<dyn ListenerPort>>,
        recorder: Arc<dyn core::Recorder>,
    ) -> Result<Arc<Self>, WalletError> {
        let ports = ports::of_app(keys, sealer, clock, listener);
        enter(|| Ok(Arc::new(Self(Arc::new(core::Verifier::open_recorded(&config.into(), ports, recorder)?)))))
    }
}

/// A signed request that waits for its one answer.
#[derive(uniffi::Object)]
pub struct OpenRequest {
    verifier: Arc<core::Verifier>,
    asked: core::Asked,
}

#[uniffi::export]
impl OpenRequest {
    /// The text to draw: `CWQ1:` and base45.
    pub fn text(&self) -> String {
        self.asked.text.clone()
    }

    /// Until when an answer is taken, RFC 3339.
    pub fn expires(&self) -> String {
        self.asked.expires.to_rfc3339()
    }

    /// Document type id.
    pub fn document(&self) -> String {
        self.asked.document.clone()
    }

    /// Field ids.
    pub fn fields(&self) -> Vec<String> {
        self.asked.fields.clone()
    }

    /// Closes the request: no answer to it is taken any more.
    pub fn cancel(&self) -> Result<(), WalletError> {
        enter(|| {
            self.verifier.cancel(&self.asked);
            Ok(())
        })
    }
}

/// The outcome of a check: a verdict and what may be shown. It cannot be built or changed from outside, but for the comparison of the face.
#[derive(uniffi::Object)]
pub struct CheckResult(core::CheckResult);

#[uniffi::export]
impl CheckResult {
    /// All facts and what they come to.
    pub fn verdict(&self) -> VerdictView {
        VerdictView::from(&self.0.verdict())
    }

    /// Document type id that was asked for; empty when the answer belongs to no open request.
    pub fn document(&self) -> String {
        self.0.document().to_owned()
    }

    /// Verified values among those asked for; nothing with a red verdict.
    pub fn display(&self) -> Option<DisplayView> {
        wipe::after(|| self.0.display().map(DisplayView::from))
    }

    /// Field ids that were asked for and not shown.
    pub fn withheld(&self) -> Vec<String> {
        wipe::after(|| self.0.withheld().into_iter().map(str::to_owned).collect())
    }

    /// When the status list that was used was signed, RFC 3339.
    pub fn status_issued_at(&self) -> Option<String> {
        self.0.status_issued_at().map(|at| at.to_rfc3339())
    }

    /// The status list that was used.
    pub fn status_list(&self) -> Option<ListDatesView> {
        self.0.status_list().map(ListDatesView::from)
    }

    /// The trust data that was used.
    pub fn trust(&self) -> TrustDatesView {
        TrustDatesView::from(self.0.trust())
    }

    /// When the check was made, RFC 3339.
    pub fn checked_at(&self) -> String {
        self.0.checked_at().to_rfc3339()
    }

    /// Whether a signed portrait was shown, so that the face can be compared.
    pub fn has_portrait(&self) -> bool {
        self.0.has_portrait()
    }

    /// A person compared the face with the signed portrait and says whether it is the same.
    pub fn confirm_face(&self, same: bool) -> Result<VerdictView, WalletError> {
        enter(|| Ok(VerdictView::from(&self.0.confirm_face(same)?)))
    }
}

fn policy(role: &Role, own: Option<&str>) -> PolicyView {
    let document = |id: &str| PolicyDocument { document: id.to_owned(), allowed: role.allowed(id).to_vec(), defaults: role.defaults(id) };
    PolicyView {
        role: role.id().to_owned(),
        label_vi: role.label("vi").to_owned(),
        label_en: role.label("en").to_owned(),
        own: own == Some(role.id()),
        documents: role.documents().map(document).collect(),
        purposes: role.purposes().to_vec(),
        boarding_pass: role.boarding_pass(),
        status_green_hours: role.status_green_hours(),
        status_caution_hours: role.status_caution_hours(),
        face_required: role.face_required(),
        max_retention_hours: role.max_retention_hours(),
    }
}

impl From<VerifierConfig> for core::VerifierConfig {
    fn from(config: VerifierConfig) -> Self {
        let VerifierConfig { directory, service_url, tls_root, trust_root, trust_floor } = config;
        Self { directory: PathBuf::from(directory), service_url, tls_root, trust_root, trust_floor }
    }
}

fn staff_view(staff: &core::Staff, verifier: &core::Verifier) -> StaffView {
    StaffView {
        role: staff.role.clone(),
        organisation: staff.organisation.clone(),
        device: staff.device.clone(),
        place: staff.place.clone(),
        valid_until: staff.valid_until.to_rfc3339(),
        display: DisplayView::from(&core::display::staff(staff, verifier.now())),
    }
}

impl From<core::TrustDates> for TrustDatesView {
    fn from(dates: core::TrustDates) -> Self {
        Self { version: dates.version, signed_at: dates.signed_at.map(|at| at.to_rfc3339()), expires: dates.expires.to_rfc3339() }
    }
}

impl From<&core::ListDates> for ListDatesView {
    fn from(dates: &core::ListDates) -> Self {
        Self {
            uri: dates.uri.clone(),
            issued_at: dates.issued_at.to_rfc3339(),
            expires: dates.expires_at.map(|at| at.to_rfc3339()),
            fetched_at: dates.fetched_at.to_rfc3339(),
        }
    }
}

fn sync_report(report: &core::SyncReport, verifier: &core::Verifier) -> VerifierSyncReport {
    VerifierSyncReport {
        verdict: VerdictView::from(&report.verdict),
        trust: report.trust.map(TrustDatesView::from),
        lists: u64::try_from(report.lists).unwrap_or(u64::MAX),
        stored: u64::try_from(report.stored).unwrap_or(u64::MAX),
        display: DisplayView::from(&core::display::sync(report, verifier.now())),
    }
}
