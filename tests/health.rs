//! Health checks of a run while it trains, and its best checkpoint.

use std::fs;

use rustix::process::Signal;
use sparring_contract::protocol::{Event, FeatureKind, Health, Verdict};

use crate::eval::write_corners;
use crate::lab::{Lab, Live, tensors};

/// Health checks as often as is allowed: half of the time.
const CHECKS: [&str; 2] = ["--set", "health.time_fraction=1"];

fn next_check(live: &mut Live) -> Health {
    match live.until(|event| matches!(event, Event::Health(_))) {
        Event::Health(health) => *health,
        other => panic!("{other:?}"),
    }
}

fn checks(events: &[Event]) -> Vec<&Health> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Health(health) => Some(&**health),
            _ => None,
        })
        .collect()
}

#[test]
fn a_run_on_the_digits_is_judged_while_it_trains_and_keeps_its_best_checkpoint() {
    let lab = Lab::new();
    let small = [
        "generator.hidden=[32]",
        "discriminator.hidden=[32]",
        "output.checkpoint_every_steps=100",
        "output.keep_checkpoints=1",
    ];
    let settings = small.iter().flat_map(|setting| ["--set", setting]);
    let arguments: Vec<_> = ["train", "--json", "--preset", "mlp", "--name", "judged"]
        .into_iter()
        .chain(settings)
        .chain(CHECKS)
        .collect();
    let mut live = Live::start(lab.command(&arguments));
    let first = next_check(&mut live);
    assert!(first.quick_distance > 50.0, "{first:?}");
    assert!((first.histogram.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert_eq!(first.histogram.len(), 10);
    assert!(first.diversity > 0.0 && (0.1..=1.0).contains(&first.confidence));
    for share in [first.accuracy_real, first.accuracy_fake, first.saturated] {
        assert!((0.0..=1.0).contains(&share), "{first:?}");
    }
    // Four pixels of five are black in MNIST.
    assert!((0.75..0.9).contains(&first.saturated_real), "{first:?}");
    assert_eq!(first.verdict, Verdict::Unclear);
    assert!(first.words.starts_with("quick distance "), "{first:?}");

    let second = next_check(&mut live);
    let Event::Checkpoint(saved) =
        live.until(|event| matches!(event, Event::Checkpoint(saved) if saved.best))
    else {
        panic!("no best checkpoint")
    };
    assert_eq!(saved.step, second.step);
    live.signal(Signal::TERM);
    let (code, _) = live.end();
    assert_eq!(code, 143);

    let run = lab.run("judged");
    assert_eq!(run.checkpoints().len(), 1, "the others are pruned");
    let (path, header) = run.best_checkpoint().unwrap();
    assert!(header.step >= saved.step && header.quick_distance.is_some());
    let drawn = lab.sparring(&["sample", "judged", "--best", "-n", "2", "--render", "ascii"]);
    assert_eq!(drawn.code, 0, "{drawn:?}");
    assert!(drawn.err.contains(&path.display().to_string()), "{drawn:?}");

    // The run that goes on knows what was best.
    let resume = ["train", "--resume", "judged", "--json"];
    let mut live = Live::start(lab.command(&resume));
    let best = next_check(&mut live).best.unwrap();
    assert!(best.quick_distance <= header.quick_distance.unwrap());
    live.signal(Signal::TERM);
    live.end();
}

#[test]
fn health_checks_change_no_bit_of_a_run_not_even_of_one_that_was_killed_and_resumed() {
    let lab = Lab::new();
    let long = [
        "--steps",
        "3000",
        "--set",
        "output.checkpoint_every_steps=500",
        "--set",
        "output.checkpoint_every_epochs=0",
    ];
    let off = ["--name", "blind", "--set", "health.time_fraction=0"];
    let blind = lab.train(&[&off[..], &long].concat());
    assert!(checks(&blind.events()).is_empty());

    let on = [&["--name", "watched"][..], &CHECKS, &long].concat();
    let mut live = Live::start(lab.training(&on));
    let health = next_check(&mut live);
    live.until(|event| matches!(event, Event::Checkpoint(saved) if !saved.best));
    live.signal(Signal::KILL);
    assert_eq!(live.end().0, -1);
    let resumed = lab.sparring(&["train", "--resume", "watched", "--json"]);
    assert!(!checks(&resumed.events()).is_empty(), "{resumed:?}");
    assert_eq!(
        tensors(&lab.run("watched"), 3000),
        tensors(&lab.run("blind"), 3000)
    );

    // Without labels nothing is known of classes.
    assert!(
        health.quick_distance.is_finite() && health.diversity.is_finite(),
        "{health:?}"
    );
    assert_eq!(health.features, Some(FeatureKind::Unlabelled));
    assert!(health.histogram.is_empty() && health.confidence.is_nan());
    lab.sparring(&["sample", "blind", "--best"]).refused(
        1,
        "error: run `blind` has no best checkpoint yet; it gets one as it trains on 40 images or more with \
         health.time_fraction above 0",
    );
}

#[test]
fn a_run_whose_pictures_become_one_raises_an_alarm_everywhere() {
    let lab = Lab::new();
    let wild = ["--name", "wild", "--set", "generator.learning_rate=1"];
    let mut live = Live::start(lab.training(&[&wild[..], &CHECKS].concat()));
    let Event::Alarm { message, .. } = live.until(|event| matches!(event, Event::Alarm { .. }))
    else {
        panic!("no alarm")
    };
    assert_eq!(
        message,
        "collapsing: the pictures differ 0% as much as real ones; lower the learning rates, or take a preset with \
         batch norm, such as mlp or dcgan"
    );
    live.signal(Signal::TERM);
    let (_, events) = live.end();
    let again = events
        .iter()
        .filter(|event| matches!(event, Event::Alarm { .. }));
    assert_eq!(again.count(), 0, "it was reported before");
    let log = fs::read_to_string(lab.run("wild").worker_log()).unwrap();
    assert!(
        log.contains("ALARM at step ") && log.contains(&message),
        "{log}"
    );
}

#[test]
fn a_run_ends_with_a_last_health_check() {
    let lab = Lab::new();
    let mut live = Live::start(lab.training(&[&["--name", "one"][..], &CHECKS].concat()));
    next_check(&mut live);
    let second = next_check(&mut live);
    let stopped = lab.sparring(&["stop", "one"]);
    assert_eq!(stopped.code, 0, "{stopped:?}");
    let (_, events) = live.end();
    let Some(Event::Ended(ended)) = events.last() else {
        panic!("{events:?}")
    };
    // If the run stopped at the step of a check, that check is the last.
    let last = checks(&events).last().map_or(second.step, |last| last.step);
    assert_eq!(last, ended.stats.step);
}

/// The best checkpoint that a run saves next.
fn next_best(live: &mut Live) -> u64 {
    match live.until(|event| matches!(event, Event::Checkpoint(saved) if saved.best)) {
        Event::Checkpoint(saved) => saved.step,
        other => panic!("{other:?}"),
    }
}

fn next_warning(live: &mut Live) -> String {
    match live.until(|event| matches!(event, Event::Warning { .. })) {
        Event::Warning { message, .. } => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_run_takes_the_judge_of_its_data_once_there_is_one() {
    let lab = Lab::new();
    write_corners(&lab);
    let data = lab.data();
    let started = [&["--name", "one"][..], &CHECKS].concat();
    let mut live = Live::start(lab.training_on(&data, &started));
    let health = next_check(&mut live);
    assert_eq!(health.features, Some(FeatureKind::Unlabelled));
    assert!(health.quick_distance.is_finite() && health.histogram.is_empty());
    next_best(&mut live);
    live.signal(Signal::TERM);
    live.end();
    let run = lab.run("one");
    let best = || run.best_checkpoint().unwrap().1;
    assert_eq!(best().features, Some(FeatureKind::Unlabelled));

    let trained = lab.sparring(&["judge", "train", data.to_str().unwrap(), "--json"]);
    assert_eq!(trained.code, 0, "{trained:?}");
    let judge: serde_json::Value = serde_json::from_str(&trained.out).unwrap();
    let resume = ["train", "--resume", "one", "--json"];
    let mut live = Live::start(lab.command(&resume));
    let warning = next_warning(&mut live);
    assert!(
        warning.contains("was chosen without a judge") && warning.contains("measured with one"),
        "{warning}"
    );
    let health = next_check(&mut live);
    assert_eq!(health.features, Some(FeatureKind::Judge));
    assert_eq!(
        (health.histogram.len(), health.histogram_real.len()),
        (4, 4)
    );
    assert!(
        health
            .histogram_real
            .iter()
            .all(|share| (share - 0.25).abs() < 0.05),
        "{health:?}"
    );
    assert!(health.confidence > 0.25, "{health:?}");
    let step = next_best(&mut live);
    live.signal(Signal::TERM);
    live.end();
    assert_eq!(best().features, Some(FeatureKind::Judge));
    assert!(best().step >= step);

    // A judge that cannot be read does not keep a run from training.
    fs::write(judge["path"].as_str().unwrap(), "no judge").unwrap();
    let mut live = Live::start(lab.command(&resume));
    let warning = next_warning(&mut live);
    assert!(
        warning.contains("cannot be used: it is damaged")
            && warning.ends_with("; health checks do without it"),
        "{warning}"
    );
    let health = next_check(&mut live);
    assert_eq!(health.features, Some(FeatureKind::Unlabelled));
    live.signal(Signal::TERM);
    live.end();
}

#[test]
fn a_new_run_on_labelled_data_without_a_judge_says_how_to_train_one() {
    const HINT: &str = "for class-by-class figures: sparring judge train ";
    let lab = Lab::new();
    write_corners(&lab);
    let data = lab.data();
    let data = data.to_str().unwrap();
    let train = |name: &str, more: &[&str]| {
        let few = [
            "train",
            "--headless",
            "--preset",
            "tutorial",
            "--steps",
            "2",
        ];
        let said = lab.sparring(&[&few[..], &["--data", data, "--name", name], more].concat());
        assert_eq!(said.code, 0, "{said:?}");
        said.err
    };
    let said = train("one", &[]);
    assert_eq!(
        said.matches(&format!("{HINT}{data}\n")).count(),
        1,
        "{said}"
    );
    // The flags that prepare pictures make other data of them.
    let said = train("two", &["--image-size", "28"]);
    assert!(
        said.contains(&format!("{HINT}{data} --image-size 28\n")),
        "{said}"
    );
    let resumed = lab.sparring(&["train", "--headless", "--resume", "one", "--steps", "3"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    let json = lab.train_on(&lab.data(), &["--steps", "2"]);
    let mnist = lab.sparring(&["train", "--headless", "--steps", "1"]);
    for silent in [resumed, json, mnist] {
        assert!(!silent.err.contains("judge train"), "{silent:?}");
        assert!(!silent.out.contains("judge train"), "{silent:?}");
    }
    assert_eq!(lab.sparring(&["judge", "train", data]).code, 0);
    assert!(!train("three", &[]).contains(HINT));

    fs::remove_file(lab.data().join("train-labels-idx1-ubyte")).unwrap();
    assert!(!train("four", &[]).contains(HINT), "without labels");
}
