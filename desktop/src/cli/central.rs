//! The command line of `central ...`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `central ...`
#[derive(Debug, Subcommand)]
pub enum CentralCommand {
    /// Makes a central service in a new folder: authorities, trust repository, synthetic citizens.
    Init {
        /// The folder.
        #[arg(long)]
        dir: PathBuf,
        /// The address by which phones reach it.
        #[arg(long, default_value = "https://localhost:8443")]
        public_url: String,
        /// Certificates of card authorities (DER files) whose chip cards are accepted; without one, the test card authority of `chip sim`.
        #[arg(long, value_name = "FILE")]
        csca: Vec<PathBuf>,
        /// Pretend that the clock is this many seconds ahead.
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        clock_offset: i64,
    },
    /// Serves until it is told to stop.
    Serve {
        /// The folder made by `init`.
        #[arg(long)]
        dir: PathBuf,
        /// Address to listen on; port 0 takes a free one. Without it: the port of the public address, on the loopback interface.
        #[arg(long)]
        listen: Option<String>,
        /// Accept keys made in software, as desktop wallets and tests have them.
        #[arg(long)]
        allow_software_keys: bool,
        /// Pretend that the clock is this many seconds ahead.
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        clock_offset: i64,
        /// End when standard input is closed, that is when the process that started this one is gone.
        #[arg(long)]
        until_stdin_closes: bool,
    },
    /// Suspends a citizen's document.
    Suspend(StateArgs),
    /// Makes a suspended document valid again.
    Reinstate(StateArgs),
    /// Revokes a citizen's document for good.
    Revoke(StateArgs),
    /// Gives a citizen new tries for today's activations: a desk saw the person, whose tries somebody else may have used up.
    GiveTries {
        /// The folder of the service.
        #[arg(long)]
        dir: PathBuf,
        /// The citizen's personal number (12 digits); `-` reads it from standard input.
        #[arg(long)]
        citizen: String,
        /// Pretend that the clock is this many seconds ahead.
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        clock_offset: i64,
    },
    /// Says that the clock is right now and was ahead before: the service signs by it again.
    BelieveClock {
        /// The folder of the service.
        #[arg(long)]
        dir: PathBuf,
        /// Pretend that the clock is this many seconds ahead.
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        clock_offset: i64,
    },
    /// Prints a one-time code by which a staff device enrols.
    StaffCode {
        /// The folder of the service.
        #[arg(long)]
        dir: PathBuf,
        /// Role: `flight`, `traffic-police` or `health`.
        #[arg(long)]
        role: String,
        /// Organisation as citizens see it.
        #[arg(long, allow_hyphen_values = true)]
        organisation: String,
        /// Place as citizens see it.
        #[arg(long, allow_hyphen_values = true)]
        place: String,
        /// Pretend that the clock is this many seconds ahead.
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        clock_offset: i64,
    },
    /// Whom the trust repository vouches for.
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Prints what the service did for each account, without names: keys, issued copies with their status, offers, changes, notices.
    Ledger {
        /// The folder of the service.
        #[arg(long)]
        dir: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
        /// Pretend that the clock is this many seconds ahead.
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        clock_offset: i64,
    },
    /// Signs the trust repository anew.
    Republish {
        /// The folder of the service.
        #[arg(long)]
        dir: PathBuf,
        /// Pretend that the clock is this many seconds ahead.
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        clock_offset: i64,
    },
}

/// `central trust ...`
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Makes the first trust root of a service, before `central init`: three root keys in a folder of their own, two of which sign every root. The
    /// service never reads that folder. Without this command `central init` makes them in its folder `offline/`.
    Init {
        /// The folder of the service to be.
        #[arg(long)]
        dir: PathBuf,
        /// The folder for the root keys; better on another medium.
        #[arg(long, value_name = "DIR")]
        root_keys: PathBuf,
        /// Pretend that the clock is this many seconds ahead.
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        clock_offset: i64,
    },
    /// Makes the next trust root and publishes everything under it: renews the root, replaces root keys that were lost or stolen, replaces the
    /// service's online keys. Needs two of the present root keys.
    Rotate {
        /// The folder of the service.
        #[arg(long)]
        dir: PathBuf,
        /// The folder with at least two of the present root keys.
        #[arg(long, value_name = "DIR")]
        root_keys: PathBuf,
        /// The folder for new root keys; without it the same.
        #[arg(long, value_name = "DIR")]
        new_root_keys: Option<PathBuf>,
        /// A root key to replace, by the beginning of its id (see `central trust status`); may be repeated.
        #[arg(long, value_name = "ID")]
        replace_root: Vec<String>,
        /// An online key to replace; may be repeated.
        #[arg(long, value_name = "ROLE")]
        replace: Vec<OnlineKey>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
        /// Pretend that the clock is this many seconds ahead.
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        clock_offset: i64,
    },
    /// Tells versions, ends and key ids of the trust repository, and what has to be done about them (then it ends with 2).
    Status {
        /// The folder of the service.
        #[arg(long)]
        dir: PathBuf,
        /// A folder of root keys: tells which of them count.
        #[arg(long, value_name = "DIR")]
        root_keys: Option<PathBuf>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
        /// Pretend that the clock is this many seconds ahead.
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        clock_offset: i64,
    },
    /// Takes the trust from a certificate and publishes that.
    Revoke {
        /// The folder of the service.
        #[arg(long)]
        dir: PathBuf,
        /// What the certificate is for.
        #[arg(long = "as", value_name = "WHAT")]
        purpose: Revocable,
        /// The certificate (DER).
        #[arg(long)]
        certificate: PathBuf,
        /// Pretend that the clock is this many seconds ahead.
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        clock_offset: i64,
    },
}

/// Keys of the trust repository that the service holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnlineKey {
    /// Signs what the targets say.
    Targets,
    /// Signs which versions belong together.
    Snapshot,
    /// Signs that all this is current.
    Timestamp,
}

/// What a revoked certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Revocable {
    /// A document signer or its root.
    Issuer,
    /// A staff device or a reader authority.
    Reader,
    /// A status signer.
    Status,
    /// A document signer of citizen cards or a card authority.
    Card,
}

/// Which document of whom.
#[derive(Debug, Args)]
pub struct StateArgs {
    /// The folder of the service.
    #[arg(long)]
    pub dir: PathBuf,
    /// The citizen's personal number (12 digits); `-` reads it from standard input.
    #[arg(long)]
    pub citizen: String,
    /// Document type, for example `driving-licence`.
    #[arg(long)]
    pub document: String,
    /// Pretend that the clock is this many seconds ahead.
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub clock_offset: i64,
}
