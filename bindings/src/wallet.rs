//! The citizen's side at the border.

use std::path::PathBuf;
use std::sync::Arc;

use wallet_base::time::Date;
use wallet_core as core;
use zeroize::Zeroizing;

use crate::entry::enter;
use crate::error::WalletError;
use crate::ledger_view::LedgerView;
use crate::ports::{self, CardChannelPort, ClockPort, DeviceSealerPort, KeyStorePort, ListenerPort};
use crate::request::PendingRequest;
use crate::task::{CancelHandle, stoppable, undoable, whole};
use crate::wallet_views::{
    ActivationView, CardReport, ChangeView, ConsentEntryView, DocumentSummaryView, DocumentView, IssuanceReport, WalletSyncReport,
};

/// Where a wallet lives and whom it trusts. Everything here is part of the app's build, nothing is secret.
#[derive(Debug, Clone, uniffi::Record)]
pub struct WalletConfig {
    /// Folder of the wallet's own.
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

/// State of a wallet's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum WalletState {
    /// No wallet was created in the folder.
    New,
    /// Created; personal data is closed.
    Locked,
    /// Open.
    Unlocked,
    /// Closed for good; open the folder anew.
    Closed,
}

/// What opens a card's chip.
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
pub enum CardPassword {
    /// Card Access Number: six digits.
    Can {
        /// The digits.
        can: String,
    },
    /// Machine-readable zone.
    Mrz {
        /// Document number.
        document_number: String,
        /// Date of birth, `YYYY-MM-DD`.
        birth: String,
        /// Date of expiry, `YYYY-MM-DD`.
        expiry: String,
    },
}

impl std::fmt::Debug for CardPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardPassword(..)")
    }
}

/// A citizen's wallet.
///
/// Every act that may take long (disk, card, network, a prompt) is awaited and runs on a thread of its own; those with a `cancel` parameter can be
/// stopped. One long act runs at a time; another meanwhile is `Invalid("busy")`.
#[derive(uniffi::Object)]
pub struct Wallet(core::Wallet);

#[uniffi::export]
impl Wallet {
    /// Opens the wallet of a folder; call it off the main thread, since it reads the disk. Nothing personal is decrypted; the state is `New` or
    /// `Locked`. A folder that another wallet object or program has open is `Storage("busy")`.
    #[uniffi::constructor]
    pub fn open(
        config: WalletConfig,
        keys: Arc<dyn KeyStorePort>,
        sealer: Arc<dyn DeviceSealerPort>,
        clock: Arc<dyn ClockPort>,
        listener: Option<Arc<dyn ListenerPort>>,
    ) -> Result<Arc<Self>, WalletError> {
        let ports = ports::of_app(keys, sealer, clock, listener);
        enter(|| Ok(Arc::new(Self(core::Wallet::open(config.into(), ports)?))))
    }

    /// The store's state.
    pub fn state(&self) -> WalletState {
        match self.0.state() {
            core::StoreState::New => WalletState::New,
            core::StoreState::Locked => WalletState::Locked,
            core::StoreState::Unlocked => WalletState::Unlocked,
            core::StoreState::Closed => WalletState::Closed,
        }
    }

    /// Makes the stores with `passcode` (UTF-8) as the first way in; `New` to `Unlocked`.
    ///
    /// The device may ask its user (sealing under a key of class user). Stopped before the stores were made, the folder is as it was.
    #[uniffi::method(default(cancel = None))]
    pub async fn create(&self, passcode: Vec<u8>, cancel: Option<Arc<CancelHandle>>) -> Result<(), WalletError> {
        let (this, waiting) = (self.0.clone(), self.0.clone());
        let passcode = secret(passcode)?;
        undoable("create", cancel, move || waiting.lock(), move || Ok(this.create(&passcode)?)).await
    }

    /// `Locked` to `Unlocked`, unless it is locked again before it is open: then it stays locked and the error is `locked`. A wrong passcode is an error that says how many tries are left.
    /// The device may ask its user; stopped there, no try is counted. Who stops waiting (a cancelled coroutine) finds the wallet locked, even when the
    /// listener was told already that it is open: wait for this call, not for the event.
    #[uniffi::method(default(cancel = None))]
    pub async fn unlock(&self, passcode: Vec<u8>, cancel: Option<Arc<CancelHandle>>) -> Result<(), WalletError> {
        let (this, waiting) = (self.0.clone(), self.0.clone());
        let passcode = secret(passcode)?;
        undoable("unlock", cancel, move || waiting.lock(), move || Ok(this.unlock(&passcode)?)).await
    }

    /// `Unlocked` to `Locked`.
    pub fn lock(&self) -> Result<(), WalletError> {
        enter(|| {
            self.0.lock();
            Ok(())
        })
    }

