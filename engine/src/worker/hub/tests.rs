use std::sync::mpsc::sync_channel;

use sparring_contract::config::Config;
use sparring_contract::protocol::{FeatureKind, Health, Rollback, Verdict};

use super::*;

fn health(step: u64) -> Event {
    Event::Health(Box::new(Health {
        step,
        epoch: 1,
        training_seconds: step as f64,
        verdict: Verdict::Learning,
        words: String::new(),
        reason: String::new(),
        quick_distance: 1000.0 / step as f64,
        features: Some(FeatureKind::Judge),
        histogram: vec![0.1; 10],
        histogram_real: vec![0.1; 10],
        diversity: 0.9,
        confidence: 0.9,
        accuracy_real: 0.8,
        accuracy_fake: 0.8,
        saturated: 0.6,
        saturated_real: 0.6,
        best: None,
    }))
}

fn hub(run: &Run, step: u64) -> Hub {
    Hub::of(run, step, sync_channel(100).0).unwrap()
}

/// What a face is told that comes now: the step of the latest health, and those of the quality curve.
fn told(hub: &Hub) -> (Option<u64>, Vec<u64>) {
    let told = hub.newer_than(&mut Cursor::default());
    let [ToFace::Snapshot(snapshot)] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(
        !snapshot
            .log
            .iter()
            .any(|record| matches!(record.event, Event::Health(_)))
    );
    let latest = snapshot
        .health
        .as_ref()
        .and_then(|record| match &record.event {
            Event::Health(health) => Some(health.step),
            _ => None,
        });
    let course = snapshot.quality.iter().map(|point| point.step).collect();
    (latest, course)
}

#[test]
fn health_is_told_as_far_as_the_run_has_come() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("config.toml"), "").unwrap();
    let run = Run::open(dir.path()).unwrap();
    let first = hub(&run, 0);
    for step in [100, 200, 300] {
        first.emit(health(step));
    }
    assert_eq!(told(&first), (Some(300), vec![100, 200, 300]));

    let resumed = hub(&run, 250);
    assert_eq!(told(&resumed), (Some(200), vec![100, 200]));
    resumed.emit(Event::Rollback(Rollback {
        step: 290,
        back_to: 150,
        attempt: 1,
        cause: String::new(),
        generator_learning_rate: 1e-4,
        discriminator_learning_rate: 1e-4,
    }));
    assert_eq!(told(&resumed), (None, vec![100]));
    resumed.emit(health(160));
    assert_eq!(told(&resumed), (Some(160), vec![100, 160]));
}

#[test]
fn a_face_that_comes_before_the_trainer_starts_knows_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let text = "minutes = 2.0\n[generator]\nlearning_rate = 1e-3\n";
    std::fs::write(dir.path().join("config.toml"), text).unwrap();
    let run = Run::open(dir.path()).unwrap();
    let config = hub(&run, 0).board().whole().config;
    let config = Config::parse(&config, &run.config_file()).unwrap();
    assert_eq!(
        (config.minutes, config.generator.learning_rate),
        (2.0, 1e-3)
    );
}
