//! `wallet ledger` and `central ledger`: what each side holds and did, to be compared. No names, no values.
use serde_json::{Value, json};
use wallet_bindings::ledger_view::{LedgerConsentView, LedgerCopyView, LedgerCredentialView, LedgerView};

use crate::screen::print_line;

/// Prints a wallet's ledger.
pub fn wallet(ledger: &LedgerView, as_json: bool) {
    if as_json {
        print_line(&wallet_json(ledger).to_string());
        return;
    }
    let account = ledger.account.as_ref();
    let id = account.and_then(|a| a.account.as_deref()).unwrap_or("none");
    print_line(&format!("account {id}, activation {}, feed at {}", ledger.step, ledger.cursor));
    for copy in &ledger.copies {
        print_line(&format!("copy {:>4}  {:<24} {:<9} {} until {}", copy.id, copy.document, copy.state, copy.thumbprint, copy.valid_until));
    }
    for batch in &ledger.batches {
        print_line(&format!("batch  {} of {} keys, registered: {}", batch.document, batch.keys.len(), batch.registered));
    }
    for entry in &ledger.consents {
        let copy = entry.copy_set.map_or_else(|| "no copy".to_owned(), |id| format!("copy {id}"));
        print_line(&format!("consent {:>4}  {}  {:<9} {} {copy} {}", entry.id, entry.at, entry.outcome, entry.document, entry.reason));
    }
    let strays = ledger.stray_keys.as_ref().map_or_else(|| "unknown".to_owned(), |keys| keys.len().to_string());
    print_line(&format!("keys to delete {}, stray keys {strays}, database sound: {}", ledger.dead_keys.len(), ledger.sound));
}

/// Prints central's ledger.
pub fn central(ledger: &Value, as_json: bool) {
    if as_json {
        print_line(&ledger.to_string());
        return;
    }
    let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    for account in list(ledger, "accounts") {
        print_line(&format!("account {}, device epoch {}", account["account"], account["device_epoch"]));
        for copy in list(&account, "copies") {
            let (document, format) = (copy["document"].as_str().unwrap_or_default(), copy["format"].as_str().unwrap_or_default());
            print_line(&format!(
                "  copy {document:<24} {format:<9} {} {}#{} status {} ended {}",
                copy["thumbprint"], copy["week"], copy["index"], copy["status"], copy["ended"]
            ));
        }
        for name in ["keys", "offers", "changes", "notices"] {
            print_line(&format!("  {name}: {}", list(&account, name).len()));
        }
    }
    print_line(&format!("database sound: {}", ledger["sound"]));
}

fn wallet_json(ledger: &LedgerView) -> Value {
    json!({
        "account": ledger.account.as_ref().map(|a| json!({
            "account": a.account, "level": a.level, "ended": a.ended, "key_name": a.key_name, "thumbprint": a.thumbprint,
        })),
        "step": ledger.step,
        "documents": ledger.documents.iter().map(|d| json!({
            "document": d.id, "state": d.state, "as_of": d.as_of, "copies": d.copies,
        })).collect::<Vec<_>>(),
        "copies": ledger.copies.iter().map(copy_json).collect::<Vec<_>>(),
        "consents": ledger.consents.iter().map(consent_json).collect::<Vec<_>>(),
        "answered": ledger.answered,
        "batches": ledger.batches.iter().map(|b| json!({
            "document": b.document, "registered": b.registered,
            "keys": b.keys.iter().map(|k| json!({"key_name": k.key_name, "thumbprint": k.thumbprint})).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "dead_keys": ledger.dead_keys,
        "stray_keys": ledger.stray_keys,
        "cursor": ledger.cursor,
        "notices": ledger.notices,
        "sound": ledger.sound,
    })
}

fn copy_json(copy: &LedgerCopyView) -> Value {
    json!({
        "id": copy.id, "document": copy.document, "key_name": copy.key_name, "thumbprint": copy.thumbprint, "state": copy.state,
        "valid_from": copy.valid_from, "valid_until": copy.valid_until,
        "mdoc": copy.mdoc.as_ref().map(credential_json), "sd_cwt": copy.sd_cwt.as_ref().map(credential_json),
    })
}

fn credential_json(credential: &LedgerCredentialView) -> Value {
    json!({
        "sha256": credential.sha256, "status_list": credential.status_list, "status_index": credential.status_index, "sound": credential.sound,
    })
}

fn consent_json(entry: &LedgerConsentView) -> Value {
    json!({
        "id": entry.id, "at": entry.at, "role": entry.role, "document": entry.document, "copy_set": entry.copy_set, "outcome": entry.outcome,
        "reason": entry.reason, "request_hash": entry.request_hash,
    })
}
