//! What people see: the story of the demo in plain words, facts with their marks, pictures of QR codes.
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::report::{FactLine, StepReport};

/// The terminal, or nothing when somebody asked for JSON only.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    quiet: bool,
    colour: bool,
}

impl Screen {
    /// A screen that shows everything, in colour on a real terminal.
    pub fn talking() -> Self {
        Self { quiet: false, colour: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() }
    }

    /// A screen that shows nothing.
    pub const fn quiet() -> Self {
        Self { quiet: true, colour: false }
    }

    /// Prints one line or several.
    pub fn say(self, text: &str) {
        if !self.quiet {
            print_line(text);
        }
    }

    /// Prints lines indented, as part of a step.
    pub fn tell(self, text: &str) {
        for line in text.lines() {
            self.say(&format!("    {line}"));
        }
    }

    /// The heading of a step.
    pub fn heading(self, number: usize, name: &str) {
        let line = format!("{number:>2}. {name}");
        self.say("");
        self.say(&self.paint("1", &line));
    }

    /// The facts and the verdict of a step.
    pub fn step(self, step: &StepReport) {
        for fact in &step.facts {
            self.fact(fact);
        }
        let end = if step.as_expected() { "as expected".to_owned() } else { format!("EXPECTED {}", step.expected) };
        let verdict = self.paint(colour_of(&step.verdict), &step.verdict);
        self.tell(&format!("=> {verdict}   ({} ms, {end})", step.millis));
    }

    /// One fact.
    pub fn fact(self, fact: &FactLine) {
        let (mark, colour) = match (fact.result.as_str(), fact.caution) {
            ("passed", false) => ("ok  ", "32"),
            ("passed", true) => ("old ", "33"),
            ("failed", _) => ("FAIL", "31"),
            _ => ("?   ", "33"),
        };
        let about = if fact.about.is_empty() { String::new() } else { format!(" [{}]", fact.about) };
        let detail = if fact.detail.is_empty() { String::new() } else { format!(": {}", fact.detail) };
        self.tell(&format!("{} {:<22} {:<11} by {}{about}{detail}", self.paint(colour, mark), fact.name, fact.result, fact.by));
    }

    fn paint(self, colour: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn colour_of(verdict: &str) -> &'static str {
    match verdict.split(':').next() {
        Some("verified") => "1;32",
        Some("undetermined") => "1;33",
        _ => "1;31",
    }
}

/// Something that was printed did not arrive.
static LOST: AtomicBool = AtomicBool::new(false);
/// The program was interrupted and ends.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Prints to standard output. That it failed is kept for the end; a reader that has gone away is no error of ours.
pub fn print_line(text: &str) {
    note(writeln!(std::io::stdout(), "{text}"));
}

fn note(written: std::io::Result<()>) {
    if written.is_err_and(|e| e.kind() != ErrorKind::BrokenPipe) {
        LOST.store(true, Ordering::SeqCst);
    }
}

/// Whether something that was printed did not arrive, a full disk for example.
pub fn output_was_lost() -> bool {
    note(std::io::stdout().flush());
    LOST.load(Ordering::SeqCst)
}

/// From now on the log is silent: what fails because the program was interrupted is no news.
pub fn end_log() {
    ENDING.store(true, Ordering::SeqCst);
}

/// Where the log goes.
pub fn log() -> Box<dyn Write> {
    if ENDING.load(Ordering::SeqCst) { Box::new(std::io::sink()) } else { Box::new(std::io::stderr()) }
}

/// Prints to standard error.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "citizen-wallet: {text}");
}
