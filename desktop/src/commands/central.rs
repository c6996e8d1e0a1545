//! `central ...`: the reference central service on this machine.
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;

use wallet_base::crypto::{Curve, SoftwareKey};
use wallet_base::time::{TimeSource, Timestamp};
use wallet_base::x509::Certificate;
use wallet_central::{Admin, CentralError, InitOptions, RevokedAs, ServeOptions, Server};

use super::secret;
use crate::cli::{CentralCommand, Revocable, StateArgs, TrustCommand};
use crate::lifeline;
use crate::ports::DesktopClock;
use crate::relay::Identity;
use crate::screen::{complain, print_line};
use crate::service_file::ServiceFile;
use crate::supervise::say_ready;
use crate::tools::card;
use crate::trouble::{DONE, Trouble};

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
        CentralError::Invalid(_) | CentralError::NotFound(_) | CentralError::Unknown { .. } | CentralError::Directory(_) => {
            Trouble::usage(error.to_string())
        }
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
