//! `chip ...`: a simulated citizen card with its test card authority.
use std::net::{TcpListener, ToSocketAddrs};
use std::path::Path;

use wallet_base::time::Timestamp;
use wallet_card_sim::Card;

use crate::attacks;
use crate::cli::{ChipCommand, Forgery};
use crate::lifeline;
use crate::ports::DesktopClock;
use crate::supervise::say_ready;
use crate::tools::card;
use crate::trouble::{DONE, Trouble};

/// Runs one of the commands.
pub fn run(command: ChipCommand) -> Result<u8, Trouble> {
    match command {
        ChipCommand::Sim { listen, citizen, forged, until_stdin_closes } => sim(&listen, &citizen, forged, until_stdin_closes),
        ChipCommand::Authority { out } => write(&out, card::authority()?.csca().der()),
        ChipCommand::Selfie { citizen, out } => write(&out, &crate::card::selfie(&citizen)?),
    }
}

fn sim(listen: &str, citizen: &str, how: Option<Forgery>, until_stdin_closes: bool) -> Result<u8, Trouble> {
    let mut profile = card::genuine(citizen)?;
    if let Some(how) = how {
        profile = attacks::forged(&profile, how, Timestamp::from_unix(DesktopClock::default().now()))?;
    }
    let failed = |e| Trouble::outside("the card", e);
    if listen.to_socket_addrs().is_err() {
        return Err(Trouble::usage(format!("--listen: {listen} is no address of this machine; write HOST:PORT, for example 127.0.0.1:0")));
    }
    let listener = TcpListener::bind(listen).map_err(|e| Trouble::outside(&format!("listening on {listen}"), e))?;
    say_ready(&listener.local_addr().map_err(failed)?.to_string());
    if until_stdin_closes {
        let (_, _field) = wallet_card_sim::socket::spawn(listener, Card::new(profile)).map_err(failed)?;
        // An end without a message is an end as well.
        let _ = lifeline::watch_stdin().recv();
    } else {
        wallet_card_sim::serve(listener, Card::new(profile)).map_err(failed)?;
    }
    Ok(DONE)
}

fn write(out: &Path, bytes: &[u8]) -> Result<u8, Trouble> {
    std::fs::write(out, bytes).map_err(|e| Trouble::outside(&format!("writing {}", out.display()), e))?;
    Ok(DONE)
}
