//! Terminals whose size changes all the time.

use std::cell::Cell;

use super::endless::{endless, goes_on, last_step, run_of, stop};
use crate::check;
use crate::part::Outcome;
use crate::rig::Site;
use crate::terminal::Terminal;

/// The size of the terminal changes hundreds of times, also to sizes that no dashboard fits into.
pub fn many(site: &Site) -> Outcome {
    let mut terminal = Terminal::with(endless(site));
    terminal.shows("training");
    let run = run_of(site)?;
    let before = last_step(&run);
    for round in 0..600_u16 {
        let (columns, rows) = match round % 5 {
            0 => (1, 1),
            1 => (300, 100),
            2 => (80, 24),
            3 => (20 + round % 180, 5 + round % 60),
            _ => (u16::MAX, 1 + round % 3),
        };
        terminal.claims_to_have(columns, rows);
        // Something is drawn meanwhile.
        let looked = Cell::new(false);
        terminal.until_there_is(|| looked.replace(true).then_some(()));
    }
    terminal.resize(120, 34);
    terminal.shows("training");
    terminal.types("q");
    check!(
        terminal.ends().code() == Some(0),
        "the face did not end well"
    );
    terminal.is_as_before();
    goes_on(&run, before)?;
    stop(site)
}
