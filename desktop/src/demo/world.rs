//! Everything the story happens in: the relay, central as a process that comes and goes, the card as a process, the phone, the staff devices.
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wallet_bindings::Wait as _;
use wallet_bindings::ports::ListenerPort;
use wallet_bindings::verdict::VerdictView;
use wallet_bindings::{Verifier, Wallet};

use super::layout::{Layout, Paths};
use super::listener::CardProgress;
use super::manifest::{Anchors, Device, Event, Manifest};
use super::story::{Citizen, Desk};
use crate::commands::central;
use crate::device;
use crate::ports::{DesktopClock, RememberingKeys};
use crate::relay::record::{Recorder, Witness};
use crate::relay::{Relay, Reserved};
use crate::screen::Screen;
use crate::service_file::ServiceFile;
use crate::supervise::{self, Service};
use crate::tools::card;
use crate::trouble::Trouble;

/// A picture of a QR code, as a camera reads it.
pub struct Picture {
    /// The text decoded from its pixels.
    pub text: String,
    /// Its file in the record.
    pub file: String,
}

/// A citizen's phone.
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
    /// What happened, for the record.
    pub manifest: Manifest,
    service: ServiceFile,
    phones: BTreeMap<&'static str, Phone>,
    staff: BTreeMap<&'static str, Arc<Verifier>>,
    central: Option<Service>,
    card: Option<(&'static str, Service)>,
    pictures: usize,
    carried: usize,
}

/// Copies into the record what apps are built with, so that the record can be judged by itself.
fn anchors(paths: &Paths, service: &ServiceFile) -> Result<Anchors, Trouble> {
    let folder = paths.anchors();
    let write = |name: &str, bytes: &[u8]| -> Result<String, Trouble> {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(|e| Trouble::outside(&format!("writing {}", path.display()), e))?;
        Ok(format!("anchors/{name}"))
    };
    Ok(Anchors {
        root: write("root.json", service.trust_root.as_bytes())?,
        tls_root: write("tls-root.der", &service.tls_root_der()?)?,
        card_authority: write("card-authority.der", card::authority()?.csca().der())?,
        registry: write("registry.json", wallet_central::registry::REFERENCE.as_bytes())?,
        floor: service.trust_floor,
    })
}

fn new_phone(folder: &Path, service: &ServiceFile, clock: &DesktopClock, screen: Screen) -> Result<Phone, Trouble> {
    std::fs::create_dir_all(folder).map_err(|e| Trouble::outside("making the phone's folder", e))?;
    service.write(folder)?;
    let keys = device::keys(folder)?;
    let listener: Arc<dyn ListenerPort> = Arc::new(CardProgress::new(screen));
    let wallet = device::wallet(folder, Arc::<RememberingKeys>::clone(&keys), clock, Some(listener))?;
    Ok(Phone { wallet, keys })
}

fn arguments(words: &[&str], dir: PathBuf) -> Vec<OsString> {
    let mut all: Vec<OsString> = words.iter().map(OsString::from).collect();
    all.extend([OsString::from("--dir"), dir.into_os_string()]);
    all
}

impl World {
    /// Makes central's folder, and starts the relay. Central itself does not run yet.
    pub fn build(layout: &Layout, screen: Screen) -> Result<Self, Trouble> {
        let paths = layout.paths();
        let port = Reserved::new()?;
        let mut init = arguments(&["central", "init"], paths.central());
        init.extend([OsString::from("--public-url"), OsString::from(port.url()?)]);
        supervise::run("central init", &init)?;
        let service = central::public_files(&paths.central())?;
        let identity = central::relay_identity(&paths.central())?;
        let clock = DesktopClock::default();
        let manifest = Manifest::new(&paths.record(), &clock, anchors(&paths, &service)?);
        let witness: Arc<dyn Witness> = Arc::new(manifest.clone());
        let recorder = Recorder::new(&paths.record().join("http"), Some(witness)).map_err(|e| Trouble::outside("making the record", e))?;
        let relay = Relay::start(port, identity, &service.tls_root_der()?, recorder)?;
        screen.say(&format!("A relay on {} stands between every device and central and writes down what passes.", relay.url()));
        Ok(Self {
            paths,
            screen,
            relay,
            clock,
            manifest,
            service,
            phones: BTreeMap::new(),
            staff: BTreeMap::new(),
            central: None,
            card: None,
            pictures: 0,
            carried: 0,
        })
    }

