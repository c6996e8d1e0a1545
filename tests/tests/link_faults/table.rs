//! The outcome, counted and printed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How one run with a fault ended.
pub struct Run {
    /// The kind of fault.
    pub fault: String,
    /// `None`: it completed all the same. Otherwise how it was told.
    pub stopped: Option<String>,
}

/// One line of the table: a piece of the story.
pub struct Line {
    pub name: String,
    /// Messages or commands of the undisturbed run.
    pub places: usize,
    pub runs: Vec<Run>,
}

/// `all`: every fault at every place.
pub fn everything() -> bool {
    std::env::var("LINK_FAULTS").is_ok_and(|value| value == "all")
}

/// Prints the table and what errors were told, and writes them where `LINK_FAULTS_REPORT` says (a folder).
pub fn print(title: &str, file: &str, what: &str, lines: &[Line]) {
    let mut text =
        format!("## {title}\n\n| | {what} | faults | completed at once | completed on the next try |\n| --- | --- | --- | --- | --- |\n");
    let mut sum = [0; 4];
    let mut words: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines {
        let at_once = line.runs.iter().filter(|run| run.stopped.is_none()).count();
        let numbers = [line.places, line.runs.len(), at_once, line.runs.len() - at_once];
        sum.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
        let _ = writeln!(text, "| {} | {} | {} | {} | {} |", line.name, numbers[0], numbers[1], numbers[2], numbers[3]);
        for word in line.runs.iter().filter_map(|run| run.stopped.as_ref()) {
            *words.entry(word.clone()).or_default() += 1;
        }
    }
    let _ = writeln!(text, "| together | {} | {} | {} | {} |\n", sum[0], sum[1], sum[2], sum[3]);
    let mut kinds: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for run in lines.iter().flat_map(|line| &line.runs) {
        kinds.entry(&run.fault).or_default()[usize::from(run.stopped.is_some())] += 1;
    }
    let _ = writeln!(text, "| fault | completed at once | completed on the next try |\n| --- | --- | --- |");
    for (kind, [at_once, next]) in kinds {
        let _ = writeln!(text, "| {kind} | {at_once} | {next} |");
    }
    let _ = writeln!(text, "\nHow the stopped ones were told:\n\n| told as | times |\n| --- | --- |");
    for (word, times) in words {
        let _ = writeln!(text, "| {word} | {times} |");
    }
    println!("\n{text}");
    if let Ok(folder) = std::env::var("LINK_FAULTS_REPORT") {
        std::fs::write(std::path::Path::new(&folder).join(file), text).unwrap();
    }
}
