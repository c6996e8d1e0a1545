//! Whole readings of simulated cards: passwords, budgets, oddities, losses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{NUMBER, assert_only_failed, can, card, challenge, genuine, mrz, plan, read, reader, verdict};
use wallet_base::fact::{Fact, FactName, Outcome};
use wallet_base::random::OsRandom;
use wallet_base::time::Date;
use wallet_card_sim::{Behaviour, CardHolder, Field, SocketChannel, socket};
use wallet_chip::access::VN_CCCD_CARD_ACCESS;
use wallet_chip::files::FileId;
use wallet_chip::lds::dg13::field;
use wallet_chip::mrz::Sex;
use wallet_chip::pace::{Can, MrzKey, Password};
use wallet_chip::reader::{Input, Output, PasswordKind, ReadPlan, drive};
use wallet_chip::{ReadError, tlv};

#[test]
fn a_genuine_card_is_read_and_verified_with_can_and_with_mrz() {
    for (password, kind) in [(can(), PasswordKind::Can), (mrz(), PasswordKind::Mrz)] {
        let data = read(genuine(), Behaviour::default(), plan(), password).unwrap();
        assert!(data.exchanges <= 125, "{} exchanges", data.exchanges);
        assert_eq!((data.access.password, data.access.from_hint, data.withheld.len()), (kind, false, 0));
        let (facts, chip) = verdict(&data);
        assert!(facts.iter().all(|fact| fact.outcome() == Outcome::Passed), "{facts:?}");
        let chip = chip.unwrap();
        let holder = CardHolder::sample().unwrap();
        assert_eq!(chip.mrz().personal_number.as_deref(), Some(NUMBER));
        assert_eq!((chip.mrz().surname.as_str(), chip.mrz().given.as_str()), ("NGUYEN", "VAN AN"));
        assert_eq!(chip.dg13().unwrap().text(field::FULL_NAME), Some("Nguyễn Văn An"));
        assert_eq!((chip.face().unwrap().image.as_slice(), chip.face().unwrap().mime), (holder.face.as_slice(), "image/png"));
        assert!(chip.differences().is_empty());
        assert!((12_000..20_000).contains(&data.dg2.as_ref().unwrap().len()));
    }
}

#[test]
fn budgets_of_exchanges_hold() {
    // A face of 20 KB, as the largest that the budget is for.
    let holder = CardHolder::sample().unwrap().with_face(vec![0xFF; 20_000]);
    let profile = common::authority().issue_card(&holder, &OsRandom, common::now()).unwrap();
    let full = read(profile.clone(), Behaviour::default(), plan(), can()).unwrap();
    assert!(full.exchanges <= 125, "full: {} exchanges", full.exchanges);
    let identity = read(profile.clone(), Behaviour::default(), ReadPlan::identity(Some(challenge())), can()).unwrap();
    assert!(identity.exchanges <= 32 && identity.dg2.is_none(), "identity: {} exchanges", identity.exchanges);
    let behaviour = Behaviour { extended: true, ..Behaviour::default() };
    let extended = read(profile, behaviour, plan().over(65_544, true), can()).unwrap();
    assert!(extended.exchanges <= 30, "extended: {} exchanges", extended.exchanges);
    assert_eq!(extended.dg2, full.dg2);
}

#[test]
fn odd_cards_are_read_all_the_same() {
    let expected = read(genuine(), Behaviour::default(), plan(), can()).unwrap();
    let base = Behaviour::default();
    for (name, behaviour, extended) in [
        ("wants the parameter", Behaviour { wants_parameter: true, ..base }, false),
        ("no short identifiers", Behaviour { no_short_identifier: true, ..base }, false),
        ("padding after files", Behaviour { padding: 300, ..base }, false),
        ("gives little at a time", Behaviour { read_limit: 100, ..base }, false),
        ("refuses extended length", base, true),
        ("takes extended length", Behaviour { extended: true, ..base }, true),
    ] {
        let data = read(genuine(), behaviour, plan().over(65_544, extended), can()).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!((&data.sod, &data.dg1, &data.dg2, &data.dg13), (&expected.sod, &expected.dg1, &expected.dg2, &expected.dg13), "{name}");
        assert!(verdict(&data).1.is_some(), "{name}");
    }
}