    /// Gives a citizen a new phone with an empty wallet.
    pub fn new_phone(&mut self, citizen: &Citizen) -> Result<(), Trouble> {
        let folder = self.paths.phone(citizen.phone);
        let phone = new_phone(&folder, &self.service, &self.clock, self.screen)?;
        phone.wallet.create(citizen.passcode.as_bytes().to_vec(), None).wait().map_err(|e| device::at_border("creating the wallet", e))?;
        self.phones.insert(citizen.phone, phone);
        let (id, folder) = (citizen.phone.to_owned(), self.paths.name_of(&folder));
        self.manifest.introduce(Device { id, kind: "wallet", folder, ..Device::default() });
        self.screen.tell("A new phone: an empty wallet, its databases encrypted, a passcode set.");
        Ok(())
    }

    /// A citizen's phone.
    pub fn phone(&self, citizen: &Citizen) -> Result<&Phone, Trouble> {
        self.phones.get(citizen.phone).ok_or_else(|| Trouble::usage(format!("{} has no phone", citizen.person)))
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
        self.manifest.note(Event::Central { what: "started" });
        self.central = Some(service);
        Ok(())
    }

    /// Stops central and waits until its process is gone; from then on there is no network for anybody.
    pub fn stop_central(&mut self) -> Result<(), Trouble> {
        self.relay.connect(None);
        let Some(service) = self.central.take() else { return Ok(()) };
        let id = service.id();
        service.stop()?;
        self.manifest.note(Event::Central { what: "stopped" });
        self.screen.tell(&format!("Central is switched off: process {id} is gone. Nobody has a network now."));
        Ok(())
    }

    /// Runs a `central` command on the service's folder and gives what it printed.
    pub fn administrate(&self, words: &[&str]) -> Result<String, Trouble> {
        let (verb, rest) = words.split_first().ok_or_else(|| Trouble::usage("no command"))?;
        self.manifest.note(Event::Admin { words: words.iter().map(|&word| word.to_owned()).collect() });
        let mut all = arguments(&["central", verb], self.paths.central());
        all.extend(rest.iter().map(OsString::from));
        all.extend(self.offset());
        supervise::run("central", &all)
    }

    /// Holds a simulated card, a process of its own, to the phone `device`; `forgery` as the words of `chip sim --forged`.
    pub fn put_card(&mut self, device: &'static str, citizen: &Citizen, forgery: Option<&str>) -> Result<String, Trouble> {
        self.take_card_away()?;
        let words = ["chip", "sim", "--until-stdin-closes", "--citizen", citizen.number];
        let mut words: Vec<OsString> = words.iter().map(OsString::from).collect();
        if let Some(how) = forgery {
            words.extend([OsString::from("--forged"), OsString::from(how)]);
        }
        words.extend([OsString::from("--record"), self.paths.record().join("card.random").into_os_string()]);
        let card = Service::start("the card", &words, &self.paths.record().join("card.log"))?;
        let address = card.address().to_owned();
        self.card = Some((device, card));
        self.manifest.note(Event::Sim { device: device.to_owned(), what: "placed" });
        Ok(address)
    }

    /// Ends the card's process.
    pub fn take_card_away(&mut self) -> Result<(), Trouble> {
        let Some((device, card)) = self.card.take() else { return Ok(()) };
        card.stop()?;
        self.manifest.note(Event::Sim { device: device.to_owned(), what: "taken" });
        Ok(())
    }

    /// Where the exchanges between a phone and a card are written, and how many lines there are so far.
    pub fn card_trace(&self) -> (PathBuf, usize) {
        let path = self.paths.record().join("card.apdu");
        let lines = std::fs::read_to_string(&path).map_or(0, |text| text.lines().count());
        (path, lines)
    }

    /// Notes what passed between phone and card since there were `before` lines.
    pub fn note_card_trace(&self, device: &str, before: usize) {
        let (path, after) = self.card_trace();
        if after > before {
            let file = self.manifest.name_of(&path);
            self.manifest.note(Event::Apdu { device: device.to_owned(), file, first_line: before + 1, last_line: after });
        }
    }

    /// Keeps a message that central sent to a citizen's telephone, as it was read there.
    pub fn keep_message(&self, device: &str, message: &Path) -> Result<(), Trouble> {
        let failed = |e| Trouble::outside("keeping a message in the record", e);
        let folder = self.paths.record().join("messages");
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let kept = folder.join(message.file_name().unwrap_or_default());
        std::fs::copy(message, &kept).map_err(failed)?;
        self.manifest.note(Event::Message { device: device.to_owned(), file: self.manifest.name_of(&kept) });
        Ok(())
    }

