//! What a machine does to a run: it is suspended, its clock jumps, the run's directory is moved, removed or unreadable.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;
use sparring_contract::protocol::Event;
use sparring_contract::run::Run;

use crate::check;
use crate::lab::tensors;
use crate::part::{Miss, Outcome, Part, random};
use crate::rig::{
    LAST_STEP, NAME, Ran, Rig, Shim, Site, Survives, Told, check_end, check_exit, check_goes_on,
    held, run_to_the_end,
};

/// For how long a job is stopped: longer than anything in it waits.
const STOPPED: Duration = Duration::from_secs(12);

/// Machines.
pub struct Machine;

impl Part for Machine {
    fn name(&self) -> &'static str {
        "machine"
    }

    fn about(&self) -> &'static str {
        "suspended machines, clocks that jump, directories moved, removed and unreadable, notes and then no power"
    }

    fn weight(&self) -> u32 {
        15
    }

    fn cases(&self, _rig: &Rig, seed: u64, round: u64) -> Vec<String> {
        let fixed = [
            "stopped",
            "clock-back",
            "clock-forth",
            "moved",
            "removed",
            "removed-early",
            "unreadable-newest",
        ];
        let fixed = fixed
            .iter()
            .filter(|_| round == 0)
            .map(|&case| case.to_owned());
        let notes =
            (0..8).map(|case| format!("notes:{}", random(seed, round * 8 + case) % 1_000_000));
        fixed.chain(notes).collect()
    }

    fn run(&self, rig: &Rig, case: &str) -> Outcome {
        let site = rig.site();
        match case {
            "stopped" => stopped(rig, &site),
            "clock-back" => clock(rig, &site, -400),
            "clock-forth" => clock(rig, &site, 400),
            "moved" => moved(rig, &site),
            "removed" => removed(rig, &site, LAST_STEP),
            "removed-early" => removed(rig, &site, 100_000_000),
            "unreadable-newest" => unreadable(rig, &site),
            _ => match case
                .strip_prefix("notes:")
                .and_then(|seed| seed.parse().ok())
            {
                Some(seed) => notes(&site, seed),
                None => Err(Miss::Wrong(format!("there is no case `{case}`"))),
            },
        }
    }
}

fn ended_well(rig: &Rig, site: &Site, ran: &Ran) -> Outcome {
    check!(ran.code == Some(0), "{}", ran.summary());
    check_end(rig, site)
}

/// The machine is suspended for a while.
fn stopped(rig: &Rig, site: &Site) -> Outcome {
    let job = held(|| site.job(), || site.clear());
    sleep(STOPPED);
    job.goes_on();
    ended_well(rig, site, &job.end())
}

/// The wall clock jumps by some days while the job trains, and back to what it was before it is started again.
fn clock(rig: &Rig, site: &Site, days: i64) -> Outcome {
    let shim = site.watch();
    let start = || {
        let mut job = site.job();
        shim.on(&mut job);
        job
    };
    let job = held(start, || site.clear());
    shim.set_clock_ahead(days * 86400);
    job.goes_on();
    let ran = job.end();
    ended_well(rig, site, &ran)?;
    let mut latest = 0.0;
    for event in ran.events() {
        let Event::Stats(stats) = event else { continue };
        let sane = |value: f64, most: f64| (0.0..most).contains(&value);
        check!(
            sane(stats.training_seconds, 60.0)
                && stats.training_seconds >= latest
                && sane(stats.images_per_second, 1e7),
            "figures that a clock has spoilt: {stats:?}"
        );
        latest = stats.training_seconds;
    }
    check_goes_on(rig, site, Told::by(&ran))
}