#[test]
fn a_file_beyond_32_kilobytes_is_read_with_the_odd_instruction() {
    let face: Vec<u8> = (0..70_000u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let holder = CardHolder::sample().unwrap().with_face(face.clone());
    let profile = common::authority().issue_card(&holder, &OsRandom, common::now()).unwrap();
    for (behaviour, extended) in [(Behaviour::default(), false), (Behaviour { extended: true, ..Behaviour::default() }, true)] {
        let data = read(profile.clone(), behaviour, plan().over(65_544, extended), can()).unwrap();
        assert_eq!(verdict(&data).1.unwrap().face().unwrap().image, face);
    }
}

#[test]
fn without_card_access_only_a_named_hint_helps() {
    let behaviour = Behaviour { hides_card_access: true, ..Behaviour::default() };
    let refused = read(genuine(), behaviour, plan(), can());
    assert_eq!(refused.unwrap_err(), ReadError::Unsupported { what: "a card without PACE" });
    let hinted = ReadPlan { card_access_hint: Some(VN_CCCD_CARD_ACCESS.to_vec()), ..plan() };
    let data = read(genuine(), behaviour, hinted, can()).unwrap();
    assert!(data.access.from_hint);
    assert!(verdict(&data).1.is_some());
}

#[test]
fn pace_advertised_and_then_refused_is_an_error_not_a_downgrade() {
    for (status, expected) in [
        (0x6FFF, ReadError::Status { step: "MSE:Set AT", status: 0x6FFF }),
        (0x6982, ReadError::AccessRefused { what: "PACE" }),
        (0x63C0, ReadError::AccessRefused { what: "PACE" }),
    ] {
        let behaviour = Behaviour { refuses_pace: Some(status), ..Behaviour::default() };
        assert_eq!(read(genuine(), behaviour, plan(), can()).unwrap_err(), expected);
    }
}

#[test]
fn fingers_are_never_asked_for_and_never_given() {
    let data = read(genuine(), Behaviour::default(), plan(), can()).unwrap();
    assert!(wallet_chip::lds::com::Com::parse(&data.com).unwrap().groups().contains(&3));
    assert!(wallet_chip::sod::Sod::parse(&data.sod).unwrap().group_hash(3).is_some());
    assert!(!data.withheld.contains(&FileId::Dg3));
}

#[test]
fn unknown_details_do_not_stop_a_reading() {
    let mut profile = genuine();
    profile.files.insert(FileId::Dg13, tlv::encode(0x6D, &[0xFF; 500]));
    common::authority().sign_again(&mut profile, common::now()).unwrap();
    let chip = verdict(&read(profile, Behaviour::default(), plan(), can()).unwrap()).1.unwrap();
    assert_eq!(chip.dg13(), Some(&wallet_chip::lds::dg13::Dg13::UnknownFormat));
}

#[test]
fn details_that_differ_from_the_zone_are_reported() {
    let mut profile = genuine();
    let other =
        CardHolder::new(NUMBER, "Nguyễn Văn An", Date::new(1991, 2, 3).unwrap(), Sex::Female, Date::new(2030, 1, 1).unwrap()).unwrap();
    let made = common::authority().issue_card(&other, &OsRandom, common::now()).unwrap();
    profile.files.insert(FileId::Dg13, made.files[&FileId::Dg13].clone());
    common::authority().sign_again(&mut profile, common::now()).unwrap();
    let chip = verdict(&read(profile, Behaviour::default(), plan(), can()).unwrap()).1.unwrap();
    assert_eq!(chip.differences(), [field::BIRTH, field::SEX]);
}

#[test]
fn progress_goes_up_to_the_end() {
    let mut field = Field::new(card(genuine(), Behaviour::default()));
    let mut reader = reader(plan(), can());
    let mut output = reader.step(Input::Start);
    let mut seen = Vec::new();
    while let Output::Send(command) = output {
        let progress = reader.progress();
        assert!(progress.bytes_total == 0 || progress.bytes_done <= progress.bytes_total);
        assert!(progress.files_done <= progress.files_total);
        seen.push(progress);
        output = reader.step(Input::Response(&field.transceive(&command).unwrap()));
    }
    assert!(seen.windows(2).all(|pair| pair[0].files_done <= pair[1].files_done));
    assert!(seen.iter().any(|progress| progress.file == FileId::Dg2 && progress.bytes_total > 12_000 && progress.bytes_done > 10_000));
    assert_eq!(seen.last().unwrap().files_total, 7);
}

#[test]
fn bad_input_wrong_can_clear_error_no_retry() {
    for wrong in [Password::Can(Can::new("000124").unwrap()), Password::Mrz(MrzKey::new(NUMBER, "900102", "300101").unwrap())] {
        let mut field = Field::new(card(genuine(), Behaviour::default()));
        let mut commands = 0;
        let mut reader = reader(plan(), wrong);
        let result = drive(&mut reader, Input::Start, |command| {
            commands += 1;
            field.transceive(command)
        });
        let error = result.unwrap_err();
        assert_eq!(error, ReadError::WrongPassword { tries_left: None });
        assert_eq!(error.to_string(), "the card does not accept this access number");
        // Master file, EF.CardAccess, MSE:Set AT, four steps, and not one more.
        assert_eq!((commands, field.card().wrong_passwords()), (7, 1));
        assert!(matches!(reader.step(Input::Response(&[0x90, 0x00])), Output::Fail(ReadError::OutOfOrder)));
    }
}

/// The card leaves after every possible number of answers; the reading ends with the same bytes, and the chip signs once.
#[test]
fn bad_input_card_lost_mid_read_resumes_after_proving_same_card() {
    let whole = read(genuine(), Behaviour::default(), plan(), can()).unwrap();
    let sod_reads = u32::try_from(whole.sod.len().div_ceil(223)).unwrap();
    for lost in 0..whole.exchanges {
        let mut field = Field::leaving_after(card(genuine(), Behaviour::default()), [lost]);
        let mut reader = reader(plan(), can());
        let first = drive(&mut reader, Input::Start, |command| field.transceive(command));
        assert_eq!(first.unwrap_err(), ReadError::CardLost, "lost after {lost}");
        let before = reader.progress();
        field.reset();
        let data = drive(&mut reader, Input::Reconnected, |command| field.transceive(command))
            .unwrap_or_else(|error| panic!("lost after {lost}: {error:?}"));
        assert_eq!((&data.com, &data.sod, &data.dg1, &data.dg2), (&whole.com, &whole.sod, &whole.dg1, &whole.dg2), "lost after {lost}");
        assert_eq!((&data.dg13, &data.dg14, &data.dg15), (&whole.dg13, &whole.dg14, &whole.dg15), "lost after {lost}");
        assert!(verdict(&data).1.is_some(), "lost after {lost}");
        // What was read is not read again: only PACE, SELECT, the proof by the SOD, and one SELECT and one repeated exchange more.
        if before.files_done >= 2 {
            assert!(data.exchanges <= whole.exchanges + 5 + 1 + sod_reads + 2, "lost after {lost}: {} exchanges", data.exchanges);
        }
    }
}

#[test]
fn bad_input_card_lost_again_and_again_still_ends() {
    let losses = [9, 3, 20, 6, 8, 17, 19, 30, 0, 25, 40];
    let mut field = Field::leaving_after(card(genuine(), Behaviour::default()), losses);
    let mut reader = reader(plan(), can());
    let mut result = drive(&mut reader, Input::Start, |command| field.transceive(command));
    let mut times = 0;
    while let Err(error) = result {
        assert_eq!(error, ReadError::CardLost);
        times += 1;
        field.reset();
        result = drive(&mut reader, Input::Reconnected, |command| field.transceive(command));
    }
    assert_eq!(times, losses.len());
    assert!(verdict(&result.unwrap()).1.is_some());
}

#[test]
fn bad_input_card_lost_different_card_refused() {
    // The same person's next card: same CAN, another SOD. And a stranger's card with the same last six digits, and with others.
    let renewed = common::authority().issue_card(&CardHolder::sample().unwrap(), &OsRandom, common::now()).unwrap();
    let born = Date::new(1985, 5, 5).unwrap();
    let stranger = |number: &str| {
        let holder = CardHolder::new(number, "Trần Thị Bình", born, Sex::Female, Date::new(2031, 1, 1).unwrap()).unwrap();
        common::authority().issue_card(&holder, &OsRandom, common::now()).unwrap()
    };
    for (name, other) in [("renewed", renewed), ("same digits", stranger("079185000123")), ("other digits", stranger("079185000999"))] {
        let mut field = Field::leaving_after(card(genuine(), Behaviour::default()), [40]);
        let mut reader = reader(plan(), can());
        assert_eq!(drive(&mut reader, Input::Start, |command| field.transceive(command)).unwrap_err(), ReadError::CardLost);
        let before = reader.progress();
        field.exchange(card(other, Behaviour::default()));
        let refused = drive(&mut reader, Input::Reconnected, |command| field.transceive(command));
        assert_eq!(refused.unwrap_err(), ReadError::DifferentCard, "{name}");
        assert_eq!(reader.progress(), before, "nothing of the other card was taken");
        // The right card may still come back.
        field.exchange(card(genuine(), Behaviour::default()));
        let data = drive(&mut reader, Input::Reconnected, |command| field.transceive(command)).unwrap();
        assert!(verdict(&data).1.is_some(), "{name}");
    }
}

/// Every response of a reading altered, cut, doubled or dropped: never a panic, never a verified chip out of it.
#[test]
fn faults_on_the_line_never_give_accepted_data() {
    let total = read(genuine(), Behaviour::default(), ReadPlan::identity(Some(challenge())), can()).unwrap().exchanges;
    for at in 0..total {
        for fault in 0..6 {
            let mut field = Field::new(card(genuine(), Behaviour::default()));
            let mut reader = reader(ReadPlan::identity(Some(challenge())), can());
            let mut number = 0;
            let mut last = Vec::new();
            let result = drive(&mut reader, Input::Start, |command| {
                let mut response = field.transceive(command)?;
                if number == at {
                    match fault {
                        0 => *response.first_mut().unwrap() ^= 1,
                        1 => *response.last_mut().unwrap() ^= 1,
                        2 => response.truncate(response.len() / 2),
                        3 => response = vec![0x90, 0x00],
                        4 => response.clone_from(&last),
                        _ => response = field.transceive(command)?,
                    }
                }
                number += 1;
                last.clone_from(&response);
                Some(response)
            });
            // The first three answers (master file, EF.CardAccess, MSE:Set AT) are unprotected; a fault that changes nothing that
            // counts may pass there. After them every fault ends the reading.
            if let Ok(data) = result {
                assert!(at < 3, "exchange {at}, fault {fault} was accepted");
                assert!(verdict(&data).1.is_some(), "exchange {at}, fault {fault}");
            }
        }
    }
}

#[test]
fn the_socket_serves_loses_and_goes_on() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, shared) = socket::spawn(listener, Field::leaving_after(card(genuine(), Behaviour::default()), [30])).unwrap();
    let mut channel = SocketChannel::connect(address).unwrap();
    let mut reader = reader(plan(), can());
    let lost = drive(&mut reader, Input::Start, |command| channel.transceive(command).ok());
    assert_eq!(lost.unwrap_err(), ReadError::CardLost);
    assert!(channel.transceive(&[0, 0xA4, 0, 0x0C]).is_err(), "gone until it is held again");
    channel.reset().unwrap();
    // A connection that breaks in mid-reading: the server waits for the next one.
    let mut left = 20;
    let lost = drive(&mut reader, Input::Reconnected, |command| {
        left -= 1;
        if left == 0 { None } else { channel.transceive(command).ok() }
    });
    assert_eq!(lost.unwrap_err(), ReadError::CardLost);
    drop(channel);
    let mut channel = SocketChannel::connect(address).unwrap();
    let data = drive(&mut reader, Input::Reconnected, |command| channel.transceive(command).ok()).unwrap();
    assert!(verdict(&data).1.is_some());
    assert!(shared.lock().unwrap().card().commands() > 100);
}

