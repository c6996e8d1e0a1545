//! `init`: makes a service directory with all keys, certificates, the database, the first status lists and the first trust repository.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use wallet_base::crypto::{PublicKey, Signer, SoftwareKey};
use wallet_base::random::{OsRandom, Random};
use wallet_base::time::{TimeSource, Timestamp};
use wallet_base::x509::{Certificate, CertificateSpec, issue};
use wallet_credential::trust::{EKU_DOCUMENT_SIGNER, EKU_STATUS_SIGNER};

use crate::authorities::{AUTHORITIES, EARLY, ROOT_LIFE, SIGNER_LIFE};
use crate::config::Config;
use crate::error::CentralError;
use crate::keys::{self, Identity, Place};
use crate::status::Publisher;
use crate::trust::{self, TrustKeys};
use crate::{cards, ceremony, db, files};

/// id-kp-serverAuth (RFC 5280, 4.2.1.12).
const EKU_SERVER: &str = "1.3.6.1.5.5.7.3.1";
/// subjectAltName.
const OID_SAN: &str = "2.5.29.17";

/// What a new service needs to know.
#[derive(Clone)]
pub struct InitOptions {
    /// `https://host[:port]` as phones see it.
    pub public_url: String,
    /// Country signing certificates of citizen cards, DER.
    pub csca: Vec<Vec<u8>>,
    /// The time.
    pub clock: Arc<dyn TimeSource>,
    /// Randomness for keys.
    pub random: Arc<dyn Random>,
}

impl InitOptions {
    /// Options with the operating system's randomness.
    pub fn new(public_url: &str, csca: Vec<Vec<u8>>, clock: Arc<dyn TimeSource>) -> Self {
        Self { public_url: public_url.to_owned(), csca, clock, random: Arc::new(OsRandom) }
    }
}

/// What is built into every app of this service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppAnchors {
    /// `https://host[:port]`.
    pub public_url: String,
    /// Certificate (DER) that the service's TLS certificate must be under.
    pub tls_root: Vec<u8>,
    /// First `root.json` of the trust repository.
    pub trust_root: Vec<u8>,
}

/// Makes a service in an empty or new directory and gives what belongs into the apps.
///
/// # Errors
/// [`CentralError::Directory`] when the directory already holds a service, [`CentralError::Invalid`] for a public URL that is no plain `https`
/// origin or a card authority that is no certificate.
pub fn init(dir: &Path, options: &InitOptions) -> Result<AppAnchors, CentralError> {
    if Config::exists(dir) {
        return Err(CentralError::Directory("the directory already holds a service"));
    }
    let config = Config::new(&options.public_url)?;
    if options.csca.iter().any(|der| Certificate::from_der(der).is_err()) {
        return Err(CentralError::Invalid("card authority certificate"));
    }
    files::directory(dir)?;
    let maker = Maker { dir, now: options.clock.now(), random: &*options.random };
    maker.tls(&config.host()?)?;
    for authority in AUTHORITIES {
        maker.pair(
            &format!("issuer-{}", authority.id),
            [&format!("{} Root", authority.organisation), &format!("{} Document Signer", authority.organisation)],
            authority.organisation,
            EKU_DOCUMENT_SIGNER,
        )?;
    }
    maker.pair("status", ["Status Root", "Status Signer"], "Trung tam Du lieu quoc gia", EKU_STATUS_SIGNER)?;
    maker.reader()?;
    keys::create(dir, Place::Online, "wallet-provider", maker.random)?;
    keys::create_secret(dir, "service", maker.random)?;
    cards::store(dir, &options.csca)?;
    // `trust_init` may have made it before, with root keys elsewhere.
    let trust_root = match ceremony::made_before(dir)? {
        Some(root) => root,
        None => ceremony::first_root(dir, &dir.join("offline"), &config.trust, maker.now, maker.random)?,
    };
    files::directory(&dir.join("public"))?;
    files::write_public(&dir.join("public").join("root.json"), &trust_root)?;
    let tls_root = keys::certificate(dir, "tls-root")?;
    files::write_public(&dir.join("public").join("tls-root.der"), tls_root.der())?;

    let mut connection = db::open(dir)?;
    let transaction = crate::clock::begin(&mut connection, maker.now)?;
    let signer = Identity::load(dir, "status")?;
    Publisher { config: &config, signer: &signer, now: maker.now }.publish_due(&transaction)?;
    trust::publish(dir, &config, &TrustKeys::load(dir)?, maker.now)?;
    transaction.commit()?;
    // The configuration comes last: a directory without it is not a service, and an interrupted `init` can be repeated.
    config.store_new(dir)?;
    anchors(dir)
}

