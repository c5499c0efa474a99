//! Stories of runs, and the verdicts on them. The figures of the first two are from real runs of the presets.

use sparring_contract::protocol::Verdict;

use super::diagnosis::{Diagnosis, Diagnostician};
use super::measurements::Measurements;

/// A check of a run that does well.
fn check(seconds: f64, quick_distance: f64) -> Measurements {
    Measurements {
        seconds,
        quick_distance,
        good: 12.0,
        histogram: vec![0.1; 10],
        histogram_real: vec![0.1; 10],
        confidence: 0.9,
        diversity: 0.7,
        accuracy_real: 0.7,
        accuracy_fake: 0.7,
        saturated: 0.8,
        saturated_real: 0.8,
        copying: 1.0,
        gradient_norm: 2.0,
        fidelity: None,
    }
}

/// The diagnoses of checks every 20 seconds, each changed a little.
fn diagnoses(distances: &[f64], change: impl Fn(&mut Measurements)) -> Vec<Diagnosis> {
    let mut diagnostician = Diagnostician::default();
    (0_u32..)
        .zip(distances)
        .map(|(at, distance)| {
            let mut check = check(2.0 + 20.0 * f64::from(at), *distance);
            change(&mut check);
            diagnostician.diagnose(check)
        })
        .collect()
}

/// The word of each verdict; capitals where an alarm goes on.
fn words(diagnoses: &[Diagnosis]) -> Vec<String> {
    diagnoses
        .iter()
        .map(|found| match found.advice {
            Some(_) => found.verdict.word().to_uppercase(),
            None => found.verdict.word().to_owned(),
        })
        .collect()
}

/// The check in the units of data whose distances are so many times those of MNIST.
fn scaled(mut check: Measurements, scale: f64) -> Measurements {
    check.quick_distance *= scale;
    check.good *= scale;
    check
}

fn one_class(class: usize, share: f64) -> Vec<f64> {
    let mut histogram = vec![(1.0 - share) / 9.0; 10];
    histogram[class] = share;
    histogram
}

#[test]
fn verdicts_name_the_classes() {
    let names = ["bag", "coat\u{7}", "shoe"].map(str::to_owned).to_vec();
    let mut diagnostician = Diagnostician::new(names);
    let collapsed = || Measurements {
        histogram: vec![0.99, 0.005, 0.005],
        histogram_real: vec![1.0 / 3.0; 3],
        diversity: 0.01,
        ..check(0.0, 400.0)
    };
    // The first check raises no alarm, and an alarm takes two checks in a row.
    diagnostician.diagnose(collapsed());
    diagnostician.diagnose(collapsed());
    let found = diagnostician.diagnose(collapsed());
    assert_eq!(
        found.verdict,
        Verdict::Collapsing {
            missing: vec![1, 2]
        }
    );
    assert!(
        found
            .reason
            .contains(r"99% of the pictures are bag; coat\u{7}, shoe are gone"),
        "{}",
        found.reason
    );
    assert_eq!(found.words, format!("collapsing: {}", found.reason));
}

#[test]
fn a_run_that_gets_better_learns_and_later_settles() {
    let distances = [600.0, 404.0, 300.0, 229.0, 102.0, 64.0, 30.0, 14.0, 9.0];
    let found = diagnoses(&distances, |_| {});
    assert_eq!(words(&found)[0], "–");
    assert!(words(&found)[1..].iter().all(|word| word == "learning"));
    assert_eq!(
        found[7].words,
        "learning: quick distance 14.0, was 102.0 60 s ago"
    );
    let flat: Vec<_> = distances.into_iter().chain([9.1; 20]).collect();
    let found = diagnoses(&flat, |_| {});
    assert_eq!(words(&found)[12], "learning");
    assert_eq!(words(&found)[28], "settled");
    assert!(found.iter().all(|found| found.advice.is_none()));
}

#[test]
fn pictures_that_are_all_the_same_are_a_collapse_however_their_distance_falls() {
    let found = diagnoses(&[683.0, 620.0, 659.0, 622.0, 543.0], |check| {
        check.diversity = 0.01;
        check.histogram = one_class(8, 0.955);
    });
    assert_eq!(
        words(&found),
        ["–", "learning", "COLLAPSING", "collapsing", "collapsing"]
    );
    assert_eq!(
        found[2].words,
        "collapsing: 96% of the pictures are 8; 9 of 10 classes are gone; the pictures differ 1% as much as real ones"
    );
}

