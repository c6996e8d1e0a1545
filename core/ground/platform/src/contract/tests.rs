//! The software ports fulfil the contracts, and every clause is able to fail: for each there is an implementation that breaks
//! exactly it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wallet_base::crypto::{Curve, PublicKey, Signer, SoftwareKey};
use wallet_base::random::OsRandom;
use wallet_base::secret::SecretBytes;
use wallet_base::time::Timestamp;
use zeroize::Zeroizing;

use super::*;
use crate::deadline::Guarded;
use crate::ports::*;
use crate::software::{KeyStoreOptions, ManualClock, RadioPipe, SoftwareKeyStore, SoftwareSealer, SystemClock};

/// Runs `contract` on a port that breaks each clause of a list and expects exactly that clause.
fn every_clause_can_fail(clauses: &[&'static str], contract: impl Fn(&'static str) -> Result<(), ContractBreach>) {
    for clause in clauses {
        let breach = contract(clause).expect_err(clause);
        assert_eq!(breach.clause, *clause);
    }
}

#[test]
fn software_key_store_fulfils_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let store = SoftwareKeyStore::open(dir.path()).unwrap();
    key_store(&store).unwrap();
    // Nothing but the sealing key is left behind.
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    assert!(store.prompts() <= 7, "{} prompts", store.prompts());
}

#[test]
fn key_store_without_agreement_and_behind_a_deadline_fulfils_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let options = KeyStoreOptions { agreement: false, ..KeyStoreOptions::default() };
    let store: std::sync::Arc<dyn KeyStore> = std::sync::Arc::new(SoftwareKeyStore::open_with(dir.path(), options).unwrap());
    let guarded: Guarded<dyn KeyStore> = Guarded::new(store);
    key_store(&guarded).unwrap();
}

/// A software key store with one fault.
struct SlyKeys {
    inner: SoftwareKeyStore,
    fault: &'static str,
    /// The key that stays usable where the fault is about refusing.
    rogue: SoftwareKey,
    deleted: Mutex<Vec<KeyId>>,
    last: Mutex<Option<AuthorisationId>>,
    uses: AtomicU64,
}

impl SlyKeys {
    fn new(dir: &std::path::Path, fault: &'static str) -> Self {
        Self {
            inner: SoftwareKeyStore::open(dir).unwrap(),
            fault,
            rogue: SoftwareKey::generate(Curve::P256, &OsRandom),
            deleted: Mutex::default(),
            last: Mutex::default(),
            uses: AtomicU64::new(0),
        }
    }

    fn is(&self, fault: &str) -> bool {
        self.fault == fault
    }

    fn rogue_signature(&self, message: &[u8]) -> [u8; 64] {
        self.rogue.sign(message).unwrap().try_into().unwrap()
    }
}

impl KeyStore for SlyKeys {
    fn create_keys(&self, class: KeyClass, n: u32, challenge: &[u8]) -> Result<CreatedKeys, PortError> {
        if self.is("refuses-no-keys") && n == 0 {
            return Ok(CreatedKeys { keys: vec![], evidence: vec![1] });
        }
        if self.is("refuses-too-many-keys") && n > MAX_KEYS_PER_CALL {
            return self.inner.create_keys(class, 1, challenge);
        }
        let mut made = self.inner.create_keys(class, n, challenge)?;
        if self.is("creates-as-many-as-asked") {
            made.keys.pop();
        }
        if self.is("keys-are-p256") {
            made.keys[0].1 = SoftwareKey::generate(Curve::P384, &OsRandom).public_key();
        }
        if self.is("keys-are-distinct") && n > 1 {
            made.keys[1] = made.keys[0].clone();
        }
        if self.is("evidence-is-given") {
            made.evidence.clear();
        }
        Ok(made)
    }

    fn authorise(&self, reason: &str, keys: &[KeyId], max_uses: u32, ttl: Duration) -> Result<AuthorisationId, PortError> {
        if self.is("long-ttl-is-refused") && ttl > MAX_AUTHORISATION_TTL {
            return self.inner.authorise(reason, keys, max_uses, MAX_AUTHORISATION_TTL);
        }
        if self.is("transaction-key-serves-one-use") && max_uses == 2 {
            return Ok(AuthorisationId("twice".to_owned()));
        }
        let ttl = if self.is("ttl-runs-out") && ttl < Duration::from_secs(2) { Duration::from_secs(20) } else { ttl };
        let max_uses = if self.is("uses-are-counted") { max_uses + 1 } else { max_uses };
        let keys = if self.is("one-authorisation-serves-all-its-keys") { &keys[..1] } else { keys };
        let id = self.inner.authorise(reason, keys, max_uses, ttl)?;
        *self.last.lock().unwrap() = Some(id.clone());
        Ok(id)
    }

