//! Forged cards, and evidence sent straight to central past the wallet's own check.
use super::straight::{self, Straight};
use super::{STRANGER, rejected, spoiled};
use crate::cli::Forgery;
use crate::demo::Run;
use crate::demo::steps;
use crate::demo::story::FIRST;
use crate::demo::world::World;
use crate::report::Finding;
use crate::trouble::Trouble;

/// A forged card, first held to an honest phone, then read by a phone that checks nothing and sends everything to central.
pub fn forged(run: &mut Run, how: Forgery, fact: &str) -> bool {
    run.step("central starts", "verified", steps::central_starts)
        && run.step("card read", &rejected(fact), |w| steps::card_read(w, &FIRST, Some(how.word())))
        && run.step("forged evidence straight to central", &rejected(fact), |w| past_the_wallet(w, how))
}

fn past_the_wallet(world: &mut World, how: Forgery) -> Result<Finding, Trouble> {
    let _at_work = world.manifest.acting(STRANGER, "straight");
    let address = world.put_card(STRANGER, &FIRST, Some(how.word()))?;
    let client = Straight::new(world)?;
    let session = client.open()?;
    let evidence = straight::read(world, &session, &address)?;
    world.screen.tell("A phone that checks nothing sends what the card said to central.");
    let finding = client.send(&session, &evidence)?;
    world.take_card_away()?;
    Ok(finding)
}

/// Genuine evidence, recorded on its way, sent again for another account and by another device key.
pub fn replayed(run: &mut Run, fact: &str) -> bool {
    run.step("the genuine card is read", "verified", |w| steps::card_read(w, &FIRST, None))
        && run.step("activation", "verified", |w| steps::activation(w, &FIRST))
        && run.step("recorded evidence for another account", &rejected(fact), again)
}

fn again(world: &mut World) -> Result<Finding, Trouble> {
    let recorded = world
        .relay
        .recorder()
        .exchanges()
        .into_iter()
        .rfind(|e| e.path == "/activation/chip" && e.status == 200)
        .ok_or_else(|| spoiled("replay", "no evidence was recorded"))?;
    let _at_work = world.manifest.acting(STRANGER, "straight");
    let client = Straight::new(world)?;
    let (session, evidence) = straight::recorded(&recorded.sent)?;
    // The victim's session, but signed for by the attacker's device key.
    let status = client.status_of(&session, &evidence)?;
    world.screen.tell(&format!("The victim's session, signed for by another device key: central answers {status}."));
    refused(status)?;
    // The same bytes in a session of the attacker's own.
    let own = client.open()?;
    let status = client.status_of(own.id(), &evidence)?;
    world.screen.tell(&format!("The same bytes in a session of the attacker's own: central answers {status}."));
    refused(status)?;
    // Nobody recognises these bytes any more, and the challenge is the right one; but the chip signed for another account and another key.
    world.screen.tell("The chip's old signature under the challenge that central expects now:");
    client.send(&own, &straight::repack(&evidence, &own)?)
}

fn refused(status: u16) -> Result<(), Trouble> {
    if (400..500).contains(&status) { Ok(()) } else { Err(spoiled("central did not refuse", format!("it answered {status}"))) }
}
