//! Both programs together, as a user starts them in a terminal.

use rustix::process::{Pid, Signal, kill_process};
use sparring_contract::run::{Run, State};

use crate::lab::Lab;
use crate::terminal::{Terminal, eventually};

/// `sparring train` in a terminal, on the small data set.
fn train(lab: &Lab, arguments: &[&str]) -> Terminal {
    let mut command = lab.training(arguments);
    // As the laboratory trains, but with a dashboard.
    let all: Vec<_> = command
        .get_args()
        .filter(|argument| *argument != "--json")
        .map(|argument| argument.to_str().unwrap().to_owned())
        .collect();
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    command = lab.command(&all);
    Terminal::with(command)
}

fn worker(run: &Run) -> Pid {
    let pid = eventually("the worker", || run.holder());
    Pid::from_raw(pid.cast_signed()).unwrap()
}

/// Ends a run that a test leaves behind.
fn stop(lab: &Lab, name: &str) {
    let said = lab.sparring(&["stop", name, "--no-save"]);
    assert_eq!(said.code, 0, "{said:?}");
}

#[test]
fn training_goes_on_when_the_dashboard_is_left_and_attach_comes_back() {
    let lab = Lab::new();
    let mut terminal = train(&lab, &["--name", "otter"]);
    terminal.shows("loading libtorch");
    terminal.shows("● training");
    terminal.types(" ");
    terminal.shows("paused at step");
    terminal.types("c");
    terminal.shows("saved,");
    terminal.types(" ");
    terminal.shows("● training");
    terminal.types("d");
    assert_eq!(terminal.ends().code(), Some(0));
    terminal.shows("come back: sparring attach otter");
    terminal.is_as_before();

    let mut again = Terminal::with(lab.command(&["attach"]));
    again.shows("● training");
    again.types("x");
    again.shows("stop");
    again.types("s");
    again.shows("stopped");
    again.types("q");
    assert_eq!(again.ends().code(), Some(0));
    // The dashboard may be left before the worker is gone.
    eventually("the end of the worker", || {
        (lab.run("otter").status().state == State::Ended).then_some(())
    });
    assert!(lab.run("otter").newest_checkpoint().is_ok());
}

#[test]
fn a_closed_terminal_and_a_killed_face_take_nothing_from_the_run() {
    let lab = Lab::new();
    let mut terminal = train(&lab, &["--name", "otter"]);
    terminal.shows("● training");
    let mut face = terminal.vanishes();
    face.wait().unwrap();
    let mut again = Terminal::with(lab.command(&["attach"]));
    again.shows("● training");
    again.signal(Signal::KILL);
    again.ends();
    let run = lab.run("otter");
    let steps = |run: &Run| run.status().timeline.step();
    let before = steps(&run);
    eventually("another report", || (steps(&run) > before).then_some(()));
    stop(&lab, "otter");
}

#[test]
fn a_killed_worker_is_told_of_and_can_be_resumed() {
    let lab = Lab::new();
    let mut terminal = train(&lab, &["--name", "otter"]);
    terminal.shows("● training");
    let run = lab.run("otter");
    kill_process(worker(&run), Signal::KILL).unwrap();
    terminal.shows("killed by signal 9");
    terminal.types("q");
    assert_eq!(terminal.ends().code(), Some(1));
    assert_eq!(run.status().state, State::Crashed);
    let mut terminal = train(&lab, &["--resume", "otter"]);
    terminal.shows("● training");
    stop(&lab, "otter");
}

#[test]
fn a_run_that_cannot_begin_says_why_in_a_line_and_is_not_kept() {
    let lab = Lab::new();
    let folder = lab.path().join("empty");
    std::fs::create_dir(&folder).unwrap();
    let arguments = [
        "train",
        "--name",
        "otter",
        "--data",
        folder.to_str().unwrap(),
    ];
    let mut terminal = Terminal::with(lab.command(&arguments));
    assert_eq!(terminal.ends().code(), Some(1));
    let contents = terminal.contents();
    let errors = contents.lines().filter(|line| line.contains("error: "));
    assert_eq!(errors.count(), 1, "{contents}");
    assert!(contents.contains("error: no pictures in "), "{contents}");
    terminal.is_as_before();
    assert!(!lab.path().join("runs/otter").exists());

    // With a preset that is named, the worker is the first to read IDX files.
    let cut = folder.join("train-images-idx3-ubyte");
    std::fs::write(&cut, b"\0\0\x08\x03\0").unwrap();
    let named = [&arguments[..], &["--preset", "tutorial"]].concat();
    let mut terminal = Terminal::with(lab.command(&named));
    assert_eq!(terminal.ends().code(), Some(1));
    let contents = terminal.contents();
    let errors = contents.lines().filter(|line| line.contains("error: "));
    assert_eq!(errors.count(), 1, "{contents}");
    assert!(contents.contains("train-images-idx3-ubyte"), "{contents}");
    terminal.is_as_before();
    assert!(!lab.path().join("runs/otter").exists());
}

#[test]
fn a_run_that_is_tied_to_its_face_is_saved_and_ends_with_it() {
    let lab = Lab::new();
    let mut terminal = train(&lab, &["--name", "otter", "--tie"]);
    terminal.shows("● training");
    let run = lab.run("otter");
    terminal.until_there_is(|| run.status().timeline.latest().cloned());
    terminal.types("q");
    assert_eq!(terminal.ends().code(), Some(0));
    assert_eq!(run.status().state, State::Ended);
    assert!(run.newest_checkpoint().is_ok());
}

#[test]
fn an_ended_run_is_opened_with_the_pictures_that_it_saved() {
    let lab = Lab::new();
    assert_eq!(lab.train(&["--name", "otter", "--epochs", "2"]).code, 0);
    let mut terminal = Terminal::with(lab.command(&["attach", "otter"]));
    terminal.shows("finished");
    // The last of two epochs of four steps.
    terminal.shows("fixed noise ── step 8");
    // Its checkpoint draws others.
    terminal.types("s");
    terminal.shows("fresh noise ── step 8");
    terminal.types("f");
    terminal.shows("fixed noise ── step 8");
    terminal.types("q");
    assert_eq!(terminal.ends().code(), Some(0));
}
