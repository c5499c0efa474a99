//! Stories of a run's health: learning, alarms, going back, and data without labels.

use ratatui::buffer::Buffer;
use sparring_contract::protocol::{Event, Health, Rollback, ToFace, Verdict};

use super::run::{
    Face, NOW, collapsing, learning, loading_run, record, settings, started, training_run,
    unlabelled, unmeasured,
};
use crate::dashboard::{Effect, Message, State};
use crate::terminal::{Colors, Shade, Theme};

fn looks(face: &mut Face, health: Health) {
    face.hears_of(Event::Health(Box::new(health)));
}

fn rollback(step: u64, back_to: u64) -> Event {
    Event::Rollback(Rollback {
        step,
        back_to,
        attempt: 2,
        cause: "the loss of D is not finite".to_owned(),
        generator_learning_rate: 1e-4,
        discriminator_learning_rate: 5e-5,
    })
}

/// The letters that are drawn as an alarm.
fn alarmed(buffer: &Buffer) -> String {
    let style = Theme::new(Shade::Dark, Colors::True).alarm();
    buffer
        .content
        .iter()
        .filter(|cell| Some(cell.fg) == style.fg)
        .map(ratatui::buffer::Cell::symbol)
        .collect()
}

#[test]
fn a_look_says_what_it_saw_and_how_long_ago() {
    let mut face = Face::attached_to(training_run());
    looks(&mut face, learning(11_300));
    face.waits(12.0);
    let screen = face.screen();
    assert!(
        screen.contains("health ── learning ── 12 s ago"),
        "{screen}"
    );
    assert!(screen.contains("5 is rare (4%)"), "{screen}");
    assert!(screen.contains("best 19.30 at step 11,300"), "{screen}");
    assert!(screen.contains("diversity .83"), "{screen}");
    assert!(screen.contains("D right on real .86 fake .91"), "{screen}");
}

#[test]
fn before_the_first_look_it_says_that_one_comes() {
    let mut face = Face::attached_to(loading_run());
    assert!(face.screen().contains("the first check comes soon"));
    face.hears_of(Event::Started(Box::new(started())));
    assert!(face.screen().contains("the first check comes soon"));
    looks(&mut face, learning(850));
    assert!(!face.screen().contains("the first check"));
}

#[test]
fn an_alarm_is_seen_at_every_size_and_goes_away_with_its_verdict() {
    const SIZES: [(u16, u16); 8] = [
        (200, 60),
        (120, 34),
        (80, 24),
        (72, 20),
        (40, 12),
        (36, 9),
        (60, 1),
        (12, 2),
    ];
    let mut face = Face::attached_to(training_run());
    looks(&mut face, collapsing(11_300));
    for (width, height) in SIZES {
        let shown = alarmed(&face.drawn(width, height));
        assert!(shown.contains("collapsing!"), "{width}×{height}: {shown}");
    }
    looks(&mut face, learning(12_150));
    for (width, height) in SIZES {
        let shown = alarmed(&face.drawn(width, height));
        assert_eq!(shown, "", "{width}×{height}");
    }
}

#[test]
fn every_alarm_has_its_word_and_its_reason() {
    for (verdict, words, reason) in [
        (
            Verdict::DiscriminatorWins,
            "D wins: it tells 99% of fakes",
            "it tells 99% of fakes",
        ),
        (
            Verdict::GeneratorWins,
            "G wins: D takes 97% of fakes for real",
            "D takes 97% of fakes for real",
        ),
        (
            Verdict::Diverging,
            "diverging: the gradient of G has grown to 812",
            "the gradient of G has grown to 812",
        ),
        (
            Verdict::Memorising,
            "memorising: nearest training images at 0.2",
            "nearest training images at 0.2",
        ),
    ] {
        let mut face = Face::attached_to(training_run());
        let word = verdict.word();
        looks(
            &mut face,
            Health {
                verdict,
                words: words.to_owned(),
                reason: reason.to_owned(),
                ..learning(11_300)
            },
        );
        let screen = face.screen();
        assert!(
            screen.contains(&format!("training     {word}!")),
            "{screen}"
        );
        assert!(screen.contains(&format!("health ── {word} ──")), "{screen}");
        assert!(screen.contains(&format!("│ {reason}")), "{screen}");
    }
}

#[test]
fn an_alarm_rings_and_stands_in_the_log() {
    let mut face = Face::attached_to(training_run());
    face.hears_of(Event::Alarm {
        step: 11_300,
        message: "collapsing: 86% of the pictures are 8".to_owned(),
    });
    let screen = face.screen();
    assert!(
        screen.contains("12:33:20 ALARM collapsing: 86% of the pictures are 8"),
        "{screen}"
    );
    assert_eq!(
        face.effects,
        [Effect::Notify(
            "quiet-otter: alarm: collapsing: 86% of the pictures are 8".to_owned()
        )]
    );
    assert!(alarmed(&face.drawn(120, 34)).contains("ALARM"));
}

#[test]
fn a_run_that_goes_back_forgets_what_came_after_and_says_so() {
    let mut face = Face::attached_to(training_run());
    looks(&mut face, collapsing(11_200));
    face.hears_of(rollback(11_256, 9000));
    assert_eq!(face.state.step(), 9000);
    assert_eq!(face.state.timeline.health, None);
    let last = face.state.timeline.quality.last().unwrap();
    assert_eq!(last.step, 8500);
    let screen = face.screen();
    assert!(screen.contains("the first check comes soon"), "{screen}");
    assert!(screen.contains("ROLLBACK to step 9,000"), "{screen}");
    assert!(!screen.contains("collapsing!"), "{screen}");
    assert!(matches!(face.effects[..], [Effect::Notify(_)]));
    looks(&mut face, learning(9350));
    assert!(face.screen().contains("health ── learning"));
}

