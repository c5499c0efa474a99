//! Commands of the shell to a run that is training.

use std::fs::{self, File};
use std::io::BufReader;

use serde_json::json;
use sparring_contract::picture::read_png_grid;
use sparring_contract::protocol::{Command, Event, Purpose};
use sparring_contract::run::{Presence, boot};

use crate::actor::{Actor, new_run, now};
use crate::lab::{Lab, Live, Said, idx_header};

/// Asserts that a command went well and said this, in one line.
#[track_caller]
fn done(said: &Said, line: &str) {
    assert_eq!((said.code, said.out.trim_end()), (0, line), "{said:?}");
}

#[test]
fn each_command_says_in_a_line_what_became_of_it() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    done(&lab.sparring(&["pause", "otter"]), "paused at step 120");
    assert_eq!(actor.is_asked(), Command::Pause);
    done(&lab.sparring(&["unpause"]), "training from step 120");
    assert_eq!(actor.is_asked(), Command::Resume);
    done(
        &lab.sparring(&["checkpoint"]),
        "checkpoint saved at step 120",
    );
    assert_eq!(actor.is_asked(), Command::Checkpoint);
    done(
        &lab.sparring(&["note", "otter", "looks fine"]),
        "noted at step 120",
    );
    let text = "looks fine".to_owned();
    assert_eq!(actor.is_asked(), Command::Note { text });
}

#[test]
fn the_run_may_be_left_out_and_so_may_the_number_of_steps() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    for (arguments, steps) in [
        (&["step"][..], 1),
        (&["step", "otter"], 1),
        (&["step", "5"], 5),
        (&["step", "otter", "5"], 5),
    ] {
        assert_eq!(lab.sparring(arguments).code, 0, "{arguments:?}");
        assert_eq!(actor.is_asked(), Command::Step { steps }, "{arguments:?}");
    }
    lab.sparring(&["step", "otter", "0"]).refused(
        1,
        "error: `0` is no number of steps; give a whole number from 1",
    );
}

#[test]
fn a_rate_is_set_for_one_network_or_for_both() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    let set = |key: &str, value| Command::Set {
        key: key.to_owned(),
        value,
    };
    done(
        &lab.sparring(&["set", "generator.learning_rate=1e-4"]),
        "generator.learning_rate = 0.0001 from step 120",
    );
    assert_eq!(
        actor.is_asked(),
        set("generator.learning_rate", json!(1e-4))
    );
    assert_eq!(
        lab.sparring(&["set", "otter", "learning_rate=2e-4"]).code,
        0
    );
    assert_eq!(
        actor.is_asked(),
        set("discriminator.learning_rate", json!(2e-4))
    );
    assert_eq!(
        actor.is_asked(),
        set("generator.learning_rate", json!(2e-4))
    );
    lab.sparring(&["set", "seed"]).refused(
        1,
        "error: `seed`: expected key=value, such as learning_rate=1e-4",
    );
}

#[test]
fn a_refusal_is_an_error_with_the_workers_reason() {
    let lab = Lab::new();
    let _actor = Actor::of(&lab, "otter");
    lab.sparring(&["set", "seed=3"]).refused(
        1,
        "error: run otter: refused at step 120: seed cannot change while a run trains",
    );
}

#[test]
fn live_samples_are_shown_and_their_file_is_named() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    let said = lab.sparring(&["sample", "--live", "otter", "-n", "16", "--seed", "7"]);
    assert_eq!(
        actor.is_asked(),
        Command::Sample {
            count: 16,
            seed: Some(7)
        }
    );
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains('⣿'), "no pictures: {said:?}");
    let file = actor.run.samples_dir().join("fresh.png");
    let last = said.out.lines().last().unwrap();
    assert_eq!(last, format!("sampled at step 120: {}", file.display()));
}