/// What belongs into the apps of an existing service.
///
/// # Errors
/// [`CentralError::Directory`] when the directory holds no service.
pub fn anchors(dir: &Path) -> Result<AppAnchors, CentralError> {
    let config = Config::load(dir)?;
    Ok(AppAnchors {
        public_url: config.public_url,
        tls_root: files::read(&dir.join("public").join("tls-root.der"))?,
        trust_root: files::read(&dir.join("public").join("root.json"))?,
    })
}

struct Maker<'a> {
    dir: &'a Path,
    now: Timestamp,
    random: &'a dyn Random,
}

impl Maker<'_> {
    fn spec(&self, common_name: &str, organisation: &str, life: i64, key: PublicKey) -> CertificateSpec {
        CertificateSpec {
            common_name: common_name.to_owned(),
            organization: Some(organisation.to_owned()),
            country: Some("VN".to_owned()),
            not_before: self.now.plus_secs(-EARLY),
            not_after: self.now.plus_secs(life),
            public_key: key,
            is_ca: false,
            extended_key_usage: Vec::new(),
            extensions: Vec::new(),
            lean: false,
        }
    }

    fn make(&self, spec: &CertificateSpec, issuer: Option<&Certificate>, signer: &SoftwareKey) -> Result<Certificate, CentralError> {
        issue(spec, issuer, signer, self.random).map_err(|_| CentralError::Issue("a certificate"))
    }

    /// A root whose key goes offline, and a signer directly under it whose key stays online.
    fn pair(&self, name: &str, [root_name, leaf_name]: [&str; 2], organisation: &str, purpose: &str) -> Result<(), CentralError> {
        let root_key = keys::create(self.dir, Place::Offline, &format!("{name}-root"), self.random)?;
        let root_spec = CertificateSpec { is_ca: true, ..self.spec(root_name, organisation, ROOT_LIFE, root_key.public_key()) };
        let root = self.make(&root_spec, None, &root_key)?;
        let key = keys::create(self.dir, Place::Online, name, self.random)?;
        let spec = CertificateSpec {
            extended_key_usage: vec![purpose.to_owned()],
            ..self.spec(leaf_name, organisation, SIGNER_LIFE, key.public_key())
        };
        keys::store_certificate(self.dir, &format!("{name}-root"), &root)?;
        keys::store_certificate(self.dir, name, &self.make(&spec, Some(&root), &root_key)?)
    }

    /// The authority that signs staff certificates every day; its names are short, since each certificate repeats them inside a QR symbol.
    fn reader(&self) -> Result<(), CentralError> {
        let key = keys::create(self.dir, Place::Online, "reader", self.random)?;
        let spec =
            CertificateSpec { is_ca: true, organization: None, country: None, ..self.spec("VN RA", "", ROOT_LIFE, key.public_key()) };
        keys::store_certificate(self.dir, "reader", &self.make(&spec, None, &key)?)
    }

    fn tls(&self, host: &str) -> Result<(), CentralError> {
        let organisation = "Citizen Wallet Central";
        let root_key = keys::create(self.dir, Place::Offline, "tls-root", self.random)?;
        let root_spec = CertificateSpec { is_ca: true, ..self.spec("Central TLS Root", organisation, ROOT_LIFE, root_key.public_key()) };
        let root = self.make(&root_spec, None, &root_key)?;
        let key = keys::create(self.dir, Place::Online, "tls", self.random)?;
        let spec = CertificateSpec {
            extended_key_usage: vec![EKU_SERVER.to_owned()],
            extensions: vec![(OID_SAN.to_owned(), false, alternative_names(host)?)],
            ..self.spec("Central", organisation, SIGNER_LIFE, key.public_key())
        };
        keys::store_certificate(self.dir, "tls-root", &root)?;
        keys::store_certificate(self.dir, "tls", &self.make(&spec, Some(&root), &root_key)?)
    }
}

