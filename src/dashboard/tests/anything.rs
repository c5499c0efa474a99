//! Whatever is pressed, said, pasted and resized: it is drawn, and nothing panics.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use sparring_contract::protocol::{
    Ack, Best, Event, FeatureKind, Health, Machine, MetricKind, MetricSpec, Outcome, Phase,
    Purpose, Rollback, Started, Stats, ToFace, Verdict,
};

use super::run::{
    Face, checkpoint, learning, loading_run, metrics, pictures, report, started, training_run,
};
use crate::dashboard::{KeyPress, Message};

fn key() -> impl Strategy<Value = Message> {
    let code = prop_oneof![
        8 => prop::char::range(' ', '~').prop_map(KeyCode::Char),
        1 => any::<char>().prop_map(KeyCode::Char),
        4 => prop::sample::select(vec![
            KeyCode::Esc, KeyCode::Enter, KeyCode::Tab, KeyCode::BackTab, KeyCode::Up,
            KeyCode::Down, KeyCode::Left, KeyCode::Right, KeyCode::Backspace, KeyCode::Delete, KeyCode::F(1), KeyCode::Null,
        ]),
    ];
    let modifiers = prop::sample::select(vec![
        KeyModifiers::NONE,
        KeyModifiers::NONE,
        KeyModifiers::SHIFT,
        KeyModifiers::CONTROL,
        KeyModifiers::ALT,
    ]);
    (code, modifiers)
        .prop_map(|(code, modifiers)| Message::Key(KeyPress::from(KeyEvent::new(code, modifiers))))
}

fn stats() -> impl Strategy<Value = Stats> {
    (0..100_000_u64, prop::array::uniform8(any::<f64>())).prop_map(|(step, wild)| Stats {
        images_per_second: wild[6],
        training_seconds: wild[7],
        metrics: metrics([wild[0], wild[1], wild[2], wild[3], wild[4], wild[5]]),
        ..report(step)
    })
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        prop::sample::select(vec![
            Verdict::Unclear,
            Verdict::Learning,
            Verdict::Settled,
            Verdict::DiscriminatorWins,
            Verdict::GeneratorWins,
            Verdict::Diverging,
            Verdict::Memorising,
            Verdict::Unknown,
        ]),
        prop::collection::vec(any::<u32>(), 0..12)
            .prop_map(|missing| Verdict::Collapsing { missing }),
    ]
}

fn health() -> impl Strategy<Value = Health> {
    let histogram = prop_oneof![
        prop::collection::vec(0.0..1.0, 10),
        prop::collection::vec(any::<f64>(), 0..300),
    ];
    (
        0..100_000_u64,
        (verdict(), any::<String>(), any::<String>()),
        histogram,
        prop::array::uniform8(any::<f64>()),
        any::<Option<(u64, f64)>>(),
    )
        .prop_map(
            |(step, (verdict, words, reason), histogram, wild, best)| Health {
                verdict,
                words,
                reason,
                features: [
                    None,
                    Some(FeatureKind::Judge),
                    Some(FeatureKind::Unlabelled),
                ][usize::try_from(step % 3).unwrap()],
                histogram_real: histogram.iter().rev().skip(1).copied().collect(),
                histogram,
                training_seconds: wild[0],
                quick_distance: wild[1],
                diversity: wild[2],
                confidence: wild[3],
                accuracy_real: wild[4],
                accuracy_fake: wild[5],
                saturated: wild[6],
                saturated_real: wild[7],
                best: best.map(|(step, quick_distance)| Best {
                    step,
                    quick_distance,
                }),
                ..learning(step)
            },
        )
}

fn rollback() -> impl Strategy<Value = Rollback> {
    (any::<u64>(), 0..100_000_u64, any::<String>(), any::<f64>()).prop_map(
        |(step, back_to, cause, rate)| Rollback {
            step,
            back_to,
            attempt: 1,
            cause,
            generator_learning_rate: rate,
            discriminator_learning_rate: rate,
        },
    )
}

