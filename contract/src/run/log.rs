//! The log of events: a record a line. New records are appended; when the log has grown long, its older reports are
//! thinned out.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::thinning::thinned;
use super::whole::write_private;
use crate::protocol::{Event, Record};

/// Bytes at the end of a log that tell the state of a run: a few hundred records.
const TAIL: u64 = 128 << 10;

/// A log that has grown by so many bytes is thinned out: some 30,000 reports, four hours at two a second.
const THIN_EVERY: u64 = 8 << 20;

/// The log of a run, open for appending.
#[derive(Debug)]
pub struct EventLog {
    file: File,
    path: PathBuf,
    /// Bytes of the whole lines.
    length: u64,
    /// Whether there may be half a line behind them.
    is_torn: bool,
    /// Bytes of half a line that was cut off.
    cut: u64,
    /// The length at which it is thinned out.
    thin_at: u64,
}

impl EventLog {
    /// Opens the log. Cuts off half a line at its end, which a killed worker or a power cut can leave.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = append_to(path)?;
        let found = file.metadata()?.len();
        let length = length_of_whole_lines(&mut file, found)?;
        file.set_len(length)?;
        Ok(Self {
            file,
            path: path.to_owned(),
            length,
            is_torn: false,
            cut: found.saturating_sub(length),
            thin_at: THIN_EVERY,
        })
    }

    /// Bytes of half a line that were cut off when the log was opened.
    pub fn cut(&self) -> u64 {
        self.cut
    }

    /// Appends a record in one write and returns its line, without the newline. After an error the record is not in the
    /// log, and neither is half of it.
    ///
    /// What a user did, and what tells where a run can go on, is on the disk when this returns.
    pub fn append(&mut self, record: &Record) -> io::Result<String> {
        let mut line = serde_json::to_string(record)?;
        line.push('\n');
        if self.is_torn {
            self.file.set_len(self.length)?;
            self.is_torn = false;
        }
        let mut written = self.file.write_all(line.as_bytes());
        if written.is_ok() && must_last(&record.event) {
            written = self.file.sync_data();
        }
        if let Err(error) = written {
            // A full disk can take half a line. If it cannot be cut off now, the next record does so first.
            self.is_torn = self.file.set_len(self.length).is_err();
            return Err(error);
        }
        self.length += line.len() as u64;
        if self.length >= self.thin_at {
            // A log that cannot be thinned out now is longer than it need be, and whole.
            let _ = self.thin();
            self.thin_at = self.length + THIN_EVERY;
        }
        line.pop();
        Ok(line)
    }

    /// Notes that the log was moved.
    pub fn move_to(&mut self, path: &Path) {
        path.clone_into(&mut self.path);
    }

    /// Replaces the log by one with fewer of its older reports.
    fn thin(&mut self) -> io::Result<()> {
        let (own, there) = (self.file.metadata()?, std::fs::metadata(&self.path)?);
        if (own.dev(), own.ino()) != (there.dev(), there.ino()) {
            // It was moved, and this is the log of another run.
            return Ok(());
        }
        let lines = std::fs::read(&self.path)?;
        let thinned = thinned(&lines);
        if thinned.len() == lines.len() {
            return Ok(());
        }
        write_private(&self.path, |file| file.write_all(&thinned))?;
        self.file = append_to(&self.path)?;
        self.length = thinned.len() as u64;
        Ok(())
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .read(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

/// Whether an event must survive a power cut. Reports and the like come so often that waiting for the disk would cost
/// training time.
fn must_last(event: &Event) -> bool {
    matches!(
        event,
        Event::Checkpoint(_)
            | Event::Note { .. }
            | Event::Kept(_)
            | Event::Set { .. }
            | Event::Rollback(_)
            | Event::Ended(_)
    )
}

/// Bytes of a file up to the end of its last whole line. A whole record that lacks only its newline gets one.
fn length_of_whole_lines(file: &mut File, length: u64) -> io::Result<u64> {
    const BLOCK: u64 = 64 << 10;
    let mut tail = Vec::new();
    let mut begin = length;
    let end_of_lines = loop {
        if let Some(newline) = tail.iter().rposition(|byte| *byte == b'\n') {
            break newline + 1;
        }
        if begin == 0 {
            break 0;
        }
        let end = begin;
        begin = begin.saturating_sub(BLOCK);
        let mut block = Vec::new();
        file.seek(SeekFrom::Start(begin))?;
        Read::by_ref(file)
            .take(end - begin)
            .read_to_end(&mut block)?;
        block.append(&mut tail);
        tail = block;
    };
    let rest = &tail[end_of_lines..];
    if serde_json::from_slice::<Record>(rest).is_ok() {
        file.write_all(b"\n")?;
        return Ok(length + 1);
    }
    Ok(length - rest.len() as u64)
}

/// Every record of a log, oldest first. Skips lines that are not records, such as an unfinished last one. A log
/// that does not exist is empty.
pub fn read_records(path: &Path) -> Vec<Record> {
    File::open(path)
        .map(|file| records(BufReader::new(file)))
        .unwrap_or_default()
}

/// The records at the end of a log: all of a short one; of a long one the latest few hundred, and before them the first ones
/// up to that in which a run says what it is.
pub fn read_tail(path: &Path) -> Vec<Record> {
    let Ok(mut file) = File::open(path) else {
        return Vec::new();
    };
    let length = file.metadata().map(|meta| meta.len()).unwrap_or_default();
    if length <= TAIL {
        return records(BufReader::new(file));
    }
    let mut found = beginning(BufReader::new(&file));
    if file.seek(SeekFrom::Start(length - TAIL)).is_ok() {
        found.extend(records(BufReader::new(file)));
    }
    found
}

/// The first records of a log, up to the one that says what the run is.
fn beginning(mut log: impl BufRead) -> Vec<Record> {
    /// Before it a worker only says that it reads the data.
    const LINES: usize = 16;
    let mut found = Vec::new();
    for _ in 0..LINES {
        let mut line = Vec::new();
        let _ = log.by_ref().take(TAIL).read_until(b'\n', &mut line);
        found.extend(records(&line[..]));
        if matches!(
            found.last(),
            Some(Record {
                event: Event::Started(_),
                ..
            })
        ) {
            break;
        }
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
    use std::fs;

    use super::*;
    use crate::protocol::{Phase, Stats};

    fn note(step: u64) -> Record {
        Record {
            event: Event::Note {
                step,
                text: "n".repeat(100),
            },
            time: 0.0,
        }
    }

    fn report(step: u64) -> Record {
        Record {
            event: Event::Stats(Stats::none_at(step, 1, step)),
            time: 0.0,
        }
    }

    /// Appends bytes that are no record to a log.
    fn spoil(path: &Path, bytes: &[u8]) {
        append_to(path).unwrap().write_all(bytes).unwrap();
    }

    #[test]
    fn half_a_line_that_a_killed_worker_left_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        // A power cut can leave zeros, and more of them than are looked at in one go.
        for rest in [&b"{\"event\":\"no"[..], b"{", &vec![0; 200_000]] {
            let _ = fs::remove_file(&path);
            let mut log = EventLog::open(&path).unwrap();
            assert_eq!(log.cut(), 0);
            log.append(&note(1)).unwrap();
            spoil(&path, rest);
            let mut log = EventLog::open(&path).unwrap();
            assert_eq!(log.cut(), rest.len() as u64);
            log.append(&note(2)).unwrap();
            assert_eq!(read_records(&path), [note(1), note(2)]);
            let lines = fs::read_to_string(&path).unwrap();
            assert_eq!(lines.lines().count(), 2);
        }
    }

    #[test]
    fn a_log_without_a_whole_line_is_emptied() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        spoil(&path, b"{\"event\":\"no");
        assert_eq!(EventLog::open(&path).unwrap().cut(), 12);
        assert_eq!(fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn a_last_record_without_its_newline_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        let line = serde_json::to_string(&note(1)).unwrap();
        spoil(&path, line.as_bytes());
        let mut log = EventLog::open(&path).unwrap();
        assert_eq!(log.cut(), 0);
        log.append(&note(2)).unwrap();
        assert_eq!(read_records(&path), [note(1), note(2)]);
    }

    #[test]
    fn half_a_line_that_a_full_disk_took_is_cut_off_before_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        let mut log = EventLog::open(&path).unwrap();
        log.append(&note(1)).unwrap();
        spoil(&path, b"{\"event\":\"no");
        log.is_torn = true;
        log.append(&note(2)).unwrap();
        assert_eq!(read_records(&path), [note(1), note(2)]);
    }

    #[test]
    fn the_tail_of_a_long_log_begins_with_what_the_run_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        let mut log = EventLog::open(&path).unwrap();
        let phase = Record {
            event: Event::Phase {
                phase: Phase::WarmingUp,
                step: 0,
            },
            time: 0.0,
        };
        let started = r#"{"event":"started","run":"otter","directory":"","preset":"r3","data":"mnist","images":1,
            "device":"cpu","threads":1,"parameters":{"generator":1,"discriminator":1},"batch_size":1,"steps_per_epoch":1,
            "epochs":1,"last_step":1,"step":0,"time":0}"#;
        let started: Record = serde_json::from_str(started).unwrap();
        log.append(&phase).unwrap();
        log.append(&started).unwrap();
        for step in 0..3000 {
            log.append(&note(step)).unwrap();
        }
        let tail = read_tail(&path);
        assert_eq!(tail[..2], [phase, started]);
        assert!(matches!(tail[2].event, Event::Note { step, .. } if step > 0));
        assert_eq!(tail[tail.len() - 1], note(2999));
        assert!(tail.len() > 100 && tail.len() < 3000);
    }

    #[test]
    fn a_log_grows_within_bounds_and_loses_only_older_reports() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        let mut log = EventLog::open(&path).unwrap();
        let mut longest = 0;
        for step in 0..300_000 {
            if step % 30_000 == 0 {
                log.append(&note(step)).unwrap();
            }
            log.append(&report(step)).unwrap();
            longest = longest.max(log.length);
        }
        assert!(longest < 2 * THIN_EVERY, "{longest}");
        assert_eq!(fs::metadata(&path).unwrap().len(), log.length);
        let records = read_records(&path);
        let notes = records
            .iter()
            .filter(|record| matches!(record.event, Event::Note { .. }));
        assert_eq!(notes.count(), 10);
        let last = records.last().map(|record| &record.event);
        assert!(matches!(last, Some(Event::Stats(stats)) if stats.step == 299_999));
    }
}
