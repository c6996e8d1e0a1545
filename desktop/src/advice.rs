//! Errors of the border in sentences: what happened, with what, and what to do. The border gives static words; apps have a catalogue for them, this
//! terminal has this.
use wallet_bindings::WalletError;

/// One sentence or two. Words that are not known here are shown as they are.
pub fn sentence(error: &WalletError) -> String {
    match error {
        WalletError::WrongPasscode { tries_left: 0 } => "wrong passcode; the next try is taken only after a waiting time".to_owned(),
        WalletError::WrongPasscode { tries_left: 1 } => "wrong passcode; 1 try left before a waiting time".to_owned(),
        WalletError::WrongPasscode { tries_left } => format!("wrong passcode; {tries_left} tries left before a waiting time"),
        WalletError::LockedUntil { at } => format!("too many wrong passcodes: locked until {at}; try again then"),
        WalletError::CardMoved => "the card moved away; hold it to the reader and start again, the reading goes on".to_owned(),
        WalletError::WrongCardKey => {
            "the card refused the card access number; check the six digits printed on the card. Nothing was tried again".to_owned()
        }
        WalletError::DifferentCard => "another card was held than the one that was being read; use the first one".to_owned(),
        WalletError::Network => {
            "central could not be reached or could not do its work; check that `central serve` runs, what it says, and that \
                                 the address in service.json is right, then run the same command again"
                .to_owned()
        }
        WalletError::Untrusted { fact } => format!("refused: {fact}{}", about(fact)),
        WalletError::Expired => "its time is over; ask for a new one".to_owned(),
        WalletError::Declined => "declined; nothing was shown".to_owned(),
        WalletError::Cancelled => "stopped; what was done is kept".to_owned(),
        WalletError::Unsupported => "this device or this service cannot do that".to_owned(),
        WalletError::Closed => "it was closed meanwhile; run the command again".to_owned(),
        WalletError::Internal => "a rule of the program itself broke; please report it".to_owned(),
        WalletError::Storage { reason } => storage(reason),
        WalletError::Invalid { reason } => invalid(reason),
    }
}

/// What follows the name of a fact that refused, where somebody can do something about it.
pub fn about(fact: &str) -> &'static str {
    match fact {
        "clock" => ": this machine's date and time and central's do not agree; set the one that is wrong, then run the same command again",
        _ => "",
    }
}

fn storage(reason: &str) -> String {
    match reason {
        "not-encrypted" => "storage: not-encrypted: the database in this folder is plain text, not one of this program; it is not used",
        "wrong-key" => "storage: wrong-key: the database does not open with this device's key; was the folder copied from another device?",
        "corrupt" => {
            "storage: corrupt: the database in this folder (wallet.db of a wallet, cache.db of a staff device) is damaged. It was not changed; put \
             back a backup, or start with a new folder and activate or enrol again"
        }
        "key-slots" => {
            "storage: key-slots: the file of this folder that wraps the database keys (wallet.keys of a wallet, keys.slots of a staff device) is \
             missing or damaged; without it nothing here opens. Put back a backup, or start with a new folder"
        }
        "gone" => {
            "storage: gone: there was a wallet in this folder and its database (wallet.db) is gone. Nothing was made in its place; put back a \
             backup, or start with a new folder and activate again"
        }
        "newer" => "storage: newer: this folder was written by a newer version of this program; use that one",
        "no-cipher" => "storage: no-cipher: this build has no database encryption; build it with SQLCipher",
        "missing" => {
            "storage: missing: there is no wallet or staff device in this folder; make one with `wallet create` or `officer enrol`"
        }
        "exists" => "storage: exists: this folder is in use already; choose another one",
        "busy" => {
            "storage: busy: another program has this folder open; end it, or wait until it ends, and run the command again. Nothing was changed"
        }
        "full" => "storage: full: the disk is full; make room and run the command again",
        "disk" => "storage: disk: the folder cannot be read or written; check that it exists, is yours, and that the disk is not full",
        other => return format!("storage: {other}"),
    }
    .to_owned()
}

