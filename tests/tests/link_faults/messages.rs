//! Every message between a device and central.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use crate::phases::{Clean, bare, difference, play};
use crate::relay::MessageFault;
use crate::site::{Site, Stage};
use crate::table::{self, Line, Run};

/// How long a device waits that is to give up.
const IMPATIENT: Duration = Duration::from_millis(700);
/// Sites that are played at the same time: some runs wait more than they work.
const WORKERS: usize = 3;

struct Job {
    phase: usize,
    at: usize,
    fault: MessageFault,
}

#[test]
fn bad_input_a_fault_at_every_message() {
    let results: Mutex<Vec<(usize, Run)>> = Mutex::default();
    let queue: Mutex<Option<VecDeque<Job>>> = Mutex::default();
    let lines: Mutex<Vec<Line>> = Mutex::default();
    // The messages of the first undisturbed story: the others are the same.
    let first: Mutex<Vec<Vec<String>>> = Mutex::default();
    // A run that does not hold is told with all the others at the end.
    let broken: Mutex<Vec<String>> = Mutex::default();
    let work = || {
        let (site, start) = Site::new();
        let clean = play(&site, start);
        {
            let mut queue = queue.lock().unwrap();
            let counts: Vec<usize> = clean.iter().map(|c| c.messages.len()).collect();
            let mut lines = lines.lock().unwrap();
            if queue.is_none() {
                *queue = Some(jobs(&counts));
                let line = |c: &Clean| Line { name: c.phase.name().to_owned(), places: c.messages.len(), runs: Vec::new() };
                *lines = clean.iter().map(line).collect();
            }
            let mut first = first.lock().unwrap();
            for (phase, clean) in clean.iter().enumerate() {
                // Names of targets begin with their hashes, and each site has lists of its own.
                let messages: Vec<String> = clean
                    .messages
                    .iter()
                    .map(|m| m.rsplit_once('.').filter(|_| m.contains("/targets/")).map_or_else(|| m.clone(), |(_, name)| name.to_owned()))
                    .collect();
                match first.get(phase) {
                    None => first.push(messages),
                    Some(first) => assert_eq!(*first, messages, "the same story has the same messages"),
                }
            }
        }
        loop {
            let job = queue.lock().unwrap().as_mut().unwrap().pop_front();
            let Some(job) = job else { return };
            let run = || run(&site, &clean[job.phase], job.at, job.fault);
            match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
                Ok(run) => results.lock().unwrap().push((job.phase, run)),
                Err(told) => broken.lock().unwrap().push(told.downcast_ref::<String>().cloned().unwrap_or_default()),
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    let mut lines = lines.into_inner().unwrap();
    for (phase, run) in results.into_inner().unwrap() {
        lines[phase].runs.push(run);
    }
    table::print("Messages between devices and central", "messages.md", "messages", &lines);
    let broken = broken.into_inner().unwrap();
    assert!(broken.is_empty(), "{} runs do not hold:\n{}", broken.len(), broken.join("\n"));
    assert!(lines.iter().all(|line| line.places > 0 && line.runs.len() >= line.places));
}

/// Every fault at every message, or one fault at each, each time another one.
fn jobs(counts: &[usize]) -> VecDeque<Job> {
    let faults = MessageFault::ALL;
    let mut jobs = VecDeque::new();
    for (phase, count) in counts.iter().enumerate() {
        for at in 0..*count {
            if table::everything() {
                jobs.extend(faults.map(|fault| Job { phase, at, fault }));
            } else {
                // Seven is prime to sixteen: neighbouring messages and phases meet different faults.
                jobs.push_back(Job { phase, at, fault: faults[(at * 7 + phase * 3) % faults.len()] });
            }
        }
    }
    jobs
}

/// One piece of the story with one fault in it.
fn run(site: &Site, clean: &Clean, at: usize, fault: MessageFault) -> Run {
    let place = format!("{} message {at} ({})", clean.phase.name(), clean.messages[at]);
    let mut patience = IMPATIENT;
    loop {
        let mut stage = Stage::at(site, &clean.before);
        if fault.is_late() {
            stage.be_patient(Some(patience));
        }
        site.relay.arm(at, fault);
        let faulted = stage.attempt(clean.phase);
        if !site.relay.was_hit() {
            // On a busy machine an impatient device gives up before its time.
            assert!(fault.is_late() && patience < Duration::from_secs(20), "{place}: {fault:?} was never injected");
            patience *= 3;
            continue;
        }
        site.relay.disarm();
        if fault == MessageFault::LateBeforeRetry {
            site.relay.release();
        }
        for fact in faulted.facts.iter().filter(|fact| fact.result == "passed") {
            assert!(clean.passed.contains(&bare(fact)), "{place}, {fault:?}: {fact:?} was not so");
        }
        stage.be_patient(None);
        if let Err(told) = &faulted.outcome {
            let next = stage.attempt(clean.phase);
            assert_eq!(next.outcome, Ok(()), "{place}, {fault:?}: the next try after \"{told}\": {:?}", next.facts);
            for fact in next.facts.iter().filter(|fact| fact.result == "passed") {
                assert!(clean.passed.contains(&bare(fact)), "{place}, {fault:?}, next try: {fact:?} was not so");
            }
        }
        if fault == MessageFault::LateAfterRetry {
            site.relay.release();
        }
        let state = stage.state(clean.phase);
        let difference = difference(&state, &clean.state);
        assert!(difference.is_empty(), "{place}, {fault:?}, told as {:?}:{difference}", faulted.outcome);
        return Run { fault: format!("{fault:?}"), stopped: faulted.outcome.err() };
    }
}
