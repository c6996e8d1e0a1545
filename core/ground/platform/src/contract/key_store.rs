//! What a key store must do.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::Duration;

use wallet_base::crypto::{Curve, EphemeralKey, PublicKey};
use wallet_base::random::OsRandom;

use super::{Clauses, ContractBreach};
use crate::ports::{AuthorisationId, KeyClass, KeyId, KeyStore, MAX_AUTHORISATION_TTL, MAX_KEYS_PER_CALL, PortError};

/// The clauses of [`key_store`], in order.
pub const KEY_STORE_CLAUSES: &[&str] = &[
    "creates-as-many-as-asked",
    "keys-are-p256",
    "keys-are-distinct",
    "evidence-is-given",
    "refuses-no-keys",
    "refuses-too-many-keys",
    "account-signs-without-authorisation",
    "signature-is-es256-raw",
    "unknown-key-is-invalidated",
    "holder-needs-authorisation",
    "unknown-authorisation-is-refused",
    "one-authorisation-serves-all-its-keys",
    "uses-are-counted",
    "authorisation-is-for-its-keys-only",
    "ended-authorisation-is-refused",
    "ending-twice-is-no-error",
    "ttl-runs-out",
    "long-ttl-is-refused",
    "transaction-key-serves-one-use",
    "agreement-needs-authorisation",
    "agreement-is-ecdh-or-unsupported",
    "deleted-key-is-invalidated",
    "deleting-twice-is-no-error",
    "lists-what-it-holds-or-unsupported",
];

const PORT: Clauses = Clauses("KeyStore");
const MESSAGE: &[u8] = b"contract of the key store";
const TTL: Duration = Duration::from_secs(20);

/// Runs the contract of a key store. Needs a device with a secure lock; asks the user about seven times. Removes the keys it made.
pub fn key_store(store: &dyn KeyStore) -> Result<(), ContractBreach> {
    let mut made = Vec::new();
    let result = run(store, &mut made);
    let _ = store.delete(&made);
    result
}

fn create(store: &dyn KeyStore, class: KeyClass, n: u32, made: &mut Vec<KeyId>) -> Result<Vec<(KeyId, PublicKey)>, ContractBreach> {
    let clause = "creates-as-many-as-asked";
    let created = PORT.value(clause, store.create_keys(class, n, b"contract challenge"))?;
    made.extend(created.keys.iter().map(|(id, _)| id.clone()));
    PORT.hold(clause, u32::try_from(created.keys.len()) == Ok(n))?;
    PORT.hold("keys-are-p256", created.keys.iter().all(|(_, k)| k.curve() == Curve::P256))?;
    let ids: BTreeSet<&KeyId> = made.iter().collect();
    let points: BTreeSet<Vec<u8>> = created.keys.iter().map(|(_, k)| k.to_sec1()).collect();
    PORT.hold("keys-are-distinct", ids.len() == made.len() && points.len() == created.keys.len())?;
    PORT.hold("evidence-is-given", !created.evidence.is_empty())?;
    Ok(created.keys)
}

/// Signs and verifies.
fn signs(store: &dyn KeyStore, authorisation: Option<&AuthorisationId>, key: &(KeyId, PublicKey)) -> bool {
    store.sign(authorisation, &key.0, MESSAGE).is_ok_and(|signature| key.1.verify(MESSAGE, &signature).is_ok())
}

fn refuses(store: &dyn KeyStore, authorisation: Option<&AuthorisationId>, key: &(KeyId, PublicKey), why: PortError) -> bool {
    store.sign(authorisation, &key.0, MESSAGE) == Err(why)
}

