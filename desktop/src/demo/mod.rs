//! `demo`: from a chip card to checks without a network, as one story whose every step is judged.
mod layout;
mod listener;
pub mod manifest;
pub mod steps;
pub mod story;
pub mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Instant;

use crate::attacks;
use crate::cli::DemoArgs;
use crate::report::{Finding, Report, StepReport};
use crate::screen::{Screen, complain, end_log, print_line};
use crate::supervise;
use crate::trouble::{DONE, REJECTED, Trouble, UNDETERMINED};
use layout::Layout;
use world::World;

/// Runs the demo and gives its exit code: 0 all as expected, 1 an attack was refused by exactly its fact, 2 anything else, 3 unusable folder.
pub fn command(arguments: &DemoArgs) -> u8 {
    let screen = if arguments.json { Screen::quiet() } else { Screen::talking() };
    let layout = match Layout::new(arguments.dir.as_deref()) {
        Ok(layout) => layout,
        Err(trouble) => {
            complain(&trouble.to_string());
            return trouble.exit_code();
        }
    };
    if let Some(path) = layout.temporary_path() {
        remove_when_interrupted(path);
    }
    let report = catch_unwind(AssertUnwindSafe(|| run(arguments, layout, screen))).unwrap_or_default();
    if arguments.json {
        match serde_json::to_string_pretty(&report) {
            Ok(text) => print_line(&text),
            Err(_) => return UNDETERMINED,
        }
    }
    match (report.ok, arguments.tamper) {
        (true, None) => DONE,
        (true, Some(_)) => REJECTED,
        (false, _) => UNDETERMINED,
    }
}

fn run(arguments: &DemoArgs, layout: Layout, screen: Screen) -> Report {
    let begun = Instant::now();
    story::opening(screen, arguments.tamper);
    let mut report = match World::build(&layout, screen) {
        Ok(world) => {
            let mut run = Run { world, steps: Vec::new(), halted: false, screen };
            let whole = match arguments.tamper {
                None => steps::whole_story(&mut run),
                Some(tamper) => attacks::run(tamper, &mut run),
            };
            let ok = whole && !run.halted && !run.steps.is_empty();
            let Run { world, steps, .. } = run;
            let ended = world.end();
            Report { ok: ok && told(ended, screen), steps }
        }
        Err(trouble) => {
            complain(&trouble.to_string());
            Report::default()
        }
    };
    report.ok &= told(layout.close(), screen);
    story::closing(screen, &report, arguments, begun.elapsed());
    report
}

fn told(result: Result<(), Trouble>, screen: Screen) -> bool {
    result.map_err(|trouble| screen.say(&format!("The end went wrong: {trouble}"))).is_ok()
}

/// A run in progress. After the first step that did not end as expected nothing more is done.
pub struct Run {
    /// Everything the story happens in.
    pub world: World,
    steps: Vec<StepReport>,
    halted: bool,
    screen: Screen,
}

impl Run {
    /// Does one step, shows and keeps what it found; tells whether the run goes on.
    pub fn step(&mut self, name: &str, expected: &str, work: impl FnOnce(&mut World) -> Result<Finding, Trouble>) -> bool {
        if self.halted {
            return false;
        }
        self.screen.heading(self.steps.len() + 1, name);
        let begun = Instant::now();
        self.world.manifest.begin(name);
        let worked = work(&mut self.world);
        let noted = self.world.manifest.end();
        let (verdict, facts) = match worked.and_then(|finding| noted.map(|()| finding)) {
            Ok(finding) => (finding.verdict, finding.facts),
            Err(trouble) => (format!("error: {trouble}"), Vec::new()),
        };
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let step = StepReport { name: name.to_owned(), millis, expected: expected.to_owned(), verdict, facts };
        self.screen.step(&step);
        self.halted = !step.as_expected();
        self.steps.push(step);
        !self.halted
    }
}

/// Ctrl-C, SIGTERM and a closed terminal must not leave the temporary folder behind. Helper processes end by themselves when this one does.
fn remove_when_interrupted(path: PathBuf) {
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else { return };
            // Under `nohup` the end of the terminal is no reason to end.
            let mut hangup = if ignores_hangup() { None } else { signal(SignalKind::hangup()).ok() };
            let hung_up = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {}, _ = hung_up => {} }
            end_log();
            let _nothing_begins = supervise::end_everything();
            // The phone's side may still be writing while this removes; nothing can be reported any more.
            for _ in 0..20 {
                if std::fs::remove_dir_all(&path).is_ok() || !path.exists() {
                    break;
                }
            }
            std::process::exit(i32::from(UNDETERMINED));
        });
    });
}

/// Whether this process was started with SIGHUP ignored (the lowest bit of the mask in `/proc/self/status`).
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).and_then(|m| u64::from_str_radix(m.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 == 1)
}
