//! A worker among faces that misbehave, and whose directory is moved.

use std::io::Write as _;
use std::os::unix::net::UnixStream;

use rustix::process::Signal;
use sparring_contract::protocol::{
    Event, FaceHello, MAX_NOTE, PROTOCOL, Record, ToWorker, encode_hello,
};
use sparring_contract::run::EventLog;

use crate::lab::{Lab, Live};
use crate::terminal::{Terminal, eventually};

#[test]
fn a_worker_that_serves_as_many_faces_as_it_can_says_so() {
    let lab = Lab::new();
    let (live, run) = lab.endless("otter");
    let socket = run.presence().unwrap().socket;
    let hello = ToWorker::Hello(FaceHello {
        protocol: PROTOCOL,
        watch: false,
        read_only: true,
    });
    let hello = encode_hello(&hello).unwrap();
    let faces: Vec<_> = (0..64)
        .map(|_| {
            let mut face = UnixStream::connect(&socket).unwrap();
            face.write_all(&hello).unwrap();
            face
        })
        .collect();
    let refused = lab.sparring(&["pause", "otter"]);
    assert_eq!(
        (refused.code, refused.err.as_str()),
        (
            1,
            "error: run otter: the worker serves as many faces as it can: close one of them and try again\n"
        )
    );
    drop(faces);
    eventually("a place for another face", || {
        (lab.sparring(&["pause", "otter"]).code == 0).then_some(())
    });
    assert_eq!(live.terminated(), 143);
}

#[test]
fn silent_connections_lock_nobody_out() {
    let lab = Lab::new();
    let (live, run) = lab.endless("otter");
    let socket = run.presence().unwrap().socket;
    let _silent: Vec<_> = (0..64)
        .map(|_| UnixStream::connect(&socket).unwrap())
        .collect();
    eventually("a place for another face", || {
        (lab.sparring(&["pause", "otter"]).code == 0).then_some(())
    });
    assert_eq!(live.terminated(), 143);
}

#[test]
fn a_run_whose_directory_is_moved_goes_on_there() {
    let lab = Lab::new();
    let (mut live, _) = lab.endless("otter");
    let runs = lab.path().join("runs");
    std::fs::rename(runs.join("otter"), runs.join("lynx")).unwrap();
    // A checkpoint that is due before the worker looks is saved in the right place as well.
    assert_eq!(lab.sparring(&["checkpoint", "lynx"]).code, 0);
    let told = live.until(|event| matches!(event, Event::Warning { .. }));
    let place = runs.join("lynx");
    assert!(
        matches!(&told, Event::Warning { message, .. } if *message
            == format!("the run's directory was moved to {}; training goes on there", place.display())),
        "{told:?}"
    );
    // The old name is free.
    assert_eq!(lab.train(&["--name", "otter", "--steps", "1"]).code, 0);
    eventually("a worker at the new place", || {
        (lab.sparring(&["pause", "lynx"]).code == 0).then_some(())
    });
    live.signal(Signal::TERM);
    let (code, events) = live.end();
    assert_eq!(code, 143);
    let Some(Event::Ended(ended)) = events.last() else {
        panic!("{events:?}")
    };
    assert_eq!(
        ended.checkpoint,
        Some(lab.run("lynx").checkpoint_file(ended.stats.step))
    );
}

#[test]
fn a_long_note_is_refused() {
    let lab = Lab::new();
    let (live, _) = lab.endless("otter");
    let refused = lab.sparring(&["note", "otter", &"n".repeat(MAX_NOTE + 1)]);
    assert_eq!(refused.code, 1);
    assert!(
        refused
            .err
            .ends_with(": a note of 4097 bytes: write up to 4096\n"),
        "{refused:?}"
    );
    let longest = "n".repeat(MAX_NOTE);
    assert_eq!(lab.sparring(&["note", "otter", &longest]).code, 0);
    assert_eq!(live.terminated(), 143);
}

#[test]
fn long_notes_of_an_older_build_blind_no_face() {
    let lab = Lab::new();
    lab.train(&["--name", "otter", "--steps", "4"]);
    let mut log = EventLog::open(&lab.run("otter").events_file()).unwrap();
    for _ in 0..12 {
        let event = Event::Note {
            step: 4,
            text: "n".repeat(100_000),
        };
        log.append(&Record { event, time: 0.0 }).unwrap();
    }
    drop(log);
    let resumed = lab.command(&[
        "train",
        "--resume",
        "otter",
        "--steps",
        "100000000",
        "--json",
    ]);
    let mut live = Live::start(resumed);
    live.until(|event| matches!(event, Event::Stats(_)));
    let mut terminal = Terminal::with(lab.command(&["attach", "otter"]));
    terminal.shows("training");
    terminal.types("q");
    assert_eq!(terminal.ends().code(), Some(0));
    assert_eq!(live.terminated(), 143);
}

#[test]
fn a_socket_of_another_run_is_not_taken_for_the_runs_own() {
    let lab = Lab::new();
    let [(one, first), (two, second)] = ["one", "two"].map(|name| lab.endless(name));
    // As after a run was moved, or by somebody who wants it stopped.
    std::fs::copy(second.presence_file(), first.presence_file()).unwrap();
    let refused = lab.sparring(&["pause", "one"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains(", and the run is held by process "),
        "{refused:?}"
    );
    assert_eq!((one.terminated(), two.terminated()), (143, 143));
}

#[test]
fn a_run_whose_lock_was_removed_is_saved() {
    let lab = Lab::new();
    let (live, run) = lab.endless("otter");
    std::fs::remove_file(run.dir().join("lock")).unwrap();
    let (code, events) = live.end();
    assert_eq!(code, 1);
    let Some(Event::Ended(ended)) = events.last() else {
        panic!("{events:?}")
    };
    assert_eq!(
        ended.message,
        Some(format!("the lock of {} was removed", run.dir().display()))
    );
    assert_eq!(
        ended.checkpoint,
        Some(run.checkpoint_file(ended.stats.step))
    );
}
