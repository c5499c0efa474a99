//! Many who want the same run at the same time, and what a crash or a reboot leaves lying about.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::lab::{Lab, Said, output};
use crate::terminal::eventually;

/// Runs the same command many times at once.
fn all_at_once(count: usize, start: impl Fn() -> Said + Sync) -> Vec<Said> {
    std::thread::scope(|scope| {
        let starts: Vec<_> = (0..count).map(|_| scope.spawn(&start)).collect();
        starts.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

fn hidden(lab: &Lab) -> Vec<String> {
    fs::read_dir(lab.path().join("runs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect()
}

#[test]
fn of_twenty_starts_of_one_name_one_trains_and_the_others_say_why_not() {
    let lab = Lab::new();
    let said = all_at_once(20, || lab.train(&["--name", "otter", "--steps", "40"]));
    let (won, lost): (Vec<_>, Vec<_>) = said.into_iter().partition(|said| said.code == 0);
    assert_eq!((won.len(), lost.len()), (1, 19), "{lost:?}");
    for said in lost {
        assert_eq!((said.code, said.err.lines().count()), (2, 1), "{said:?}");
        assert!(said.err.contains("a run `otter` exists"), "{said:?}");
    }
    assert_eq!(lab.run("otter").newest_checkpoint().unwrap().step, 40);
    assert!(hidden(&lab).is_empty(), "{:?}", hidden(&lab));
}

#[test]
fn of_many_resumes_of_one_run_one_trains() {
    let lab = Lab::new();
    lab.train(&["--name", "otter", "--steps", "4"]);
    let go_on = ["train", "--json", "--resume", "otter", "--steps", "4000"];
    let said = all_at_once(8, || lab.sparring(&go_on));
    let (won, lost): (Vec<_>, Vec<_>) = said.into_iter().partition(|said| said.code == 0);
    // One that comes when the run is over already has nothing to do, and says so.
    let trained = won.iter().filter(|said| !said.events().is_empty());
    assert!(trained.count() >= 1, "{won:?}");
    for said in lost {
        assert_eq!(said.code, 1, "{said:?}");
        assert_eq!(said.err.lines().count(), 1, "{said:?}");
    }
    let run = lab.run("otter");
    assert_eq!(run.newest_checkpoint().unwrap().step, 4000);
    // Nobody else wrote into its log: each step is reported once, in order.
    let text = fs::read_to_string(run.events_file()).unwrap();
    let steps: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["event"] == "stats")
        .map(|event| event["step"].as_u64().unwrap())
        .collect();
    assert!(steps.is_sorted(), "{steps:?}");
}

#[test]
fn a_worker_that_died_with_its_machine_holds_nothing() {
    let lab = Lab::new();
    let (live, run) = lab.endless("otter");
    assert_eq!(lab.sparring(&["checkpoint", "otter"]).code, 0);
    live.signal(rustix::process::Signal::KILL);
    live.end();
    let presence = run.presence().unwrap();
    assert!(presence.socket.exists(), "nothing was left behind");
    // The machine was booted again, and the number of its process belongs to another now: this test.
    let mut stale: Value = serde_json::from_slice(&fs::read(run.presence_file()).unwrap()).unwrap();
    for boot in [stale["boot"].clone(), "another boot".into()] {
        stale["boot"] = boot;
        stale["pid"] = std::process::id().into();
        fs::write(run.presence_file(), stale.to_string()).unwrap();
        let paused = lab.sparring(&["pause", "otter"]);
        assert_eq!(
            (paused.code, paused.err.lines().count()),
            (1, 1),
            "{paused:?}"
        );
        let listed = lab.sparring(&["runs", "--json"]);
        assert!(!listed.out.contains("running"), "{listed:?}");
    }
    let go_on = ["train", "--json", "--resume", "otter", "--epochs", "1"];
    let resumed = lab.sparring(&go_on);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert!(!presence.socket.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_system_that_cannot_lock_files_is_reported_and_trained_on_by_nobody() {
    let lab = Lab::new();
    let refused = |arguments: &[&str]| {
        let mut train = lab.training(arguments);
        crate::rig::without_locks(&mut train);
        let said = Said::by(&mut train);
        assert_eq!((said.code, said.err.lines().count()), (1, 1), "{said:?}");
        for word in ["cannot lock files", "No locks available", "--runs-dir"] {
            assert!(said.err.contains(word), "{said:?}");
        }
    };
    refused(&["--name", "otter", "--steps", "4"]);
    assert_eq!(fs::read_dir(lab.path().join("runs")).unwrap().count(), 0);
    lab.train(&["--name", "otter", "--steps", "4"]);
    refused(&["--resume", "otter", "--steps", "8"]);
    assert_eq!(lab.run("otter").newest_checkpoint().unwrap().step, 4);
}

#[test]
fn a_run_that_is_removed_and_made_again_at_once_is_whole() {
    let lab = Lab::new();
    lab.train(&["--name", "otter", "--steps", "4"]);
    for _ in 0..5 {
        let mut remove = lab.command(&["runs", "rm", "-y", "otter"]);
        let removing = remove.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let job = ["--name", "otter", "--resume-if-exists", "--steps", "8"];
        let trained = Said::from(output(&mut lab.training(&job)));
        removing.unwrap().wait().unwrap();
        // Whoever was quicker: the run is there whole, or not at all.
        assert!(matches!(trained.code, 0 | 1), "{trained:?}");
        let again = eventually("a run", || {
            let said = lab.train(&job);
            (said.code == 0).then_some(said)
        });
        assert_eq!(again.err, "", "{again:?}");
        assert_eq!(lab.run("otter").newest_checkpoint().unwrap().step, 8);
        assert!(hidden(&lab).is_empty(), "{:?}", hidden(&lab));
    }
}
