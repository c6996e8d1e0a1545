//! The facade: one object a shell holds. Every method may block (card, network, prompt) and must be called off the main thread.

use std::sync::Arc;
use std::time::Duration;

use wallet_platform::ports::{CardChannel, Ports};

use crate::activation::{self, ActivationView, CardPassword, CardReport};
use crate::config::WalletConfig;
use crate::consent::{self, ConsentEntry};
use crate::documents::{self, DocumentSummary, DocumentView};
use crate::error::WalletError;
use crate::inner::Inner;
use crate::issuance::{self, IssuanceReport};
use crate::ledger::{self, Ledger};
use crate::presentation::{self, PendingRequest};
use crate::sync::{self, Change, SyncReport};

/// The store as a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreState {
    /// No wallet was created in the folder.
    New,
    /// Created; `wallet.db` is closed, `cache.db` may be in use.
    Locked,
    /// Both databases are open.
    Unlocked,
    /// [`Wallet::close`] was called; only opening anew helps.
    Closed,
}

impl StoreState {
    /// `new`, `locked`, `unlocked` or `closed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Locked => "locked",
            Self::Unlocked => "unlocked",
            Self::Closed => "closed",
        }
    }
}

/// The citizen's wallet. Clones share one store.
#[derive(Clone)]
pub struct Wallet {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Wallet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wallet").field("state", &self.state()).finish()
    }
}

impl Wallet {
    /// Opens the folder. Nothing is decrypted but the cache of public lists; the state is `New` or `Locked`.
    pub fn open(config: WalletConfig, ports: Ports) -> Result<Self, WalletError> {
        Ok(Self { inner: Arc::new(Inner::open(config, ports, None)?) })
    }

    /// The same for an app that waits for the service no longer than `patience`: for a connection, for a byte, for a whole answer.
    pub fn open_within(config: WalletConfig, ports: Ports, patience: Duration) -> Result<Self, WalletError> {
        Ok(Self { inner: Arc::new(Inner::open(config, ports, Some(patience))?) })
    }

    /// The store's state.
    pub fn state(&self) -> StoreState {
        self.inner.state()
    }

    /// `New` to `Unlocked`: makes both databases, with `passcode` as the first key slot. Takes the work of an interrupted `create` up again.
    pub fn create(&self, passcode: &str) -> Result<(), WalletError> {
        self.inner.create(passcode)
    }

    /// `Locked` to `Unlocked`. What an interrupted showing left behind is spent and logged as failed first.
    pub fn unlock(&self, passcode: &str) -> Result<(), WalletError> {
        self.inner.unlock(passcode)
    }

    /// `Unlocked` to `Locked`; nothing happens in other states. A long act under way ends with an error at its next step.
    pub fn lock(&self) {
        self.inner.lock();
    }

    /// Any state to `Closed`.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Puts a new passcode in the place of the old one; counts as a try.
    pub fn change_passcode(&self, old: &str, new: &str) -> Result<(), WalletError> {
        self.inner.change_passcode(old, new)
    }

    /// Opens an activation session at central, or gives the one under way. Fetches trust first when there is none.
    pub fn begin_activation(&self) -> Result<ActivationView, WalletError> {
        activation::begin(&self.inner)
    }

    /// Reads a card: access by `password`, Active Authentication over the session's challenge, the wallet's own checks. Nothing is sent.
    ///
    /// A lost card is waited for and the reading goes on where it stopped. A wrong password is an error and is not tried again.
    /// A rejected card gives `Ok` with the verdict and is not kept.
    pub fn read_card(&self, channel: Arc<dyn CardChannel>, password: CardPassword) -> Result<CardReport, WalletError> {
        activation::read_card(&self.inner, channel, password)
    }

    /// Sends the chip's evidence to central. Central's refusal is in the view's verdict; within the session another
    /// reading may be tried.
    pub fn submit_chip(&self) -> Result<ActivationView, WalletError> {
        activation::submit_chip(&self.inner)
    }

    /// Has central send a code out of band.
    pub fn request_code(&self) -> Result<ActivationView, WalletError> {
        activation::request_code(&self.inner)
    }

    /// Gives the code that arrived.
    pub fn submit_code(&self, code: &str) -> Result<ActivationView, WalletError> {
        activation::submit_code(&self.inner, code)
    }

    /// Gives a picture of the holder's face (at most 2 MiB).
    pub fn submit_face(&self, image: &[u8]) -> Result<ActivationView, WalletError> {
        activation::submit_face(&self.inner, image)
    }

    /// Completes: the account is active on this device and holds a credential offer.
    pub fn complete_activation(&self) -> Result<ActivationView, WalletError> {
        activation::complete(&self.inner)
    }

    /// Where the activation is. Reads the store only.
    pub fn activation(&self) -> Result<ActivationView, WalletError> {
        activation::view(&self.inner)
    }

    /// Gets every offered document, a batch of copy sets each; goes on where an earlier try stopped.
    pub fn obtain_documents(&self) -> Result<IssuanceReport, WalletError> {
        issuance::obtain(&self.inner)
    }

    /// The documents, in the order of display.
    pub fn documents(&self) -> Result<Vec<DocumentSummary>, WalletError> {
        documents::list(&self.inner)
    }

    /// One document with its display model.
    pub fn document(&self, id: &str) -> Result<DocumentView, WalletError> {
        documents::view(&self.inner, id)
    }

    /// Reads and judges the text of a scanned QR. `Err` when it is no request at all; a refused request gives `Ok` with its verdict.
    pub fn open_request(&self, text: &str) -> Result<PendingRequest, WalletError> {
        presentation::open(&self.inner, text)
    }

    /// The consent log, newest first.
    pub fn consent_log(&self) -> Result<Vec<ConsentEntry>, WalletError> {
        self.inner.read(consent::list)
    }

    /// What this wallet holds and did, row by row and without values: to be compared with central's own ledger.
    pub fn ledger(&self) -> Result<Ledger, WalletError> {
        ledger::read(&self.inner)
    }

    /// Trust, change feed, refill of copy sets, clean-up. On a locked wallet: trust only.
    pub fn sync(&self) -> Result<SyncReport, WalletError> {
        sync::run(&self.inner)
    }

    /// What the change feed told so far, newest first.
    pub fn notices(&self) -> Result<Vec<Change>, WalletError> {
        self.inner.read(sync::notices)
    }
}
