//! What came of the cases, in a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::part::{Miss, Outcome};

/// What came of a part's cases.
#[derive(Debug)]
pub struct Tally {
    part: &'static str,
    /// Cases that there are.
    pub planned: usize,
    /// Cases that were run.
    pub cases: usize,
    lost: usize,
    not_identical: usize,
    wrong: usize,
    /// Reasons for which cases were skipped, and how many were.
    skipped: BTreeMap<String, usize>,
    pub time: Duration,
}

impl Tally {
    pub fn of(part: &'static str) -> Self {
        Self {
            part,
            planned: 0,
            cases: 0,
            lost: 0,
            not_identical: 0,
            wrong: 0,
            skipped: BTreeMap::new(),
            time: Duration::ZERO,
        }
    }

    /// Counts a case. Returns what is to be said of it at once: how it failed, and how to repeat it.
    pub fn note(&mut self, case: &str, outcome: Outcome) -> Option<String> {
        self.cases += 1;
        let (counter, what, why) = match outcome {
            Ok(()) => return None,
            Err(Miss::Skipped(why)) => {
                self.cases -= 1;
                *self.skipped.entry(why).or_default() += 1;
                return None;
            }
            Err(Miss::Lost(why)) => (&mut self.lost, "LOST", why),
            Err(Miss::NotIdentical(why)) => (&mut self.not_identical, "NOT IDENTICAL", why),
            Err(Miss::Wrong(why)) => (&mut self.wrong, "WRONG", why),
        };
        *counter += 1;
        let part = self.part;
        Some(format!(
            "{what} {part} {case}: {why}\n    again: make torture ARGS=\"--only {part} --case {case}\""
        ))
    }

    pub fn missed(&self) -> usize {
        self.lost + self.not_identical + self.wrong
    }

    /// Whether all promises held.
    pub fn held(&self) -> bool {
        self.missed() == 0
    }

    fn row(&self) -> [String; 7] {
        let cases = if self.cases < self.planned {
            format!("{} of {}", self.cases, self.planned)
        } else {
            self.cases.to_string()
        };
        [
            self.part.to_owned(),
            cases,
            self.lost.to_string(),
            self.not_identical.to_string(),
            self.wrong.to_string(),
            self.skipped.values().sum::<usize>().to_string(),
            format!("{:.0}", self.time.as_secs_f64()),
        ]
    }
}

/// The table of all parts.
pub fn table(tallies: &[Tally]) -> String {
    let head = [
        "part",
        "cases",
        "lost",
        "not identical",
        "wrong",
        "skipped",
        "seconds",
    ]
    .map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head)
        .chain(tallies.iter().map(Tally::row))
        .collect();
    let mut text = String::from("\n");
    for row in &rows {
        for (column, cell) in row.iter().enumerate() {
            let width = rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
            let _ = match column {
                0 => write!(text, "{cell:<width$}"),
                _ => write!(text, "  {cell:>width$}"),
            };
        }
        text.push('\n');
    }
    for tally in tallies {
        for (why, count) in &tally.skipped {
            let _ = writeln!(text, "skipped {count} of {}: {why}", tally.part);
        }
    }
    let missed: usize = tallies.iter().map(Tally::missed).sum();
    let _ = match missed {
        0 => writeln!(text, "every promise held"),
        _ => writeln!(
            text,
            "{missed} cases failed; each is above, with the command that repeats it"
        ),
    };
    text
}