fn invalid(reason: &str) -> String {
    match reason {
        "passcode" => "the passcode must have 6 to 128 characters; choose another one",
        "exists" => "there is a wallet in this folder already; nothing was changed. Choose another folder",
        "not-created" => "there is no wallet in this folder; make one with `wallet create`",
        "locked" => "the wallet is locked; give the passcode",
        "busy" => "another command is using this folder; wait for it to end",
        "wrong-step" => "this wallet is not activated yet; run `wallet activate` first",
        "account-ended" => {
            "this account moved to another device; this wallet shows and fetches nothing any more. Activate it anew to move it back"
        }
        "answered-before" => "this request was answered before; a request takes one answer. Ask for a new one",
        "no-copy-left" => "no unused copy of the document is left; connect and run `wallet sync`",
        "no-such-document" | "unknown-document" => "no such document type",
        "unknown-field" => "a field of --fields is not a field of this document",
        "unknown-purpose" => "the role of this device may not ask for this purpose",
        "unknown-role" => "the role of this device is not in the table of roles; run `officer sync`",
        "not-enrolled" => "this device is not enrolled; run `officer enrol` with a code from `central staff-code`",
        "no-trust" => "this device holds no trust data yet; connect and run `officer sync`",
        "carried-file" => "this is no file made by `officer carry`, or it is damaged; have it made again",
        "carried-file-too-large" => "this file is larger than a carried file can be; have it made again by `officer carry`",
        "carried-file-newer" => "this file was made by a later version of this program; bring this device up to date",
        "place" => "--place cannot be used: 1 to 60 printable characters",
        "code" => "the code cannot be used: it is not of the form that was given out",
        "face picture" => "--face cannot be used: the picture is empty or larger than 2 MiB",
        "selection" => "a field of --fields was not asked for or is not in this wallet",
        "selection: too large for one symbol" | "scan.too-large" | "request-too-large" => {
            "that does not fit into one QR code; choose fewer fields"
        }
        "invalid_code" => "central does not know this code, or it was used or is too old; get a new one",
        "software_keys_not_allowed" => {
            "central takes no keys made in software, and this program makes no others; start it with `central serve --allow-software-keys`"
        }
        "key-invalidated" => "a key of this device is gone (its `device` folder was changed or removed); start with a new folder",
        "service-certificate" => {
            "the service at this address is not the one this folder was made for: its certificate is not under the pinned root"
        }
        "service-clock" => "central's clock is behind what it signed before; it works again when its clock is right",
        "service-settings" | "trust-root" => "service.json in this folder is damaged; make the folder anew",
        "answer-too-large" => {
            "central's answer was larger than any answer may be and was not read; does something else answer at the address in service.json?"
        }
        "plain-http" => "the address of central must begin with https://",
        "refused" => "central refused and gave no reason",
        "scan.foreign" => "this QR code is foreign: it does not belong to this system",
        "scan.wrong" => {
            "this QR code is of the wrong kind: a request (the picture that `officer ask` drew) was given where an answer belongs, or the other way round"
        }
        "scan.vneid-card" => {
            "this is the QR code printed on a citizen card; it is not signed and proves nothing"
        }
        "scan.frame" => "this is one frame of several; give the whole",
        "scan.half" => "this QR code is incomplete (half); take the picture again",
        "scan.damaged" => "this QR code is damaged; take the picture again",
        "scan.stale" => "this QR code is stale: its time is over; ask for a new one",
        "scan.not-for-us" => "this answer belongs to no open request of this device",
        "scan.already-answered" => "this request was answered already; ask for a new one",
        "scan.nothing" => "there is no QR code in the picture",
        other => return format!("refused as `{other}`"),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_counted_in_words_that_fit() {
        assert!(sentence(&WalletError::WrongPasscode { tries_left: 2 }).contains("2 tries left"));
        assert!(sentence(&WalletError::WrongPasscode { tries_left: 1 }).contains("1 try left"));
        assert!(!sentence(&WalletError::WrongPasscode { tries_left: 0 }).contains("0 tries"));
        assert!(sentence(&WalletError::LockedUntil { at: "2026-11-22T00:00:00Z".into() }).contains("locked until 2026-11-22T00:00:00Z"));
    }

    #[test]
    fn bad_input_is_told_in_sentences_and_unknown_words_are_kept() {
        let told = |reason: &str| sentence(&WalletError::Invalid { reason: reason.into() });
        assert!(told("passcode").contains("6 to 128"));
        assert!(told("wrong-step").contains("wallet activate"));
        assert!(told("scan.wrong").contains("wrong kind"));
        assert!(told("something_new").contains("something_new"));
        assert!(told("service-clock").contains("central's clock"));
        assert!(sentence(&WalletError::Storage { reason: "not-encrypted".into() }).contains("not-encrypted"));
    }
}