#[test]
fn stored_cards_and_authorities_come_back_whole() {
    let authority = wallet_card_sim::TestCardAuthority::from_json(&common::authority().to_json().unwrap()).unwrap();
    assert_eq!(authority.csca(), common::authority().csca());
    let profile = wallet_card_sim::CardProfile::from_json(&genuine().to_json().unwrap()).unwrap();
    assert_eq!(profile.files, genuine().files);
    assert!(verdict(&read(profile, Behaviour::default(), plan(), mrz()).unwrap()).1.is_some());
    assert!(wallet_card_sim::CardProfile::from_json("{}").is_err());
}

/// No byte of the holder, no key and no password in any error, Debug text or progress of a reading that goes wrong everywhere.
#[test]
fn nothing_personal_in_errors_and_debug() {
    use std::fmt::Write;
    let mut text = String::new();
    let mut field = Field::leaving_after(card(genuine(), Behaviour::default()), [30]);
    let mut engine = reader(plan(), can());
    let mut output = engine.step(Input::Start);
    loop {
        write!(text, "{output:?} {engine:?} {:?}", engine.progress()).unwrap();
        output = match output {
            Output::Send(command) => {
                write!(text, "{:?}", wallet_chip::apdu::Command::decode(&command).unwrap()).unwrap();
                match field.transceive(&command) {
                    Some(response) => {
                        write!(text, "{:?}{:?}", Input::Response(&response), wallet_chip::apdu::Response::decode(&response).unwrap())
                            .unwrap();
                        engine.step(Input::Response(&response))
                    }
                    None => engine.step(Input::LinkLost),
                }
            }
            Output::Fail(error) => {
                write!(text, "{error} {error:?}").unwrap();
                field.reset();
                engine.step(Input::Reconnected)
            }
            Output::Done(data) => {
                let (facts, chip) = verdict(&data);
                let chip = chip.unwrap();
                let evidence = wallet_chip::Evidence::from_data(&data, true).unwrap();
                write!(text, "{data:?} {facts:?} {chip:?} {:?} {:?} {:?} {evidence:?}", chip.mrz(), chip.dg13(), chip.face()).unwrap();
                break;
            }
        };
    }
    let holder = CardHolder::sample().unwrap();
    write!(
        text,
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        genuine(),
        holder,
        can(),
        mrz(),
        card(genuine(), Behaviour::default()),
        plan().challenge.map(|_| ())
    )
    .unwrap();
    for secret in ["000123", NUMBER, "090000123", "NGUYEN", "Nguyễn", "900101", "Kinh", "Không", "Phố Mẫu", "[137, 80", "89504e47"] {
        assert!(!text.contains(secret), "{secret} leaks");
    }
    let names: Vec<&str> = common::LADDER.iter().map(|name| name.as_str()).collect();
    assert_eq!(names, ["chip.hashes", "chip.signature", "chip.chain", "chip.revocation", "chip.genuine", "chip.access"]);
    let facts = verdict(&read(genuine(), Behaviour { refuses_active: Some(0x6985), ..Behaviour::default() }, plan(), can()).unwrap()).0;
    assert_only_failed(&facts, FactName::ChipGenuine);
    assert!(facts.iter().all(|fact: &Fact| fact.subject() == "citizen-identity"));
}
