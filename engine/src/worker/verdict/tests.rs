//! Stories of runs, and the verdicts on them. The figures of the first two are those of real runs of the presets.

use sparring_contract::protocol::Verdict;

use super::{Doctor, Finding, Look};

/// A look at a run that does well.
fn look(seconds: f64, quick_distance: f64) -> Look {
    Look {
        seconds,
        quick_distance,
        histogram: vec![0.1; 10],
        diversity: 0.7,
        accuracy_real: 0.7,
        accuracy_fake: 0.7,
        copying: 1.0,
        gradient: 2.0,
    }
}

/// Looks every 20 seconds, each changed a little.
fn looks(distances: &[f64], change: impl Fn(&mut Look)) -> Vec<Finding> {
    let mut doctor = Doctor::default();
    (0_u32..)
        .zip(distances)
        .map(|(at, distance)| {
            let mut look = look(2.0 + 20.0 * f64::from(at), *distance);
            change(&mut look);
            doctor.hear(look)
        })
        .collect()
}

/// Verdicts by their words, an alarm that is told in capitals.
fn told(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|found| match found.advice {
            Some(_) => found.verdict.word().to_uppercase(),
            None => found.verdict.word().to_owned(),
        })
        .collect()
}

fn one_class(class: usize, share: f64) -> Vec<f64> {
    let mut histogram = vec![(1.0 - share) / 9.0; 10];
    histogram[class] = share;
    histogram
}

#[test]
fn classes_are_called_by_their_names() {
    let names = ["bag", "coat\u{7}", "shoe"].map(str::to_owned).to_vec();
    let mut doctor = Doctor::knowing(names);
    let collapsed = || Look {
        histogram: vec![0.99, 0.005, 0.005],
        diversity: 0.01,
        ..look(0.0, 400.0)
    };
    // An alarm takes two looks in a row, and says nothing about the first.
    doctor.hear(collapsed());
    doctor.hear(collapsed());
    let found = doctor.hear(collapsed());
    assert_eq!(
        found.verdict,
        Verdict::Collapsing {
            missing: vec![1, 2]
        }
    );
    assert!(
        found
            .reason
            .contains("99% of the pictures are bag; coat , shoe are gone"),
        "{}",
        found.reason
    );
    assert_eq!(found.words, format!("collapsing: {}", found.reason));
}

#[test]
fn a_run_that_gets_better_learns_and_later_settles() {
    let distances = [600.0, 404.0, 300.0, 229.0, 102.0, 64.0, 30.0, 14.0, 9.0];
    let found = looks(&distances, |_| {});
    assert_eq!(told(&found)[0], "–");
    assert!(told(&found)[1..].iter().all(|word| word == "learning"));
    assert_eq!(
        found[7].words,
        "learning: quick distance 14.0, was 102.0 60 s ago"
    );
    let flat: Vec<_> = distances.into_iter().chain([9.1; 20]).collect();
    let found = looks(&flat, |_| {});
    assert_eq!(told(&found)[12], "learning");
    assert_eq!(told(&found)[28], "settled");
    assert!(found.iter().all(|found| found.advice.is_none()));
}

#[test]
fn pictures_that_are_all_the_same_are_a_collapse_however_their_distance_falls() {
    let found = looks(&[683.0, 620.0, 659.0, 622.0, 543.0], |look| {
        look.diversity = 0.01;
        look.histogram = one_class(8, 0.955);
    });
    assert_eq!(
        told(&found),
        ["–", "learning", "COLLAPSING", "collapsing", "collapsing"]
    );
    assert_eq!(
        found[2].words,
        "collapsing: 96% of the pictures are 8; 9 of 10 classes are gone; the pictures differ 1% as much as real ones"
    );
}

#[test]
fn missing_classes_are_named_once_the_run_stands_still() {
    let found = looks(&[300.0, 40.0, 39.0, 40.0, 41.0, 39.0, 40.0, 40.0], |look| {
        look.histogram = vec![0.0, 0.86, 0.0, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02];
    });
    assert_eq!(told(&found)[3], "learning");
    assert_eq!(told(&found)[6], "COLLAPSING");
    assert_eq!(
        found[6].verdict,
        Verdict::Collapsing {
            missing: vec![0, 2]
        }
    );
    assert!(
        found[6]
            .words
            .starts_with("collapsing: 86% of the pictures are 1; 0, 2 are gone; "),
        "{}",
        found[6].words
    );
}

