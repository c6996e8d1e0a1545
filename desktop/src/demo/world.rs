//! Everything the story happens in: the relay, central as a process that comes and goes, the card as a process, the phone, the staff devices.
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use wallet_bindings::ports::ListenerPort;
use wallet_bindings::{Verifier, Wallet};

use super::layout::{Layout, Paths};
use super::listener::CardProgress;
use super::story::Desk;
use crate::commands::central;
use crate::device;
use crate::ports::{DesktopClock, RememberingKeys};
use crate::relay::{Relay, Reserved};
use crate::screen::Screen;
use crate::supervise::{self, Service};
use crate::trouble::Trouble;

/// The citizen's phone.
pub struct Phone {
    /// The wallet.
    pub wallet: Arc<Wallet>,
    /// The phone's key store.
    pub keys: Arc<RememberingKeys>,
}

/// Everything the story happens in.
pub struct World {
    /// Where what lies.
    pub paths: Paths,
    /// The terminal.
    pub screen: Screen,
    /// The relay between all devices and central.
    pub relay: Relay,
    /// The clock of all devices; central is started with the same offset.
    pub clock: DesktopClock,
    /// The citizen's phone.
    pub phone: Phone,
    staff: BTreeMap<&'static str, Arc<Verifier>>,
    central: Option<Service>,
    card: Option<Service>,
    pictures: usize,
}

fn arguments(words: &[&str], dir: PathBuf) -> Vec<OsString> {
    let mut all: Vec<OsString> = words.iter().map(OsString::from).collect();
    all.extend([OsString::from("--dir"), dir.into_os_string()]);
    all
}

impl World {
    /// Makes central's folder, starts the relay and opens a new phone. Central itself does not run yet.
    pub fn build(layout: &Layout, screen: Screen) -> Result<Self, Trouble> {
        let paths = layout.paths();
        let port = Reserved::new()?;
        let mut init = arguments(&["central", "init"], paths.central());
        init.extend([OsString::from("--public-url"), OsString::from(port.url()?)]);
        supervise::run("central init", &init)?;
        let service = central::public_files(&paths.central())?;
        let identity = central::relay_identity(&paths.central())?;
        let relay = Relay::start(port, identity, &service.tls_root_der()?, &paths.record().join("http"))?;
        screen.say(&format!("A relay on {} stands between every device and central and writes down what passes.", relay.url()));
        let clock = DesktopClock::default();
        let folder = paths.wallet();
        service.write(&folder)?;
        let keys = device::keys(&folder)?;
        let listener: Arc<dyn ListenerPort> = Arc::new(CardProgress::new(screen));
        let wallet = device::wallet(&folder, Arc::<RememberingKeys>::clone(&keys), &clock, Some(listener))?;
        Ok(Self {
            paths,
            screen,
            relay,
            clock,
            phone: Phone { wallet, keys },
            staff: BTreeMap::new(),
            central: None,
            card: None,
            pictures: 0,
        })
    }

    fn offset(&self) -> [OsString; 2] {
        [OsString::from("--clock-offset"), OsString::from(self.clock.seconds_ahead().to_string())]
    }

    /// Starts central as a process of its own, unless it runs.
    pub fn start_central(&mut self) -> Result<(), Trouble> {
        if self.central.is_some() {
            return Ok(());
        }
        let mut words = arguments(
            &["central", "serve", "--listen", "localhost:0", "--allow-software-keys", "--until-stdin-closes"],
            self.paths.central(),
        );
        words.extend(self.offset());
        let service = Service::start("central", &words, &self.paths.record().join("central.log"))?;
        self.screen.tell(&format!("Central runs as process {} on {}.", service.id(), service.address()));
        self.relay.connect(Some(service.address()));
        self.central = Some(service);
        Ok(())
    }

    /// Stops central and waits until its process is gone; from then on there is no network for anybody.
    pub fn stop_central(&mut self) -> Result<(), Trouble> {
        self.relay.connect(None);
        let Some(service) = self.central.take() else { return Ok(()) };
        let id = service.id();
        service.stop()?;
        self.screen.tell(&format!("Central is switched off: process {id} is gone. Nobody has a network now."));
        Ok(())
    }

