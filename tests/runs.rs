//! Runs after training: how they are listed, read, waited for and removed.

use sparring_contract::protocol::{Event, Record, Verdict};
use sparring_contract::run::EventLog;

use crate::actor::health;
use crate::lab::Lab;

#[test]
fn before_the_first_run_every_command_says_how_to_start_one() {
    let lab = Lab::new();
    let message = format!(
        "error: there are no runs in {} yet; start one with `sparring train`",
        lab.path().join("runs").display()
    );
    for command in [
        &["runs"][..],
        &["logs"],
        &["wait"],
        &["sample"],
        &["logs", "otter"],
    ] {
        lab.sparring(command).refused(1, &message);
    }
    assert_eq!(lab.sparring(&["runs", "--json"]).out, "");
}

#[test]
fn a_run_that_does_not_exist_is_answered_with_those_that_do() {
    let lab = Lab::new();
    lab.train(&["--name", "one", "--steps", "1"]);
    for command in ["logs", "wait", "sample"] {
        lab.sparring(&[command, "two"])
            .refused(1, "error: there is no run `two`; there is one");
    }
    lab.sparring(&["train", "--resume", "two"])
        .refused(1, "error: there is no run `two`; there is one");
}

#[test]
fn names_are_checked_and_unique() {
    let lab = Lab::new();
    assert_eq!(lab.train(&["--name", "one", "--steps", "1"]).code, 0);
    lab.train(&["--name", "one", "--steps", "1"]).refused(
        2,
        "error: a run `one` exists; go on with it by `sparring train --resume one`, or choose another --name",
    );
    lab.train(&["--name", "../one"]).refused(
        2,
        "error: `../one` cannot name a run; use up to 64 letters, digits, `-`, `_` and `.`, a letter or digit first",
    );
}

#[test]
fn the_list_shows_state_and_progress_and_so_does_its_json() {
    let lab = Lab::new();
    lab.train(&["--name", "one", "--epochs", "2"]);
    let listed = lab.sparring(&["runs"]).out;
    let words: Vec<_> = listed.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(words[..5], ["one", "finished", "tutorial", "2/2", "8"]);

    let line: serde_json::Value =
        serde_json::from_str(lab.sparring(&["runs", "--json"]).out.trim()).unwrap();
    assert_eq!(
        (&line["name"], &line["state"], &line["step"], &line["epoch"]),
        (&"one".into(), &"ended".into(), &8.into(), &2.into())
    );
    assert_eq!(line["directory"], lab.run("one").dir().to_str().unwrap());
}

#[test]
fn the_list_shows_the_health_that_the_log_has() {
    let lab = Lab::new();
    lab.train(&["--name", "one", "--steps", "1"]);
    let mut log = EventLog::open(&lab.run("one").events_file()).unwrap();
    for verdict in [
        Verdict::Learning,
        Verdict::Collapsing {
            missing: vec![0, 3],
        },
    ] {
        let event = Event::Health(Box::new(health(1, verdict)));
        log.append(&Record { event, time: 0.0 }).unwrap();
    }
    let listed = lab.sparring(&["runs"]).out;
    assert!(
        listed.lines().next().unwrap().contains("  health  "),
        "{listed}"
    );
    assert!(listed.contains("  collapsing!  "), "{listed}");

    let line: serde_json::Value =
        serde_json::from_str(lab.sparring(&["runs", "--json"]).out.trim()).unwrap();
    assert_eq!(
        line["verdict"],
        serde_json::json!({"state": "collapsing", "missing": [0, 3]})
    );
    assert_eq!(line["alarm"], true);
    assert_eq!(line["quick_distance"], 412.5);
}

#[test]
fn logs_are_printed_in_words_or_as_they_were_written() {
    let lab = Lab::new();
    let said = lab.train(&["--name", "one", "--epochs", "1"]);
    let words = lab.sparring(&["logs", "one"]).out;
    for part in [
        "run one: tutorial on ",
        "checkpoint saved: ",
        "pictures saved: ",
        "finished at step 4",
    ] {
        assert!(words.contains(part), "{part} is missing in {words}");
    }
    assert_eq!(lab.sparring(&["logs", "one", "--json"]).out, said.out);
    assert_eq!(
        lab.sparring(&["logs", "one", "--follow", "--json"]).out,
        said.out
    );
    assert!(
        lab.sparring(&["logs", "one", "--worker"])
            .out
            .contains("see its pictures: sparring sample one")
    );
}

#[test]
fn rm_removes_the_named_runs_and_prune_the_oldest() {
    let lab = Lab::new();
    for name in ["one", "two", "three", "four"] {
        lab.train(&["--name", name, "--steps", "1"]);
    }
    lab.sparring(&["runs", "rm", "one", "five"]).refused(
        1,
        "error: there is no run `five`; there is four, three, two, one",
    );
    assert_eq!(lab.sparring(&["runs", "rm", "one"]).out, "removed one\n");
    assert_eq!(
        lab.sparring(&["runs", "prune", "--keep", "1", "--dry-run"])
            .out,
        "would remove three\nwould remove two\n"
    );
    assert_eq!(
        lab.sparring(&["runs", "prune", "--keep", "1"]).out,
        "removed three\nremoved two\n"
    );
    assert_eq!(lab.sparring(&["runs"]).out.lines().count(), 2);
}
