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
#[derive(uniffi::Object)]
pub struct Wallet(core::Wallet);

#[uniffi::export]
impl Wallet {
    /// Opens the wallet of a folder. Nothing personal is decrypted; the state is `New` or `Locked`.
    #[uniffi::constructor]
    pub fn open(
        config: WalletConfig,
        keys: Arc<dyn KeyStorePort>,
        sealer: Arc<dyn DeviceSealerPort>,
        clock: Arc<dyn ClockPort>,
        listener: Option<Arc<dyn ListenerPort>>,
    ) -> Result<Arc<Self>, WalletError> {
        let ports = core_ports(keys, sealer, clock, listener);
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
    pub fn create(&self, passcode: Vec<u8>) -> Result<(), WalletError> {
        enter(|| Ok(self.0.create(&secret(passcode)?)?))
    }

    /// `Locked` to `Unlocked`. A wrong passcode is an error that says how many tries are left.
    pub fn unlock(&self, passcode: Vec<u8>) -> Result<(), WalletError> {
        enter(|| Ok(self.0.unlock(&secret(passcode)?)?))
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

    /// Puts a new passcode in the place of the old one.
    pub fn change_passcode(&self, old: Vec<u8>, new: Vec<u8>) -> Result<(), WalletError> {
        enter(|| Ok(self.0.change_passcode(&secret(old)?, &secret(new)?)?))
    }

    /// Opens an activation at central, or gives the one under way.
    pub fn begin_activation(&self) -> Result<ActivationView, WalletError> {
        enter(|| Ok(ActivationView::from(&self.0.begin_activation()?)))
    }

    /// Reads the chip card and checks it. A lost card is waited for; a wrong password is an error and is not tried again.
    pub fn read_card(&self, channel: Arc<dyn CardChannelPort>, password: CardPassword) -> Result<CardReport, WalletError> {
        enter(|| Ok(CardReport::from(self.0.read_card(ports::card_channel(channel), password.try_into()?)?)))
    }

    /// Sends the chip's evidence to central.
    pub fn submit_chip(&self) -> Result<ActivationView, WalletError> {
        enter(|| Ok(ActivationView::from(&self.0.submit_chip()?)))
    }

    /// Has central send a one-time code.
    pub fn request_code(&self) -> Result<ActivationView, WalletError> {
        enter(|| Ok(ActivationView::from(&self.0.request_code()?)))
    }

    /// Gives the code that arrived.
    pub fn submit_code(&self, code: String) -> Result<ActivationView, WalletError> {
        enter(|| Ok(ActivationView::from(&self.0.submit_code(&code)?)))
    }

    /// Gives a picture of the holder's face.
    pub fn submit_face(&self, image: Vec<u8>) -> Result<ActivationView, WalletError> {
        enter(|| Ok(ActivationView::from(&self.0.submit_face(&image)?)))
    }

    /// Completes the activation: the account is active on this device.
    pub fn complete_activation(&self) -> Result<ActivationView, WalletError> {
        enter(|| Ok(ActivationView::from(&self.0.complete_activation()?)))
    }

    /// Where the activation is.
    pub fn activation(&self) -> Result<ActivationView, WalletError> {
        enter(|| Ok(ActivationView::from(&self.0.activation()?)))
    }

    /// Gets every offered document; goes on where an earlier try stopped.
    pub fn obtain_documents(&self) -> Result<IssuanceReport, WalletError> {
        enter(|| Ok(IssuanceReport::from(&self.0.obtain_documents()?)))
    }

    /// The documents, in the order of display.
    pub fn documents(&self) -> Result<Vec<DocumentSummaryView>, WalletError> {
        enter(|| Ok(self.0.documents()?.iter().map(DocumentSummaryView::from).collect()))
    }

    /// One document with its display model.
    pub fn document(&self, id: String) -> Result<DocumentView, WalletError> {
        enter(|| Ok(DocumentView::from(&self.0.document(&id)?)))
    }

    /// Reads and judges the text of a scanned QR code.
    pub fn open_request(&self, text: String) -> Result<Arc<PendingRequest>, WalletError> {
        enter(|| Ok(Arc::new(PendingRequest::from(self.0.open_request(&text)?))))
    }

    /// The consent log, newest first.
    pub fn consent_log(&self) -> Result<Vec<ConsentEntryView>, WalletError> {
        enter(|| Ok(self.0.consent_log()?.iter().map(ConsentEntryView::from).collect()))
    }

    /// What central told of the documents so far, newest first.
    pub fn notices(&self) -> Result<Vec<ChangeView>, WalletError> {
        enter(|| Ok(self.0.notices()?.iter().map(ChangeView::from).collect()))
    }

    /// What this wallet holds and did, row by row and without values: for a support screen, and to be compared with central's ledger.
    pub fn ledger(&self) -> Result<LedgerView, WalletError> {
        enter(|| Ok(LedgerView::from(&self.0.ledger()?)))
    }

    /// Trust, changed documents, refill of copies.
    pub fn sync(&self) -> Result<WalletSyncReport, WalletError> {
        enter(|| Ok(WalletSyncReport::from(&self.0.sync()?)))
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
        let ports = core_ports(keys, sealer, clock, None);
        enter(|| Ok(Arc::new(Self(core::Wallet::open_within(config.into(), ports, patience)?))))
    }
}

fn core_ports(
    keys: Arc<dyn KeyStorePort>,
    sealer: Arc<dyn DeviceSealerPort>,
    clock: Arc<dyn ClockPort>,
    listener: Option<Arc<dyn ListenerPort>>,
) -> core::Ports {
    core::Ports {
        keys: ports::key_store(keys),
        sealer: ports::device_sealer(sealer),
        clock: ports::clock(clock),
        listener: listener.map(ports::listener),
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
