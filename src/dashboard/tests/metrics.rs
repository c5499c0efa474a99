//! Stories of what a run reports and of the classes of its data: both are told by the run.

use sparring_contract::protocol::{Event, Health, MetricKind, MetricSpec};

use super::run::{Face, learning, started, training_run};

#[test]
fn the_equilibrium_is_that_of_the_loss_which_trains() {
    let mut run = training_run();
    let mut relativistic = started();
    for loss in &mut relativistic.metrics[..2] {
        loss.ideal = Some(std::f64::consts::LN_2);
    }
    run.snapshot.started = Some(Box::new(relativistic));
    let mut face = Face::attached_to(run);
    face.press("tab ?");
    let screen = face.screen();
    assert!(screen.contains("At the equilibrium: 0.693."), "{screen}");
    assert!(!screen.contains("1.386"), "{screen}");
}

#[test]
fn a_run_from_before_metrics_had_specs_shows_its_figures() {
    let mut run = training_run();
    let mut older = started();
    older.metrics = Vec::new();
    run.snapshot.started = Some(Box::new(older));
    let mut face = Face::attached_to(run);
    let screen = face.screen();
    assert!(
        screen.contains("losses ──") && screen.contains("D(G(z))"),
        "{screen}"
    );
    face.press("tab ?");
    assert!(!face.screen().contains("equilibrium"));
}

#[test]
fn a_metric_of_a_new_task_is_charted_by_its_spec_alone() {
    let psnr = MetricSpec {
        unit: Some("dB".to_owned()),
        ..MetricSpec::new(
            "psnr",
            "PSNR",
            MetricKind::Decibel,
            "How near the whole picture is.",
        )
    };
    let mut run = training_run();
    let mut repair = started();
    repair.metrics.push(psnr);
    run.snapshot.started = Some(Box::new(repair));
    for stats in &mut run.snapshot.history {
        stats.metrics.set("psnr", 21.5);
    }
    let mut face = Face::attached_to(run);
    face.press("tab up");
    let screen = face.screen();
    assert!(screen.contains("▸PSNR (dB) ──"), "{screen}");
    assert!(screen.contains("21.5"), "{screen}");
    face.press("?");
    let help = face.screen();
    assert!(
        help.contains("PSNR (dB): How near the whole picture is."),
        "{help}"
    );
}

#[test]
fn classes_are_called_by_their_names_however_many_there_are() {
    let mut run = training_run();
    let mut clothes = started();
    clothes.class_names = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat\u{1b}[2J",
    ]
    .map(str::to_owned)
    .to_vec();
    run.snapshot.started = Some(Box::new(clothes));
    let mut face = Face::attached_to(run);
    face.hears_of(checked(vec![0.24, 0.3, 0.2, 0.25, 0.01]));
    let screen = face.screen();
    assert!(screen.contains("Coat [2J is gone"), "{screen}");
    let screen = face.screen_of(200, 60);
    assert!(screen.contains("T-shirt/top"), "{screen}");
    assert!(screen.contains("24.0%"), "{screen}");
}

#[test]
fn of_many_classes_the_rarest_are_shown() {
    let mut run = training_run();
    let mut many = started();
    many.class_names = (0..200).map(|class| format!("class {class}")).collect();
    run.snapshot.started = Some(Box::new(many));
    let mut face = Face::attached_to(run);
    let mut histogram = vec![1.0 / 199.0; 200];
    histogram[117] = 0.0;
    face.hears_of(checked(histogram));
    let screen = face.screen_of(200, 60);
    assert!(
        screen.contains("class 117") && screen.contains("0.0%"),
        "{screen}"
    );
    assert!(screen.contains("with more"), "{screen}");
    let screen = face.screen();
    assert!(screen.contains("class 117 is gone"), "{screen}");
}

/// A health check that found this histogram.
fn checked(histogram: Vec<f64>) -> Event {
    Event::Health(Box::new(Health {
        histogram_real: vec![1.0 / histogram.len() as f64; histogram.len()],
        histogram,
        ..learning(11_300)
    }))
}
