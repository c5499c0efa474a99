//! The log of events: a record a line, only ever appended to.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::protocol::Record;

/// Bytes at the end of a log that tell the state of a run: a few hundred records.
const TAIL: u64 = 128 << 10;

/// The log of a run, open for appending.
#[derive(Debug)]
pub struct EventLog {
    file: File,
}

impl EventLog {
    /// Opens the log. If a killed worker left an unfinished last line, ends that line first.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(path)?;
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        Ok(Self { file })
    }

    /// Appends a record in one write and returns its line, without the newline.
    pub fn append(&mut self, record: &Record) -> io::Result<String> {
        let mut line = serde_json::to_string(record)?;
        line.push('\n');
        self.file.write_all(line.as_bytes())?;
        line.pop();
        Ok(line)
    }
}

/// Every record of a log, oldest first. Skips lines that are not records, such as an unfinished last one. A log
/// that does not exist is empty.
pub fn read_records(path: &Path) -> Vec<Record> {
    File::open(path)
        .map(|file| records(BufReader::new(file)))
        .unwrap_or_default()
}

/// The records at the end of a log: all of a short one; of a long one the latest few hundred, and before them the
/// first record, in which a run says what it is.
pub fn read_tail(path: &Path) -> Vec<Record> {
    let Ok(mut file) = File::open(path) else {
        return Vec::new();
    };
    let length = file.metadata().map(|meta| meta.len()).unwrap_or_default();
    if length <= TAIL {
        return records(BufReader::new(file));
    }
    let mut first = String::new();
    let _ = BufReader::new(&file).read_line(&mut first);
    let mut found = records(first.as_bytes());
    if file.seek(SeekFrom::Start(length - TAIL)).is_ok() {
        found.extend(records(BufReader::new(file)));
    }
    found
}

fn records(lines: impl BufRead) -> Vec<Record> {
    lines
        .split(b'\n')
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_slice(&line).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Event;

    fn note(step: u64) -> Record {
        Record {
            event: Event::Note {
                step,
                text: "n".repeat(100),
            },
            time: 0.0,
        }
    }

    #[test]
    fn a_line_that_a_killed_worker_left_unfinished_costs_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        EventLog::open(&path).unwrap().append(&note(1)).unwrap();
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"{\"event\":\"no")
            .unwrap();
        EventLog::open(&path).unwrap().append(&note(2)).unwrap();
        assert_eq!(read_records(&path), [note(1), note(2)]);
    }

    #[test]
    fn the_tail_of_a_long_log_begins_with_its_first_record() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        let mut log = EventLog::open(&path).unwrap();
        for step in 0..3000 {
            log.append(&note(step)).unwrap();
        }
        let tail = read_tail(&path);
        assert_eq!(tail[0], note(0));
        assert_eq!(tail[tail.len() - 1], note(2999));
        assert!(tail.len() > 100 && tail.len() < 3000);
    }
}
