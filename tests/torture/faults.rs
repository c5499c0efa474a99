//! Fault loops: every call that writes, in the life of a job, is disturbed in every way.
//!
//! `SQLite`'s tests do the same (ioerr.test, diskfull.test): call number N goes wrong, for N = 1, 2, 3, … until there is no
//! such call. `start:kill:37` kills a new job at its 37th call, `again:…` disturbs the job when it goes on with a run that
//! was killed before. Numbers count what shim.c counts; reads are counted by themselves.

use std::str::FromStr as _;

use crate::check;
use crate::part::{Miss, Outcome, Part, spread};
use crate::rig::{
    Call, Disturbance, Mode, Rig, Shim, Survives, Told, check_goes_on, check_told, run_to_the_end,
};

/// Disturbed runs make more calls, or in another order, than the undisturbed one: so many numbers more are tried.
const BEYOND: u32 = 4;

/// Every so manieth case also draws pictures from what is left, which takes as long as the rest of a case.
const DRAWS_EVERY: u32 = 16;

/// The fault loops.
pub struct Faults;

impl Part for Faults {
    fn name(&self) -> &'static str {
        "faults"
    }

    fn about(&self) -> &'static str {
        "each call that writes fails once, or from then on, or is where the worker is killed or the power lost"
    }

    fn weight(&self) -> u32 {
        55
    }

    fn cases(&self, rig: &Rig, seed: u64, round: u64) -> Vec<String> {
        let modes: Vec<_> = match round {
            0 => Mode::ALL
                .into_iter()
                .filter(|mode| *mode != Mode::Other)
                .collect(),
            1 => vec![Mode::Other],
            _ => Vec::new(),
        };
        let mut cases = Vec::new();
        for (when, calls) in [("start", &rig.calls), ("again", &rig.calls_again)] {
            for &mode in &modes {
                cases.extend(
                    numbers(mode, calls)
                        .into_iter()
                        .map(|at| format!("{when}:{}", Disturbance { mode, at })),
                );
            }
        }
        spread(cases, seed)
    }

    fn run(&self, rig: &Rig, case: &str) -> Outcome {
        run(rig, case)
    }
}

/// The numbers of the calls that are worth disturbing in a mode.
fn numbers(mode: Mode, calls: &[Call]) -> Vec<u32> {
    let all = 1..=u32::try_from(calls.len()).unwrap_or(u32::MAX) + BEYOND;
    match mode {
        // Half of anything else is all of it: the same as to be killed at the next call.
        Mode::Half => (1..)
            .zip(calls)
            .filter(|(_, call)| call.op == "write")
            .map(|(number, _)| number)
            .collect(),
        // Far more than a start reads.
        Mode::Read => (1..=40).collect(),
        _ => all.collect(),
    }
}

/// Runs one case.
pub fn run(rig: &Rig, case: &str) -> Outcome {
    let parsed = case
        .split_once(':')
        .map(|(when, rest)| (when, Disturbance::from_str(rest)));
    let (again, disturbance) = match parsed {
        Some(("start", Ok(disturbance))) => (false, disturbance),
        Some(("again", Ok(disturbance))) => (true, disturbance),
        _ => return Err(Miss::Wrong(format!("there is no case `{case}`"))),
    };
    let site = rig.site();
    let mut told = Told::default();
    if again {
        site.fill_from(&rig.half_done());
        told = Told::saved_in(&site);
    }

    let shadow = (disturbance.mode == Mode::Power).then(|| site.shadow());
    let shim = site.watch();
    let mut job = site.job();
    shim.on(&mut job);
    if let Some(shadow) = &shadow {
        shadow.on(&mut job);
    }
    Shim::disturb(&mut job, disturbance);
    let ran = run_to_the_end(job);
    let struck = shim.struck();
    let within = |miss| at(miss, struck.as_ref());

    let told = told.or(Told::by(&ran));
    if disturbance.mode.kills() && struck.is_some() {
        check!(
            ran.signal == Some(9),
            "a kill was expected; {}",
            ran.summary()
        );
    } else {
        check_told(&site, &ran, &shim).map_err(within)?;
    }
    if disturbance.at % DRAWS_EVERY == 0 && told.saved.is_some() {
        let drawn = site.sparring(&["sample", "-n", "1"]);
        check!(drawn.code == Some(0), "`sample`: {}", drawn.summary());
    }
    let Some(shadow) = shadow else {
        return check_goes_on(rig, &site, told).map_err(within);
    };
    for survives in [Survives::Nothing, Survives::Names] {
        site.lose_power(&shadow, survives);
        check_goes_on(rig, &site, told).map_err(|miss| within(but(miss, survives)))?;
    }
    Ok(())
}

fn but(miss: Miss, survives: Survives) -> Miss {
    let what = match survives {
        Survives::Nothing => "of what is not synced, nothing survives",
        Survives::Names => "of what is not synced, only names survive",
    };
    miss.map(|why| format!("{what}: {why}"))
}

/// Says at which call it happened.
fn at(miss: Miss, struck: Option<&Call>) -> Miss {
    miss.map(|why| match struck {
        Some(call) => format!("at {call}: {why}"),
        None => why,
    })
}