/// The directory gets another name under its worker. Either the run ends there, or it says that it cannot.
fn moved(rig: &Rig, site: &Site) -> Outcome {
    let job = held(|| site.job(), || site.clear());
    let before = site.home().join("runs").join(NAME);
    let after = site.home().join("runs/moved");
    fs::rename(&before, &after).unwrap();
    job.goes_on();
    let ran = job.end();
    check_exit_of(&ran)?;
    check!(
        !before.exists(),
        "the directory is there again: {:?}",
        site.entries()
    );
    let run = Run::open(&after).ok_or_else(|| Miss::Lost("the run is gone".to_owned()))?;
    let newest = run
        .newest_checkpoint()
        .map(|newest| newest.step)
        .unwrap_or_default();
    let told = Told::by(&ran).saved.unwrap_or_default();
    if newest < told {
        return Err(Miss::Lost(format!(
            "step {told} was saved, {newest} is there"
        )));
    }
    check!(
        (ran.code == Some(0)) == (newest == LAST_STEP),
        "the newest checkpoint is of step {newest}, and: {}",
        ran.summary()
    );
    if newest == LAST_STEP && tensors(&run, LAST_STEP) != rig.reference {
        return Err(Miss::NotIdentical("the moved run".to_owned()));
    }
    fs::rename(&after, &before).unwrap();
    check_goes_on(rig, site, Told::by(&ran))
}

fn check_exit_of(ran: &Ran) -> Outcome {
    check!(
        !ran.hung && matches!(ran.code, Some(0 | 1)),
        "exit 0 or 1 expected: {}",
        ran.summary()
    );
    Ok(())
}

/// The directory is removed under its worker. The job ends, says so, and can be started again.
fn removed(rig: &Rig, site: &Site, steps: u64) -> Outcome {
    let job = held(|| site.job_of(steps), || site.clear());
    fs::remove_dir_all(site.home().join("runs").join(NAME)).unwrap();
    job.goes_on();
    let ran = job.end();
    check!(
        !ran.hung && ran.code == Some(1) && !ran.err.is_empty(),
        "exit 1 and a message expected: {}",
        ran.summary()
    );
    check_goes_on(rig, site, Told::default())
}

/// The newest checkpoint cannot be read when the job goes on: it takes the one before, and says so.
fn unreadable(rig: &Rig, site: &Site) -> Outcome {
    site.fill_from(&rig.half_done());
    let newest = site.run().unwrap().newest_checkpoint().unwrap().path;
    let name = newest.file_name().unwrap().to_str().unwrap();
    let shim = site.watch();
    let mut job = site.job();
    shim.on(&mut job);
    Shim::spoil_reads(&mut job, name);
    let ran = run_to_the_end(job);
    check_exit(site, &ran)?;
    check!(
        ran.err.contains(name) && ran.err.contains("Input/output error"),
        "nothing was said of the checkpoint that cannot be read: {}",
        ran.summary()
    );
    ended_well(rig, site, &ran)
}

/// Notes that were acknowledged survive a power cut.
fn notes(site: &Site, seed: u64) -> Outcome {
    let shadow = site.shadow();
    let shim = site.watch();
    let start = || {
        let mut job = site.job_of(100_000_000);
        shim.on(&mut job);
        shadow.on(&mut job);
        job
    };
    let job = held(start, || site.clear());
    job.goes_on();
    let mut kept = Vec::new();
    for number in 0..=random(seed, 0) % 6 {
        let note = format!("note {number} of {seed}");
        if site.sparring(&["note", NAME, &note]).code == Some(0) {
            kept.push(note);
        }
    }
    sleep(Duration::from_micros(random(seed, 1) % 50_000));
    job.signal(Signal::KILL);
    let ran = job.end();
    check!(!kept.is_empty(), "no note was taken: {}", ran.summary());
    for survives in [Survives::Nothing, Survives::Names] {
        site.lose_power(&shadow, survives);
        let Some(run) = site.run() else {
            return Err(Miss::Lost("there is no run".to_owned()));
        };
        let log = fs::read_to_string(run.events_file()).unwrap_or_default();
        if let Some(note) = kept.iter().find(|note| !log.contains(*note)) {
            return Err(Miss::Lost(format!(
                "`{note}` was taken and is not in the log"
            )));
        }
        let (newest, broken) = run.newest_intact_checkpoint();
        check!(broken.is_empty(), "{broken:?}");
        let newest = newest.map(|(newest, _)| newest.step);
        if newest < Told::by(&ran).saved {
            return Err(Miss::Lost(format!("the newest checkpoint is {newest:?}")));
        }
    }
    Ok(())
}
