//! Reading the card: the session's challenge goes in, evidence comes out, and the wallet judges it before anything is sent.

use std::sync::Arc;

use wallet_base::fact::{By, FactName, Outcome, Verdict};
use wallet_base::random::OsRandom;
use wallet_base::time::Date;
use wallet_chip::lds::dg13::field;
use wallet_chip::pace::{Can, MrzKey, Password};
use wallet_chip::reader::{ReadPlan, Reader};
use wallet_chip::{CardTrust, Evidence, VerifiedChip, evidence, passive};
use wallet_platform::deadline::Guarded;
use wallet_platform::ports::CardChannel;

use super::rows::Activation;
use super::steps::{self, ACTION};
use super::{CardDisplay, CardPassword, CardReport, Step, driver};
use crate::dpop::AccountKey;
use crate::error::WalletError;
use crate::inner::Inner;
use crate::trust;

/// A reading that a lost card interrupted; kept in memory only.
pub(crate) struct Interrupted {
    session: String,
    password: Password,
    reader: Reader,
}

/// See [`crate::Wallet::read_card`].
pub(crate) fn read_card(inner: &Inner, channel: Arc<dyn CardChannel>, password: CardPassword) -> Result<CardReport, WalletError> {
    let _act = inner.act()?;
    let (mut activation, key) = steps::load(inner)?;
    steps::need(&activation, Step::Opened, inner.now())?;
    if activation.step > Step::CardRead {
        // The chip is proven already; another card would not be this account's.
        return Err(WalletError::WrongStep);
    }
    let trust = trust::current(inner)?.ok_or(WalletError::Unchecked(FactName::ChipChain))?;
    let channel: Guarded<dyn CardChannel> = Guarded::new(channel);
    let password = password.read()?;
    let (mut reader, resumed) = reader_for(inner, &activation, &key, &password, &channel);
    let data = match driver::read(inner, &mut reader, &channel, resumed) {
        Ok(data) => data,
        Err(error) => {
            // The same card, held again, goes on where it stopped. A wrong password or another card begins anew.
            if matches!(error, WalletError::CardMoved | WalletError::Declined | WalletError::DifferentCard) {
                inner.set_interrupted(Some(Interrupted { session: activation.session, password, reader }));
            }
            return Err(error);
        }
    };
    let targets = trust.targets();
    let cards = CardTrust::from_der(targets.csca().iter().map(Vec::as_slice), targets.revoked_card_signers().iter().copied())
        .map_err(|_| WalletError::Answer("card authorities"))?;
    let now = inner.now();
    let (facts, verified) = passive::verify(&data, &cards, now, By::Wallet);
    let mut verdict = Verdict::from(facts);
    verdict.push(crate::clock::fact(inner)?);
    let genuine = verdict.get(FactName::ChipGenuine).is_some_and(|fact| fact.outcome() == Outcome::Passed);
    let Some(chip) = verified.filter(|_| genuine && verdict.failed().is_empty()) else {
        return Ok(CardReport { verdict, display: None });
    };
    let evidence = Evidence::from_data(&data, true).map_err(driver::refused)?;
    activation.evidence = Some(evidence.encode());
    activation.wallet_facts = verdict.facts().to_vec();
    activation.step = Step::CardRead;
    steps::commit(inner, &activation)?;
    Ok(CardReport { verdict, display: Some(display(&chip, now.date())) })
}

/// The interrupted reading of this session with this password, or a new one.
fn reader_for(inner: &Inner, activation: &Activation, key: &AccountKey, password: &Password, channel: &dyn CardChannel) -> (Reader, bool) {
    let interrupted = inner.take_interrupted();
    if let Some(interrupted) = interrupted.filter(|i| i.session == activation.session && i.password == *password) {
        return (interrupted.reader, true);
    }
    let challenge =
        evidence::challenge(activation.session.as_bytes(), &activation.nonce, ACTION, &activation.account, &key.public.thumbprint());
    let limits = channel.limits();
    let plan = ReadPlan::full(Some(challenge)).over(limits.max_command, limits.extended);
    (Reader::new(plan, password.clone(), Arc::new(OsRandom)), false)
}

impl CardPassword {
    fn read(&self) -> Result<Password, WalletError> {
        match self {
            Self::Can(can) => Ok(Password::Can(Can::new(can).map_err(driver::refused)?)),
            Self::Mrz { document_number, birth, expiry } => {
                let key = MrzKey::new(document_number, &mrz_date(*birth), &mrz_date(*expiry)).map_err(driver::refused)?;
                Ok(Password::Mrz(key))
            }
        }
    }
}

/// YYMMDD.
fn mrz_date(date: Date) -> String {
    format!("{:02}{:02}{:02}", date.year().rem_euclid(100), date.month(), date.day())
}

fn display(chip: &VerifiedChip, today: Date) -> CardDisplay {
    let mrz = chip.mrz();
    let printed = chip.dg13().and_then(|details| details.text(field::FULL_NAME)).map(str::to_owned);
    let face = chip.face();
    CardDisplay {
        full_name: printed.unwrap_or_else(|| format!("{} {}", mrz.surname, mrz.given).trim().to_owned()),
        personal_number: mrz.personal_number.clone().unwrap_or_default(),
        document_number: mrz.document_number.clone(),
        birth: mrz.birth_date(today),
        sex: mrz.sex.letter().to_string(),
        expiry: mrz.expiry_date(),
        portrait: face.map(|face| face.image.clone()).unwrap_or_default(),
        portrait_type: face.map(|face| face.mime.to_owned()).unwrap_or_default(),
    }
}
