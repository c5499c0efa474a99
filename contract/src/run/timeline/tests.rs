use std::fs::OpenOptions;
use std::io::Write as _;

use super::*;
use crate::config::TaskKind;
use crate::protocol::{Parameters, Purpose, Reason, Rollback, Verdict};
use crate::run::EventLog;

fn started(step: u64) -> Event {
    Event::Started(Box::new(Started {
        run: "otter".to_owned(),
        directory: "/runs/otter".into(),
        task: TaskKind::Generate,
        preset: "tutorial".to_owned(),
        data: "mnist".to_owned(),
        images: 60_000,
        device: "cpu".to_owned(),
        threads: 2,
        parameters: Parameters {
            generator: 1,
            discriminator: 1,
        },
        batch_size: 64,
        steps_per_epoch: 938,
        epochs: 10,
        last_step: 9380,
        step,
        from: (step > 0).then(|| format!("checkpoints/step-{step}.safetensors").into()),
        metrics: Vec::new(),
        class_names: Vec::new(),
        conditional: false,
        shape: [1, 28, 28],
    }))
}

fn report(step: u64) -> Event {
    Event::Stats(Stats {
        images_per_second: 4000.0,
        training_seconds: step as f64,
        metrics: [("d_loss", 0.5)].into_iter().collect(),
        ..Stats::none_at(step, 1, step * 64)
    })
}

fn health(step: u64) -> Event {
    Event::Health(Box::new(Health {
        step,
        epoch: 1,
        training_seconds: step as f64,
        verdict: Verdict::Learning,
        words: String::new(),
        reason: String::new(),
        quick_distance: 9.0,
        features: None,
        histogram: Vec::new(),
        histogram_real: Vec::new(),
        diversity: 1.0,
        confidence: 1.0,
        accuracy_real: 0.5,
        accuracy_fake: 0.5,
        saturated: 0.5,
        saturated_real: 0.5,
        best: None,
    }))
}

fn pictures(step: u64) -> Event {
    Event::Samples(Sampled {
        step,
        epoch: 1,
        path: format!("samples/{step}.png").into(),
        purpose: Purpose::Fixed,
        count: 16,
        columns: 4,
        parts: Vec::new(),
    })
}

fn checkpoint(step: u64) -> Event {
    Event::Checkpoint(Checkpointed {
        step,
        epoch: 1,
        path: format!("checkpoints/step-{step}.safetensors").into(),
        bytes: 1,
        best: false,
    })
}

fn rollback(step: u64, back_to: u64) -> Event {
    Event::Rollback(Rollback {
        step,
        back_to,
        attempt: 1,
        cause: "a loss is not finite".to_owned(),
        generator_learning_rate: 1e-4,
        discriminator_learning_rate: 1e-4,
    })
}

fn ended(step: u64) -> Event {
    Event::Ended(Box::new(Ended {
        reason: Reason::Finished,
        exit_code: 0,
        message: None,
        checkpoint: None,
        stats: Stats::none_at(step, 1, step * 64),
    }))
}

/// Records a second apart.
fn records(events: impl IntoIterator<Item = Event>) -> Vec<Record> {
    (1..)
        .zip(events)
        .map(|(second, event)| Record {
            event,
            time: f64::from(second),
        })
        .collect()
}

fn timeline(events: impl IntoIterator<Item = Event>) -> Timeline {
    Timeline::of(records(events), Limits::default())
}

fn steps<P: Point>(history: &History<P>) -> Vec<u64> {
    history.iter().map(Point::step).collect()
}

#[test]
fn a_log_tells_figures_health_files_and_the_end() {
    let told = timeline([
        started(0),
        report(10),
        health(10),
        pictures(10),
        checkpoint(10),
        report(20),
        ended(24),
    ]);
    assert_eq!(steps(&told.reports), [10, 20]);
    assert_eq!(steps(&told.quality), [10]);
    assert_eq!(steps(&told.pictures), [10]);
    let saved = Saved {
        step: 10,
        time: Some(5.0),
    };
    assert_eq!(told.saved(), Some(saved));
    assert_eq!(told.health.as_ref().unwrap().time, 3.0);
    assert_eq!(told.ended.as_ref().unwrap().reason, Reason::Finished);
    assert_eq!(told.step(), 24);
    // The end knows its counters alone; the figures are those of the last report.
    assert_eq!(told.latest().unwrap().metrics.get("d_loss"), 0.5);
    assert_eq!((told.phase, told.time), (Phase::Ended, Some(7.0)));
    assert_eq!(told.parent(), None);
}

#[test]
fn what_a_rollback_undid_is_no_part_of_the_timeline() {
    let told = timeline([
        started(0),
        report(10),
        checkpoint(10),
        pictures(10),
        health(10),
        report(20),
        pictures(20),
        health(20),
        rollback(25, 12),
        report(15),
    ]);
    assert_eq!(steps(&told.reports), [10, 15]);
    assert_eq!(steps(&told.pictures), [10]);
    assert_eq!(steps(&told.quality), [10]);
    assert_eq!(told.health, None);
    assert_eq!(told.saved().unwrap().step, 10);
    assert_eq!(told.step(), 15);
}

#[test]
fn a_run_that_was_resumed_earlier_goes_on_from_there() {
    let told = timeline([
        started(0),
        report(10),
        checkpoint(10),
        report(20),
        checkpoint(20),
        ended(20),
        started(10),
        report(12),
    ]);
    assert_eq!(steps(&told.reports), [10, 12]);
    assert_eq!(told.ended, None);
    let saved = Saved {
        step: 10,
        time: Some(3.0),
    };
    assert_eq!(told.saved(), Some(saved));
    assert_eq!(
        told.parent(),
        Some(Path::new("checkpoints/step-10.safetensors"))
    );
}

