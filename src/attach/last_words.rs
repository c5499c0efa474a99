//! The end of a worker's log.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// How much of the end of the log is looked at, and how many lines of it are told.
const BYTES: i64 = 8 << 10;
const LINES: usize = 8;

/// The last lines of a log that say something, oldest first.
pub(super) fn last_words(log: &Path) -> Vec<String> {
    let text = tail(log).unwrap_or_default();
    let mut lines: Vec<_> = text
        .lines()
        .rev()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .take(LINES)
        .map(str::to_owned)
        .collect();
    lines.reverse();
    lines
}

fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let back = i64::try_from(file.metadata()?.len()).map_or(BYTES, |length| length.min(BYTES));
    file.seek(SeekFrom::End(-back))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
