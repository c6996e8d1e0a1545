//! `central ...`: the reference central service on this machine.
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;

use wallet_base::crypto::{Curve, SoftwareKey};
use wallet_base::random::OsRandom;
use wallet_base::time::{TimeSource, Timestamp};
use wallet_base::x509::Certificate;
use wallet_central::{Admin, CentralError, InitOptions, OnlineRole, RevokedAs, Rotated, Rotation, ServeOptions, Server, TrustStatus};

use super::secret;
use crate::cli::{CentralCommand, OnlineKey, Revocable, StateArgs, TrustCommand};
use crate::lifeline;
use crate::ports::DesktopClock;
use crate::relay::Identity;
use crate::screen::{complain, print_line};
use crate::service_file::ServiceFile;
use crate::supervise::say_ready;
use crate::tools::card;
use crate::trouble::{DONE, Trouble, UNDETERMINED};

/// The time that central is given.
struct CentralTime(DesktopClock);

impl TimeSource for CentralTime {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.now())
    }
}

fn clock(offset: i64) -> Arc<dyn TimeSource> {
    Arc::new(CentralTime(DesktopClock::ahead(offset)))
}

fn failed(error: CentralError) -> Trouble {
    match error {
        CentralError::Invalid(_)
        | CentralError::NotFound(_)
        | CentralError::Unknown { .. }
        | CentralError::Directory(_)
        | CentralError::Ceremony(_) => Trouble::usage(error.to_string()),
        other => Trouble::outside("central", other),
    }
}

