//! `citizen-wallet`: the wallet without a phone. One program for the demo, the central service, a simulated card, staff devices, wallets and tools.
mod advice;
mod attacks;
mod card;
mod cli;
mod commands;
mod demo;
mod device;
mod lifeline;
mod newfolder;
mod pictures;
mod ports;
mod relay;
mod report;
mod screen;
mod service_file;
mod supervise;
mod tools;
mod trouble;
mod words;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use cli::{Cli, Command};
use trouble::{SURROUNDINGS, USAGE};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output and are no error.
            let _ = error.print();
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return ExitCode::from(if asked { 0 } else { USAGE });
        }
    };
    tracing_subscriber::fmt().with_writer(screen::log).with_max_level(tracing::Level::WARN).with_target(true).init();
    let ended = match cli.command {
        Command::Demo(arguments) => Ok(demo::command(&arguments)),
        Command::Central(command) => commands::central::run(command),
        Command::Chip(command) => commands::chip::run(command),
        Command::Officer(command) => commands::officer::run(command),
        Command::Wallet(command) => commands::wallet::run(command),
        Command::Trust(arguments) => tools::trust(arguments),
        Command::Verify(arguments) => tools::verify(&arguments),
        Command::Present(arguments) => tools::present(&arguments),
        Command::Inspect(arguments) => tools::inspect(&arguments),
    };
    let code = ended.unwrap_or_else(|trouble| {
        screen::complain(&trouble.to_string());
        trouble.exit_code()
    });
    if screen::output_was_lost() {
        screen::complain("standard output could not be written; what this command had to say is lost");
        return ExitCode::from(SURROUNDINGS);
    }
    ExitCode::from(code)
}
