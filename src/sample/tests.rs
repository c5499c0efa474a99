use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use sparring_contract::config::{Request, resolve};
use sparring_contract::protocol::{TaskReply, Truncation};
use sparring_contract::run::CheckpointHeader;
use tempfile::{TempDir, tempdir};

use super::replies::tests::{bytes_of, pictures};
use super::*;
use crate::terminal::{ColorChoice, Colors, Environment, Render, RenderChoice};

/// The header of a checkpoint for grey pictures of 2×2, conditional if it has classes.
pub fn header(class_names: &[&str]) -> CheckpointHeader {
    let mut config = resolve(&Request::default()).unwrap().config;
    config.conditional = !class_names.is_empty();
    CheckpointHeader {
        step: 5,
        shape: [1, 2, 2],
        training_seconds: 1.0,
        attempt: 0,
        quick_distance: None,
        features: None,
        class_names: class_names.iter().map(|name| (*name).to_owned()).collect(),
        data_fingerprint: String::new(),
        config,
    }
}

/// The usual draw of this many pictures.
pub fn draw(count: u64) -> Draw {
    Draw {
        checkpoint: PathBuf::from("/dev/null"),
        run: None,
        header: header(&[]),
        count,
        seed: 1,
        class: None,
        truncation: Truncation::Off,
        device: "auto".to_owned(),
    }
}

/// A worker that answers like this, whatever it is asked.
fn worker_that_says(replies: &[TaskReply], stage: &TempDir) -> Command {
    let file = stage.path().join("replies");
    fs::write(&file, bytes_of(replies)).unwrap();
    let mut command = Command::new("cat");
    command.arg(file);
    command
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

fn piped() -> Capabilities {
    Capabilities::new(
        &Environment::default(),
        ColorChoice::Auto,
        RenderChoice::Auto,
    )
}

fn shown(command: Command, count: u64) -> Result<String> {
    let mut text = Vec::new();
    show_on(&draw(count), Look::default(), command, piped(), &mut text)?;
    Ok(String::from_utf8(text).unwrap())
}

fn three_pictures() -> [TaskReply; 3] {
    let bright = |first| {
        let mut batch = pictures(first, 1);
        batch.pixels.fill(255);
        batch
    };
    let mut both = bright(0);
    both.count = 2;
    both.pixels.extend([128; 4]);
    [
        TaskReply::Pictures(both),
        TaskReply::Pictures(bright(4)),
        TaskReply::Done,
    ]
}

#[test]
fn pictures_are_shown_as_the_output_can_show_them() {
    let stage = tempdir().unwrap();
    let worker = worker_that_says(&three_pictures(), &stage);
    assert_eq!(shown(worker, 3).unwrap(), "@@ ++ @@\n");

    let mut color = Vec::new();
    let worker = worker_that_says(&three_pictures(), &stage);
    let capabilities = Capabilities {
        colors: Colors::Ansi16,
        render: Render::Half,
        ..piped()
    };
    show_on(&draw(3), Look::default(), worker, capabilities, &mut color).unwrap();
    assert_eq!(
        String::from_utf8(color).unwrap(),
        "\x1b[107m  \x1b[49m \x1b[100m  \x1b[49m \x1b[107m  \x1b[0m\n"
    );
}

#[test]
fn a_failure_of_the_worker_is_reported_in_its_words() {
    let stage = tempdir().unwrap();
    let message = "there is no CUDA device 3; use cpu".to_owned();
    let worker = worker_that_says(&[TaskReply::Failed { message }], &stage);
    let error = shown(worker, 1).unwrap_err();
    assert_eq!(error.to_string(), "there is no CUDA device 3; use cpu");
}

#[test]
fn a_worker_that_dies_leaves_its_last_words() {
    let error = shown(shell("for i in a b c d; do echo $i >&2; done; exit 3"), 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the worker ended without an answer (exit status: 3), it said: b | c | d"
    );
    let error = shown(shell("kill -9 $$"), 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the worker ended without an answer (signal: 9 (SIGKILL))"
    );
}

#[test]
fn a_worker_that_cannot_be_started_is_named() {
    let error = shown(Command::new("/nowhere/sparring-worker"), 1).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "cannot start the worker /nowhere/sparring-worker: No such file or directory (os error 2)"
    );
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let stage = tempdir().unwrap();
    let ended = |to: &mut dyn Write| {
        let worker = worker_that_says(&three_pictures(), &stage);
        quietly(show_on(&draw(3), Look::default(), worker, piped(), to))
    };
    ended(&mut Gone).unwrap();
    assert!(ended(&mut [0u8; 2].as_mut_slice()).is_err());
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn save_drawn(draw: &Draw, path: &Path, worker: Command) -> Result<String> {
    let format = FileFormat::of(path)?.unwrap();
    let file = Destination::new(path, format, Existing::Keep, draw.count, draw.shape())?;
    save_file(draw, &file, None, worker)
}

fn saved(path: &Path, worker: Command) -> Result<String> {
    save_drawn(&draw(3), path, worker)
}

#[test]
fn what_was_written_is_reported_in_one_line() {
    let (stage, home) = (tempdir().unwrap(), tempdir().unwrap());
    let path = home.path().join("digits.idx3-ubyte");
    let line = saved(&path, worker_that_says(&three_pictures(), &stage)).unwrap();
    assert_eq!(
        line,
        format!("wrote 3 pictures of 2×2 to {} (28 B)", path.display())
    );
    assert_eq!(names_in(home.path()), ["digits.idx3-ubyte"]);
}

#[test]
fn a_file_that_breaks_off_leaves_nothing() {
    for name in ["a.png", "a.npz", "a.idx3-ubyte", "a.idx3-ubyte.gz"] {
        let (stage, home) = (tempdir().unwrap(), tempdir().unwrap());
        let replies = three_pictures();
        let worker = worker_that_says(&replies[..2], &stage);
        let error = saved(&home.path().join(name), worker).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("the worker ended without an answer"),
            "{name}: {error}"
        );
        assert!(names_in(home.path()).is_empty(), "{name}");
    }
}

#[test]
fn pictures_of_another_shape_than_the_checkpoints_are_refused() {
    let (stage, home) = (tempdir().unwrap(), tempdir().unwrap());
    let mut other = draw(3);
    other.header.shape = [1, 1, 4];
    let path = home.path().join("a.npz");
    let worker = worker_that_says(&three_pictures(), &stage);
    let error = save_drawn(&other, &path, worker).unwrap_err();
    assert!(error.to_string().contains("another shape"), "{error}");
    assert!(names_in(home.path()).is_empty());
}