#[test]
fn missing_classes_are_named_once_the_run_stands_still() {
    let found = diagnoses(
        &[300.0, 40.0, 39.0, 40.0, 41.0, 39.0, 40.0, 40.0],
        |check| {
            check.histogram = vec![0.0, 0.86, 0.0, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02];
        },
    );
    assert_eq!(words(&found)[3], "learning");
    assert_eq!(words(&found)[6], "COLLAPSING");
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
    let strong =
        |check: &mut Measurements| (check.accuracy_fake, check.accuracy_real) = (1.0, 0.99);
    let better = [650.0, 576.0, 550.0, 514.0, 480.0, 450.0, 420.0, 390.0];
    let found = diagnoses(&better, strong);
    assert!(
        found.iter().all(|found| !found.verdict.is_alarm()),
        "{found:?}"
    );
    let worse = [650.0, 400.0, 398.0, 405.0, 399.0, 402.0, 400.0];
    let found = diagnoses(&worse, strong);
    assert_eq!(words(&found)[4], "–");
    assert_eq!(words(&found)[6], "D WINS");
    assert_eq!(
        found[6].words,
        "D wins: it knows 100% of the fakes, and the pictures have not got better for 80 s (quick distance 400.0)"
    );
    let good = [650.0, 100.0, 9.0, 8.9, 9.1, 8.8, 9.0, 9.0];
    let found = diagnoses(&good, strong);
    assert!(
        found.iter().all(|found| !found.verdict.is_alarm()),
        "{found:?}"
    );
}

#[test]
fn a_discriminator_that_is_fooled_while_the_pictures_are_bad_has_lost() {
    let found = diagnoses(&[650.0, 660.0, 655.0], |check| check.accuracy_fake = 0.05);
    assert_eq!(words(&found), ["–", "–", "G WINS"]);
    assert_eq!(
        found[2].words,
        "G wins: D takes 95% of the fakes for real, and the pictures do not get better (quick distance 655.0)"
    );
}

#[test]
fn a_run_that_falls_apart_diverges() {
    let found = diagnoses(&[300.0, 30.0, 20.0, 500.0, 510.0], |_| {});
    assert_eq!(words(&found)[3..], ["–", "DIVERGING"]);
    assert_eq!(
        found[4].words,
        "diverging: quick distance 510.0, was 20.0 at its best"
    );
    let found = diagnoses(&[300.0, 280.0], |check| check.gradient_norm = 3e6);
    assert_eq!(found[1].words, "diverging: a gradient has a norm of 3.0e6");
}

#[test]
fn copies_are_an_alarm_even_when_they_are_good() {
    let found = diagnoses(&[20.0, 5.0, 2.0], |check| check.copying = 0.2);
    assert_eq!(words(&found)[1], "MEMORISING");
    // One picture again and again may be near to an image.
    let found = diagnoses(&[20.0, 5.0, 2.0], |check| {
        (check.copying, check.diversity) = (0.2, 0.3);
    });
    assert!(found.iter().all(|found| found.advice.is_none()));
}

#[test]
fn an_alarm_goes_on_with_the_second_bad_check_and_off_with_the_second_good_one_and_can_come_again()
{
    let mut diagnostician = Diagnostician::default();
    let words: Vec<_> = (0_u32..)
        .zip([
            false, true, false, true, true, false, true, false, false, true, true,
        ])
        .map(|(at, is_bad)| {
            let mut check = check(20.0 * f64::from(at), 60.0 - 5.0 * f64::from(at));
            if is_bad {
                check.diversity = 0.01;
            }
            words(&[diagnostician.diagnose(check)]).remove(0)
        })
        .collect();
    let [l, c, new] = ["learning", "collapsing", "COLLAPSING"];
    assert_eq!(words, ["–", l, l, l, new, c, c, c, l, l, new]);
}

#[test]
fn verdicts_are_the_same_in_the_units_of_any_data() {
    let stories: [&[f64]; 4] = [
        &[600.0, 404.0, 229.0, 102.0, 30.0, 9.0, 9.1, 9.0, 9.2, 9.0],
        &[650.0, 400.0, 398.0, 405.0, 399.0, 402.0, 400.0],
        &[300.0, 30.0, 20.0, 500.0, 510.0],
        // A moment of weakness in a good run.
        &[300.0, 20.0, 1.0, 90.0, 1.0, 95.0, 95.0],
    ];
    let changes: [fn(&mut Measurements); 3] = [
        |_| {},
        |check| (check.accuracy_fake, check.accuracy_real) = (1.0, 0.99),
        |check| check.histogram = one_class(3, 0.7),
    ];
    for (distances, change) in stories
        .into_iter()
        .flat_map(|story| changes.map(|change| (story, change)))
    {
        let [ours, small, large] = [1.0, 0.003, 800.0].map(|scale| {
            let mut diagnostician = Diagnostician::default();
            let found: Vec<_> = (0_u32..)
                .zip(distances)
                .map(|(at, distance)| {
                    let mut check = check(2.0 + 20.0 * f64::from(at), *distance);
                    change(&mut check);
                    diagnostician.diagnose(scaled(check, scale))
                })
                .collect();
            words(&found)
        });
        assert_eq!(small, ours, "{distances:?}");
        assert_eq!(large, ours, "{distances:?}");
    }
}

