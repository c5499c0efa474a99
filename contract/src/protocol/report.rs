//! What the judge found.

use serde::{Deserialize, Serialize};

/// How good some pictures are, with what real ones and known defects read beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// How many pictures were judged.
    pub pictures: u64,
    /// What they were held against, in words.
    pub against: String,
    /// The figures of the pictures.
    pub found: Figures,
    /// The figures of as many real training images: what no generator can better but by copying.
    pub floor: Figures,
    /// What the second judge says, where there is one.
    pub second: Option<Second>,
    /// Known defects, what they read, from the least to the greatest Fréchet distance.
    pub controls: Vec<Control>,
    /// Which figures are missing, and why.
    pub left_out: Option<String>,
}

/// The Fréchet distance by another judge, which learnt from another seed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Of the pictures.
    pub found: f64,
    /// Of as many real training images.
    pub floor: f64,
}

/// Figures of some pictures; those that were not measured are missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Squared Fréchet distance to the real images in the judge's features, at least 0.
    pub frechet: Option<f64>,
    /// Squared Fréchet distance in the principal components 201 to 500 of the pixels, at least 0.
    pub fine: Option<f64>,
    /// Share of real images within reach of the pictures, 0 to 1.
    pub recall: Option<f64>,
    /// Share of real images that have a picture within their reach, 0 to 1.
    pub coverage: Option<f64>,
    /// Total variation between the classes' shares among pictures and among real images, 0 to 1.
    pub class_variation: Option<f64>,
    /// Share of the pictures that the judge takes for each digit.
    pub classes: Option<[f64; 10]>,
    /// Mean distance to the nearest training image, over that of the real images; 0 for copies.
    pub nearest: Option<f64>,
    /// Mean probability of the class that the judge takes a picture for, 0.1 to 1.
    pub confidence: Option<f64>,
    /// Share of the pictures that the judge takes for what they were asked to be, 0 to 1; of conditional models.
    pub label_agreement: Option<f64>,
    /// Share of the real images that a classifier knows which has learnt from the pictures and what they were asked to
    /// be, 0 to 1; of conditional models.
    pub accuracy_score: Option<f64>,
}

/// Real images with a known defect, and what they read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// A name for programs, such as `one_pixel_shift`.
    pub name: String,
    /// What they are, in words: «real digits shifted by one pixel».
    pub words: String,
    /// What 10,000 of them read.
    pub figures: Figures,
    /// The Fréchet distance of real training images that was measured with it.
    pub floor: f64,
}

impl Report {
    /// How far the pictures are from real ones, by the control whose Fréchet distance is nearest: «about as far as
    /// real digits shifted by one pixel».
    pub fn in_words(&self) -> Option<String> {
        /// Up to so many times the floor, nobody can tell from real ones.
        const REAL: f64 = 1.3;
        /// Controls as near as this, as a ratio, are named alone.
        const ALIKE: f64 = 1.25;

        let floor = self.floor.frechet?;
        let found = self.found.frechet? / floor;
        if found <= REAL {
            return Some("≈ real digits".to_owned());
        }
        // In what exceeds the floor, so that fewer pictures, whose floor is higher, compare.
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
            found: reading(found),
            floor: reading(1.0),
            second: None,
            controls: vec![
                control("shifted digits", 5.0),
                control("blurred digits", 20.0),
            ],
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
