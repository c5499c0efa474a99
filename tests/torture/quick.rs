//! A few cases of `make torture`, for every `cargo test`; and whether what judges them notices anything at all.

use std::fs;
use std::process::Command;
use std::thread;

use crate::faults;
use crate::part::Miss;
use crate::rig::{Call, Rig, Survives, Told, check_goes_on, run_to_the_end};

/// The number of the call in the middle of those that do something to such a file.
#[track_caller]
fn middle(calls: &[Call], op: &str, path: &str) -> usize {
    let numbers: Vec<_> = (1..)
        .zip(calls)
        .filter(|(_, call)| call.op == op && call.path.contains(path))
        .map(|(number, _)| number)
        .collect();
    assert!(!numbers.is_empty(), "no {op} of {path}: {calls:?}");
    numbers[numbers.len() / 2]
}

#[test]
fn a_run_goes_on_to_the_bit_from_any_fault_kill_and_power_cut() {
    let rig = Rig::new();
    let (start, again) = (&rig.calls, &rig.calls_again);
    let checkpoint = "checkpoints/.writing-";
    let cases = [
        format!(
            "start:power:{}",
            middle(start, "rename", "checkpoints/step-")
        ),
        format!("start:power:{}", middle(start, "write", "events.jsonl") + 1),
        format!("start:half:{}", middle(start, "write", checkpoint)),
        format!("start:kill:{}", middle(start, "rename", "runs/otter")),
        format!("start:once:{}", middle(start, "fsync", checkpoint)),
        format!("start:full:{}", middle(start, "write", "events.jsonl")),
        format!("start:spell:{}", middle(start, "open", checkpoint)),
        format!("again:kill:{}", middle(again, "truncate", "events.jsonl")),
        format!(
            "again:dead:{}",
            middle(again, "rename", "checkpoints/step-")
        ),
        "again:read:3".to_owned(),
    ];
    thread::scope(|scope| {
        for half in cases.chunks(cases.len().div_ceil(2)) {
            let rig = &rig;
            scope.spawn(move || {
                for case in half {
                    assert_eq!(faults::run(rig, case), Ok(()), "{case}");
                }
            });
        }
    });
}

#[test]
fn what_was_not_synced_does_not_survive() {
    let rig = Rig::new();
    let site = rig.site();
    let shadow = site.shadow();
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg("echo old > kept; echo x > unsynced; sync kept .; echo new > other; mv other kept; echo y > young")
        .current_dir(site.home());
    site.watch().on(&mut shell);
    shadow.on(&mut shell);
    assert_eq!(run_to_the_end(shell).code, Some(0));
    let left = |name: &str| fs::read_to_string(site.home().join(name)).ok();

    site.lose_power(&shadow, Survives::Nothing);
    assert_eq!(left("kept").as_deref(), Some("old\n"));
    assert_eq!(left("unsynced").as_deref(), Some(""));
    assert_eq!(left("young"), None);
    site.lose_power(&shadow, Survives::Names);
    assert_eq!(left("kept").as_deref(), Some(""));
    assert_eq!(left("young").as_deref(), Some(""));

    // The notes know of nothing that is synced from here on: a disk that lies. It must be found out.
    let site = rig.site();
    let shadow = site.shadow();
    let told = Told::by(&run_to_the_end(site.job()));
    site.lose_power(&shadow, Survives::Nothing);
    let judged = check_goes_on(&rig, &site, told);
    assert!(matches!(judged, Err(Miss::Lost(_))), "{judged:?}");
}
