//! Crowds of faces.

use std::fs::read_dir;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sparring_contract::protocol::{FaceHello, PROTOCOL, ToWorker, encode_hello};
use sparring_contract::run::Run;

use super::endless::{endless, goes_on, latest, run_of};
use crate::check;
use crate::part::{Miss, Outcome};
use crate::rig::Site;

/// Faces that watch at a time, besides those that come and go.
const FACES: usize = 50;

/// Attachments a second.
const ATTACHES: u64 = 20;

/// The most of the training's speed that a crowd may cost, with the noise of a machine that does other things.
const MOST_LOST: f64 = 0.05;

/// What a process has open.
fn descriptors(process: u32) -> usize {
    read_dir(format!("/proc/{process}/fd")).map_or(0, Iterator::count)
}

/// Faces come and go, others watch: the training keeps its speed, and nothing stays open.
pub fn comes_and_goes(site: &Site, time: Duration) -> Outcome {
    const ROUNDS: u32 = 6;
    let mut job = endless(site);
    let mut job = job.arg("--json").stdout(Stdio::null()).spawn().unwrap();
    let outcome = (|| {
        let run = run_of(site)?;
        goes_on(&run, 0)?;
        let worker = run
            .holder()
            .ok_or_else(|| Miss::Wrong("nobody holds the run".to_owned()))?;
        let socket = run.presence().unwrap().socket;
        sleep(Duration::from_secs(2));
        let before = descriptors(worker);
        let (mut quiet, mut crowded) = (Vec::new(), Vec::new());
        let mut attached = 0;
        for _ in 0..ROUNDS {
            quiet.push(speed(&run, time / ROUNDS));
            let (measured, came) = with_crowd(&socket, || speed(&run, time / ROUNDS))?;
            crowded.push(measured);
            attached += came;
        }
        sleep(Duration::from_secs(1));
        let after = descriptors(worker);
        check!(
            after <= before,
            "{before} descriptors before the crowd, {after} after it"
        );
        let wanted = ATTACHES * time.as_secs() * 9 / 10;
        check!(
            attached >= wanted,
            "only {attached} attachments in {time:?}"
        );
        let (quiet, crowded) = (median(&mut quiet), median(&mut crowded));
        println!(
            "connections: {attached} attachments, {FACES} faces: {crowded:.0} steps/s, {quiet:.0} without them ({:+.1} %); \
             {before} descriptors before, {after} after",
            100.0 * (crowded / quiet - 1.0)
        );
        let is_fast_enough = crowded > quiet * (1.0 - MOST_LOST);
        check!(
            is_fast_enough,
            "{crowded:.0} steps/s in a crowd, {quiet:.0} without"
        );
        Ok(())
    })();
    let _ = kill_process(Pid::from_child(&job), Signal::TERM);
    job.wait().unwrap();
    outcome
}

/// Does something among faces that watch and faces that come and go; returns how many came.
fn with_crowd<T>(socket: &Path, act: impl FnOnce() -> T) -> Result<(T, u64), Miss> {
    let hello = |watch| {
        let hello = FaceHello {
            protocol: PROTOCOL,
            watch,
            read_only: true,
        };
        encode_hello(&ToWorker::Hello(hello)).unwrap()
    };
    let is_over = AtomicBool::new(false);
    let came = AtomicU64::new(0);
    let failed = AtomicU64::new(0);
    let done = scope(|scope| {
        for _ in 0..FACES {
            scope.spawn(|| {
                let Ok(mut wire) = UnixStream::connect(socket) else {
                    return failed.fetch_add(1, Ordering::Relaxed);
                };
                wire.write_all(&hello(true)).unwrap();
                wire.set_read_timeout(Some(Duration::from_millis(200)))
                    .unwrap();
                let mut bytes = vec![0; 1 << 16];
                while !is_over.load(Ordering::Relaxed) {
                    match wire.read(&mut bytes) {
                        Ok(0) => return failed.fetch_add(1, Ordering::Relaxed),
                        Ok(_) => {}
                        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                        Err(_) => return failed.fetch_add(1, Ordering::Relaxed),
                    }
                }
                0
            });
        }
        scope.spawn(|| {
            let begun = Instant::now();
            let mut number = 0;
            let mut bytes = vec![0; 1 << 14];
            while !is_over.load(Ordering::Relaxed) {
                number += 1;
                let due = Duration::from_millis(1000 / ATTACHES) * number;
                sleep(due.saturating_sub(begun.elapsed()));
                let Ok(mut wire) = UnixStream::connect(socket) else {
                    failed.fetch_add(1, Ordering::Relaxed);
                    continue;
                };
                wire.write_all(&hello(true)).unwrap();
                // The hello, and the beginning of the snapshot; then it is gone.
                match wire.read(&mut bytes) {
                    Ok(1..) => came.fetch_add(1, Ordering::Relaxed),
                    _ => failed.fetch_add(1, Ordering::Relaxed),
                };
            }
        });
        let done = act();
        is_over.store(true, Ordering::Relaxed);
        done
    });
    let failed = failed.into_inner();
    check!(failed == 0, "{failed} faces were not served");
    Ok((done, came.into_inner()))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    f64::midpoint(values[middle], values[(values.len() - 1) / 2])
}

/// Steps a second over some time, as the log has them.
fn speed(run: &Run, time: Duration) -> f64 {
    let (first, begun) = latest(run);
    sleep(time);
    let (last, ended) = latest(run);
    (last - first) as f64 / (ended - begun)
}