    /// Makes a new staff device for a desk and enrols it with a fresh one-time code. An older device of that desk is put aside.
    pub fn enrol(&mut self, desk: &Desk) -> Result<(), Trouble> {
        let code = self.administrate(&["staff-code", "--role", desk.role, "--organisation", desk.organisation, "--place", desk.place])?;
        let folder = self.paths.officer(desk.id);
        if !self.staff.contains_key(desk.id) {
            std::fs::create_dir_all(&folder).map_err(|e| Trouble::outside("making the device's folder", e))?;
            self.service.write(&folder)?;
            let (manifest, device) = (self.manifest.clone(), desk.id.to_owned());
            let opened = device::AnswerRecord::new(&self.paths.answers(), move |path| {
                manifest.note(Event::Opened { device: device.clone(), file: manifest.name_of(path) });
            });
            let verifier = device::verifier(&folder, device::keys(&folder)?, &self.clock, Some(Arc::new(opened)))?;
            self.staff.insert(desk.id, verifier);
            self.manifest.introduce(Device {
                id: desk.id.to_owned(),
                kind: "officer",
                folder: self.paths.name_of(&folder),
                role: desk.role.to_owned(),
                organisation: desk.organisation.to_owned(),
                place: desk.place.to_owned(),
            });
        }
        let _at_work = self.manifest.acting(desk.id, "enrol");
        self.staff(desk)?.enrol(code.trim().to_owned(), None).wait().map_err(|e| device::at_border("enrolling a staff device", e))?;
        Ok(())
    }

    /// The staff device of a desk.
    pub fn staff(&self, desk: &Desk) -> Result<&Verifier, Trouble> {
        self.staff.get(desk.id).map(Arc::as_ref).ok_or_else(|| Trouble::usage(format!("the device `{}` is not enrolled", desk.id)))
    }

    /// Carries all signed public lists of one staff device to another as a file, as on a memory card; gives what the other found.
    pub fn carry(&mut self, from: &Desk, to: &Desk) -> Result<VerdictView, Trouble> {
        self.carried += 1;
        let path = self.paths.carried().join(format!("{:02}.bundle", self.carried));
        let file = self.manifest.name_of(&path);
        {
            let _at_work = self.manifest.acting(from.id, "carry");
            let bytes = self.staff(from)?.carry().wait().map_err(|e| device::at_border("writing out public lists", e))?;
            std::fs::write(&path, &bytes).map_err(|e| Trouble::outside(&format!("writing {}", path.display()), e))?;
            self.manifest.note(Event::Carried { device: from.id.to_owned(), what: "given", file: file.clone() });
        }
        let _at_work = self.manifest.acting(to.id, "take");
        let bytes = std::fs::read(&path).map_err(|e| Trouble::outside(&format!("reading {}", path.display()), e))?;
        self.screen.tell(&format!("{} bytes go from {} to {} by hand.", bytes.len(), from.person, to.person));
        self.manifest.note(Event::Carried { device: to.id.to_owned(), what: "taken", file });
        let report = self.staff(to)?.take(bytes).wait().map_err(|e| device::at_border("taking public lists", e))?;
        Ok(report.verdict)
    }

    /// Moves the clocks of everybody, central's too, which has to be off.
    pub fn let_time_pass(&mut self, days: i64) -> Result<(), Trouble> {
        self.stop_central()?;
        self.set_clocks_on(days * 86_400);
        self.screen.tell(&format!("All clocks are moved {days} days on."));
        Ok(())
    }

    /// Moves the clocks of all devices by `seconds`.
    pub fn set_clocks_on(&self, seconds: i64) {
        self.clock.set_ahead(self.clock.seconds_ahead() + seconds);
        self.manifest.note(Event::Clock { offset: self.clock.seconds_ahead() });
    }

    /// `device` draws `text` (`what`: a `request` or an `answer`) as a picture file; gives what was decoded from the pixels of the file: only that is
    /// used from here on.
    pub fn by_picture(&mut self, device: &str, what: &'static str, name: &str, text: &str) -> Result<Picture, Trouble> {
        self.pictures += 1;
        let path = self.paths.qr().join(format!("{:02}-{name}.png", self.pictures));
        let text = crate::pictures::draw_and_read(text, &path, self.screen)?;
        self.screen.tell(&format!("({} characters; drawn to {} and read back from its pixels)", text.len(), path.display()));
        let file = self.manifest.name_of(&path);
        self.manifest.note(Event::Picture { device: device.to_owned(), what, file: file.clone() });
        Ok(Picture { text, file })
    }

    /// The camera of `device` reads a picture.
    pub fn sees(&self, device: &str, what: &'static str, picture: &Picture) {
        self.manifest.note(Event::Seen { device: device.to_owned(), what, file: picture.file.clone() });
    }

    /// The end of the story: devices closed, processes gone.
    pub fn end(mut self) -> Result<(), Trouble> {
        let mut closed: Vec<_> = self.phones.values().map(|phone| phone.wallet.close()).collect();
        closed.extend(self.staff.values().map(|verifier| verifier.close()));
        let closed = closed.into_iter().collect::<Result<(), _>>().map_err(|e| device::at_border("closing the devices", e));
        let card = self.take_card_away();
        self.relay.connect(None);
        let central = self.central.take().map_or(Ok(()), Service::stop);
        closed.and(card).and(central)
    }
}
