//! What evaluation sees: real pictures and real pictures with a known defect, of MNIST by its judges, of a small data
//! set in colour by a judge of its own, and of pictures without labels.

#![allow(clippy::unwrap_used, clippy::print_stderr)] // a test may fail loudly

use sparring_contract::judges::JudgeFolder;
use sparring_contract::protocol::{FeatureKind, Figures};
use sparring_engine::eval::{
    Defect, EvalError, Evaluator, Judge, JudgeError, Part, QuickFrechet, RealData, judges,
};
use sparring_engine::seed::{Stream, derive};
use tch::{Device, Kind, Tensor};

/// Leaves the other cores to the other tests. libtorch's threads wait for each other after every operation: beside busy
/// ones two of them are many times as slow as one.
fn on_one_thread() {
    tch::set_num_threads(1);
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
    on_one_thread();
    let data = RealData::mnist().unwrap();
    let [_, labels] = data.labels().unwrap();
    let judges = [Judge::mnist().unwrap(), Judge::mnist_second().unwrap()];
    for judge in &judges {
        let accuracy = judge.classifier().accuracy(&data.held_out.pictures, labels);
        assert!(accuracy >= 0.992, "{accuracy}");
        assert!((accuracy - judge.record().accuracy).abs() < 5e-4);
    }
    assert_ne!(judges[0].record().seed, judges[1].record().seed);
}

#[test]
fn every_defect_is_caught_and_real_digits_are_not() {
    on_one_thread();
    let data = RealData::mnist().unwrap();
    let first = data.training.narrow(0, 10_000).pictures;
    let others = data.training.narrow(10_000, 10_000).pictures;
    let evaluator = Evaluator::new(data, Some(Judge::mnist().unwrap()), &mut |_| {}).unwrap();
    let real = evaluator.figures(&first);
    let floors = [real.frechet.unwrap(), evaluator.second(&first).unwrap()];
    // The floor in a judge's file is what it still measures.
    let judges = [Judge::mnist().unwrap(), Judge::mnist_second().unwrap()];
    for (judge, floor) in judges.iter().zip(floors) {
        let stored = judge.record().floor.frechet.unwrap();
        assert!((stored / floor - 1.0).abs() < 0.01, "{stored}, not {floor}");
    }
    let others = evaluator.figures(&others);
    assert!(caught(&others, &real).is_empty(), "{others:?}\n{real:?}");

    // A defect, the figure that is there for it, and its least Fréchet distance in floors, where that was promised.
    let expected = [
        (Defect::OnePixelShift, "frechet", 5.0),
        (Defect::MissingClass, "classes", 12.0),
        (Defect::Blur, "frechet", 20.0),
        (Defect::ClassGaussians, "frechet", 100.0),
        (Defect::Threshold, "fine", 1.0),
        (Defect::Noise, "fine", 1.0),
        (Defect::Repeated, "recall", 1.0),
    ];
    for (defect, by, at_least) in expected {
        let name = defect.name();
        let pictures = defect.pictures(evaluator.data());
        let found = evaluator.figures(&pictures);
        let all = caught(&found, &real);
        assert!(all.contains(&by), "{name} is caught by {all:?} only");

        let distances = [found.frechet.unwrap(), evaluator.second(&pictures).unwrap()];
        for ((distance, floor), judge) in distances.into_iter().zip(floors).zip(&judges) {
            assert!(distance / floor >= at_least, "{name}: {}", distance / floor);
            // So are the controls.
            let controls = &judge.record().controls;
            let stored = controls
                .iter()
                .find(|control| control.name == name)
                .unwrap();
            let ratio = distance / stored.figures.frechet.unwrap();
            assert!((ratio - 1.0).abs() < 0.01, "{name}: {ratio}");
        }
    }
}