/// Runs one of the commands.
pub fn run(command: CentralCommand) -> Result<u8, Trouble> {
    match command {
        CentralCommand::Init { dir, public_url, csca, clock_offset } => {
            let mut authorities = Vec::new();
            for file in &csca {
                authorities.push(std::fs::read(file).map_err(|e| Trouble::usage(format!("{}: {e}", file.display())))?);
            }
            if authorities.is_empty() {
                complain("no --csca given: this service accepts the cards of `chip sim`, which everybody can make. For tests only.");
                authorities.push(card::authority()?.csca().der().to_vec());
            }
            super::make_folder(&dir)?;
            wallet_central::init(&dir, &InitOptions::new(&public_url, authorities, clock(clock_offset))).map_err(failed)?;
            Ok(DONE)
        }
        CentralCommand::Serve { dir, listen, allow_software_keys, clock_offset, until_stdin_closes } => {
            let listen = if let Some(listen) = listen { listen } else { default_address(&dir)? };
            serve(&dir, &listen, allow_software_keys, clock_offset, until_stdin_closes)
        }
        CentralCommand::Suspend(arguments) => change(&arguments, "suspended", Admin::suspend),
        CentralCommand::Reinstate(arguments) => change(&arguments, "valid again", Admin::reinstate),
        CentralCommand::Revoke(arguments) => change(&arguments, "revoked", Admin::revoke),
        CentralCommand::GiveTries { dir, citizen, clock_offset } => {
            let citizen = secret(&citizen, "personal number")?;
            Admin::open(&dir, clock(clock_offset)).and_then(|a| a.give_tries(&citizen)).map_err(failed)?;
            print_line("The citizen has new tries.");
            Ok(DONE)
        }
        CentralCommand::BelieveClock { dir, clock_offset } => {
            Admin::open(&dir, clock(clock_offset)).and_then(|a| a.believe_clock()).map_err(failed)?;
            print_line("The service signs by this clock from here on.");
            Ok(DONE)
        }
        CentralCommand::StaffCode { dir, role, organisation, place, clock_offset } => {
            let code = Admin::open(&dir, clock(clock_offset)).and_then(|a| a.staff_code(&role, &organisation, &place)).map_err(failed)?;
            print_line(&code);
            Ok(DONE)
        }
        CentralCommand::Trust(TrustCommand::Init { dir, root_keys, clock_offset }) => {
            super::make_folder(&dir)?;
            wallet_central::trust_init(&dir, &root_keys, clock(clock_offset).now(), &OsRandom).map_err(failed)?;
            print_line(&format!(
                "Three root keys are in {}; two of them sign every root. Keep them apart, none of them near the service. Now run `central init`.",
                root_keys.display()
            ));
            Ok(DONE)
        }
        CentralCommand::Trust(TrustCommand::Rotate { dir, root_keys, new_root_keys, replace_root, replace, json, clock_offset }) => {
            let replace_online = replace.into_iter().map(online_role).collect();
            let rotation = Rotation { root_keys, new_root_keys, replace_root, replace_online };
            let rotated = Admin::open(&dir, clock(clock_offset)).and_then(|a| a.rotate_trust(&rotation)).map_err(failed)?;
            tell_rotation(&rotated, json);
            Ok(DONE)
        }
        CentralCommand::Trust(TrustCommand::Status { dir, root_keys, json, clock_offset }) => {
            let admin = Admin::open(&dir, clock(clock_offset)).map_err(failed)?;
            Ok(tell_status(&admin.trust_status(root_keys.as_deref()).map_err(failed)?, json))
        }
        CentralCommand::Trust(TrustCommand::Revoke { dir, purpose, certificate, clock_offset }) => {
            let der = std::fs::read(&certificate).map_err(|e| Trouble::usage(format!("{}: {e}", certificate.display())))?;
            let certificate =
                Certificate::from_der(&der).map_err(|_| Trouble::usage(format!("{}: no certificate", certificate.display())))?;
            let list = match purpose {
                Revocable::Issuer => RevokedAs::Issuer,
                Revocable::Reader => RevokedAs::Reader,
                Revocable::Status => RevokedAs::Status,
                Revocable::Card => RevokedAs::Card,
            };
            let admin = Admin::open(&dir, clock(clock_offset)).map_err(failed)?;
            let version = admin.revoke_certificate(list, &certificate.sha256()).map_err(failed)?;
            print_line(&format!("trust version {version}"));
            Ok(DONE)
        }
        CentralCommand::Ledger { dir, json, clock_offset } => {
            let ledger = Admin::open(&dir, clock(clock_offset)).and_then(|a| a.ledger()).map_err(failed)?;
            super::ledger::central(&ledger, json);
            Ok(DONE)
        }
        CentralCommand::Republish { dir, clock_offset } => {
            let version = Admin::open(&dir, clock(clock_offset)).and_then(|a| a.republish()).map_err(failed)?;
            print_line(&format!("trust version {version}"));
            Ok(DONE)
        }
    }
}

const fn online_role(key: OnlineKey) -> OnlineRole {
    match key {
        OnlineKey::Targets => OnlineRole::Targets,
        OnlineKey::Snapshot => OnlineRole::Snapshot,
        OnlineKey::Timestamp => OnlineRole::Timestamp,
    }
}

fn tell_rotation(rotated: &Rotated, json: bool) {
    if json {
        print_line(&serde_json::to_string(rotated).unwrap_or_default());
        return;
    }
    print_line(&format!("trust root {}, until {}; trust version {}", rotated.root_version, rotated.expires, rotated.snapshot_version));
    for file in &rotated.made {
        print_line(&format!("new root key: {file}"));
    }
    for file in &rotated.obsolete {
        print_line(&format!("counts no longer, destroy it: {file}"));
    }
}

fn tell_status(status: &TrustStatus, json: bool) -> u8 {
    let code = if status.to_do.is_empty() { DONE } else { UNDETERMINED };
    if json {
        print_line(&serde_json::to_string(status).unwrap_or_default());
        return code;
    }
    for role in &status.roles {
        let keys: Vec<&str> = role.keys.iter().map(|id| id.get(..12).unwrap_or(id)).collect();
        let keys = format!("{} of {}", role.threshold, keys.join(", "));
        print_line(&format!("{:<10} version {:<5} until {}   keys: {keys}", role.role, role.version, role.expires));
    }
    for (file, id) in &status.root_keys {
        print_line(&format!("root key {} is in {file}", id.get(..12).unwrap_or(id)));
    }
    for line in &status.to_do {
        print_line(&format!("TO DO: {line}"));
    }
    code
}