    /// Any state to `Closed`.
    pub fn close(&self) -> Result<(), WalletError> {
        enter(|| {
            self.0.close();
            Ok(())
        })
    }

    /// Puts a new passcode in the place of the old one. Stopped before the new one is in place, the old one stays.
    #[uniffi::method(default(cancel = None))]
    pub async fn change_passcode(&self, old: Vec<u8>, new: Vec<u8>, cancel: Option<Arc<CancelHandle>>) -> Result<(), WalletError> {
        let this = self.0.clone();
        let (old, new) = (secret(old)?, secret(new)?);
        stoppable("change-passcode", cancel, move || Ok(this.change_passcode(&old, &new)?)).await
    }

    /// Opens an activation at central, or gives the one under way.
    ///
    /// The steps come in this order: `begin_activation`, `read_card`, `submit_chip`, `request_code`, `submit_code`, `submit_face`,
    /// `complete_activation`. [`ActivationView::next`] names the one to take now, also after a restart. A step that was taken gives its view
    /// again; one that is not yet due, and `read_card` once central took the chip, is `Invalid` with the reason `wrong-step`. After `Network` take
    /// the same step again: what was done is kept. `Expired` means that the session is over, by time or because its tries are used up: begin
    /// anew (codes are limited for a day, too).
    #[uniffi::method(default(cancel = None))]
    pub async fn begin_activation(&self, cancel: Option<Arc<CancelHandle>>) -> Result<ActivationView, WalletError> {
        let this = self.0.clone();
        stoppable("begin-activation", cancel, move || Ok(ActivationView::from(&this.begin_activation()?))).await
    }

    /// Reads the chip card and checks it. A lost card is waited for; a wrong password is an error and is not tried again.
    ///
    /// A card that is refused is no error: the report has the verdict and no display, nothing is kept, and another card may be read.
    #[uniffi::method(default(cancel = None))]
    pub async fn read_card(
        &self,
        channel: Arc<dyn CardChannelPort>,
        password: CardPassword,
        cancel: Option<Arc<CancelHandle>>,
    ) -> Result<CardReport, WalletError> {
        let this = self.0.clone();
        stoppable("read-card", cancel, move || Ok(CardReport::from(this.read_card(ports::card_channel(channel), password.try_into()?)?)))
            .await
    }

    /// Sends the chip's evidence to central.
    ///
    /// Central's refusal is no error: the view's verdict has its facts, and `next` is `read-card` while the session is open, else `begin`.
    #[uniffi::method(default(cancel = None))]
    pub async fn submit_chip(&self, cancel: Option<Arc<CancelHandle>>) -> Result<ActivationView, WalletError> {
        let this = self.0.clone();
        stoppable("submit-chip", cancel, move || Ok(ActivationView::from(&this.submit_chip()?))).await
    }

    /// Has central send a one-time code; taken again, another one, which ends the one before. Five in a session.
    #[uniffi::method(default(cancel = None))]
    pub async fn request_code(&self, cancel: Option<Arc<CancelHandle>>) -> Result<ActivationView, WalletError> {
        let this = self.0.clone();
        stoppable("request-code", cancel, move || Ok(ActivationView::from(&this.request_code()?))).await
    }

    /// Gives the code that arrived.
    ///
    /// Wrong digits are no error: `next` stays `enter-code` while `tries_left` is not 0, else it is `begin`. What is not 1 to 16 digits is
    /// `Invalid` with the reason `code` and costs no try.
    #[uniffi::method(default(cancel = None))]
    pub async fn submit_code(&self, code: String, cancel: Option<Arc<CancelHandle>>) -> Result<ActivationView, WalletError> {
        let this = self.0.clone();
        stoppable("submit-code", cancel, move || Ok(ActivationView::from(&this.submit_code(&code)?))).await
    }

    /// Gives a picture of the holder's face, at most 2 MiB.
    ///
    /// Another face is no error: `next` stays `take-face` while `tries_left` is not 0, else it is `begin`.
    #[uniffi::method(default(cancel = None))]
    pub async fn submit_face(&self, image: Vec<u8>, cancel: Option<Arc<CancelHandle>>) -> Result<ActivationView, WalletError> {
        let this = self.0.clone();
        stoppable("submit-face", cancel, move || Ok(ActivationView::from(&this.submit_face(&image)?))).await
    }

    /// Completes the activation: the account is active on this device, and ended on every other. `obtain_documents` comes next.
    #[uniffi::method(default(cancel = None))]
    pub async fn complete_activation(&self, cancel: Option<Arc<CancelHandle>>) -> Result<ActivationView, WalletError> {
        let this = self.0.clone();
        stoppable("complete-activation", cancel, move || Ok(ActivationView::from(&this.complete_activation()?))).await
    }

