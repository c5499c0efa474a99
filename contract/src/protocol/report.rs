//! How good pictures are: the figures of `sparring eval`.

use serde::{Deserialize, Serialize};

/// How good some pictures are, with the figures of real ones and of known defects to compare.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// How many pictures were evaluated.
    pub pictures: u64,
    /// The real pictures that they were compared with, in words.
    pub against: String,
    /// What the pictures are called: `digits` for MNIST, else `pictures`.
    pub noun: String,
    /// What gave the features of the Fréchet distance, recall and coverage.
    pub features: FeatureKind,
    /// Names of the classes, in the order of [`Figures::classes`]; empty if the data has no labels.
    pub class_names: Vec<String>,
    /// The figures of the pictures.
    pub found: Figures,
    /// The figures of as many real training pictures: no generator does better without copying.
    pub floor: Figures,
    /// The distance by the second judge, where there is one.
    pub second: Option<Second>,
    /// Known defects, from the least to the greatest Fréchet distance.
    pub controls: Vec<Control>,
    /// What generated pictures add to few real ones, if that was asked for.
    #[serde(default)]
    pub augmentation: Option<Augmentation>,
    /// Which figures are missing, and why.
    pub left_out: Option<String>,
}

/// What turns pictures into features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureKind {
    /// A classifier of the data's own classes.
    Judge,
    /// Filters that need no labels, of data without a judge.
    Unlabelled,
}

/// The Fréchet distance by another judge, trained with another seed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Of the pictures.
    pub found: f64,
    /// Of as many real training pictures.
    pub floor: f64,
}

/// The gain from augmentation: accuracy of a small classifier on the held-out pictures, after training on a few real
/// pictures alone and on the same with generated ones added, for the same number of steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Augmentation {
    /// Real pictures of each class, at most.
    pub per_class: u64,
    /// Accuracy after real pictures alone, 0 to 1.
    pub real: f64,
    /// Accuracy after real and generated pictures, 0 to 1.
    pub with_generated: f64,
    /// The difference: above 0 where generated pictures help.
    pub gain: f64,
}

/// Figures of some pictures; those that were not measured are missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Squared Fréchet distance to the real pictures in the features, at least 0.
    pub frechet: Option<f64>,
    /// Squared Fréchet distance in the principal components 201 to 500 of the pixels, at least 0.
    pub fine: Option<f64>,
    /// Share of real pictures that lie within the neighbourhood of an evaluated one, 0 to 1.
    pub recall: Option<f64>,
    /// Share of real pictures with an evaluated one in their own neighbourhood, 0 to 1.
    pub coverage: Option<f64>,
    /// Total variation between the class shares of the pictures and of real ones, 0 to 1.
    pub class_variation: Option<f64>,
    /// Predicted class distribution: a share for each class.
    pub classes: Option<Vec<f64>>,
    /// Mean distance to the nearest training picture, over that of held-out ones; 0 for copies.
    pub nearest: Option<f64>,
    /// Mean probability of the predicted class, 1/classes to 1.
    pub confidence: Option<f64>,
    /// Share of the pictures whose predicted class is the one asked for, 0 to 1; of conditional models.
    pub label_agreement: Option<f64>,
    /// Accuracy on real pictures of a classifier trained on the pictures and the classes asked for, 0 to 1; of
    /// conditional models.
    pub accuracy_score: Option<f64>,
}

/// Real pictures with a known defect, and their figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// A name for programs, such as `one_pixel_shift`.
    pub name: String,
    /// What they are, in words: «real digits shifted by one pixel».
    pub words: String,
    /// Their figures.
    pub figures: Figures,
    /// Fréchet distance of as many real training pictures.
    pub floor: f64,
}

impl Report {
    /// How far the pictures are from real ones, told by the control with the nearest Fréchet distance: «≈ as far as real
    /// digits shifted by one pixel». `None` without a distance.
    pub fn in_words(&self) -> Option<String> {
        /// Up to this multiple of the floor, pictures cannot be told from real ones.
        const REAL: f64 = 1.3;
        /// A control is named alone if the ratio to its distance is at most this.
        const ALIKE: f64 = 1.25;

        let floor = self.floor.frechet?;
        let found = self.found.frechet? / floor;
        if found <= REAL {
            return Some(format!("≈ real {}", self.noun));
        }
        // Distances are compared above the floor, because fewer pictures have a higher floor.
        let excess = (found - 1.0) * floor;
        let readings: Vec<_> = self
            .controls
            .iter()
            .filter_map(|control| {
                let excess = control.figures.frechet? - control.floor;
                (excess > 0.0).then_some((excess, control.words.as_str()))
            })
            .collect();
        let below = readings.iter().rfind(|(reading, _)| *reading <= excess);
        let above = readings.iter().find(|(reading, _)| *reading > excess);
        let near = [below, above]
            .into_iter()
            .flatten()
            .map(|(reading, words)| ((excess / reading).max(reading / excess), words))
            .min_by(|a, b| a.0.total_cmp(&b.0))?;
        Some(match (near, below, above) {
            ((ratio, words), ..) if ratio <= ALIKE => format!("≈ as far as {words}"),
            (_, Some((_, below)), Some((_, above))) => {
                format!("further than {below}, nearer than {above}")
            }
            (_, Some((_, below)), None) => format!("further than {below}"),
            (_, None, Some((_, above))) => format!("nearer than {above}"),
            (_, None, None) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(frechet: f64) -> Figures {
        Figures {
            frechet: Some(frechet),
            ..Figures::default()
        }
    }

    /// A report over a floor of 1, with controls at 5 and 20.
    fn report(found: f64) -> Report {
        let control = |words: &str, frechet| Control {
            name: String::new(),
            words: words.to_owned(),
            figures: reading(frechet),
            floor: 1.0,
        };
        Report {
            pictures: 10_000,
            against: String::new(),
            noun: "digits".to_owned(),
            features: FeatureKind::Judge,
            class_names: Vec::new(),
            found: reading(found),
            floor: reading(1.0),
            second: None,
            controls: vec![
                control("shifted digits", 5.0),
                control("blurred digits", 20.0),
            ],
            augmentation: None,
            left_out: None,
        }
    }

    #[test]
    fn a_distance_is_told_by_what_reads_like_it() {
        let words = |found| report(found).in_words().unwrap();
        assert_eq!(words(1.1), "≈ real digits");
        assert_eq!(words(2.0), "nearer than shifted digits");
        assert_eq!(words(4.5), "≈ as far as shifted digits");
        assert_eq!(words(5.5), "≈ as far as shifted digits");
        assert_eq!(
            words(10.0),
            "further than shifted digits, nearer than blurred digits"
        );
        assert_eq!(words(18.0), "≈ as far as blurred digits");
        assert_eq!(words(99.0), "further than blurred digits");
    }

    #[test]
    fn without_a_classifier_there_are_no_words() {
        let mut report = report(3.0);
        report.found.frechet = None;
        assert_eq!(report.in_words(), None);
    }
}
