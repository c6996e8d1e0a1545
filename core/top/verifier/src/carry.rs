//! From one officer to another without a network: what a device holds of the service's signed public data as one file, and taking such a file.
//!
//! A carried file is judged exactly as a sync: trust by the updater from the pinned root, every list by the trust that is held after it. Who
//! brought it does not matter.

use std::sync::Arc;

use wallet_base::fact::{By, Verdict};
use wallet_credential::status::UnverifiedStatusList;
use wallet_platform::carried::Carried;
use wallet_platform::ports::{Listener, Progress};

use crate::error::VerifierError;
use crate::rows;
use crate::service;
use crate::sync::{SyncReport, Tally, unchecked};
use crate::trust::Trust;
use crate::verifier::Verifier;

impl Verifier {
    /// One file of what this device holds: the trust repository as it was signed, and every status list that verifies and has not ended.
    /// Nothing of any citizen is in it.
    pub fn carry(&self) -> Result<Vec<u8>, VerifierError> {
        let trust = self.trust()?;
        let (metadata, targets) = self.updater.current_files().ok_or(VerifierError::NoTrust)?;
        let now = self.moment(self.clock_guard()?.anchor());
        let mut carried = Carried { metadata, targets, lists: Vec::new() };
        for row in self.read(rows::lists)? {
            // What this device would not believe it does not pass on.
            let genuine = UnverifiedStatusList::decode(&row.token)
                .is_ok_and(|list| list.verify(&trust.targets, &row.uri, now, By::Verifier).1.is_some());
            if genuine && row.expires_at.is_none_or(|end| now < end) {
                carried.lists.push(row.token);
            }
        }
        Ok(carried.encode()?)
    }

    /// Takes a carried file. What cannot be verified is not stored, what is held and newer stays, and the verdict says so.
    pub fn take_carried(&self, file: &[u8]) -> Result<SyncReport, VerifierError> {
        let _working = self.working.begin().ok_or(VerifierError::Busy)?;
        if !self.cache.is_open() {
            return Err(VerifierError::Closed);
        }
        let mut carried = Carried::decode(file)?;
        let lists = std::mem::take(&mut carried.lists);
        let mut verdict = Verdict::default();
        verdict.extend(self.update_trust(Arc::new(carried))?);
        let mut tally = Tally { lists: lists.len(), ..Tally::default() };
        match self.trust() {
            Ok(trust) if !lists.is_empty() => {
                self.take_lists(lists, &trust, &mut tally)?;
                verdict.extend(tally.facts());
            }
            Ok(_) => verdict.extend(unchecked("no lists were carried")),
            Err(VerifierError::NoTrust) => verdict.extend(unchecked("no trust data is held")),
            Err(error) => return Err(error),
        }
        self.concluded(verdict, &tally)
    }

    fn take_lists(&self, lists: Vec<Vec<u8>>, trust: &Trust, tally: &mut Tally) -> Result<(), VerifierError> {
        let total = u64::try_from(lists.len()).unwrap_or(0);
        for (done, token) in (0..).zip(lists) {
            // A list names its own address; it must be one of the service's, as if it had been fetched there.
            let path = UnverifiedStatusList::decode(&token).ok().and_then(|list| service::path_of(list.uri()));
            let now = self.moment(self.clock_guard()?.anchor());
            self.take_list(path.as_deref().unwrap_or("carried"), token, trust, now, tally)?;
            self.listener.progress(Progress { step: "status".to_owned(), done: done + 1, total, ..Progress::default() });
        }
        Ok(())
    }
}