    /// Where the activation is.
    pub async fn activation(&self) -> Result<ActivationView, WalletError> {
        let this = self.0.clone();
        whole("activation", move || Ok(ActivationView::from(&this.activation()?))).await
    }

    /// Gets every offered document; goes on where an earlier try stopped.
    #[uniffi::method(default(cancel = None))]
    pub async fn obtain_documents(&self, cancel: Option<Arc<CancelHandle>>) -> Result<IssuanceReport, WalletError> {
        let this = self.0.clone();
        stoppable("obtain-documents", cancel, move || Ok(IssuanceReport::from(&this.obtain_documents()?))).await
    }

    /// The documents, in the order of display.
    pub async fn documents(&self) -> Result<Vec<DocumentSummaryView>, WalletError> {
        let this = self.0.clone();
        whole("documents", move || Ok(this.documents()?.iter().map(DocumentSummaryView::from).collect())).await
    }

    /// One document with its display model.
    pub async fn document(&self, id: String) -> Result<DocumentView, WalletError> {
        let this = self.0.clone();
        whole("document", move || Ok(DocumentView::from(&this.document(&id)?))).await
    }

    /// Reads and judges the text of a scanned QR code.
    pub async fn open_request(&self, text: String) -> Result<Arc<PendingRequest>, WalletError> {
        let this = self.0.clone();
        whole("open-request", move || Ok(Arc::new(PendingRequest::from(this.open_request(&text)?)))).await
    }

    /// The consent log, newest first.
    pub async fn consent_log(&self) -> Result<Vec<ConsentEntryView>, WalletError> {
        let this = self.0.clone();
        whole("consent-log", move || Ok(this.consent_log()?.iter().map(ConsentEntryView::from).collect())).await
    }

    /// What central told of the documents so far, newest first.
    pub async fn notices(&self) -> Result<Vec<ChangeView>, WalletError> {
        let this = self.0.clone();
        whole("notices", move || Ok(this.notices()?.iter().map(ChangeView::from).collect())).await
    }

    /// What this wallet holds and did, row by row and without values: for a support screen, and to be compared with central's ledger.
    pub async fn ledger(&self) -> Result<LedgerView, WalletError> {
        let this = self.0.clone();
        whole("ledger", move || Ok(LedgerView::from(&this.ledger()?))).await
    }

    /// Trust, changed documents, refill of copies.
    #[uniffi::method(default(cancel = None))]
    pub async fn sync(&self, cancel: Option<Arc<CancelHandle>>) -> Result<WalletSyncReport, WalletError> {
        let this = self.0.clone();
        stoppable("sync", cancel, move || Ok(WalletSyncReport::from(&this.sync()?))).await
    }
}

#[cfg(feature = "software")]
impl Wallet {
    /// Opens the wallet with a patience of its own towards the service (feature `software`: tests of slow links).
    pub fn open_within(
        config: WalletConfig,
        keys: Arc<dyn KeyStorePort>,
        sealer: Arc<dyn DeviceSealerPort>,
        clock: Arc<dyn ClockPort>,
        patience: std::time::Duration,
    ) -> Result<Arc<Self>, WalletError> {
        let ports = ports::of_app(keys, sealer, clock, None);
        enter(|| Ok(Arc::new(Self(core::Wallet::open_within(config.into(), ports, patience)?))))
    }
}

/// A passcode crosses as bytes, so that the app can wipe its copy, and is wiped here when the act ends.
fn secret(passcode: Vec<u8>) -> Result<Zeroizing<String>, WalletError> {
    String::from_utf8(passcode).map(Zeroizing::new).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        WalletError::invalid("passcode")
    })
}

impl From<WalletConfig> for core::WalletConfig {
    fn from(config: WalletConfig) -> Self {
        let WalletConfig { directory, service_url, tls_root, trust_root, trust_floor } = config;
        Self { directory: PathBuf::from(directory), service_url, tls_root, trust_root, trust_floor, copies: core::DEFAULT_COPIES }
    }
}

impl TryFrom<CardPassword> for core::CardPassword {
    type Error = WalletError;

    fn try_from(password: CardPassword) -> Result<Self, WalletError> {
        match password {
            CardPassword::Can { can } => Ok(Self::Can(can)),
            CardPassword::Mrz { document_number, birth, expiry } => {
                let date = |text: &str, what| Date::parse_iso(text).ok_or_else(|| WalletError::invalid(what));
                Ok(Self::Mrz { document_number, birth: date(&birth, "birth")?, expiry: date(&expiry, "expiry")? })
            }
        }
    }
}