#[test]
fn the_newest_line_of_the_log_is_told_from_its_beginning() {
    let mut face = Face::attached_to(training_run());
    face.hears_of(rollback(11_256, 9000));
    let screen = face.screen_of(72, 20);
    assert!(screen.contains("12:33 ROLLBACK to step 9,000"), "{screen}");
    let screen = face.screen_of(80, 24);
    assert!(screen.contains("12:33 ROLLBACK to step"), "{screen}");
}

#[test]
fn without_labels_there_are_no_classes_but_the_distance_and_its_course() {
    let mut face = Face::attached_to(training_run());
    face.hears_of(Event::Started(Box::new(started())));
    looks(&mut face, unlabelled(850));
    looks(&mut face, unlabelled(1700));
    for (width, height) in [(200, 60), (120, 34), (80, 24), (72, 20)] {
        let screen = face.screen_of(width, height);
        assert!(
            screen.contains("dist") && screen.contains("best "),
            "{screen}"
        );
        assert!(
            !screen.contains("is rare") && !screen.contains("share of each class"),
            "{screen}"
        );
    }
    let screen = face.screen_of(200, 60);
    assert!(
        screen.contains("compared without labels") && screen.contains("diversity .83"),
        "{screen}"
    );
}

#[test]
fn a_curve_does_not_go_on_in_other_features() {
    let mut face = Face::attached_to(training_run());
    looks(&mut face, learning(11_300));
    let steps = |face: &Face| -> Vec<_> {
        let points = face.state.timeline.quality.iter();
        points.map(|point| point.step).collect()
    };
    assert!(steps(&face).len() > 2);
    looks(&mut face, unlabelled(12_150));
    looks(&mut face, unlabelled(13_000));
    assert_eq!(steps(&face), [12_150, 13_000]);
}

#[test]
fn of_too_few_images_the_rest_is_told() {
    let mut face = Face::attached_to(training_run());
    face.hears_of(Event::Started(Box::new(started())));
    looks(&mut face, unmeasured(850));
    for (width, height) in [(200, 60), (120, 34), (80, 24), (72, 20)] {
        let screen = face.screen_of(width, height);
        assert!(screen.contains("no quick distance"), "{screen}");
        assert!(!screen.contains("best"), "{screen}");
    }
    assert!(face.screen().contains("diversity .83"));
    assert!(face.screen().contains("D right on real .86 fake .91"));
}

#[test]
fn a_class_is_rare_beside_its_share_of_real_images() {
    let mut face = Face::attached_to(training_run());
    looks(
        &mut face,
        Health {
            histogram: vec![0.9, 0.04, 0.06],
            histogram_real: vec![0.9, 0.09, 0.01],
            ..learning(11_300)
        },
    );
    let screen = face.screen();
    assert!(screen.contains("1 is rare (4%)"), "{screen}");
}

#[test]
fn a_face_that_comes_back_knows_the_latest_look_and_the_whole_curve() {
    let mut face = Face::attached_to(training_run());
    looks(&mut face, learning(11_900));
    face.gets(Message::LinkLost {
        why: "the socket closed".to_owned(),
    });
    let snapshot = training_run().at_step(20_000).snapshot;
    let told: Vec<_> = snapshot.quality.clone();
    face.hears(ToFace::Snapshot(Box::new(snapshot)));
    let kept: Vec<_> = face.state.timeline.quality.iter().copied().collect();
    assert_eq!(kept, told);
    let seen = face.state.timeline.health.as_ref().unwrap();
    assert_eq!(seen.value.step, 19_550);
}

#[test]
fn an_old_rollback_in_the_log_of_a_snapshot_takes_nothing_back() {
    let mut snapshot = training_run().snapshot;
    snapshot.log.push(record(rollback(5000, 4000), NOW));
    let mut face = Face::of(State::new(settings()));
    face.hears(ToFace::Snapshot(Box::new(snapshot)));
    assert_eq!(face.state.step(), 11_256);
    assert!(face.screen().contains("health ── learning"));
}

#[test]
fn the_health_of_a_run_without_a_worker_is_read_from_its_log() {
    let snapshot = training_run().snapshot;
    let read = |health: Vec<Health>| {
        let looks = health
            .into_iter()
            .map(|health| record(Event::Health(Box::new(health)), NOW - 600.0));
        let records = snapshot.log.iter().cloned().chain(looks).collect();
        let state = State::from_log(settings(), records, &snapshot.config);
        Face::of(state).screen()
    };
    let screen = read(vec![learning(850), collapsing(1700)]);
    assert!(
        screen.contains("health ── collapsing ── 10 min ago"),
        "{screen}"
    );
    assert!(screen.contains("0, 2, 3, 5, 6 are gone"), "{screen}");
    let screen = read(Vec::new());
    assert!(screen.contains("no health check was made"), "{screen}");
}

#[test]
fn figures_of_health_that_are_not_known_are_no_numbers() {
    let mut face = Face::attached_to(training_run());
    looks(
        &mut face,
        Health {
            quick_distance: f64::NAN,
            diversity: f64::NAN,
            accuracy_real: f64::NAN,
            ..learning(11_300)
        },
    );
    for (width, height) in [(200, 60), (120, 34), (80, 24)] {
        let screen = face.screen_of(width, height);
        assert!(screen.contains("dist"), "{screen}");
        assert!(
            !screen.contains("NaN") && !screen.contains("inf"),
            "{screen}"
        );
    }
    assert!(face.screen().contains("diversity –"));
}
