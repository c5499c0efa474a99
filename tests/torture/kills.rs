//! Kills at random moments, over and over, also while a run goes on after a kill; and kills of faces, which their workers
//! survive.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::check;
use crate::part::{Miss, Outcome, Part, random};
use crate::rig::{LAST_STEP, Ran, Rig, Site, Told, check_end, check_goes_on, end_of};
use crate::terminal::Terminal;

/// Kills in one case.
const KILLS: u64 = 10;

/// Cases in a round.
const CASES: u64 = 55;

/// Every so manieth case kills faces.
const FACES_EVERY: u64 = 11;

/// Random kills.
pub struct Kills;

impl Part for Kills {
    fn name(&self) -> &'static str {
        "kills"
    }

    fn about(&self) -> &'static str {
        "a job, or its dashboard, is killed ten times at random moments, and started again each time"
    }

    fn weight(&self) -> u32 {
        25
    }

    fn cases(&self, _rig: &Rig, seed: u64, round: u64) -> Vec<String> {
        (0..CASES)
            .map(|case| {
                let kind = if case % FACES_EVERY == 0 {
                    "face"
                } else {
                    "worker"
                };
                let seed = random(seed, round * CASES + case) % 1_000_000_000;
                format!("{kind}:{seed}")
            })
            .collect()
    }

    fn run(&self, rig: &Rig, case: &str) -> Outcome {
        let parsed = case
            .split_once(':')
            .map(|(kind, seed)| (kind, seed.parse()));
        match parsed {
            Some(("worker", Ok(seed))) => workers(rig, seed),
            Some(("face", Ok(seed))) => faces(rig, seed),
            _ => Err(Miss::Wrong(format!("there is no case `{case}`"))),
        }
    }
}

fn workers(rig: &Rig, seed: u64) -> Outcome {
    let mut site = rig.site();
    let mut told = Told::default();
    let mut draws = 0..;
    let mut draw = |below: u64| random(seed, draws.next().unwrap_or_default()) % below;
    let mut kills = 0;
    while kills < KILLS {
        // Most moments of a job's life are spent on loading libtorch; half of the kills come after that.
        let after_start = draw(2) == 1;
        let delay = Duration::from_micros(draw(if after_start { 150_000 } else { 700_000 }));
        let ran = killed_after(&site, after_start, delay);
        told = told.or(Told::by(&ran));
        match (ran.signal, ran.code) {
            (Some(9), _) => kills += 1,
            (_, Some(0)) => {
                check_end(rig, &site)?;
                site = rig.site();
                told = Told::default();
            }
            _ => check!(false, "a start after {kills} kills: {}", ran.summary()),
        }
    }
    check_goes_on(rig, &site, told)
}

/// Kills the dashboard with its terminal, at moments from its start to well after the end of the training.
fn faces(rig: &Rig, seed: u64) -> Outcome {
    let mut site = rig.site();
    for kill in 0..KILLS {
        let delay = Duration::from_micros(random(seed, kill) % 1_200_000);
        let begun = Instant::now();
        let mut terminal = Terminal::with(site.watched_job(LAST_STEP));
        terminal.until_there_is(|| (begun.elapsed() >= delay).then_some(()));
        // It is killed, and its terminal is gone.
        drop(terminal);
        site.becomes_quiet();
        let has_begun = site.run().is_some_and(|run| {
            std::fs::read_to_string(run.events_file())
                .is_ok_and(|log| log.contains("\"event\":\"started\""))
        });
        if has_begun {
            // Its worker went on to the end.
            check_end(rig, &site)?;
            site = rig.site();
        }
    }
    check_goes_on(rig, &site, Told::default())
}

/// Runs the job, and kills it a while after its start, or after it began to train, if it is still there.
fn killed_after(site: &Site, after_start: bool, delay: Duration) -> Ran {
    let mut child = site
        .job()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = Pid::from_child(&child);
    let out = child.stdout.take().unwrap();
    let (tell, lines) = channel();
    let reading = thread::spawn(move || {
        let mut all = String::new();
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            let begun = line.contains("\"event\":\"started\"");
            all += &line;
            all.push('\n');
            if begun {
                let _ = tell.send(());
            }
        }
        all
    });
    if after_start {
        let _ = lines.recv();
    }
    // Ends early if the job does.
    let mut wait = lines.recv_timeout(delay);
    if !after_start && wait.is_ok() {
        wait = lines.recv_timeout(delay / 4);
    }
    if wait != Err(RecvTimeoutError::Disconnected) {
        let _ = kill_process(pid, Signal::KILL);
    }
    let mut ran = end_of(child);
    ran.out = reading.join().unwrap();
    ran
}