    fn sign(&self, authorisation: Option<&AuthorisationId>, key: &KeyId, message: &[u8]) -> Result<[u8; 64], PortError> {
        match self.fault {
            "account-signs-without-authorisation" if authorisation.is_none() => return Err(PortError::NotAuthorised),
            "transaction-key-serves-one-use" if authorisation.is_some_and(|a| a.0 == "twice") => {
                let real = self.inner.authorise("r", std::slice::from_ref(key), 1, Duration::from_secs(1))?;
                return self.inner.sign(Some(&real), key, message);
            }
            "signature-is-es256-raw" => return Ok([1; 64]),
            "unknown-key-is-invalidated" if key.0.starts_with("contract") => return Err(PortError::Unavailable),
            "deleted-key-is-invalidated" if self.deleted.lock().unwrap().contains(key) => return Ok(self.rogue_signature(message)),
            _ => {}
        }
        let result = self.inner.sign(authorisation, key, message);
        if result != Err(PortError::NotAuthorised) {
            return result;
        }
        let forgiven = match self.fault {
            "holder-needs-authorisation" => authorisation.is_none(),
            "unknown-authorisation-is-refused" => authorisation.is_some_and(|a| a.0.starts_with("contract")),
            "authorisation-is-for-its-keys-only" => {
                // Refusals before it: no authorisation, an invented one, one that is used up.
                authorisation.is_some() && self.uses.fetch_add(1, Ordering::SeqCst) == 2
            }
            "ended-authorisation-is-refused" => authorisation.is_some() && self.uses.fetch_add(1, Ordering::SeqCst) == 3,
            _ => false,
        };
        if forgiven { Ok(self.rogue_signature(message)) } else { result }
    }

    fn agree(&self, authorisation: Option<&AuthorisationId>, key: &KeyId, peer: &PublicKey) -> Result<Zeroizing<[u8; 32]>, PortError> {
        match self.fault {
            "agreement-needs-authorisation" if authorisation.is_none() => Ok(Zeroizing::new([0; 32])),
            "agreement-is-ecdh-or-unsupported" if authorisation.is_some() => Ok(Zeroizing::new([0; 32])),
            _ => self.inner.agree(authorisation, key, peer),
        }
    }

    fn end(&self, authorisation: &AuthorisationId) -> Result<(), PortError> {
        if self.is("ending-twice-is-no-error") && self.uses.fetch_add(1, Ordering::SeqCst) == 1 {
            return Err(PortError::NotAuthorised);
        }
        self.inner.end(authorisation)
    }

    fn delete(&self, keys: &[KeyId]) -> Result<(), PortError> {
        let mut deleted = self.deleted.lock().unwrap();
        if self.is("deleting-twice-is-no-error") && keys.iter().any(|k| deleted.contains(k)) {
            return Err(PortError::KeyInvalidated);
        }
        deleted.extend_from_slice(keys);
        self.inner.delete(keys)
    }

    fn list(&self) -> Result<Vec<KeyId>, PortError> {
        let mut held = self.inner.list()?;
        if self.is("lists-what-it-holds-or-unsupported") {
            held.extend_from_slice(&self.deleted.lock().unwrap());
        }
        Ok(held)
    }
}

#[test]
fn every_clause_of_the_key_store_can_fail() {
    let dir = tempfile::tempdir().unwrap();
    // The wrapper alone breaks nothing.
    key_store(&SlyKeys::new(dir.path(), "none")).unwrap();
    every_clause_can_fail(KEY_STORE_CLAUSES, |clause| key_store(&SlyKeys::new(dir.path(), clause)));
}

#[test]
fn software_sealer_fulfils_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    device_sealer(&SoftwareSealer::open(dir.path()).unwrap()).unwrap();
    // And opened again it is the same sealer.
    let sealed = SoftwareSealer::open(dir.path()).unwrap().seal(SealClass::User, b"s").unwrap();
    let again = SoftwareSealer::open(dir.path()).unwrap();
    assert_eq!(again.unseal(SealClass::User, &sealed).unwrap().expose(), b"s");
}

struct SlySealer {
    inner: SoftwareSealer,
    fault: &'static str,
    calls: AtomicU64,
    first: Mutex<Option<Vec<u8>>>,
    known: Mutex<Vec<u8>>,
}

