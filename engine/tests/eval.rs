//! What the judges see: real digits, and real digits with a known defect.

#![allow(clippy::unwrap_used, clippy::print_stderr)] // a test may fail loudly

use sparring_contract::protocol::Figures;
use sparring_engine::data::{DataBundle, DataSource, Part};
use sparring_engine::eval::{Defect, Evaluator, Judge, QuickFrechet};
use tch::Tensor;

fn digits() -> (Tensor, Tensor) {
    tensors(&DataBundle::mnist().unwrap().train)
}

/// Pictures and the digit of each.
fn tensors(part: &Part) -> (Tensor, Tensor) {
    (part.images.tensor(), part.labels_tensor().unwrap())
}

/// The figures that are clearly worse than those of real digits.
fn caught(found: &Figures, real: &Figures) -> Vec<&'static str> {
    let mut by = Vec::new();
    let mut note = |name, is: bool| {
        if is {
            by.push(name);
        }
    };
    let grown = |of: fn(&Figures) -> Option<f64>| of(found).unwrap() / of(real).unwrap();
    let lost = |of: fn(&Figures) -> Option<f64>| of(real).unwrap() - of(found).unwrap();
    note("frechet", grown(|figures| figures.frechet) > 3.0);
    note("fine", grown(|figures| figures.fine) > 3.0);
    note("recall", lost(|figures| figures.recall) > 0.2);
    note("coverage", lost(|figures| figures.coverage) > 0.2);
    note("classes", -lost(|figures| figures.class_variation) > 0.05);
    by
}

#[test]
fn both_judges_know_the_test_digits() {
    let (test, labels) = tensors(&DataBundle::mnist().unwrap().test.unwrap());
    for judge in [Judge::first().unwrap(), Judge::second().unwrap()] {
        let accuracy = judge.classifier().accuracy(&test, &labels);
        assert!(accuracy >= 0.992, "{accuracy}");
        assert!((accuracy - judge.about().accuracy).abs() < 5e-4);
    }
    assert_ne!(
        Judge::first().unwrap().about().seed,
        Judge::second().unwrap().about().seed
    );
}

#[test]
fn every_defect_is_caught_and_real_digits_are_not() {
    let (digits, labels) = digits();
    let evaluator = Evaluator::new(&DataSource::named("mnist"), &mut |_| {}).unwrap();
    let real = evaluator.figures(&digits.narrow(0, 0, 10_000));
    let floors = [
        real.frechet.unwrap(),
        evaluator.second(&digits.narrow(0, 0, 10_000)).unwrap(),
    ];
    // What eval tells of real digits was measured when the judges were made.
    for (judge, floor) in [Judge::first(), Judge::second()].into_iter().zip(floors) {
        let told = judge.unwrap().about().floor.frechet.unwrap();
        assert!((told / floor - 1.0).abs() < 0.01, "{told}, not {floor}");
    }
    let others = evaluator.figures(&digits.narrow(0, 10_000, 10_000));
    assert!(caught(&others, &real).is_empty(), "{others:?}\n{real:?}");

    // A defect, the figure that is there for it, and how far it is at least, in floors, where that was promised.
    let expected = [
        (Defect::OnePixelShift, "frechet", 5.0),
        (Defect::MissingClass, "classes", 12.0),
        (Defect::Blur, "frechet", 20.0),
        (Defect::ClassGaussians, "frechet", 100.0),
        (Defect::Threshold, "fine", 1.0),
        (Defect::Noise, "fine", 1.0),
        (Defect::Repeated, "recall", 1.0),
    ];
    let judges = [Judge::first().unwrap(), Judge::second().unwrap()];
    for (defect, by, at_least) in expected {
        let (name, _) = defect.names();
        let pictures = defect.pictures(&digits, &labels);
        let found = evaluator.figures(&pictures);
        let all = caught(&found, &real);
        assert!(all.contains(&by), "{name} is caught by {all:?} only");

        let distances = [found.frechet.unwrap(), evaluator.second(&pictures).unwrap()];
        for ((distance, floor), judge) in distances.into_iter().zip(floors).zip(&judges) {
            assert!(distance / floor >= at_least, "{name}: {}", distance / floor);
            // What eval tells of the controls is what was measured when the judge was made.
            let told = judge
                .about()
                .controls
                .iter()
                .find(|control| control.name == name)
                .unwrap();
            let ratio = distance / told.figures.frechet.unwrap();
            assert!((ratio - 1.0).abs() < 0.01, "{name}: {ratio}");
        }
    }
}

#[test]
fn both_judges_rank_the_controls_alike() {
    let readings = |judge: &Judge| -> Vec<(String, f64)> {
        let controls = &judge.about().controls;
        controls
            .iter()
            .map(|control| {
                let times = control.figures.frechet.unwrap() / control.floor;
                (control.name.clone(), times)
            })
            .collect()
    };
    let first = readings(&Judge::first().unwrap());
    let second = readings(&Judge::second().unwrap());
    assert_eq!(first.len(), Defect::ALL.len());
    let by_second = |name: &str| {
        let (_, times) = second.iter().find(|(known, _)| known == name).unwrap();
        *times
    };
    for (near, times) in &first {
        // What is clearly further for one is not nearer for the other.
        for (far, _) in first.iter().filter(|(_, far)| *far > 1.5 * times) {
            assert!(by_second(near) < by_second(far), "{near} and {far}");
        }
    }
}

#[test]
fn a_glance_tells_real_digits_from_repeated_and_blurred_ones() {
    let (digits, labels) = digits();
    let glance = QuickFrechet::new(&digits).unwrap();
    let quick = |pictures: &Tensor| glance.quick(&pictures.narrow(0, 0, QuickFrechet::PICTURES));
    let real = quick(&digits);
    let blurred = quick(&Defect::Blur.pictures(&digits, &labels));
    let repeated = quick(&Defect::Repeated.pictures(&digits, &labels));
    assert!(
        real.frechet.abs() < 0.05 * blurred.frechet,
        "{real:?}\n{blurred:?}"
    );
    assert!((real.histogram.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(real.diversity > 0.9 && real.confidence > 0.98, "{real:?}");
    assert!(
        repeated.diversity < real.diversity - 0.1,
        "{repeated:?}\n{real:?}"
    );
    // The bias of fewer pictures is taken off.
    let few = glance.quick(&digits.narrow(0, 0, 1000));
    assert!(few.frechet.abs() < 0.05 * blurred.frechet, "{few:?}");
}
