//! Somebody on the network between staff devices and central: hands out lists of their own, or old ones.
use wallet_base::crypto::{Curve, Signer, SoftwareKey, sha256};
use wallet_base::random::OsRandom;
use wallet_base::time::Timestamp;
use wallet_bindings::Wait as _;
use wallet_bindings::WalletSyncReport;
use wallet_credential::status::{Bits, StatusList, StatusListSpec, UnverifiedStatusList, issue};

use super::holder::later;
use super::{rejected, spoiled};
use crate::demo::Run;
use crate::demo::steps::{self, FACE_OPEN, officer_syncs};
use crate::demo::story::{CLINIC, FIRST, GATE, LICENCE, ROADSIDE};
use crate::demo::world::World;
use crate::device::at_border;
use crate::relay::Reply;
use crate::relay::record::Exchange;
use crate::report::Finding;
use crate::trouble::Trouble;

const DAY: i64 = 86_400;
/// How the names of targets metadata end; a version stands before.
const TARGETS_METADATA: &str = ".targets.json";
/// As many as central's lists have.
const ENTRIES: u64 = 1 << 20;
/// Shown once each, so that half of the wallet's eight copies are left and the next sync refills them.
const COPIES_SHOWN: usize = 4;

/// The licence was suspended; somebody hands the officer lists in which nothing is, signed by a key of their own.
pub fn forged_status(run: &mut Run, fact: &str) -> bool {
    steps::until_documents(run)
        && run.step("licence suspended at central", "verified", |w| steps::suspension(w, &FIRST))
        && run.step("officer syncs", &rejected(fact), |world| {
            let signer = SoftwareKey::generate(Curve::P256, &OsRandom);
            let kid = sha256(&signer.public_key().to_sec1()).get(..8).map(<[u8]>::to_vec).unwrap_or_default();
            let now = Timestamp::from_unix(world.clock.now());
            let prefix = format!("/status/{LICENCE}/");
            world.relay.set_intruder(Some(Box::new(move |_, path, reply: &mut Reply| {
                if path.starts_with(&prefix)
                    && let Some(forged) = all_valid(&reply.body, &signer, &kid, now)
                {
                    reply.body = forged;
                }
            })));
            world.screen.tell("Somebody on the network replaces the lists of driving licences by lists of their own.");
            synced_under_attack(world)
        })
}

/// A list of the same address with every entry valid, signed by somebody else.
fn all_valid(genuine: &[u8], signer: &SoftwareKey, kid: &[u8], now: Timestamp) -> Option<Vec<u8>> {
    let genuine = UnverifiedStatusList::decode(genuine).ok()?;
    let list = StatusList::new(Bits::Two, ENTRIES).ok()?;
    let spec = StatusListSpec { uri: genuine.uri(), issued_at: now, expires: now.plus_secs(14 * DAY), ttl_secs: 43_200, list: &list };
    issue(&spec, signer, kid).ok()
}

/// Fifteen days on the officer still gets the status lists of the first day. Trust is current, and so is the phone.
pub fn frozen_status(run: &mut Run, fact: &str) -> bool {
    steps::until_documents(run)
        && run.step("half of the copies are shown", FACE_OPEN, |world| {
            let checks = (0..COPIES_SHOWN).map(|_| steps::check(world, &FIRST, &ROADSIDE)).collect::<Result<Vec<_>, _>>()?;
            Ok(Finding::join(checks))
        })
        && run.step("15 days later the staff devices enrol again", "verified", |world| later(world, 15, &[GATE, CLINIC]))
        && run.step("the wallet refills its copies", "verified", refill)
        && run.step("officer syncs", &rejected(fact), |world| {
            replay_oldest(world, "/status/");
            world.screen.tell("Somebody on the network keeps handing out the status lists of 15 days ago, genuine, every signature right.");
            synced_under_attack(world)
        })
        && run.step("roadside check", &rejected(fact), |world| steps::check(world, &FIRST, &ROADSIDE))
}

fn wallet_syncs(world: &mut World) -> Result<Finding, Trouble> {
    let report = sync_of_wallet(world)?;
    Ok(Finding::from(report.verdict).on(FIRST.phone))
}

fn sync_of_wallet(world: &World) -> Result<WalletSyncReport, Trouble> {
    let _at_work = world.manifest.acting(FIRST.phone, "sync");
    world.phone(&FIRST)?.wallet.sync(None).wait().map_err(|e| at_border("syncing the wallet", e))
}

