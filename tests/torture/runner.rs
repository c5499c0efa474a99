//! Runs the cases within the time there is.

use std::any::Any;
use std::io::{IsTerminal as _, Write as _, stdout};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::options::Options;
use crate::part::{Miss, Outcome, Part};
use crate::rig::Rig;
use crate::summary::Tally;

/// Time between two lines of progress that do not replace each other.
const LINE_EVERY: Duration = Duration::from_secs(20);

/// Runs all parts, round after round, until the time is over or nothing is left.
pub fn torture(parts: &[&dyn Part], rig: &Rig, options: &Options) -> Vec<Tally> {
    let end = Instant::now() + options.time;
    let mut tallies: Vec<_> = parts.iter().map(|part| Tally::of(part.name())).collect();
    let mut line = Line::new();
    for round in 0.. {
        let mut weights: u32 = parts.iter().map(|part| part.weight()).sum();
        let mut found = 0;
        for (part, tally) in parts.iter().zip(&mut tallies) {
            let left = end.saturating_duration_since(Instant::now());
            let share = left * part.weight() / weights.max(1);
            weights -= part.weight();
            let cases = match &options.case {
                Some(case) if round == 0 => vec![case.clone()],
                Some(_) => Vec::new(),
                None => part.cases(rig, options.seed, round),
            };
            if cases.is_empty() || (round > 0 && left.is_zero()) {
                continue;
            }
            found += cases.len();
            tally.planned += cases.len();
            run_cases(*part, rig, &cases, Instant::now() + share, tally, &mut line);
        }
        if found == 0 || Instant::now() >= end {
            break;
        }
    }
    tallies
}

/// Runs cases of a part until the time is over. At least two are run.
fn run_cases(
    part: &dyn Part,
    rig: &Rig,
    cases: &[String],
    end: Instant,
    tally: &mut Tally,
    line: &mut Line,
) {
    let began = Instant::now();
    let shared = Mutex::new(Progress {
        next: 0,
        tally,
        line,
    });
    let work = |_| {
        while let Some(case) = take(&shared, cases, end) {
            let outcome = guarded(part, rig, case);
            let mut progress = shared.lock().unwrap_or_else(PoisonError::into_inner);
            progress.note(part, case, outcome);
        }
    };
    thread::scope(|scope| {
        for worker in 0..part.at_once() {
            scope.spawn(move || work(worker));
        }
    });
    let progress = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    progress.line.clear();
    progress.tally.time += began.elapsed();
}

fn take<'a>(shared: &Mutex<Progress>, cases: &'a [String], end: Instant) -> Option<&'a str> {
    let mut progress = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let is_over = Instant::now() >= end && progress.next >= 2;
    let case = cases.get(progress.next).filter(|_| !is_over)?;
    progress.next += 1;
    Some(case)
}

/// Runs a case; a panic is a miss.
fn guarded(part: &dyn Part, rig: &Rig, case: &str) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| part.run(rig, case)))
        .unwrap_or_else(|panic| Err(Miss::Wrong(words(panic.as_ref()))))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("without a message"))
}

struct Progress<'a> {
    next: usize,
    tally: &'a mut Tally,
    line: &'a mut Line,
}

impl Progress<'_> {
    fn note(&mut self, part: &dyn Part, case: &str, outcome: Outcome) {
        if let Some(report) = self.tally.note(case, outcome) {
            self.line.clear();
            println!("{report}");
        }
        let tally = &self.tally;
        self.line.show(&format!(
            "{}: {} of {} cases, {} missed",
            part.name(),
            tally.cases,
            tally.planned,
            tally.missed()
        ));
    }
}

/// One line that replaces itself on a terminal, and comes again from time to time elsewhere.
struct Line {
    shown: Instant,
    replaces: bool,
}

impl Line {
    fn new() -> Self {
        Self {
            shown: Instant::now(),
            replaces: stdout().is_terminal(),
        }
    }

    fn show(&mut self, text: &str) {
        if self.replaces {
            print!("\r\x1b[K{text}");
            let _ = stdout().flush();
        } else if self.shown.elapsed() >= LINE_EVERY {
            self.shown = Instant::now();
            println!("{text}");
        }
    }

    fn clear(&self) {
        if self.replaces {
            print!("\r\x1b[K");
            let _ = stdout().flush();
        }
    }
}
