//! The command line. Secrets may be given as `-`: then one line of standard input is read for each, in the order of the options below.
mod central;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::central::{CentralCommand, OnlineKey, Revocable, StateArgs, TrustCommand};
use crate::card::CITIZEN;
use crate::tools::session::SessionArgs;

/// The wallet without a phone: one program for the demo, the central service, a simulated card, staff devices, wallets and tools.
///
/// Every command ends with 0 (verified or done), 1 (rejected), 2 (undetermined), 3 (unusable input or usage) or 4 (the surroundings failed).
#[derive(Debug, Parser)]
#[command(name = "citizen-wallet", version, about, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// From a chip card to checks without a network, one whole story.
    Demo(DemoArgs),
    /// The reference central service.
    #[command(subcommand)]
    Central(CentralCommand),
    /// A simulated chip card.
    #[command(subcommand)]
    Chip(ChipCommand),
    /// A staff device: asks citizens for documents and checks the answers.
    #[command(subcommand)]
    Officer(OfficerCommand),
    /// A citizen's wallet.
    #[command(subcommand)]
    Wallet(WalletCommand),
    /// Updates from any repository of The Update Framework by the client that wallets and staff devices use. Any refusal ends with 1.
    Trust(TrustClientArgs),
    /// Verifies a credential file of the mdoc format (an `IssuerSigned` structure, raw or base64) against a given issuer root; with a session
    /// (`--client-id` and so on, or `--transcript`), a presentation (`DeviceResponse`) for that session.
    Verify(VerifyArgs),
    /// Presents a credential file of the mdoc format for a session (OpenID4VP 1.0 or any other), signed by a software key. A tool for trying
    /// other people's verifiers: it does not count copies as a wallet does.
    Present(PresentArgs),
    /// Tells what a QR text or a QR picture is.
    Inspect(InspectArgs),
}

/// `demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Print one JSON object instead of the story.
    #[arg(long)]
    pub json: bool,
    /// Attack one step. The run ends with 1 when exactly the fact that the attack breaks was found broken, with 2 for anything else.
    #[arg(long, value_name = "WHAT")]
    pub tamper: Option<Tamper>,
    /// Keep everything in this folder (empty or new): wallet/, wallet-2/, officer/, central/, record/. Without it a temporary folder is used and
    /// removed.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// The attacks, each with the one fact that has to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Tamper {
    /// A card with one altered data-group byte under a genuine SOD: `chip.hashes`.
    Dg,
    /// A card whose SOD is by an unknown signer: `chip.chain`.
    SodSigner,
    /// Copied SOD and data groups without the chip's key: `chip.genuine`.
    ClonedChip,
    /// A holder alters a disclosed value and signs again with the right key: `credential.digest`.
    Element,
    /// A copied credential answered from another phone: `credential.holder`.
    DeviceKey,
    /// An answer to an earlier request shown again: `exchange.nonce`.
    Nonce,
    /// A status list by another signer: `status.signature`.
    StatusSigner,
    /// An expired copy, 31 days on: `credential.validity`.
    Expired,
    /// A genuine status list past its end, 15 days on: `status.freshness`.
    StatusFrozen,
    /// An older trust snapshot, genuine: `trust.version`.
    TrustRollback,
    /// The same old trust metadata until it has expired: `trust.freshness`.
    TrustFrozen,
    /// Targets of one version with the snapshot of another, all genuine: `trust.signature`.
    TrustMix,
    /// A request by an unknown verifier: `request.chain`.
    RequestSigner,
    /// A genuine request of an hour ago: `request.time`.
    RequestStale,
    /// An answer that carries the hash of another request: `exchange.request`.
    RequestSwap,
    /// A genuine officer asks for a field his role may not have: `request.role`.
    Overask,
}

impl Tamper {
    /// The fact that has to fail, and no other.
    pub const fn fact(self) -> &'static str {
        match self {
            Self::Dg => "chip.hashes",
            Self::SodSigner => "chip.chain",
            Self::ClonedChip => "chip.genuine",
            Self::Element => "credential.digest",
            Self::DeviceKey => "credential.holder",
            Self::Nonce => "exchange.nonce",
            Self::StatusSigner => "status.signature",
            Self::Expired => "credential.validity",
            Self::StatusFrozen => "status.freshness",
            Self::TrustRollback => "trust.version",
            Self::TrustFrozen => "trust.freshness",
            Self::TrustMix => "trust.signature",
            Self::RequestSigner => "request.chain",
            Self::RequestStale => "request.time",
            Self::RequestSwap => "exchange.request",
            Self::Overask => "request.role",
        }
    }
}

