//! The attacks. Each is made of attackers' own parts only: a forged card, somebody at the relay between devices and central, a holder who signs what he
//! likes with his own key, a stranger's phone, a stranger's certificate. Nothing under `core/`, `bindings/` or `central/` knows of them.
//!
//! An attack plays the story up to the attacked step, which has to end `rejected:` by exactly the fact that the attack breaks.
mod cards;
mod forgery;
mod holder;
mod network;
mod questions;
mod straight;

pub use forgery::forged;

use crate::cli::{Forgery, Tamper};
use crate::demo::Run;
use crate::demo::manifest::Device;
use crate::trouble::Trouble;

/// The attackers' own device in the record.
const STRANGER: &str = "stranger";

/// Plays one attack; tells whether every step of it was done and ended as expected.
pub fn run(tamper: Tamper, run: &mut Run) -> bool {
    run.world.manifest.introduce(Device { id: STRANGER.to_owned(), kind: STRANGER, ..Device::default() });
    match tamper {
        Tamper::Dg => cards::forged(run, Forgery::Dg, tamper.fact()),
        Tamper::SodSigner => cards::forged(run, Forgery::SodSigner, tamper.fact()),
        Tamper::ClonedChip => cards::forged(run, Forgery::ClonedChip, tamper.fact()) && cards::replayed(run, tamper.fact()),
        Tamper::Element => holder::altered_element(run, tamper.fact()),
        Tamper::DeviceKey => holder::another_phone(run, tamper.fact()),
        Tamper::Nonce => holder::earlier_answer(run, tamper.fact()),
        Tamper::RequestSwap => holder::another_request(run, tamper.fact()),
        Tamper::Expired => holder::expired_copy(run, tamper.fact()),
        Tamper::StatusSigner => network::forged_status(run, tamper.fact()),
        Tamper::StatusFrozen => network::frozen_status(run, tamper.fact()),
        Tamper::TrustRollback => network::older_trust(run, tamper.fact()),
        Tamper::TrustFrozen => network::frozen_trust(run, tamper.fact()),
        Tamper::TrustMix => network::mixed_trust(run, tamper.fact()),
        Tamper::RequestSigner => questions::unknown_verifier(run, tamper.fact()),
        Tamper::RequestStale => questions::stale_request(run, tamper.fact()),
        Tamper::Overask => questions::over_ask(run, tamper.fact()),
    }
}

fn rejected(fact: &str) -> String {
    format!("rejected:{fact}")
}

/// An attack that could not even be carried out.
fn spoiled(what: &str, why: impl std::fmt::Display) -> Trouble {
    Trouble::outside(&format!("the attack failed by itself: {what}"), why)
}