#[test]
fn a_checkpoint_that_the_log_does_not_tell_of_is_known_by_its_resumption() {
    let told = timeline([started(30), report(40)]);
    let saved = Saved {
        step: 30,
        time: None,
    };
    assert_eq!(told.saved(), Some(saved));
}

#[test]
fn the_past_of_a_run_ends_at_the_step_that_is_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.jsonl");
    let mut log = EventLog::open(&path).unwrap();
    let events = [
        started(0),
        report(10),
        health(10),
        checkpoint(15),
        report(20),
        health(20),
        pictures(20),
    ];
    for record in records(events) {
        log.append(&record).unwrap();
    }
    let past = Timeline::read_up_to(&path, 15, Limits::default());
    assert_eq!(steps(&past.reports), [10]);
    assert_eq!(past.health.unwrap().value.step, 10);
    assert!(past.pictures.last().is_none());
    assert_eq!(steps(&past.checkpoints), [15]);
}

#[test]
fn torn_lines_and_unknown_events_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.jsonl");
    let mut log = EventLog::open(&path).unwrap();
    for record in records([started(0), report(10)]) {
        log.append(&record).unwrap();
    }
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"event\":\"teleported\",\"to\":3,\"time\":3.0}\n{\"event\":\"stats\",\"st")
        .unwrap();
    let told = Timeline::read(&path, Limits::default());
    assert_eq!(steps(&told.reports), [10]);
    assert_eq!(told.notable.len(), 1);
    assert_eq!(Timeline::read_end(&path, Limits::default()).step(), 10);
    let none = Timeline::read(&dir.path().join("none"), Limits::default());
    assert!(none.started.is_none() && none.time.is_none());
}

#[test]
fn the_log_of_an_older_run_is_understood() {
    let lines = [
        r#"{"event":"started","run":"otter","directory":"/runs/otter","preset":"tutorial","data":"mnist","images":60000,"device":"cpu","threads":2,"parameters":{"generator":1,"discriminator":1},"batch_size":64,"steps_per_epoch":938,"epochs":10,"last_step":9380,"step":0,"time":1.0}"#,
        r#"{"event":"stats","step":10,"epoch":1,"images_seen":640,"d_loss":1.25,"g_loss":null,"d_real":0.6,"d_fake":0.4,"d_grad_norm":1.0,"g_grad_norm":2.0,"images_per_second":4000.0,"training_seconds":0.2,"time":2.0}"#,
        r#"{"event":"samples","step":10,"epoch":1,"path":"samples/epoch-0001.png","time":2.5}"#,
        r#"{"event":"ended","reason":"finished","exit_code":0,"checkpoint":null,"step":12,"epoch":1,"images_seen":768,"d_loss":1.5,"g_loss":0.75,"d_real":0.6,"d_fake":0.4,"d_grad_norm":1.0,"g_grad_norm":2.0,"images_per_second":4000.0,"training_seconds":0.25,"time":3.0}"#,
    ];
    let records = lines.map(|line| serde_json::from_str::<Record>(line).unwrap());
    let told = Timeline::of(records, Limits::default());
    let first = told.reports.iter().next().unwrap();
    assert_eq!(first.metrics.get("d_loss"), 1.25);
    assert!(first.metrics.get("g_loss").is_nan());
    let keys = |stats: &Stats| {
        stats
            .metrics
            .iter()
            .map(|(key, _)| key.to_owned())
            .collect()
    };
    let of_report: Vec<_> = keys(first);
    let of_end: Vec<_> = keys(told.latest().unwrap());
    assert_eq!(of_report, of_end);
    let specs = told.started.as_ref().unwrap().metric_specs().into_owned();
    let known: Vec<_> = specs.into_iter().map(|spec| spec.key).collect();
    assert_eq!(of_report, known);
    assert_eq!(told.latest().unwrap().metrics.get("d_loss"), 1.5);
    assert_eq!(told.pictures.last().unwrap().purpose, Purpose::Unknown);
}

#[test]
fn figures_stay_flat_in_the_log() {
    let line = serde_json::to_string(&records([report(10)])[0]).unwrap();
    assert_eq!(
        line,
        r#"{"event":"stats","step":10,"epoch":1,"images_seen":640,"images_per_second":4000.0,"training_seconds":10.0,"d_loss":0.5,"time":1.0}"#
    );
}

#[test]
fn a_snapshot_tells_a_face_the_same_timeline() {
    let events = [
        started(0),
        report(10),
        checkpoint(10),
        report(20),
        rollback(25, 12),
        report(15),
        health(15),
    ];
    let told = timeline(events);
    let again = Timeline::of_snapshot(&told.snapshot(), Limits::default());
    assert_eq!(steps(&again.reports), [10, 15]);
    assert_eq!(steps(&again.quality), [15]);
    assert_eq!(again.health, told.health);
    assert_eq!(again.saved(), told.saved());
    assert_eq!(again.latest(), told.latest());
    assert_eq!(again.notable, told.notable);
}

#[test]
fn the_newest_checkpoint_outlives_any_number_of_notes() {
    let note = |step| Event::Note {
        step,
        text: "hm".to_owned(),
    };
    let limits = Limits {
        notable: 10,
        ..Limits::default()
    };
    let events = [started(0), checkpoint(10)].into_iter();
    let told = Timeline::of(records(events.chain((11..100).map(note))), limits);
    assert_eq!(told.notable.len(), 10);
    assert_eq!(told.notable[0].event, checkpoint(10));
    assert_eq!(told.notable[9].event, note(99));
}