/// `chip ...`
#[derive(Debug, Subcommand)]
pub enum ChipCommand {
    /// A card that answers APDUs on a socket of the loopback interface until it is ended (Ctrl-C). It reads nothing from standard input unless
    /// `--until-stdin-closes` is given.
    Sim {
        /// Address to listen on; port 0 takes a free one.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: String,
        /// Personal number of one of the invented citizens.
        #[arg(long, default_value = CITIZEN)]
        citizen: String,
        /// What is wrong with the card.
        #[arg(long, value_name = "HOW")]
        forged: Option<Forgery>,
        /// Write down the random bytes that the card draws, for whoever has to open a trace of its APDUs.
        #[arg(long, value_name = "FILE")]
        record: Option<PathBuf>,
        /// End when standard input is closed, that is when the process that started this one is gone.
        #[arg(long)]
        until_stdin_closes: bool,
    },
    /// Writes the certificate of the test card authority (DER).
    Authority {
        /// The file.
        #[arg(long)]
        out: PathBuf,
    },
    /// Writes the picture that a phone's camera takes of an invented citizen (PNG).
    Selfie {
        /// Personal number.
        #[arg(long, default_value = CITIZEN)]
        citizen: String,
        /// The file.
        #[arg(long)]
        out: PathBuf,
    },
}

/// Ways to forge a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Forgery {
    /// One byte of a data group is altered under the genuine SOD.
    Dg,
    /// The SOD is by an unknown signer.
    SodSigner,
    /// Everything that can be read is copied; the chip's key is another one.
    ClonedChip,
}

impl Forgery {
    /// The word of the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dg => "dg",
            Self::SodSigner => "sod-signer",
            Self::ClonedChip => "cloned-chip",
        }
    }
}

/// Where a wallet or a staff device learns of central: its address, its TLS root and its trust root.
#[derive(Debug, Args)]
pub struct ServiceArgs {
    /// The folder of a central service; only its public files are read.
    #[arg(long, value_name = "DIR")]
    pub central: PathBuf,
}