fn spec() -> impl Strategy<Value = MetricSpec> {
    let kind = prop::sample::select(vec![
        MetricKind::Loss,
        MetricKind::Probability,
        MetricKind::Norm,
        MetricKind::Rate,
        MetricKind::Decibel,
        MetricKind::Unknown,
    ]);
    let key = prop::sample::select(vec!["d_loss", "d_real", "d_fake", "psnr"]);
    let words = (any::<String>(), any::<Option<String>>(), any::<String>());
    (key, kind, words, any::<Option<f64>>()).prop_map(
        |(key, kind, (label, unit, explanation), ideal)| MetricSpec {
            unit,
            ideal,
            ..MetricSpec::new(key, &label, kind, &explanation)
        },
    )
}

fn started_somehow() -> impl Strategy<Value = Started> {
    (
        0..100_000_u64,
        prop::collection::vec(spec(), 0..9),
        prop::collection::vec(any::<String>(), 0..300),
    )
        .prop_map(|(step, metrics, class_names)| Started {
            step,
            metrics,
            class_names,
            ..started()
        })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        stats().prop_map(Event::Stats),
        (0..100_000_u64).prop_map(|step| Event::Stats(report(step))),
        (0..100_000_u64).prop_map(checkpoint),
        started_somehow().prop_map(|started| Event::Started(Box::new(started))),
        (
            prop::sample::select(vec![
                Phase::Training,
                Phase::Paused,
                Phase::Saving,
                Phase::Ended
            ]),
            any::<u64>()
        )
            .prop_map(|(phase, step)| Event::Phase { phase, step }),
        any::<String>().prop_map(|message| Event::Warning { step: 0, message }),
        health().prop_map(|health| Event::Health(Box::new(health))),
        (any::<u64>(), any::<String>()).prop_map(|(step, message)| Event::Alarm { step, message }),
        rollback().prop_map(Event::Rollback),
    ]
}

fn said() -> impl Strategy<Value = ToFace> {
    prop_oneof![
        4 => (any::<u16>(), event()).prop_map(|(sequence, event)| ToFace::Event {
            sequence: sequence.into(),
            record: super::run::record(event, super::run::NOW),
        }),
        1 => (0..100_000_u64).prop_map(|step| {
            ToFace::Snapshot(Box::new(training_run().at_step(step).snapshot))
        }),
        1 => prop::sample::select(vec![Purpose::Fixed, Purpose::Fresh, Purpose::Explored])
            .prop_map(|purpose| ToFace::Pictures(pictures(purpose, 5))),
        1 => (any::<Option<f32>>(), any::<Option<u64>>()).prop_map(|(cpu_percent, bytes)| {
            ToFace::Machine(Machine {
                cpu_percent,
                memory_used: bytes,
                memory_total: bytes,
                gpu: bytes.map(|_| "GPU".to_owned()),
                ..Machine::default()
            })
        }),
        2 => (0..20_u64, any::<bool>()).prop_map(|(id, done)| {
            let outcome = if done {
                Outcome::Done { detail: None }
            } else {
                Outcome::Refused { reason: "no".to_owned() }
            };
            ToFace::Ack(Ack { id, step: 3, outcome })
        }),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        10 => key(),
        6 => said().prop_map(Message::FromWorker),
        1 => any::<String>().prop_map(Message::Paste),
        1 => any::<f64>().prop_map(Message::Tick),
        1 => any::<f64>().prop_map(Message::Traffic),
        1 => any::<String>().prop_map(|why| Message::LinkLost { why }),
        1 => (any::<String>(), prop::collection::vec(any::<String>(), 0..12))
            .prop_map(|(status, log)| Message::WorkerDied { status, log }),
    ]
}

fn side() -> impl Strategy<Value = u16> {
    prop_oneof![0..12_u16, 12..90_u16, 90..220_u16]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(
        plain in any::<bool>(),
        loading in any::<bool>(),
        course in prop::collection::vec((message(), side(), side()), 1..40),
    ) {
        let run = if loading { loading_run() } else { training_run().at_step(3000) };
        let mut face = Face::attached_to(run);
        face.plain = plain;
        for (message, width, height) in course {
            face.gets(message);
            let buffer = face.drawn(width, height);
            if plain {
                prop_assert!(buffer.content.iter().all(|cell| cell.symbol().is_ascii()));
            }
        }
    }
}