impl DeviceSealer for SlySealer {
    fn seal(&self, class: SealClass, plaintext: &[u8]) -> Result<Vec<u8>, PortError> {
        match self.fault {
            "seals-up-to-4-kib" if plaintext.len() > 1024 => return Err(PortError::Unsupported),
            "hides-what-it-sealed" => {
                let sealed = self.inner.seal(class, plaintext)?;
                return Ok([plaintext, b"|", &sealed].concat());
            }
            "seals-anew-each-time" => {
                let mut first = self.first.lock().unwrap();
                let sealed = match &*first {
                    Some(sealed) => sealed.clone(),
                    None => self.inner.seal(class, plaintext)?,
                };
                *first = Some(sealed.clone());
                return Ok(sealed);
            }
            _ => {}
        }
        if !plaintext.is_empty() && plaintext.len() < 100 {
            *self.known.lock().unwrap() = plaintext.to_vec();
        }
        self.inner.seal(class, plaintext)
    }

    fn unseal(&self, class: SealClass, sealed: &[u8]) -> Result<SecretBytes, PortError> {
        let known = || Ok(SecretBytes::new(self.known.lock().unwrap().clone()));
        let result = self.inner.unseal(class, sealed);
        match self.fault {
            "opens-what-it-sealed" => Ok(SecretBytes::new(b"another share".to_vec())),
            "hides-what-it-sealed" => {
                let at = sealed.iter().position(|b| *b == b'|').ok_or(PortError::KeyInvalidated)?;
                self.inner.unseal(class, &sealed[at + 1..])
            }
            "classes-are-apart" => result.or_else(|_| {
                let other = if class == SealClass::User { SealClass::Background } else { SealClass::User };
                self.inner.unseal(other, sealed)
            }),
            "altered-is-refused" if sealed.len() == 61 && result.is_err() && self.calls.fetch_add(1, Ordering::SeqCst) == 1 => known(),
            "shortened-is-refused" if sealed.len() == 60 => known(),
            _ => result,
        }
    }

    fn mac(&self, input: &[u8]) -> Result<[u8; 32], PortError> {
        match self.fault {
            "mac-is-stable" => {
                let n = self.calls.fetch_add(1, Ordering::SeqCst);
                Ok([u8::try_from(n).unwrap(); 32])
            }
            "mac-depends-on-its-input" => Ok([7; 32]),
            _ => self.inner.mac(input),
        }
    }
}

#[test]
fn every_clause_of_the_sealer_can_fail() {
    let dir = tempfile::tempdir().unwrap();
    let sly = |fault| SlySealer {
        inner: SoftwareSealer::open(dir.path()).unwrap(),
        fault,
        calls: AtomicU64::new(0),
        first: Mutex::default(),
        known: Mutex::default(),
    };
    device_sealer(&sly("none")).unwrap();
    every_clause_can_fail(DEVICE_SEALER_CLAUSES, |clause| device_sealer(&sly(clause)));
}

#[test]
fn system_clock_fulfils_the_contract() {
    clock(&SystemClock::new()).unwrap();
    let guarded: Guarded<dyn Clock> = Guarded::new(std::sync::Arc::new(SystemClock::new()));
    clock(&guarded).unwrap();
}