/// The words on a run that stands still with these shares of classes, beside those of real images.
fn standing_still(histogram: &[f64], real: &[f64]) -> Vec<String> {
    let found = diagnoses(&[40.0; 6], |check| {
        check.histogram = histogram.to_vec();
        check.histogram_real = real.to_vec();
    });
    words(&found)
}

#[test]
fn with_two_classes_half_is_normal_and_nearly_all_is_not() {
    let even = [0.5, 0.5];
    for fine in [[0.5, 0.5], [0.65, 0.35]] {
        assert!(!standing_still(&fine, &even).contains(&"COLLAPSING".to_owned()));
    }
    assert!(standing_still(&[0.8, 0.2], &even).contains(&"COLLAPSING".to_owned()));
    // Where nine of ten real images are of one class, so may be the pictures.
    let uneven = [0.9, 0.1];
    assert!(!standing_still(&[0.93, 0.07], &uneven).contains(&"COLLAPSING".to_owned()));
    assert!(standing_still(&[1.0, 0.0], &uneven).contains(&"COLLAPSING".to_owned()));
    let one = [1.0];
    assert!(!standing_still(&one, &one).contains(&"COLLAPSING".to_owned()));
}

#[test]
fn of_many_classes_some_may_be_missing_but_not_a_large_part() {
    let real = [0.01; 100];
    let without = |gone: usize| -> Vec<f64> {
        let rest = 1.0 / (100 - gone) as f64;
        (0..100)
            .map(|class| if class < gone { 0.0 } else { rest })
            .collect()
    };
    assert!(!standing_still(&without(5), &real).contains(&"COLLAPSING".to_owned()));
    assert!(standing_still(&without(20), &real).contains(&"COLLAPSING".to_owned()));
    // Of classes that have hardly a picture each, none can be told to be missing.
    let tiny = [0.001; 1000];
    let half: Vec<_> = (0..1000)
        .map(|class| f64::from(class % 2) * 0.002)
        .collect();
    assert!(!standing_still(&half, &tiny).contains(&"COLLAPSING".to_owned()));
}

#[test]
fn without_labels_a_run_is_diagnosed_by_its_distance() {
    let unlabelled = |check: &mut Measurements| {
        (check.good, check.confidence) = (5.0, f64::NAN);
        (check.histogram, check.histogram_real) = (Vec::new(), Vec::new());
    };
    let found = diagnoses(&[100.0, 60.0, 30.0, 12.0, 4.0, 4.1], unlabelled);
    assert_eq!(words(&found)[1..], ["learning"; 5]);
    let found = diagnoses(&[70.0, 60.0, 9.0, 90.0, 95.0], unlabelled);
    assert_eq!(words(&found)[3..], ["–", "DIVERGING"]);
    let found = diagnoses(&[100.0, 60.0, 61.0, 60.0, 62.0, 61.0, 60.0], |check| {
        unlabelled(check);
        check.diversity = 0.1;
    });
    assert_eq!(
        found.last().unwrap().words,
        "collapsing: the pictures differ 10% as much as real ones"
    );
}

#[test]
fn without_a_distance_a_verdict_needs_only_what_was_measured() {
    let found = diagnoses(&[f64::NAN; 8], |check| {
        (check.good, check.histogram) = (f64::NAN, Vec::new());
    });
    assert!(words(&found).iter().all(|word| word == "–"), "{found:?}");
    assert_eq!(
        found[3].words,
        "the pictures differ 70% as much as real ones; D knows 70% of real images and 70% of fakes"
    );
    let found = diagnoses(&[f64::NAN; 3], |check| {
        (check.diversity, check.histogram) = (0.0, Vec::new());
    });
    assert_eq!(
        found[2].words,
        "collapsing: the pictures differ 0% as much as real ones"
    );
    let found = diagnoses(&[f64::NAN; 8], |check| {
        (check.accuracy_fake, check.accuracy_real) = (1.0, 1.0);
        check.histogram = Vec::new();
    });
    assert_eq!(
        found[7].words,
        "D wins: it knows 100% of the fakes; the pictures differ 70% as much as real ones"
    );
}