/// `officer ...`
#[derive(Debug, Subcommand)]
pub enum OfficerCommand {
    /// Enrols this device with a one-time code and gets its certificate.
    Enrol {
        /// The device's folder.
        #[arg(long)]
        dir: PathBuf,
        /// Central.
        #[command(flatten)]
        service: ServiceArgs,
        /// The one-time code; `-` reads it from standard input.
        #[arg(long, allow_hyphen_values = true)]
        code: String,
    },
    /// Fetches trust and status lists.
    Sync {
        /// The device's folder.
        #[arg(long)]
        dir: PathBuf,
    },
    /// Writes one file of all signed public data that this device holds (trust, status lists), to be carried to a device without a network.
    Carry {
        /// The device's folder.
        #[arg(long)]
        dir: PathBuf,
        /// The file.
        #[arg(long)]
        out: PathBuf,
    },
    /// Takes a file made by `officer carry` on another device, judged exactly as a sync; needs no network.
    Take {
        /// The device's folder.
        #[arg(long)]
        dir: PathBuf,
        /// The file.
        #[arg(long = "in", value_name = "FILE")]
        file: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Draws a request and waits, with the request open in memory, until it was answered or its time is over.
    Ask {
        /// The device's folder.
        #[arg(long)]
        dir: PathBuf,
        /// Document type.
        #[arg(long)]
        document: String,
        /// Fields to ask for (comma separated); without them the usual ones of the role.
        #[arg(long, value_delimiter = ',')]
        fields: Vec<String>,
        /// Purpose; without it the first of the role.
        #[arg(long)]
        purpose: Option<String>,
        /// Place as the citizen sees it; without it the one of the enrolment.
        #[arg(long, allow_hyphen_values = true)]
        place: Option<String>,
        /// Picture of the request.
        #[arg(long)]
        out: PathBuf,
        /// Write every answer that could be decrypted into this folder: personal data, for tests and audits only.
        #[arg(long, value_name = "DIR", hide = true)]
        record: Option<PathBuf>,
    },
    /// Hands the picture of an answer to the waiting `ask` and prints the verdict.
    Check {
        /// The device's folder.
        #[arg(long)]
        dir: PathBuf,
        /// Picture of the answer.
        #[arg(long)]
        answer: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// `wallet ...`
#[derive(Debug, Subcommand)]
pub enum WalletCommand {
    /// Makes an empty wallet.
    Create {
        /// The wallet's folder.
        #[arg(long)]
        dir: PathBuf,
        /// Central.
        #[command(flatten)]
        service: ServiceArgs,
        /// The new passcode; `-` reads it from standard input.
        #[arg(long, allow_hyphen_values = true)]
        passcode: String,
    },
    /// Reads the chip card and proves the account: chip, code, face. A run that was interrupted goes on where it stopped.
    Activate {
        /// The wallet's folder.
        #[arg(long)]
        dir: PathBuf,
        /// The passcode; `-` reads it from standard input.
        #[arg(long, allow_hyphen_values = true)]
        passcode: String,
        /// Address of the card, as `chip sim` prints it.
        #[arg(long)]
        card: String,
        /// The card access number (six digits printed on the card); `-` reads it from standard input.
        #[arg(long, allow_hyphen_values = true)]
        can: String,
        /// The one-time code that central sent; `-` reads it from standard input after it was sent.
        #[arg(long, default_value = "-", allow_hyphen_values = true)]
        code: String,
        /// Picture of the holder's face.
        #[arg(long)]
        face: PathBuf,
    },
    /// Fetches the documents of the account.
    Issue(WalletArgs),
    /// Lists the documents.
    Documents(WalletArgs),
    /// Shows who asks for what, and with your passcode answers with the usual fields or those you name.
    Answer {
        /// The wallet's folder.
        #[arg(long)]
        dir: PathBuf,
        /// Picture of the request.
        #[arg(long)]
        request: PathBuf,
        /// Picture of the answer.
        #[arg(long, required_unless_present = "look")]
        out: Option<PathBuf>,
        /// The passcode; `-` reads it from standard input.
        #[arg(long, allow_hyphen_values = true)]
        passcode: String,
        /// Fields to show (comma separated); without them those that the role may have.
        #[arg(long, value_delimiter = ',')]
        fields: Vec<String>,
        /// Only show who asks for what; nothing is answered.
        #[arg(long)]
        look: bool,
        /// Answer without asking again. Asked is only when standard input is a terminal.
        #[arg(long)]
        yes: bool,
    },
    /// Fetches trust, changed documents and new copies.
    Sync(WalletArgs),
    /// Lists what was asked and shown, and when.
    Log(WalletArgs),
    /// Prints what the wallet holds and did, without values: copy sets with their keys and states, consents, work under way.
    Ledger {
        /// The wallet.
        #[command(flatten)]
        wallet: WalletArgs,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// A wallet and its passcode.
#[derive(Debug, Args)]
pub struct WalletArgs {
    /// The wallet's folder.
    #[arg(long)]
    pub dir: PathBuf,
    /// The passcode; `-` reads it from standard input.
    #[arg(long, allow_hyphen_values = true)]
    pub passcode: String,
}

/// `trust`
#[derive(Debug, Args)]
pub struct TrustClientArgs {
    /// Folder of what the client trusts; always needed.
    #[arg(long, global = true)]
    pub metadata_dir: Option<PathBuf>,
    /// Address of the repository's metadata: `https://` with `--tls-root`, or `http://127.0.0.1`.
    #[arg(long, global = true)]
    pub metadata_url: Option<String>,
    /// The one TLS root the repository's host is trusted by (DER).
    #[arg(long, global = true)]
    pub tls_root: Option<PathBuf>,
    /// Path of a target to download; may be repeated.
    #[arg(long, global = true)]
    pub target_name: Vec<String>,
    /// Address of the repository's targets.
    #[arg(long, global = true)]
    pub target_base_url: Option<String>,
    /// Folder for downloaded targets.
    #[arg(long, global = true)]
    pub target_dir: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: TrustClientCommand,
}

/// `trust ...`
#[derive(Debug, Subcommand)]
pub enum TrustClientCommand {
    /// Keeps a root that is trusted by itself; fetches nothing.
    Init {
        /// `root.json`, any version.
        root: PathBuf,
    },
    /// Updates root, timestamp, snapshot and targets.
    Refresh,
    /// The same, and then downloads targets, through delegations where there are any.
    Download,
}

/// `verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The credential file.
    pub file: PathBuf,
    /// Certificate of the issuer's root (DER or PEM).
    #[arg(long)]
    pub root: PathBuf,
    /// Document type expected (`org.iso.18013.5.1.mDL`, ...); without it any type is taken and shown.
    #[arg(long)]
    pub doctype: Option<String>,
    /// Judge at this time (RFC 3339) instead of now.
    #[arg(long)]
    pub at: Option<String>,
    /// The session, when the file is a presentation.
    #[command(flatten)]
    pub session: SessionArgs,
}

/// `present`
#[derive(Debug, Args)]
pub struct PresentArgs {
    /// The credential file (an `IssuerSigned` structure, raw or base64).
    pub file: PathBuf,
    /// Folder of the software key store with the credential's key (`device/` in a wallet's folder).
    #[arg(long, value_name = "DIR")]
    pub keys: PathBuf,
    /// What to show: NAMESPACE/ELEMENT, several with commas.
    #[arg(long, value_delimiter = ',', required = true)]
    pub show: Vec<String>,
    /// Where the response is written (CBOR).
    #[arg(long)]
    pub out: PathBuf,
    /// The session.
    #[command(flatten)]
    pub session: SessionArgs,
}

/// `inspect`
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The text, or the path of a PNG picture; `-` reads the text from standard input.
    pub what: String,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }

    /// One in 64 base64url values begins with a hyphen; so may any passcode.
    #[test]
    fn values_may_begin_with_a_hyphen() {
        let session = ["--client-id", "-i", "--nonce", "-n", "--response-uri", "-u", "--jwk-thumbprint", "-mYx"];
        let lines: [&[&str]; 3] = [
            &[&["verify", "file", "--root", "root"], &session[..]].concat(),
            &["wallet", "issue", "--dir", "d", "--passcode", "-7k"],
            &["officer", "enrol", "--dir", "d", "--central", "c", "--code", "-7k"],
        ];
        for line in lines {
            assert!(super::Cli::try_parse_from([&["citizen-wallet"], line].concat()).is_ok(), "{line:?}");
        }
    }
}
