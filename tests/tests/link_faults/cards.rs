//! Every command to the card: PACE, the files, Active Authentication.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use wallet_bindings::Wait as _;
use wallet_bindings::{CardDisplayView, CardPassword, CardReport, Wallet, WalletError};

use crate::card::CommandFault;
use crate::phases::{Bare, Phase, bare, word};
use crate::site::{CITIZEN, Site, Stage};
use crate::table::{self, Line, Run};

/// Phones with a card each.
const WORKERS: usize = 2;

#[test]
fn bad_input_a_fault_at_every_apdu() {
    let queue: Mutex<Option<VecDeque<(usize, CommandFault)>>> = Mutex::default();
    let line = Mutex::new(Line { name: "reading the card".to_owned(), places: 0, runs: Vec::new() });
    let work = || {
        let (site, start) = Site::new();
        let mut stage = Stage::at(&site, &start);
        let phone = Phone::new(&mut stage);
        {
            let mut line = line.lock().unwrap();
            assert!(line.places == 0 || line.places == phone.commands, "the same card has the same commands");
            line.places = phone.commands;
            queue.lock().unwrap().get_or_insert_with(|| jobs(phone.commands));
        }
        loop {
            let job = queue.lock().unwrap().as_mut().unwrap().pop_front();
            let Some((at, fault)) = job else { break };
            let run = phone.run(at, fault);
            line.lock().unwrap().runs.push(run);
        }
        // What the last reading left is good evidence: the activation goes on with it to its end.
        let done = stage.attempt(Phase::Activation);
        assert_eq!(done.outcome, Ok(()), "{:?}", done.facts);
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    let line = line.into_inner().unwrap();
    assert!(line.places > 20 && line.runs.len() >= line.places);
    table::print("Commands to the card", "commands.md", "commands", &[line]);
}

fn jobs(commands: usize) -> VecDeque<(usize, CommandFault)> {
    (0..commands).flat_map(|at| CommandFault::ALL.map(|fault| (at, fault))).collect()
}

/// A phone in an activation whose card can be read again and again.
struct Phone<'s> {
    site: &'s Site,
    wallet: Arc<Wallet>,
    /// Commands of an undisturbed reading.
    commands: usize,
    passed: BTreeSet<Bare>,
    display: Option<CardDisplayView>,
}

impl<'s> Phone<'s> {
    fn new(stage: &mut Stage<'s>) -> Self {
        let (site, wallet) = (stage.site, stage.wallet());
        wallet.begin_activation(None).wait().unwrap();
        let mut phone = Self { site, wallet, commands: 0, passed: BTreeSet::new(), display: None };
        site.card.disarm();
        let report = phone.read().unwrap();
        assert_eq!(report.verdict.conclusion, "verified");
        phone.commands = site.card.disarm();
        phone.passed = report.verdict.facts.iter().map(bare).collect();
        phone.display = report.display;
        phone
    }

    fn read(&self) -> Result<CardReport, WalletError> {
        let password = CardPassword::Can { can: self.site.town.can_digits(CITIZEN) };
        self.wallet.read_card(self.site.card.channel(), password, None).wait()
    }

    /// One reading with a fault, and when it stops, one without.
    fn run(&self, at: usize, fault: CommandFault) -> Run {
        let place = format!("command {at}");
        self.site.card.arm(at, fault);
        let faulted = self.read();
        assert!(self.site.card.was_hit(), "{place}: {fault:?} was never injected");
        self.site.card.disarm();
        let stopped = match &faulted {
            Ok(report) => self.judge(report, &format!("{place}, {fault:?}")),
            Err(error) => Some(word(error)),
        };
        if let Some(told) = &stopped {
            let next = self.read();
            let report = next.unwrap_or_else(|e| panic!("{place}, {fault:?}: the next try after \"{told}\": {e:?}"));
            assert_eq!(self.judge(&report, &format!("{place}, {fault:?}, next try")), None, "{place}, {fault:?}: {:?}", report.verdict);
        }
        Run { fault: format!("{fault:?}"), stopped }
    }

    /// `None` when the reading is whole; otherwise what is not. Nothing that did not hold may have passed.
    fn judge(&self, report: &CardReport, at: &str) -> Option<String> {
        for fact in report.verdict.facts.iter().filter(|fact| fact.result == "passed") {
            assert!(self.passed.contains(&bare(fact)), "{at}: {fact:?} was not so");
        }
        if report.verdict.conclusion != "verified" {
            assert!(report.display.is_none() || report.verdict.colour != "red", "{at}: a rejected card shows nothing");
            return Some(report.verdict.conclusion.clone());
        }
        assert!(report.display == self.display, "{at}: a verified card shows what is on it");
        None
    }
}