/// A grid of 16 pictures of 8×8 that `sparring sample --live` saved, picture by picture.
fn saved(said: &Said) -> Vec<Vec<u8>> {
    assert_eq!(said.code, 0, "{said:?}");
    let (_, file) = said.out.trim_end().rsplit_once(": ").unwrap();
    let file = BufReader::new(File::open(file).unwrap());
    let grid = read_png_grid(file, 16, 4, (Purpose::Fresh, 0)).unwrap();
    grid.pixels.chunks(64).map(<[u8]>::to_vec).collect()
}

#[test]
fn a_run_in_training_draws_one_class_if_asked_to() {
    let lab = Lab::new();
    let labels: Vec<u8> = (0..200_u8).map(|image| image % 4).collect();
    let file = lab.data().join("train-labels-idx1-ubyte");
    fs::write(file, [idx_header(0x801, &[200]), labels].concat()).unwrap();
    let endless: &[_] = &["--name", "otter", "--epochs", "1000000"];
    let conditional = &["--set", "conditional=true"];
    let mut live = Live::start(lab.training(&[endless, conditional].concat()));
    live.until(|event| matches!(event, Event::Stats(_)));
    assert_eq!(lab.sparring(&["pause"]).code, 0);

    let sample = |class: &[&str]| {
        let all = ["sample", "--live", "-n", "16", "--seed", "7"];
        lab.sparring(&[&all, class].concat())
    };
    let all = saved(&sample(&[]));
    let said = sample(&["--class", "3"]);
    let threes = saved(&said);
    // Without a class each comes in its turn, from the same noise.
    for index in 0..16 {
        assert_eq!(all[index] == threes[index], index % 4 == 3, "{index}");
    }
    let captions = |digit: &str| {
        said.out
            .split_whitespace()
            .filter(|word| *word == digit)
            .count()
    };
    assert_eq!((captions("3"), captions("2")), (16, 0), "{said:?}");
    sample(&["--class", "4"]).refused(1, "error: there is no class 4; the model has 0, 1, 2, 3");
    assert_eq!(lab.sparring(&["stop", "--no-save"]).code, 0);
    assert_eq!(live.end().0, 0);

    let actor = Actor::of(&lab, "badger");
    lab.sparring(&["sample", "--live", "badger", "--class", "3"]).refused(
        1,
        "error: this model is unconditional: drop --class, or train a conditional preset such as cgan",
    );
    assert_eq!(actor.was_asked(), None);
}

#[test]
fn without_a_name_it_takes_the_one_run_that_trains_and_never_guesses() {
    let lab = Lab::new();
    let old = new_run(&lab, "badger");
    lab.sparring(&["pause"]).refused(
        1,
        "error: no run is training; `sparring attach badger` shows the latest as its log tells it, `sparring train \
         --resume badger` goes on with it",
    );
    lab.sparring(&["pause", "badger"]).refused(
        1,
        "error: run badger is not training: no worker has it; go on with it by `sparring train --resume badger`",
    );
    let _otter = Actor::of(&lab, "otter");
    done(&lab.sparring(&["pause"]), "paused at step 120");
    let _stoat = Actor::of(&lab, "stoat");
    let said = lab.sparring(&["pause"]);
    assert_eq!(said.code, 1);
    assert!(
        said.err
            .starts_with("error: 2 runs are training; name one of "),
        "{said:?}"
    );
    drop(old);
}

#[test]
fn a_run_of_another_host_says_where_it_lives() {
    let lab = Lab::new();
    let run = new_run(&lab, "otter");
    let _lock = run.lock().unwrap();
    run.write_presence(&Presence {
        host: "gpu-7".to_owned(),
        boot: boot(),
        pid: 4711,
        since: now(),
        socket: run.socket_path(),
        build: String::new(),
    })
    .unwrap();
    for command in ["pause", "attach"] {
        lab.sparring(&[command, "otter"]).refused(
            1,
            "error: run otter is trained by process 4711 on gpu-7, and can only be reached from there: ssh gpu-7",
        );
    }
}
