//! The job that is disturbed, and what it does when it is not.

use std::fs;
use std::path::{Path, PathBuf};

use super::process::run_to_the_end;
use super::shim::{Call, Disturbance, Mode, Shim};
use super::site::{LAST_STEP, Site};
use crate::lab::{tensors, write_images};

/// Where the torture works, and what it compares with.
#[derive(Debug)]
pub struct Rig {
    base: tempfile::TempDir,
    /// The tensors of the undisturbed run's last checkpoint, as bytes.
    pub reference: Vec<u8>,
    /// The calls of the undisturbed job.
    pub calls: Vec<Call>,
    /// The calls of the job when it goes on with the run in [`Rig::half_done`].
    pub calls_again: Vec<Call>,
}

impl Rig {
    /// Makes the data, and runs the job undisturbed.
    ///
    /// Works in memory where it can: a sync of a real disk takes milliseconds, and nothing here depends on it.
    pub fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let base = tempfile::Builder::new()
            .prefix("torture-")
            .tempdir_in(memory);
        let base = base.or_else(|_| tempfile::tempdir()).unwrap();
        write_images(&base.path().join("data"), 200, 8);
        let mut rig = Self {
            base,
            reference: Vec::new(),
            calls: Vec::new(),
            calls_again: Vec::new(),
        };

        let site = rig.site();
        rig.calls = calls_of_job(&site);
        rig.reference = tensors(&site.run().unwrap(), LAST_STEP);

        let half_done = rig.site();
        rig.interrupt(&half_done);
        fs::rename(half_done.home(), rig.half_done()).unwrap();
        let site = rig.site();
        site.fill_from(&rig.half_done());
        rig.calls_again = calls_of_job(&site);
        rig
    }

    /// A new, empty site.
    pub fn site(&self) -> Site {
        Site::within(self.base.path(), &self.base.path().join("data"))
    }

    /// A home with a run that was killed half way through the write of a checkpoint, in whose log the last line is torn.
    pub fn half_done(&self) -> PathBuf {
        self.base.path().join("half-done")
    }

    fn interrupt(&self, site: &Site) {
        let mid = |call: &Call| call.op == "write" && call.path.contains("checkpoints/.writing");
        let writes: Vec<u32> = (1..)
            .zip(&self.calls)
            .filter(|(_, call)| mid(call))
            .map(|(number, _)| number)
            .collect();
        let mut job = site.job();
        site.watch().on(&mut job);
        let at = writes[writes.len() / 2];
        Shim::disturb(
            &mut job,
            Disturbance {
                mode: Mode::Half,
                at,
            },
        );
        let killed = run_to_the_end(job);
        assert_eq!(killed.signal, Some(9), "{}", killed.summary());
        let run = site.run().unwrap();
        assert!(!run.checkpoints().is_empty());
        let mut log = fs::read(run.events_file()).unwrap();
        log.extend(b"{\"event\":\"stats\",\"st");
        fs::write(run.events_file(), log).unwrap();
    }
}

fn calls_of_job(site: &Site) -> Vec<Call> {
    let shim = site.watch();
    let mut job = site.job();
    shim.on(&mut job);
    let ran = run_to_the_end(job);
    assert_eq!(ran.code, Some(0), "{}", ran.summary());
    shim.calls()
}