/// DER of GeneralNames: localhost, the loopback addresses, and the public host (RFC 5280, 4.2.1.6).
fn alternative_names(host: &str) -> Result<Vec<u8>, CentralError> {
    fn push(out: &mut Vec<u8>, tag: u8, value: &[u8]) -> Result<(), CentralError> {
        let length = u8::try_from(value.len()).ok().filter(|length| *length < 128).ok_or(CentralError::Invalid("public URL"))?;
        out.extend_from_slice(&[tag, length]);
        out.extend_from_slice(value);
        Ok(())
    }
    let mut names = Vec::new();
    push(&mut names, 0x82, b"localhost")?;
    push(&mut names, 0x87, &[127, 0, 0, 1])?;
    push(&mut names, 0x87, &std::net::Ipv6Addr::LOCALHOST.octets())?;
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) if !address.is_loopback() => push(&mut names, 0x87, &address.octets())?,
        Ok(IpAddr::V6(address)) if !address.is_loopback() => push(&mut names, 0x87, &address.octets())?,
        Err(_) if host != "localhost" => push(&mut names, 0x82, host.as_bytes())?,
        Ok(_) | Err(_) => {}
    }
    let length = u8::try_from(names.len()).map_err(|_| CentralError::Invalid("public URL"))?;
    let mut der = if length < 128 { vec![0x30, length] } else { vec![0x30, 0x81, length] };
    der.extend(names);
    Ok(der)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use wallet_base::time::FixedTime;

    #[test]
    fn a_directory_becomes_a_service_once() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedTime(Timestamp::from_unix(1_795_000_000)));
        let options = InitOptions::new("https://localhost:8443", Vec::new(), clock);
        let made = init(dir.path(), &options).unwrap();
        assert_eq!(made, anchors(dir.path()).unwrap());
        assert!(matches!(init(dir.path(), &options), Err(CentralError::Directory(_))));
        // Root keys are apart from what the running service reads.
        for name in ["trust-root-1.key", "trust-root-2.key", "trust-root-3.key", "tls-root.key", "issuer-vn-c06-root.key"] {
            assert!(dir.path().join("offline").join(name).exists(), "{name}");
            assert!(!dir.path().join("keys").join(name).exists(), "{name}");
        }
        for authority in AUTHORITIES {
            let leaf = keys::certificate(dir.path(), &format!("issuer-{}", authority.id)).unwrap();
            let root = keys::certificate(dir.path(), &format!("issuer-{}-root", authority.id)).unwrap();
            wallet_base::x509::verify_link(&leaf, &root, Timestamp::from_unix(1_795_000_000)).unwrap();
            assert!(leaf.has_extended_key_usage(EKU_DOCUMENT_SIGNER));
        }
    }

    #[cfg(unix)]
    #[test]
    fn key_files_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        keys::create(dir.path(), Place::Offline, "x", &OsRandom).unwrap();
        let mode = std::fs::metadata(dir.path().join("offline/x.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }

    #[test]
    fn bad_input_plain_http_and_broken_authorities_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedTime(Timestamp::from_unix(1_795_000_000)));
        let http = InitOptions::new("http://localhost", Vec::new(), clock.clone());
        assert!(matches!(init(dir.path(), &http), Err(CentralError::Invalid(_))));
        let broken = InitOptions::new("https://localhost", vec![vec![1, 2, 3]], clock);
        assert!(matches!(init(dir.path(), &broken), Err(CentralError::Invalid(_))));
    }
}
