//! `sparring logs`

use std::fs::{self, File, Metadata};
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sparring_contract::exit;
use sparring_contract::output::{say, say_json};
use sparring_contract::protocol::{Event, Record};
use sparring_contract::run::Run;

use crate::cli::Logs;

/// How often to look at a log that is being followed.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) fn logs(run: &Run, flags: &Logs) -> anyhow::Result<u8> {
    let path = if flags.worker {
        run.worker_log()
    } else {
        run.events_file()
    };
    let lines = match Lines::of(&path) {
        // Its worker was killed before it wrote a line, or there was none yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(exit::SUCCESS),
        lines => lines.with_context(|| format!("cannot read {}", path.display()))?,
    };
    let zone = TimeZone::system();
    let mut metrics = Vec::new();
    lines.each(
        |line| {
            if flags.worker {
                return say(line);
            }
            if flags.json {
                return say_json(line);
            }
            let Ok(record) = serde_json::from_str::<Record>(line) else {
                return Ok(());
            };
            if let Event::Started(started) = &record.event {
                metrics = started.metric_specs().into_owned();
            }
            match record.event.describe(&metrics) {
                Some(what) => say(&format!("{}  {what}", clock_time(record.time, &zone))),
                None => Ok(()),
            }
        },
        || flags.follow && run.holder().is_some(),
    )?;
    Ok(exit::SUCCESS)
}

fn clock_time(seconds: f64, zone: &TimeZone) -> String {
    let since = SignedDuration::try_from_secs_f64(seconds).unwrap_or_default();
    let time = Timestamp::from_duration(since).unwrap_or_default();
    time.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// The lines of a file that may still grow, and that may be replaced by one with fewer older lines.
struct Lines<'a> {
    path: &'a Path,
    file: BufReader<File>,
    /// The last whole line.
    last: Vec<u8>,
}

impl<'a> Lines<'a> {
    fn of(path: &'a Path) -> io::Result<Self> {
        Ok(Self {
            path,
            file: BufReader::new(File::open(path)?),
            last: Vec::new(),
        })
    }

    /// Passes on each whole line, and waits for more as long as `growing`.
    fn each(
        mut self,
        mut pass_on: impl FnMut(&str) -> io::Result<()>,
        growing: impl Fn() -> bool,
    ) -> io::Result<()> {
        let mut line = Vec::new();
        loop {
            // Asked before reading, so that the writer's last lines are read too.
            let more_to_come = growing();
            loop {
                while self.file.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
                    pass_on(String::from_utf8_lossy(&line).trim_end())?;
                    std::mem::swap(&mut self.last, &mut line);
                    line.clear();
                }
                if !self.take_up_replacement()? {
                    break;
                }
                line.clear();
            }
            if !more_to_come {
                return Ok(());
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Goes on in the file that has taken this one's place, behind the last line of this one. False if there is none.
    fn take_up_replacement(&mut self) -> io::Result<bool> {
        let inode = |meta: Metadata| (meta.dev(), meta.ino());
        let Ok(there) = fs::metadata(self.path) else {
            return Ok(false);
        };
        if inode(there) == inode(self.file.get_ref().metadata()?) {
            return Ok(false);
        }
        self.file = BufReader::new(File::open(self.path)?);
        let mut line = Vec::new();
        while !self.last.is_empty()
            && self.file.read_until(b'\n', &mut line)? > 0
            && line != self.last
        {
            line.clear();
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    #[test]
    fn a_log_that_is_thinned_out_meanwhile_is_followed_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        fs::write(&path, "one\ntwo\nthree\nhal").unwrap();
        let told = RefCell::new(Vec::new());
        let looks = Cell::new(0);
        let growing = || {
            looks.set(looks.get() + 1);
            if looks.get() == 2 {
                let thinned = folder.path().join("thinned");
                fs::write(&thinned, "one\nthree\nhalf\nfive\n").unwrap();
                fs::rename(&thinned, &path).unwrap();
            }
            looks.get() < 3
        };
        let pass_on = |line: &str| {
            told.borrow_mut().push(line.to_owned());
            Ok(())
        };
        Lines::of(&path).unwrap().each(pass_on, growing).unwrap();
        assert_eq!(told.into_inner(), ["one", "two", "three", "half", "five"]);
    }
}