struct SlyClock(&'static str, AtomicU64);

impl Clock for SlyClock {
    fn wall(&self) -> Timestamp {
        match self.0 {
            "wall-is-a-plausible-time" => Timestamp::from_unix(SystemClock.wall().unix() * 1000),
            _ => SystemClock.wall(),
        }
    }
    fn monotonic_millis(&self) -> u64 {
        match self.0 {
            "monotonic-does-not-go-back" => 1000 - self.1.fetch_add(1, Ordering::SeqCst),
            "monotonic-goes-with-time" => SystemClock.monotonic_millis() / 1000,
            _ => SystemClock.monotonic_millis(),
        }
    }
    fn boot_id(&self) -> String {
        match self.0 {
            "boot-id-is-given" => String::new(),
            "boot-id-is-stable" => self.1.fetch_add(1, Ordering::SeqCst).to_string(),
            _ => SystemClock.boot_id(),
        }
    }
}

#[test]
fn every_clause_of_the_clock_can_fail() {
    every_clause_can_fail(CLOCK_CLAUSES, |clause| clock(&SlyClock(clause, AtomicU64::new(0))));
    // A clock set by hand does not run, and the contract says so.
    let manual = ManualClock::new(Timestamp::from_unix(1_800_000_000));
    assert_eq!(clock(&manual).unwrap_err().clause, "monotonic-goes-with-time");
}

/// The least of a card: it knows one application.
struct TinyCard {
    fault: &'static str,
    cancelled: Mutex<bool>,
    connected: Mutex<bool>,
}

impl CardChannel for TinyCard {
    fn transceive(&self, apdu: &[u8]) -> Result<Vec<u8>, ChannelError> {
        if *self.cancelled.lock().unwrap() {
            return Err(ChannelError::Cancelled);
        }
        if !*self.connected.lock().unwrap() {
            return Err(ChannelError::CardLost);
        }
        if apdu.len() > 261 {
            let carried = self.fault == "refuses-what-it-cannot-carry";
            return if carried { Ok(vec![0x67, 0]) } else { Err(ChannelError::Other) };
        }
        match apdu {
            [0, 0xA4, ..] if self.fault == "answers-with-a-status-word" => Ok(vec![]),
            [0, 0xA4, ..] => Ok(vec![0x90, 0]),
            _ if self.fault == "unknown-command-is-an-answer" => Err(ChannelError::CardLost),
            _ => Ok(vec![0x6E, 0]),
        }
    }
    fn limits(&self) -> ChannelLimits {
        let max_command = if self.fault == "carries-short-apdus" { 64 } else { 261 };
        ChannelLimits { max_command, extended: false }
    }
    fn cancel(&self) {
        *self.cancelled.lock().unwrap() = true;
    }
    fn reconnect(&self) -> Result<(), ChannelError> {
        if self.fault == "reconnect-powers-up-anew" {
            *self.connected.lock().unwrap() = false;
        }
        if self.fault != "cancel-does-not-stick" {
            *self.cancelled.lock().unwrap() = false;
        }
        Ok(())
    }
}

#[test]
fn every_clause_of_the_card_channel_can_fail() {
    let card = |fault| TinyCard { fault, cancelled: Mutex::new(false), connected: Mutex::new(true) };
    card_channel(&card("none")).unwrap();
    let guarded: Guarded<dyn CardChannel> = Guarded::new(std::sync::Arc::new(card("none")));
    card_channel(&guarded).unwrap();
    every_clause_can_fail(CARD_CHANNEL_CLAUSES, |clause| card_channel(&card(clause)));
}

struct SlyRadio(RadioPipe, &'static str, Mutex<Vec<u8>>);

impl RadioChannel for SlyRadio {
    fn send(&self, frame: &[u8]) -> Result<(), ChannelError> {
        match self.1 {
            "carries-frames-both-ways" => Ok(self.0.send(b"noise")?),
            "refuses-long-frames" if frame.len() > 40 => Ok(()),
            _ => self.0.send(frame),
        }
    }
    fn receive(&self) -> Result<Vec<u8>, ChannelError> {
        let frame = self.0.receive();
        match (self.1, frame) {
            ("keeps-order-and-bounds", Ok(frame)) if frame != b"frame" => Ok([frame, vec![0]].concat()),
            ("close-ends-a-waiting-receive", Err(_)) => {
                std::thread::sleep(Duration::from_millis(1200));
                Ok(self.2.lock().unwrap().clone())
            }
            (_, frame) => frame,
        }
    }
    fn max_frame(&self) -> usize {
        if self.1 == "max-frame-is-useful" { 8 } else { self.0.max_frame() }
    }
    fn close(&self) {
        self.0.close();
    }
}

#[test]
fn every_clause_of_the_radio_channel_can_fail() {
    let run = |fault| {
        let (near, far) = RadioPipe::pair(40);
        radio_channel(&SlyRadio(near, fault, Mutex::default()), &SlyRadio(far, fault, Mutex::default()))
    };
    run("none").unwrap();
    let (near, far) = RadioPipe::pair(512);
    radio_channel(&near, &far).unwrap();
    every_clause_can_fail(RADIO_CHANNEL_CLAUSES, run);
}

struct SlyEar(&'static str);

impl Listener for SlyEar {
    fn progress(&self, _: Progress) {
        assert!(self.0 != "does-not-throw", "thrown on purpose");
    }
    fn state(&self, _: StateChange) {
        if self.0 == "returns-soon" {
            std::thread::sleep(Duration::from_millis(600));
        }
    }
    fn log(&self, _: LogLevel, _: &str, _: &str) {}
}

#[test]
fn every_clause_of_the_listener_can_fail() {
    listener(&SlyEar("none")).unwrap();
    listener(&crate::listener::QueuedListener::new(None)).unwrap();
    every_clause_can_fail(LISTENER_CLAUSES, |clause| listener(&SlyEar(clause)));
}
