//! `sparring logs`

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sparring_contract::exit;
use sparring_contract::protocol::{Event, Record};
use sparring_contract::run::Run;

use crate::cli::Logs;
use crate::output::say;

/// How often to look at a log that is being followed.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) fn logs(run: &Run, flags: &Logs) -> anyhow::Result<u8> {
    let path = if flags.worker {
        run.worker_log()
    } else {
        run.events_file()
    };
    let lines = Lines::of(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let zone = TimeZone::system();
    let mut metrics = Vec::new();
    lines.each(
        |line| {
            if flags.worker || flags.json {
                return say(line);
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
    let time =
        Timestamp::from_duration(jiff::SignedDuration::from_secs_f64(seconds)).unwrap_or_default();
    time.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// The lines of a file that may still grow.
struct Lines {
    file: BufReader<File>,
}

impl Lines {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufReader::new(File::open(path)?),
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
            while self.file.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
                pass_on(String::from_utf8_lossy(&line).trim_end())?;
                line.clear();
            }
            if !more_to_come {
                return Ok(());
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}