    /// Runs a `central` command on the service's folder and gives what it printed.
    pub fn administrate(&self, words: &[&str]) -> Result<String, Trouble> {
        let (verb, rest) = words.split_first().ok_or_else(|| Trouble::usage("no command"))?;
        let mut all = arguments(&["central", verb], self.paths.central());
        all.extend(rest.iter().map(OsString::from));
        all.extend(self.offset());
        supervise::run("central", &all)
    }

    /// Starts a simulated card as a process of its own; `forgery` as the words of `chip sim --forged`.
    pub fn put_card(&mut self, forgery: Option<&str>) -> Result<String, Trouble> {
        self.take_card_away()?;
        let mut words: Vec<OsString> = ["chip", "sim", "--until-stdin-closes"].iter().map(OsString::from).collect();
        if let Some(how) = forgery {
            words.extend([OsString::from("--forged"), OsString::from(how)]);
        }
        let card = Service::start("the card", &words, &self.paths.record().join("card.log"))?;
        let address = card.address().to_owned();
        self.card = Some(card);
        Ok(address)
    }

    /// Ends the card's process.
    pub fn take_card_away(&mut self) -> Result<(), Trouble> {
        self.card.take().map_or(Ok(()), Service::stop)
    }

    /// Makes a new staff device for a desk and enrols it with a fresh one-time code. An older device of that desk is put aside.
    pub fn enrol(&mut self, desk: &Desk) -> Result<(), Trouble> {
        let code = self.administrate(&["staff-code", "--role", desk.role, "--organisation", desk.organisation, "--place", desk.place])?;
        let folder = self.paths.officer(desk.role);
        if !self.staff.contains_key(desk.role) {
            std::fs::create_dir_all(&folder).map_err(|e| Trouble::outside("making the device's folder", e))?;
            central::public_files(&self.paths.central())?.write(&folder)?;
            let verifier = device::verifier(&folder, device::keys(&folder)?, &self.clock, Some(&self.paths.answers()))?;
            self.staff.insert(desk.role, verifier);
        }
        self.staff(desk)?.enrol(code.trim().to_owned()).map_err(|e| device::at_border("enrolling a staff device", e))?;
        Ok(())
    }

    /// The staff device of a desk.
    pub fn staff(&self, desk: &Desk) -> Result<&Verifier, Trouble> {
        self.staff.get(desk.role).map(Arc::as_ref).ok_or_else(|| Trouble::usage(format!("the device of {} is not enrolled", desk.role)))
    }

    /// Moves the clocks of everybody, central's too, which has to be off.
    pub fn let_time_pass(&mut self, days: i64) -> Result<(), Trouble> {
        self.stop_central()?;
        self.clock.set_ahead(self.clock.seconds_ahead() + days * 86_400);
        self.screen.tell(&format!("All clocks are moved {days} days on."));
        Ok(())
    }

    /// Draws `text` as a picture file, shows it, and gives the text that was decoded from the pixels of the file: only that is used from here on.
    pub fn by_picture(&mut self, what: &str, text: &str) -> Result<String, Trouble> {
        self.pictures += 1;
        let path = self.paths.qr().join(format!("{:02}-{what}.png", self.pictures));
        let decoded = crate::pictures::draw_and_read(text, &path, self.screen)?;
        self.screen.tell(&format!("({} characters; drawn to {} and read back from its pixels)", decoded.len(), path.display()));
        Ok(decoded)
    }

    /// The end of the story: devices closed, processes gone.
    pub fn end(mut self) -> Result<(), Trouble> {
        let mut closed = vec![self.phone.wallet.close()];
        closed.extend(self.staff.values().map(|verifier| verifier.close()));
        let closed = closed.into_iter().collect::<Result<(), _>>().map_err(|e| device::at_border("closing the devices", e));
        let card = self.take_card_away();
        self.relay.connect(None);
        let central = self.central.take().map_or(Ok(()), Service::stop);
        closed.and(card).and(central)
    }
}