#[test]
fn a_strong_discriminator_is_no_alarm_while_the_pictures_get_better() {
    let strong = |look: &mut Look| (look.accuracy_fake, look.accuracy_real) = (1.0, 0.99);
    let better = [650.0, 576.0, 550.0, 514.0, 480.0, 450.0, 420.0, 390.0];
    let found = looks(&better, strong);
    assert!(
        found.iter().all(|found| !found.verdict.is_alarm()),
        "{found:?}"
    );
    let worse = [650.0, 400.0, 398.0, 405.0, 399.0, 402.0, 400.0];
    let found = looks(&worse, strong);
    assert_eq!(told(&found)[4], "–");
    assert_eq!(told(&found)[6], "D WINS");
    assert_eq!(
        found[6].words,
        "D wins: it knows 100% of the fakes, and the pictures have not got better for 80 s (quick distance 400.0)"
    );
    let good = [650.0, 100.0, 9.0, 8.9, 9.1, 8.8, 9.0, 9.0];
    let found = looks(&good, strong);
    assert!(
        found.iter().all(|found| !found.verdict.is_alarm()),
        "{found:?}"
    );
}

#[test]
fn a_discriminator_that_is_fooled_while_the_pictures_are_bad_has_lost() {
    let found = looks(&[650.0, 660.0, 655.0], |look| look.accuracy_fake = 0.05);
    assert_eq!(told(&found), ["–", "–", "G WINS"]);
    assert_eq!(
        found[2].words,
        "G wins: D takes 95% of the fakes for real, and the pictures do not get better (quick distance 655.0)"
    );
}

#[test]
fn a_run_that_falls_apart_diverges() {
    let found = looks(&[300.0, 30.0, 20.0, 500.0, 510.0], |_| {});
    assert_eq!(told(&found)[3..], ["–", "DIVERGING"]);
    assert_eq!(
        found[4].words,
        "diverging: quick distance 510.0, was 20.0 at its best"
    );
    let found = looks(&[300.0, 280.0], |look| look.gradient = 3e6);
    assert_eq!(found[1].words, "diverging: a gradient has a norm of 3.0e6");
}

#[test]
fn copies_are_an_alarm_even_when_they_are_good() {
    let found = looks(&[20.0, 5.0, 2.0], |look| look.copying = 0.2);
    assert_eq!(told(&found)[1], "MEMORISING");
    // One picture again and again may be near to an image.
    let found = looks(&[20.0, 5.0, 2.0], |look| {
        (look.copying, look.diversity) = (0.2, 0.3);
    });
    assert!(found.iter().all(|found| found.advice.is_none()));
}

#[test]
fn an_alarm_comes_with_the_second_look_and_goes_with_the_second_and_is_told_again_then() {
    let mut doctor = Doctor::default();
    let words: Vec<_> = (0_u32..)
        .zip([
            false, true, false, true, true, false, true, false, false, true, true,
        ])
        .map(|(at, is_bad)| {
            let mut look = look(20.0 * f64::from(at), 60.0 - 5.0 * f64::from(at));
            if is_bad {
                look.diversity = 0.01;
            }
            told(&[doctor.hear(look)]).remove(0)
        })
        .collect();
    let [l, c, told] = ["learning", "collapsing", "COLLAPSING"];
    assert_eq!(words, ["–", l, l, l, told, c, c, c, l, l, told]);
}

#[test]
fn without_a_judge_only_what_can_be_told_is_told() {
    let found = looks(&[f64::NAN; 8], |look| look.histogram = Vec::new());
    assert!(told(&found).iter().all(|word| word == "–"), "{found:?}");
    assert_eq!(
        found[3].words,
        "the pictures differ 70% as much as real ones; D knows 70% of real images and 70% of fakes"
    );
    let found = looks(&[f64::NAN; 3], |look| {
        (look.diversity, look.histogram) = (0.0, Vec::new());
    });
    assert_eq!(
        found[2].words,
        "collapsing: the pictures differ 0% as much as real ones"
    );
    let found = looks(&[f64::NAN; 8], |look| {
        (look.accuracy_fake, look.accuracy_real) = (1.0, 1.0);
        look.histogram = Vec::new();
    });
    assert_eq!(
        found[7].words,
        "D wins: it knows 100% of the fakes; the pictures differ 70% as much as real ones"
    );
}