#[test]
fn both_judges_rank_the_controls_alike() {
    let readings = |judge: Judge| -> Vec<(String, f64)> {
        let controls = &judge.record().controls;
        controls
            .iter()
            .map(|control| {
                let times = control.figures.frechet.unwrap() / control.floor;
                (control.name.clone(), times)
            })
            .collect()
    };
    let first = readings(Judge::mnist().unwrap());
    let second = readings(Judge::mnist_second().unwrap());
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
fn a_quick_comparison_tells_real_digits_from_repeated_and_blurred_ones() {
    on_one_thread();
    let data = RealData::mnist().unwrap();
    let digits = &data.training.pictures;
    let judge = Judge::mnist().unwrap();
    let quick = QuickFrechet::new(digits, Some(judge)).unwrap();
    assert_eq!(quick.features(), FeatureKind::Judge);
    let measure = |pictures: &Tensor| quick.measure(&pictures.narrow(0, 0, QuickFrechet::PICTURES));
    let real = measure(digits);
    let blurred = measure(&Defect::Blur.pictures(&data));
    assert!(
        real.frechet.abs() < 0.05 * blurred.frechet,
        "{real:?}\n{blurred:?}"
    );
    assert!((real.histogram.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(real.confidence > 0.98, "{real:?}");
    // The bias of fewer pictures is subtracted.
    let few = quick.measure(&digits.narrow(0, 0, 1000));
    assert!(few.frechet.abs() < 0.05 * blurred.frechet, "{few:?}");
    assert!((11.5..12.5).contains(&quick.good()), "{}", quick.good());
    let shares = quick.class_shares();
    assert!(
        shares.len() == 10 && shares.iter().all(|share| (0.08..0.12).contains(share)),
        "{shares:?}"
    );
}

/// Random numbers between 0 and 1. Those of libtorch come from one generator for the process, which the tests beside
/// this one use as well.
fn random(shape: &[i64], seed: u64) -> Tensor {
    let draw = |place| (derive(seed, Stream::Fixed, place) >> 40) as f32 / (1 << 24) as f32;
    let length = shape.iter().product::<i64>().cast_unsigned();
    let numbers: Vec<f32> = (0..length).map(draw).collect();
    Tensor::from_slice(&numbers).view(shape)
}

/// Pictures `[count, 3, 12, 12]` of three classes: a disc of red, green or blue somewhere, on grey noise.
fn discs(count: i64, seed: u64) -> Part {
    let labels = Tensor::arange(count, (Kind::Int64, Device::Cpu)).remainder(3);
    let place = |axis| random(&[count, 1, 1, 1], 10 * seed + axis) * 5.0 + 3.5;
    let axis = Tensor::arange(12, (Kind::Float, Device::Cpu));
    let down = (axis.view([1, 1, 12, 1]) - place(1)).square();
    let across = (axis.view([1, 1, 1, 12]) - place(2)).square();
    let disc = (down + across).lt(9.0).to_kind(Kind::Float);
    let colour = labels
        .one_hot(3)
        .view([count, 3, 1, 1])
        .to_kind(Kind::Float);
    let noise = random(&[count, 3, 12, 12], 10 * seed + 3) * 60.0;
    Part {
        pictures: (noise + disc * colour * 180.0).to_kind(Kind::Uint8),
        labels: Some(labels),
    }
}

fn data(
    name: &str,
    training: Part,
    test: Option<Part>,
    class_names: Vec<String>,
) -> Result<RealData, EvalError> {
    let test = test.map(|test| (test, "test pictures"));
    RealData::new(
        name.to_owned(),
        format!("{name}0"),
        training,
        test,
        class_names,
    )
}

fn disc_data(training: i64, held_out: i64) -> RealData {
    let (training, test) = (discs(training, 1), discs(held_out, 2));
    let names = ["red", "green", "blue"].map(str::to_owned).to_vec();
    data("discs", training, Some(test), names).unwrap()
}

#[test]
fn a_judge_of_colour_pictures_is_trained_stored_found_and_used() {
    on_one_thread();
    let data = disc_data(400, 200);
    let mut told = Vec::new();
    let mut progress = |_: &str, done, total| told.push((done, total));
    let judge = Judge::train(&data, 1, &mut progress).unwrap();
    let record = judge.record();
    assert!(record.accuracy > 0.95, "{}", record.accuracy);
    assert_eq!(record.class_names, ["red", "green", "blue"]);
    assert!(told.is_sorted() && told.iter().all(|(done, total)| done < total));
    let controls: Vec<_> = record
        .controls
        .iter()
        .map(|control| control.words.as_str())
        .collect();
    assert!(
        controls.contains(&"real pictures without class blue"),
        "{controls:?}"
    );
    assert!(
        controls.contains(&"20 real pictures, each 20 times"),
        "{controls:?}"
    );

    let home = tempfile::tempdir().unwrap();
    let folder = JudgeFolder::at(home.path().join("judges"));
    assert!(
        judges::find_in(&folder, &data.fingerprint)
            .unwrap()
            .is_none()
    );
    let path = judges::store(&folder, &judge).unwrap();
    let found = judges::find_in(&folder, &data.fingerprint)
        .unwrap()
        .unwrap();
    assert_eq!(found.record().class_names, record.class_names);
    assert!((found.record().bias / record.bias - 1.0).abs() < 1e-12);
    let listed = folder.list().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].record.as_ref().unwrap(), found.record());

    let evaluator = Evaluator::new(data, Some(found), &mut |_| {}).unwrap();
    let fresh = discs(400, 3);
    let asked = fresh.labels.as_ref();
    let report = evaluator
        .measure(&fresh.pictures, asked, &mut |_| {})
        .unwrap();
    assert_eq!(report.features, FeatureKind::Judge);
    assert_eq!(report.against, "200 test pictures");
    assert!(report.found.label_agreement.unwrap() > 0.95, "{report:?}");
    assert!(report.found.accuracy_score.unwrap() > 0.9, "{report:?}");
    assert!(report.found.class_variation.unwrap() < 0.05, "{report:?}");
    assert!(report.found.frechet.unwrap() < 2.0 * report.floor.frechet.unwrap());
    let reds = fresh
        .pictures
        .index_select(0, &asked.unwrap().eq(0).nonzero().view([-1]));
    let reds = reds.repeat([3, 1, 1, 1]);
    let report = evaluator.measure(&reds, None, &mut |_| {}).unwrap();
    assert!(report.found.class_variation.unwrap() > 0.6, "{report:?}");
    assert!(report.found.label_agreement.is_none());
    assert!(report.found.frechet.unwrap() > 5.0 * report.floor.frechet.unwrap());

    // A file that was cut short, or is another data set's, is an error that names it.
    std::fs::copy(&path, folder.file("other")).unwrap();
    let error = judges::find_in(&folder, "other").unwrap_err().to_string();
    assert!(
        error.contains("other.safetensors cannot be used: it is of another build"),
        "{error}"
    );
    let bytes = std::fs::read(&path).unwrap();
    for length in [0, 7, 100, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let error = judges::find_in(&folder, evaluator.data().fingerprint.as_str()).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("cannot be used: it is damaged") && error.lines().count() == 1,
            "{error}"
        );
    }
}