fn refill(world: &mut World) -> Result<Finding, Trouble> {
    let report = sync_of_wallet(world)?;
    for document in &report.refilled {
        world.screen.tell(&format!("The phone fetched {} new copies of {}.", document.copies, document.id));
    }
    if report.refilled.iter().all(|d| d.copies == 0) {
        return Err(spoiled("no new copies came", "the attack needs copies of today"));
    }
    Ok(Finding::from(report.verdict).on(FIRST.phone))
}

/// Central published a newer trust list; somebody hands the officer the older one.
pub fn older_trust(run: &mut Run, fact: &str) -> bool {
    run.step("central starts", "verified", steps::central_starts)
        && run.step("central publishes trust anew and the officer syncs", "verified", |world| {
            world.administrate(&["republish"])?;
            officer_syncs(world, &ROADSIDE)
        })
        && run.step("officer syncs", &rejected(fact), |world| {
            replay_oldest(world, "/trust/");
            world.screen.tell("Somebody on the network hands out the trust list of before, genuine, every signature right.");
            synced_under_attack(world)
        })
}

/// Nothing new reaches the officer. That shows only in the end, when what he has expires; a check says then that his trust list is too old.
pub fn frozen_trust(run: &mut Run, fact: &str) -> bool {
    steps::until_documents(run)
        && run.step("13 days later the staff devices enrol again", "verified", |world| {
            freeze_trust(world);
            later(world, 13, &[])
        })
        && run.step("officer syncs and hears no news", "verified", |world| {
            world.administrate(&["republish"])?;
            synced_under_attack(world)
        })
        && run.step("two days later the wallet syncs", "verified", |world| {
            world.let_time_pass(2)?;
            world.start_central()?;
            wallet_syncs(world)
        })
        && run.step("officer syncs", &rejected(fact), |world| {
            freeze_trust(world);
            synced_under_attack(world)
        })
        && run.step("roadside check", &rejected(fact), |world| steps::check(world, &FIRST, &ROADSIDE))
}

fn freeze_trust(world: &World) {
    replay_oldest(world, "/trust/");
    world.screen.tell("Somebody on the network keeps handing out the trust list of the first day, genuine, every signature right.");
}

/// Targets metadata of the first version, which is genuine, with snapshot and timestamp of the second, which are genuine as well.
pub fn mixed_trust(run: &mut Run, fact: &str) -> bool {
    run.step("central starts", "verified", steps::central_starts)
        && run.step("central publishes trust anew", "verified", |world| {
            world.administrate(&["republish"])?;
            Ok(Finding::done())
        })
        && run.step("officer syncs", &rejected(fact), |world| {
            let exchanges = world.relay.recorder().exchanges();
            let old = exchanges.into_iter().find(|e| e.status == 200 && e.path.ends_with(TARGETS_METADATA));
            let old = old.ok_or_else(|| spoiled("nothing to mix", "no targets metadata passed before"))?.received;
            world.relay.set_intruder(Some(Box::new(move |_, path, reply| {
                if path.starts_with("/trust/") && path.ends_with(TARGETS_METADATA) {
                    reply.body.clone_from(&old);
                }
            })));
            world.screen.tell(
                "Somebody on the network hands out the new timestamp and snapshot with the targets of before, every signature right.",
            );
            synced_under_attack(world)
        })
}

/// From now on every answer under `prefix` is the first one that ever passed for the same path.
fn replay_oldest(world: &World, prefix: &'static str) {
    let old: Vec<Exchange> = world.relay.recorder().exchanges().into_iter().filter(|e| e.status == 200).collect();
    world.relay.set_intruder(Some(Box::new(move |_, path, reply| {
        if path.starts_with(prefix)
            && let Some(first) = old.iter().find(|e| e.path == path)
        {
            reply.status = first.status;
            reply.body.clone_from(&first.received);
        }
    })));
}

fn synced_under_attack(world: &mut World) -> Result<Finding, Trouble> {
    let before = world.relay.recorder().exchanges().iter().filter(|e| e.replaced.is_some()).count();
    let finding = officer_syncs(world, &ROADSIDE);
    world.relay.set_intruder(None);
    if world.relay.recorder().exchanges().iter().filter(|e| e.replaced.is_some()).count() == before {
        return Err(spoiled("nothing was replaced", "the attacked device did not ask"));
    }
    finding
}
