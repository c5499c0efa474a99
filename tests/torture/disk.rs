//! Real disks without room, and disks that cannot be written: a small tmpfs for each case.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;
use sparring_contract::protocol::Event;

use crate::check;
use crate::part::{Miss, Outcome, Part};
use crate::rig::{Rig, Site, Told, check_exit, check_goes_on, held, run_to_the_end};

/// Disks of so many steps of 64 KiB: from no room for a run to room for all of it.
const SIZES: std::ops::RangeInclusive<u32> = 1..=20;

/// Real disks.
pub struct Disk;

impl Part for Disk {
    fn name(&self) -> &'static str {
        "disk"
    }

    fn about(&self) -> &'static str {
        "a small tmpfs that is full from the start, or at some time; with room again; read-only"
    }

    fn weight(&self) -> u32 {
        5
    }

    fn cases(&self, _rig: &Rig, _seed: u64, round: u64) -> Vec<String> {
        if round > 0 {
            return Vec::new();
        }
        let words = ["full", "room-again", "read-only"].map(str::to_owned);
        let sizes = SIZES.map(|size| format!("tiny:{size}"));
        words.into_iter().chain(sizes).collect()
    }

    fn run(&self, rig: &Rig, case: &str) -> Outcome {
        if !geteuid().is_root() {
            return Err(Miss::Skipped("only root can mount a tmpfs".to_owned()));
        }
        let site = rig.site();
        match case.split_once(':') {
            None if case == "full" => full(rig, &site),
            None if case == "room-again" => room_again(rig, &site),
            None if case == "read-only" => read_only(rig, &site),
            Some(("tiny", room)) => tiny(rig, &site, room),
            _ => Err(Miss::Wrong(format!("there is no case `{case}`"))),
        }
    }
}

/// A tmpfs, as long as it is kept.
struct Mount {
    at: PathBuf,
}

impl Mount {
    fn at(folder: &Path, options: &str) -> Result<Self, Miss> {
        let mounted = mount(&["-t", "tmpfs", "-o", options, "none"], folder);
        mounted.map_err(|error| Miss::Skipped(format!("a tmpfs cannot be mounted: {error}")))?;
        Ok(Self {
            at: folder.to_owned(),
        })
    }

    fn change(&self, options: &str) {
        mount(&["-o", &format!("remount,{options}")], &self.at).unwrap();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).output();
    }
}

fn mount(options: &[&str], at: &Path) -> Result<(), String> {
    let said = Command::new("mount")
        .args(options)
        .arg(at)
        .output()
        .map_err(|error| error.to_string())?;
    if said.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&said.stderr).trim().to_owned())
    }
}

/// Fills a disk to its last byte. Removing the file makes room again.
fn fill(folder: &Path) -> PathBuf {
    let ballast = folder.join("ballast");
    let mut file = File::create(&ballast).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    ballast
}

/// A disk that is too small from the start, and grows before the job is started again.
fn tiny(rig: &Rig, site: &Site, room: &str) -> Outcome {
    let steps: u32 = room
        .parse()
        .map_err(|_| Miss::Wrong(format!("`{room}` is no size")))?;
    let disk = Mount::at(&site.home(), &format!("size={}k,mode=700", 64 * steps))?;
    let ran = run_to_the_end(site.job());
    check_exit(site, &ran)?;
    disk.change("size=64m");
    check_goes_on(rig, site, Told::by(&ran))
}

/// A disk that fills up in the middle, and has room again before the job is started again.
fn full(rig: &Rig, site: &Site) -> Outcome {
    let _disk = Mount::at(&site.home(), "size=16m,mode=700")?;
    let job = held(|| site.job(), || site.clear());
    let ballast = fill(&site.home());
    job.goes_on();
    let ran = job.end();
    check_exit(site, &ran)?;
    check!(
        ran.code == Some(1) && ran.out.contains("No space left on device"),
        "a full disk must be told of: {}",
        ran.summary()
    );
    fs::remove_file(ballast).unwrap();
    check_goes_on(rig, site, Told::by(&ran))
}

/// A disk that fills up in the middle, and has room again while the job still runs.
fn room_again(rig: &Rig, site: &Site) -> Outcome {
    let _disk = Mount::at(&site.home(), "size=16m,mode=700")?;
    let mut job = held(|| site.job(), || site.clear());
    let ballast = fill(&site.home());
    job.goes_on();
    job.until(
        |event| matches!(event, Event::Warning { message, .. } if message.contains("the log will lack")),
    );
    fs::remove_file(ballast).unwrap();
    let ran = job.end();
    check_exit(site, &ran)?;
    check_goes_on(rig, site, Told::by(&ran))
}

/// A disk that cannot be written when the job goes on.
fn read_only(rig: &Rig, site: &Site) -> Outcome {
    let disk = Mount::at(&site.home(), "size=16m,mode=700")?;
    site.fill_from(&rig.half_done());
    let told = Told::saved_in(site);
    disk.change("ro");
    let ran = run_to_the_end(site.job());
    check!(
        ran.code == Some(1)
            && ran.err.contains("Read-only file system")
            && ran.err.lines().count() == 1,
        "a read-only disk must be told of in a line: {}",
        ran.summary()
    );
    let drawn = site.sparring(&["sample", "-n", "1"]);
    check!(drawn.code == Some(0), "`sample`: {}", drawn.summary());
    disk.change("rw");
    check_goes_on(rig, site, told)
}
