//! `chip ...`: a simulated citizen card with its test card authority.
use std::net::{TcpListener, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;

use wallet_base::time::Timestamp;
use wallet_card_sim::{Behaviour, Card};

use crate::attacks;
use crate::cli::{ChipCommand, Forgery};
use crate::lifeline;
use crate::ports::{DesktopClock, RecordingRandom};
use crate::supervise::say_ready;
use crate::tools::card;
use crate::trouble::{DONE, Trouble};

/// Runs one of the commands.
pub fn run(command: ChipCommand) -> Result<u8, Trouble> {
    match command {
        ChipCommand::Sim { listen, citizen, forged, record, until_stdin_closes } => {
            sim(&listen, &citizen, forged, record.as_deref(), until_stdin_closes)
        }
        ChipCommand::Authority { out } => write(&out, card::authority()?.csca().der()),
        ChipCommand::Selfie { citizen, out } => write(&out, &crate::card::selfie(&citizen)?),
    }
}

fn sim(listen: &str, citizen: &str, how: Option<Forgery>, record: Option<&Path>, until_stdin_closes: bool) -> Result<u8, Trouble> {
    let mut profile = card::genuine(citizen)?;
    if let Some(how) = how {
        profile = attacks::forged(&profile, how, Timestamp::from_unix(DesktopClock::default().now()))?;
    }
    let failed = |e| Trouble::outside("the card", e);
    let card = match record {
        None => Card::new(profile),
        Some(file) => {
            let random = RecordingRandom::new(file).map_err(|e| Trouble::outside(&format!("writing {}", file.display()), e))?;
            Card::with(profile, Behaviour::default(), Arc::new(random))
        }
    };
    if listen.to_socket_addrs().is_err() {
        return Err(Trouble::usage(format!("--listen: {listen} is no address of this machine; write HOST:PORT, for example 127.0.0.1:0")));
    }
    let listener = TcpListener::bind(listen).map_err(|e| Trouble::outside(&format!("listening on {listen}"), e))?;
    say_ready(&listener.local_addr().map_err(failed)?.to_string());
    if until_stdin_closes {
        let (_, _field) = wallet_card_sim::socket::spawn(listener, card).map_err(failed)?;
        // An end without a message is an end as well.
        let _ = lifeline::watch_stdin().recv();
    } else {
        wallet_card_sim::serve(listener, card).map_err(failed)?;
    }
    Ok(DONE)
}

fn write(out: &Path, bytes: &[u8]) -> Result<u8, Trouble> {
    std::fs::write(out, bytes).map_err(|e| Trouble::outside(&format!("writing {}", out.display()), e))?;
    Ok(DONE)
}