fn change(arguments: &StateArgs, state: &str, act: impl FnOnce(&Admin, &str, &str) -> Result<(), CentralError>) -> Result<u8, Trouble> {
    let citizen = secret(&arguments.citizen, "personal number")?;
    let admin = Admin::open(&arguments.dir, clock(arguments.clock_offset)).map_err(failed)?;
    act(&admin, &citizen, &arguments.document).map_err(failed)?;
    print_line(&format!("{}: {state}. Wallets and officers see it at their next sync.", arguments.document));
    Ok(DONE)
}

/// The public address's port on the loopback interface.
fn default_address(dir: &Path) -> Result<String, Trouble> {
    let url = wallet_central::anchors(dir).map_err(failed)?.public_url;
    let host = url.trim_start_matches("https://");
    let port = host.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok()).unwrap_or(443);
    Ok(format!("127.0.0.1:{port}"))
}

fn serve(dir: &Path, listen: &str, allow_software_keys: bool, offset: i64, until_stdin_closes: bool) -> Result<u8, Trouble> {
    let unusable = || Trouble::usage(format!("--listen: {listen} is no address of this machine"));
    let address: SocketAddr = listen.to_socket_addrs().map_err(|_| unusable())?.find(SocketAddr::is_ipv4).ok_or_else(unusable)?;
    let options = ServeOptions { allow_software_keys, ..ServeOptions::new(address, clock(offset)).map_err(failed)? };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| Trouble::outside("central", e))?;
    runtime.block_on(async {
        let mut server = Server::start(dir, options).await.map_err(failed)?;
        // The certificate is for the name, whatever the address.
        say_ready(&format!("localhost:{}", server.address().port()));
        tokio::select! {
            ended = server.wait() => return ended.map_err(failed),
            () = told_to_stop(until_stdin_closes) => {}
        }
        server.stop().await.map_err(failed)
    })?;
    Ok(DONE)
}

/// Ctrl-C, SIGTERM, or when asked for the end of standard input.
async fn told_to_stop(until_stdin_closes: bool) {
    use tokio::signal::unix::{SignalKind, signal};
    let closed = async {
        if until_stdin_closes {
            let lifeline = lifeline::watch_stdin();
            // An end without a message is an end as well.
            let _ = tokio::task::spawn_blocking(move || lifeline.recv()).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = closed => {}
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// What of a service is built into apps: address, TLS root, trust root.
pub fn public_files(dir: &Path) -> Result<ServiceFile, Trouble> {
    let anchors = wallet_central::anchors(dir).map_err(failed)?;
    let trust_root = String::from_utf8(anchors.trust_root).map_err(|_| Trouble::outside("central", "root.json is no text"))?;
    Ok(ServiceFile { url: anchors.public_url, tls_root: hex::encode(anchors.tls_root), trust_root, trust_floor: 1 })
}

/// A certificate for the demo's relay under the service's own TLS root. Only who runs the service can make one.
pub fn relay_identity(dir: &Path) -> Result<Identity, Trouble> {
    let read = |path: &str| std::fs::read(dir.join(path)).map_err(|e| Trouble::outside(path, e));
    let damaged = |_| Trouble::outside("central", "its TLS root is damaged");
    let root = Certificate::from_der(&read("public/tls-root.der")?).map_err(damaged)?;
    let key = zeroize::Zeroizing::new(read("offline/tls-root.key")?);
    let key = SoftwareKey::from_scalar(Curve::P256, &key).map_err(|_| Trouble::outside("central", "its TLS key is damaged"))?;
    Identity::for_localhost(&root, &key, clock(0).now())
}
