//! The words of the story. Everyone in it is invented; what is shown on this terminal is what the people in it see on their own screens.
use std::time::Duration;

use crate::card::CITIZEN;
use crate::cli::{DemoArgs, Tamper};
use crate::report::Report;
use crate::screen::Screen;

/// The document that is suspended.
pub const LICENCE: &str = "driving-licence";

/// A citizen with card and phone.
#[derive(Debug, Clone, Copy)]
pub struct Citizen {
    /// Name of the phone; its folder.
    pub phone: &'static str,
    /// Personal number, one of central's invented citizens.
    pub number: &'static str,
    /// Passcode of the wallet; shown at the end, so that the kept folder can be tried.
    pub passcode: &'static str,
    /// In the story.
    pub person: &'static str,
}

/// The citizen of the story.
pub const FIRST: Citizen = Citizen { phone: "wallet", number: CITIZEN, passcode: "246810", person: "the citizen" };
/// Another citizen with another card and another phone.
pub const SECOND: Citizen = Citizen { phone: "wallet-2", number: "079185004567", passcode: "135790", person: "the second citizen" };

/// One counter where documents are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Desk {
    /// Name of the staff device; its folder under `officer/`.
    pub id: &'static str,
    /// Role of the device, a row of the table of roles.
    pub role: &'static str,
    /// Organisation in the device's certificate.
    pub organisation: &'static str,
    /// Place shown large to the citizen.
    pub place: &'static str,
    /// Document type asked for.
    pub document: &'static str,
    /// Who stands there.
    pub person: &'static str,
}

/// The airline's desk.
pub const GATE: Desk = Desk {
    id: "flight",
    role: "flight",
    organisation: "Vietnam Airlines",
    place: "Gate 12, Nội Bài",
    document: "citizen-identity",
    person: "the gate agent",
};
/// The traffic police.
pub const ROADSIDE: Desk = Desk {
    id: "traffic-police",
    role: "traffic-police",
    organisation: "CSGT Hà Nội",
    place: "Quốc lộ 5, km 12",
    document: LICENCE,
    person: "the police officer",
};
/// Traffic police of another province, on a road without any network: after the enrolment this device never reaches central again.
pub const PATROL: Desk = Desk {
    id: "traffic-police-2",
    role: "traffic-police",
    organisation: "CSGT TP. Hồ Chí Minh",
    place: "Quốc lộ 1A, km 1920",
    document: LICENCE,
    person: "the second officer",
};
/// The hospital's reception.
pub const CLINIC: Desk = Desk {
    id: "health",
    role: "health",
    organisation: "Bệnh viện Bạch Mai",
    place: "Quầy tiếp đón 3",
    document: "health-insurance-card",
    person: "the receptionist",
};
/// The staff devices that have a network now and then.
pub const DESKS: [Desk; 3] = [GATE, ROADSIDE, CLINIC];

/// What an attack does, in plain words.
pub const fn attack_in_words(tamper: Tamper) -> &'static str {
    match tamper {
        Tamper::Dg => "Somebody made a card with one byte of the personal data changed, under the genuine seal.",
        Tamper::SodSigner => "Somebody made a card and sealed it with a signer of their own, under the name of the state's authority.",
        Tamper::ClonedChip => "Somebody copied everything that can be read from a card. The chip's own key cannot be read.",
        Tamper::Element => "The holder changes a value of the licence and signs the answer with the right key.",
        Tamper::DeviceKey => "Somebody got a copy of the credential on its way and answers with another phone.",
        Tamper::Nonce => "Somebody filmed an earlier answer and shows it again.",
        Tamper::StatusSigner => "Somebody on the network hands the officer a status list of their own in which nothing is suspended.",
        Tamper::Expired => "The holder answers with a copy that ran out, 31 days on.",
        Tamper::StatusFrozen => "Somebody on the network keeps handing out the status lists of 15 days ago.",
        Tamper::TrustRollback => "Somebody on the network hands out an older trust list, genuine but replaced since.",
        Tamper::TrustFrozen => "Somebody on the network never lets news of trust through, until what the officer has is too old.",
        Tamper::TrustMix => "Somebody on the network mixes trust metadata of two versions, every file genuine and rightly signed.",
        Tamper::RequestSigner => "Somebody without a certificate of a listed authority asks the citizen for the licence.",
        Tamper::RequestStale => "Somebody shows the citizen a genuine request of an hour ago.",
        Tamper::RequestSwap => "The holder answers under the hash of another request than the one that was asked.",
        Tamper::Overask => "A genuine officer asks for a field that the role may not have.",
    }
}

/// Before the first step.
pub fn opening(screen: Screen, tamper: Option<Tamper>) {
    screen.say("Citizen Wallet: from a chip card to a check without a network.");
    screen.say("Every person, card and authority in this story is invented.");
    if let Some(tamper) = tamper {
        screen.say("");
        screen.say(&format!("ATTACK: {}", attack_in_words(tamper)));
        screen.say(&format!("Exactly one fact has to fail: {}.", tamper.fact()));
    }
}

/// After the last step.
pub fn closing(screen: Screen, report: &Report, arguments: &DemoArgs, took: Duration) {
    let tamper = arguments.tamper;
    screen.say("");
    screen.say("Summary");
    for (number, step) in report.steps.iter().enumerate() {
        let mark = if step.as_expected() { "  " } else { "! " };
        screen.say(&format!("  {mark}{:>2}. {:<38} {:>7} ms  {}", number + 1, step.name, step.millis, step.verdict));
    }
    let facts: usize = report.steps.iter().map(|s| s.facts.len()).sum();
    screen.say(&format!("  {} steps, {facts} facts, {:.1} s.", report.steps.len(), took.as_secs_f64()));
    screen.say(match (report.ok, tamper) {
        (true, None) => "Everything ended as expected.",
        (true, Some(_)) => "The attack was refused, by exactly the fact it breaks.",
        (false, None) => "NOT everything ended as expected.",
        (false, Some(_)) => "The attack did NOT end as expected.",
    });
    if let Some(dir) = &arguments.dir {
        screen.say(&format!(
            "Everything is kept in {}; the passcode of {}/ is {}, of {}/ {}.",
            dir.display(),
            FIRST.phone,
            FIRST.passcode,
            SECOND.phone,
            SECOND.passcode
        ));
    }
}
