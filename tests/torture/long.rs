//! A long run with a dashboard: what grows with the steps, and what must not.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Pid;
use sparring_contract::run::Run;

use crate::check;
use crate::connections::last_step;
use crate::part::{Miss, Outcome, Part};
use crate::rig::{NAME, Rig, Site};
use crate::terminal::Terminal;

/// Steps of the run in a round.
const STEPS: u64 = 200_000;

/// Smaller networks than those of the other parts, which make thousands of steps a second. Reports come twenty times a
/// second, ten times as often as by default.
const SETTINGS: [&str; 4] = [
    "generator.hidden=[16]",
    "discriminator.hidden=[16]",
    "output.checkpoint_every_steps=2000",
    "output.sample_every_steps=20000",
];

/// What memory may grow by: the allocators of two programs, and what they keep of the history.
const MORE_MEMORY: u64 = 24 << 20;

/// The longest a log may become: it is thinned out whenever it has grown by 8 MB, to less than that.
const LONGEST_LOG: u64 = 24 << 20;

/// Long runs.
pub struct Long;

impl Part for Long {
    fn name(&self) -> &'static str {
        "long"
    }

    fn about(&self) -> &'static str {
        "200,000 steps with a dashboard: memory, descriptors, the log, and how soon a face sees the run"
    }

    fn weight(&self) -> u32 {
        15
    }

    fn at_once(&self) -> usize {
        // It measures.
        1
    }

    fn cases(&self, _rig: &Rig, _seed: u64, round: u64) -> Vec<String> {
        if round == 0 {
            vec![format!("steps:{STEPS}")]
        } else {
            Vec::new()
        }
    }

    fn run(&self, rig: &Rig, case: &str) -> Outcome {
        match case.strip_prefix("steps:").map(str::parse) {
            Some(Ok(steps)) => long(&rig.site(), steps),
            _ => Err(Miss::Wrong(format!("there is no case `{case}`"))),
        }
    }
}

/// What a program has taken of the machine.
#[derive(Clone, Copy, Debug)]
struct Taken {
    bytes: u64,
    descriptors: usize,
}

impl Taken {
    fn by(process: Pid) -> Self {
        let process = process.as_raw_nonzero();
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let kibibytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        let open = fs::read_dir(format!("/proc/{process}/fd"));
        Self {
            bytes: kibibytes.unwrap_or_default() << 10,
            descriptors: open.map_or(0, Iterator::count),
        }
    }
}

fn long(site: &Site, steps: u64) -> Outcome {
    let mut job = site.watched_job(steps);
    job.args(["--epochs", "100000000"]);
    for setting in SETTINGS {
        job.args(["--set", setting]);
    }
    let mut face = Terminal::with(job);
    face.shows("training");
    let run = site
        .run()
        .ok_or_else(|| Miss::Lost("there is no run".to_owned()))?;
    let worker = run
        .holder()
        .and_then(|worker| Pid::from_raw(worker.cast_signed()))
        .ok_or_else(|| Miss::Wrong("nobody holds the run".to_owned()))?;

    // The first tenth is for allocators and caches to settle.
    until_step(&mut face, &run, steps / 10)?;
    let before = [Taken::by(worker), Taken::by(face.process())];
    let attached_before = time_to_attach(site);
    let begun = Instant::now();
    let first = last_step(&run);
    until_step(&mut face, &run, steps - steps / 20)?;
    let rate = (last_step(&run) - first) as f64 / begun.elapsed().as_secs_f64();
    let after = [Taken::by(worker), Taken::by(face.process())];
    let attached_after = time_to_attach(site);
    let log = fs::metadata(run.events_file()).map_or(0, |meta| meta.len());

    let mebibytes = |taken: Taken| taken.bytes as f64 / f64::from(1 << 20);
    println!(
        "long: {steps} steps at {rate:.0} a second; worker {:.1} → {:.1} MiB, face {:.1} → {:.1} MiB; descriptors {} and {} → {} \
         and {}; log {:.1} MB; attached in {:.0} → {:.0} ms",
        mebibytes(before[0]),
        mebibytes(after[0]),
        mebibytes(before[1]),
        mebibytes(after[1]),
        before[0].descriptors,
        before[1].descriptors,
        after[0].descriptors,
        after[1].descriptors,
        log as f64 / 1e6,
        attached_before.as_secs_f64() * 1e3,
        attached_after.as_secs_f64() * 1e3,
    );
    for (before, after) in before.into_iter().zip(after) {
        check!(
            after.bytes < before.bytes + MORE_MEMORY && after.descriptors <= before.descriptors,
            "{before:?} became {after:?}"
        );
    }
    check!(log < LONGEST_LOG, "the log has {log} bytes");
    check!(
        attached_after < attached_before * 2 + Duration::from_millis(200),
        "attached in {attached_before:?} at first, and in {attached_after:?} in the end"
    );
    face.shows("finished");
    face.types("q");
    check!(face.ends().code() == Some(0), "the face did not end well");
    Ok(())
}

/// Lets the face draw until the run has made so many steps.
fn until_step(face: &mut Terminal, run: &Run, step: u64) -> Outcome {
    let mut before = None;
    while last_step(run) < step {
        let seen = last_step(run);
        check!(before != Some(seen), "the run stands still at step {seen}");
        before = Some(seen);
        let begun = Instant::now();
        face.until_there_is(|| (begun.elapsed() > Duration::from_secs(2)).then_some(()));
    }
    Ok(())
}

/// How long it takes until another face shows the run: the quickest of three times.
fn time_to_attach(site: &Site) -> Duration {
    let times = (0..3).map(|_| {
        let begun = Instant::now();
        let mut other = Terminal::with(site.command(&["attach", NAME, "--read-only"]));
        other.shows("training");
        let time = begun.elapsed();
        other.types("q");
        other.ends();
        time
    });
    times.min().unwrap_or_default()
}