fn run(store: &dyn KeyStore, made: &mut Vec<KeyId>) -> Result<(), ContractBreach> {
    let account = create(store, KeyClass::Account, 1, made)?;
    let holder = create(store, KeyClass::Holder, 3, made)?;
    let transaction = create(store, KeyClass::Transaction, 1, made)?;
    let first = "creates-as-many-as-asked";
    let account = PORT.some(first, account.first())?;
    let transaction = PORT.some(first, transaction.first())?;
    let [one, two, three] = holder.as_slice() else {
        return PORT.hold(first, false);
    };
    let key = |k: &(KeyId, PublicKey)| k.0.clone();

    PORT.hold("refuses-no-keys", store.create_keys(KeyClass::Account, 0, b"c") == Err(PortError::Unsupported))?;
    let many = store.create_keys(KeyClass::Account, MAX_KEYS_PER_CALL + 1, b"c");
    if let Ok(created) = &many {
        made.extend(created.keys.iter().map(|(id, _)| id.clone()));
    }
    PORT.hold("refuses-too-many-keys", many == Err(PortError::Unsupported))?;

    let signature = PORT.value("account-signs-without-authorisation", store.sign(None, &account.0, MESSAGE))?;
    PORT.hold(
        "signature-is-es256-raw",
        account.1.verify(MESSAGE, &signature).is_ok() && account.1.verify(b"another message", &signature).is_err(),
    )?;
    let nobody = (KeyId("contract-no-such-key".to_owned()), account.1.clone());
    PORT.hold("unknown-key-is-invalidated", refuses(store, None, &nobody, PortError::KeyInvalidated))?;

    let denied = PortError::NotAuthorised;
    PORT.hold("holder-needs-authorisation", refuses(store, None, one, denied))?;
    let invented = AuthorisationId("contract-no-such-authorisation".to_owned());
    PORT.hold("unknown-authorisation-is-refused", refuses(store, Some(&invented), one, denied))?;

    let clause = "one-authorisation-serves-all-its-keys";
    let consent = PORT.value(clause, store.authorise("contract", &[key(one), key(two)], 3, TTL))?;
    for k in [one, two, one] {
        PORT.hold(clause, signs(store, Some(&consent), k))?;
    }
    PORT.hold("uses-are-counted", refuses(store, Some(&consent), two, denied))?;

    let clause = "authorisation-is-for-its-keys-only";
    let consent = PORT.value(clause, store.authorise("contract", &[key(one)], 5, TTL))?;
    PORT.hold(clause, refuses(store, Some(&consent), three, denied))?;
    let clause = "ended-authorisation-is-refused";
    PORT.value(clause, store.end(&consent))?;
    PORT.hold(clause, refuses(store, Some(&consent), one, denied))?;
    PORT.value("ending-twice-is-no-error", store.end(&consent))?;

    let clause = "ttl-runs-out";
    let second = Duration::from_secs(1);
    let consent = PORT.value(clause, store.authorise("contract", &[key(one)], 5, second))?;
    sleep(second + Duration::from_millis(300));
    PORT.hold(clause, refuses(store, Some(&consent), one, denied))?;
    let long = MAX_AUTHORISATION_TTL + Duration::from_secs(1);
    let consent = store.authorise("contract", &[key(one)], 1, long);
    PORT.hold("long-ttl-is-refused", consent == Err(PortError::Unsupported))?;

    // Either no authorisation for two uses is given, or its second use is refused.
    if let Ok(consent) = store.authorise("contract", &[key(transaction)], 2, TTL) {
        let used = signs(store, Some(&consent), transaction);
        PORT.hold("transaction-key-serves-one-use", used && refuses(store, Some(&consent), transaction, denied))?;
    }

    let peer = EphemeralKey::generate(&OsRandom);
    let unasked = store.agree(None, &one.0, &peer.public());
    PORT.hold("agreement-needs-authorisation", matches!(unasked, Err(PortError::NotAuthorised | PortError::Unsupported)))?;
    let clause = "agreement-is-ecdh-or-unsupported";
    let consent = PORT.value(clause, store.authorise("contract", &[key(one)], 1, TTL))?;
    match store.agree(Some(&consent), &one.0, &peer.public()) {
        Err(e) => PORT.hold(clause, e == PortError::Unsupported)?,
        Ok(shared) => {
            let ours = PORT.value(clause, peer.agree(&one.1))?;
            PORT.hold(clause, *ours == *shared)?;
        }
    }

    let clause = "deleted-key-is-invalidated";
    PORT.value(clause, store.delete(&[key(account)]))?;
    PORT.hold(clause, refuses(store, None, account, PortError::KeyInvalidated))?;
    PORT.value("deleting-twice-is-no-error", store.delete(&[key(account)]))?;

    let clause = "lists-what-it-holds-or-unsupported";
    match store.list() {
        Err(e) => PORT.hold(clause, e == PortError::Unsupported),
        Ok(held) => {
            let holds = |k: &(KeyId, PublicKey)| held.iter().filter(|id| **id == k.0).count();
            PORT.hold(clause, holder.iter().chain([transaction]).all(|k| holds(k) == 1) && holds(account) == 0)
        }
    }
}