#[test]
fn generated_pictures_help_a_classifier_of_few_real_ones_and_wrong_ones_do_not() {
    on_one_thread();
    let evaluator = Evaluator::new(disc_data(60, 200), None, &mut |_| {}).unwrap();
    let fresh = discs(120, 3);
    let asked = fresh.labels.as_ref().unwrap();
    let gain = |asked: &Tensor| {
        let found = evaluator.augmentation(&fresh.pictures, asked, &mut |_| {});
        found.unwrap().unwrap()
    };
    let right = gain(asked);
    assert!(right.with_generated > 0.95, "{right:?}");
    assert_eq!(right.gain, right.with_generated - right.real);
    let wrong = gain(&(asked + 1).remainder(3));
    assert!(wrong.gain < right.gain - 0.05, "{wrong:?}\n{right:?}");
    assert_eq!(wrong.real, right.real);
}

#[test]
fn pictures_without_labels_are_compared_in_features_that_need_none() {
    on_one_thread();
    let unlabelled = |part: Part| Part {
        labels: None,
        ..part
    };
    let parts = [discs(400, 1), discs(200, 2)].map(unlabelled);
    let [training, test] = parts;
    let data = data("discs", training, Some(test), Vec::new()).unwrap();
    assert!(matches!(
        Judge::train(&data, 1, &mut |_, _, _| {}),
        Err(EvalError::Judge(JudgeError::Unlabelled))
    ));
    let quick = QuickFrechet::new(&data.training.pictures, None).unwrap();
    let evaluator = Evaluator::new(data, None, &mut |_| {}).unwrap();
    let report = |pictures: &Tensor| evaluator.measure(pictures, None, &mut |_| {}).unwrap();
    let real = report(&discs(400, 3).pictures);
    assert_eq!(real.features, FeatureKind::Unlabelled);
    let times = real.found.frechet.unwrap() / real.floor.frechet.unwrap();
    assert!(times < 1.3, "{times}");
    assert!(real.found.classes.is_none() && real.left_out.as_ref().unwrap().contains("labels"));
    assert_eq!(real.controls.len(), Defect::ALL.len() - 2);
    assert!(
        (0.9..1.1).contains(&real.found.nearest.unwrap()),
        "{real:?}"
    );

    let blurred = Defect::Blur.pictures(evaluator.data());
    let repeated = Defect::Repeated.pictures(evaluator.data());
    let blur = report(&blurred).found.frechet.unwrap() / real.floor.frechet.unwrap();
    assert!(blur > 3.0, "{blur}");
    let repetition = report(&repeated).found;
    assert!(repetition.coverage.unwrap() < real.found.coverage.unwrap() - 0.2);
    assert_eq!(repetition.nearest, Some(0.0));

    let [real, blurred] = [&discs(400, 3).pictures, &blurred].map(|some| quick.measure(some));
    // Of so few pictures the bias is known only roughly, but good ones and blurred ones are told apart.
    assert!(
        real.frechet < quick.good() && blurred.frechet > 1.5 * quick.good(),
        "{blurred:?}\n{real:?}\n{}",
        quick.good()
    );
    assert!(real.histogram.is_empty() && real.confidence.is_nan());
    assert_eq!(quick.features(), FeatureKind::Unlabelled);
}

