//! Central's clock a day off, ahead and behind: told as `clock`, no floor is lost, and everything goes on when it is mended.

use wallet_base::fact::{FactName, Outcome};
use wallet_core::{Problem, Wallet};
use wallet_platform::ports::Clock;
use wallet_platform::software::ManualClock;

use crate::activation::noon;
use crate::world::{Device, Officer, World};

const DAY: i64 = 86_400;

/// A wallet and an officer whose clock is right, and a central service with a clock of its own.
struct Scene {
    world: World,
    central: ManualClock,
    right: ManualClock,
    _device: Device,
    wallet: Wallet,
    officer: Officer,
}

impl Scene {
    fn new() -> Self {
        let (central, right) = (noon(), noon());
        let world = World::new(central.clone());
        let mut device = Device::new(&world);
        device.clock = std::sync::Arc::new(right.clone());
        let wallet = device.furnished(&world, 0);
        let officer = world.officer_by("traffic-police", std::sync::Arc::new(right.clone()));
        Self { world, central, right, _device: device, wallet, officer }
    }

    /// A while passes for everybody.
    fn pass(&self, seconds: u64) {
        self.central.advance_secs(seconds);
        self.right.advance_secs(seconds);
    }

    /// Central's clock is set while it runs.
    fn set_central(&self, off: i64) {
        self.central.set_wall(self.right.wall().plus_secs(off));
    }

    /// A check of an honest answer: failed facts, and what became of the clock.
    fn check(&self) -> (Vec<FactName>, Outcome) {
        let pending = self.wallet.open_request(&self.officer.ask("driving-licence", &[])).unwrap();
        let (document, fields) = pending.default_selection().unwrap();
        let answer = pending.answer(&document, &fields).unwrap();
        let result = self.officer.verifier.check(&answer.text).unwrap();
        (result.verdict().failed(), result.verdict().get(FactName::Clock).unwrap().outcome())
    }

    /// What the officer's sync says of lists and clock.
    fn sync(&self) -> (Vec<FactName>, Outcome) {
        let report = self.officer.verifier.sync().unwrap();
        (report.verdict.failed(), report.verdict.get(FactName::Clock).unwrap().outcome())
    }
}

#[test]
fn bad_input_centrals_clock_a_day_off() {
    for off in [DAY, -DAY] {
        let scene = Scene::new();
        scene.pass(3600);
        assert_eq!(scene.sync(), (vec![], Outcome::Passed));
        assert_eq!(scene.check(), (vec![], Outcome::Passed));
        let held = scene.officer.verifier.dates().unwrap().1;

        scene.set_central(off);
        // The wallet's proofs are a day old or not yet made: it is the clock, and nothing else is said to be wrong.
        let error = scene.wallet.sync().unwrap_err();
        assert_eq!(error.problem(), Problem::Untrusted { fact: FactName::Clock }, "{off}: {error}");
        // A staff device keeps what it holds. Lists out of the future are refused by name; older ones change nothing.
        let (failed, clock) = scene.sync();
        assert_eq!(failed, if off > 0 { vec![FactName::StatusFreshness] } else { vec![] }, "{off}");
        assert_eq!(clock, Outcome::NotChecked, "{off}: one of two clocks is wrong, nobody knows which");
        let now_held = scene.officer.verifier.dates().unwrap().1;
        assert_eq!(
            held.iter().map(|list| (&list.uri, list.issued_at)).collect::<Vec<_>>(),
            now_held.iter().map(|list| (&list.uri, list.issued_at)).collect::<Vec<_>>()
        );
        // Showing and checking go on offline, never green while the clock is in doubt.
        assert_eq!(scene.check(), (vec![], Outcome::NotChecked), "{off}");

        // Mended. Central itself signs nothing until it is past what it dated: after that everything is as it was.
        scene.set_central(0);
        scene.pass(if off > 0 { u64::try_from(DAY).unwrap() + 3600 } else { 60 });
        assert_eq!(scene.sync(), (vec![], Outcome::Passed), "{off}");
        let report = scene.wallet.sync().unwrap();
        assert_eq!(report.verdict.get(FactName::Clock).unwrap().outcome(), Outcome::Passed, "{off}");
        assert_eq!(scene.check(), (vec![], Outcome::Passed), "{off}");
    }
}

#[test]
fn bad_input_centrals_trust_signed_a_day_ahead() {
    let scene = Scene::new();
    scene.pass(3600);
    scene.sync();
    scene.set_central(DAY);
    // Signed with a version: that is believed over the device's own clock, and the device says so.
    scene.world.admin().republish().unwrap();
    assert_eq!(scene.sync().1, Outcome::Failed);
    assert_eq!(scene.wallet.sync().unwrap_err().problem(), Problem::Untrusted { fact: FactName::Clock });
    // Mended, a day later; that a newer version dated before its predecessor brings the floor down at once is the clock guard's own test.
    scene.set_central(0);
    scene.pass(u64::try_from(DAY).unwrap() + 3600);
    scene.world.admin().republish().unwrap();
    assert_eq!(scene.sync(), (vec![], Outcome::Passed));
    let report = scene.wallet.sync().unwrap();
    assert_eq!(report.verdict.get(FactName::Clock).unwrap().outcome(), Outcome::Passed);
    assert_eq!(scene.check(), (vec![], Outcome::Passed));
    assert!(scene.officer.verifier.dates().unwrap().1.iter().all(|list| list.issued_at <= scene.right.wall()));
}

#[test]
fn bad_input_a_device_set_back_is_found_out_with_central_or_without() {
    let (central, mine) = (noon(), noon());
    let world = World::new(central.clone());
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let officer = world.officer_by("traffic-police", std::sync::Arc::new(mine.clone()));
    for clock in [&central, &mine] {
        clock.advance_secs(3600);
    }
    let check = || {
        let pending = wallet.open_request(&officer.ask("driving-licence", &[])).unwrap();
        let (document, fields) = pending.default_selection().unwrap();
        let answer = pending.answer(&document, &fields).unwrap();
        officer.verifier.check(&answer.text).unwrap().verdict().failed()
    };
    assert_eq!(officer.verifier.sync().unwrap().verdict.get(FactName::Clock).unwrap().outcome(), Outcome::Passed);
    // Set back by two days to make the old look fresh: offline, after a restart, and with central at hand.
    mine.set_wall(mine.wall().plus_secs(-2 * DAY));
    assert_eq!(check(), [FactName::Clock]);
    mine.reboot();
    assert_eq!(check(), [FactName::Clock]);
    assert_eq!(officer.verifier.sync().unwrap().verdict.get(FactName::Clock).unwrap().outcome(), Outcome::Failed);
    wallet.sync().unwrap();
    assert_eq!(check(), [FactName::Clock]);
}