#[test]
fn a_hundred_real_pictures_are_enough_and_a_handful_is_refused() {
    on_one_thread();
    let few = |count| {
        let all = discs(count, 1);
        data("few", all, None, Vec::new())
    };
    let evaluator = Evaluator::new(few(100).unwrap(), None, &mut |_| {}).unwrap();
    // Many pictures are compared in groups as large as the real ones.
    let report = evaluator
        .measure(&discs(2000, 3).pictures, None, &mut |_| {})
        .unwrap();
    let times = report.found.frechet.unwrap() / report.floor.frechet.unwrap();
    assert!((0.5..2.0).contains(&times), "{times}");
    assert_eq!(
        report.against,
        "50 of the training pictures, in the absence of 100 test pictures"
    );
    assert!(report.left_out.unwrap().contains("1000 real pictures"));
    let too_few = evaluator
        .measure(&discs(49, 3).pictures, None, &mut |_| {})
        .unwrap_err();
    assert_eq!(
        too_few.to_string(),
        "49 pictures are too few to be judged: at least 50 are needed"
    );
    assert!(matches!(
        few(30),
        Err(EvalError::TooFewReal { found: 15, .. })
    ));
    assert!(QuickFrechet::new(&discs(39, 1).pictures, None).is_none());
    let quick = QuickFrechet::new(&discs(100, 1).pictures, None).unwrap();
    // What cannot be told from real pictures is good, or nearly: a hundred pictures can be an unlucky choice.
    let fresh = quick.measure(&discs(2000, 3).pictures).frechet;
    assert!(fresh < 2.0 * quick.good(), "{fresh}, {}", quick.good());
}

#[test]
fn pictures_that_are_all_alike_give_figures_or_none_but_no_panic() {
    on_one_thread();
    let pictures = Tensor::full([80, 1, 28, 28], 7, (Kind::Uint8, Device::Cpu));
    let labels = Some(Tensor::zeros([80], (Kind::Int64, Device::Cpu)));
    let part = Part {
        pictures: pictures.shallow_clone(),
        labels,
    };
    let data = data("alike", part, None, vec!["one".to_owned()]).unwrap();
    assert!(matches!(
        Judge::train(&data, 1, &mut |_, _, _| {}),
        Err(EvalError::Judge(JudgeError::OneClass))
    ));
    let evaluator = Evaluator::new(data, None, &mut |_| {}).unwrap();
    let report = evaluator.measure(&pictures, None, &mut |_| {}).unwrap();
    assert_eq!(report.found.nearest, None);
    assert!(
        report
            .left_out
            .unwrap()
            .contains("nearest training picture")
    );
    assert!(QuickFrechet::new(&pictures, None).is_some());
}
