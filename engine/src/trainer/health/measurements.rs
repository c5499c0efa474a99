//! What a health check measures.

use sparring_contract::protocol::Fidelity;

/// A class is missing if its share of the pictures is below this part of its share of real images …
const MISSING: f64 = 0.1;

/// … and if that is at least this, ten in 2,000 pictures: of fewer there may be none by chance.
const FINDABLE: f64 = 0.005;

/// A larger gradient norm runs away: it is a few units, and some hundreds in the worst moments of a good run.
const RUNAWAY_GRADIENT: f64 = 1e5;

/// The measurements of one health check. What was not measured is NaN or empty.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measurements {
    /// Seconds of training, resumed parts added.
    pub(super) seconds: f64,
    /// Squared Fréchet distance of few pictures to training images, less its bias.
    pub(super) quick_distance: f64,
    /// Up to this quick distance the pictures are good, whoever wins: the unit in which distances on any data compare.
    pub(super) good: f64,
    /// Share of the pictures in each predicted class.
    pub(super) histogram: Vec<f64>,
    /// The same for real images.
    pub(super) histogram_real: Vec<f64>,
    /// Mean probability of the predicted class.
    pub(super) confidence: f64,
    /// How far the pictures are from each other, as a multiple of the same for real images.
    pub(super) diversity: f64,
    /// Share of real images that the discriminator takes for real, 0 to 1.
    pub(super) accuracy_real: f64,
    /// Share of fakes that it takes for fake, 0 to 1.
    pub(super) accuracy_fake: f64,
    /// Share of the pictures' pixels that are black or white, 0 to 1.
    pub(super) saturated: f64,
    /// The same for real images.
    pub(super) saturated_real: f64,
    /// Distance of the pictures to the nearest training image, as a multiple of the same between training images.
    pub(super) copying: f64,
    /// The greater of both networks' gradient norms in the latest report.
    pub(super) gradient_norm: f64,
    /// How near the pictures are to the right answers, if there are any.
    pub(super) fidelity: Option<Fidelity>,
}

impl Measurements {
    /// Whether a gradient has grown out of all proportion.
    pub(super) fn has_runaway_gradient(&self) -> bool {
        self.gradient_norm > RUNAWAY_GRADIENT
    }

    /// Whether the pictures are good.
    pub(super) fn is_good(&self) -> bool {
        self.quick_distance <= self.good
    }

    /// The classes, 0 and up, with their shares of the pictures and of real images.
    pub(super) fn classes(&self) -> impl Iterator<Item = ClassShare> {
        let shares = self.histogram.iter().zip(&self.histogram_real);
        (0..).zip(shares).map(|(class, (share, real))| ClassShare {
            class,
            share: *share,
            real: *real,
        })
    }
}

/// How much there is of a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ClassShare {
    pub(super) class: u32,
    /// Share of the pictures.
    pub(super) share: f64,
    /// Share of real images.
    pub(super) real: f64,
}

impl ClassShare {
    /// Whether the class is missing.
    pub(super) fn is_missing(&self) -> bool {
        self.real >= FINDABLE && self.share < self.real * MISSING
    }

    /// How far the class has gone from its real share to being all there is: 0 for real images, 1 for one class only,
    /// below 0 for a class that is rarer than it should be. A class with half of the pictures is at 0.44 among ten equal
    /// ones, and at 0 among two.
    pub(super) fn dominance(&self) -> f64 {
        if self.real < 1.0 {
            (self.share - self.real) / (1.0 - self.real)
        } else {
            0.0
        }
    }
}

/// The check with the lowest quick distance.
pub(super) fn best(checks: &[Measurements]) -> Option<&Measurements> {
    checks
        .iter()
        .filter(|check| check.quick_distance.is_finite())
        .min_by(|a, b| a.quick_distance.total_cmp(&b.quick_distance))
}

/// The lowest quick distance; NaN if none is known.
pub(super) fn lowest_distance(checks: &[Measurements]) -> f64 {
    best(checks).map_or(f64::NAN, |best| best.quick_distance)
}

/// The check that the latest is compared with: at least a minute before it, or else the first.
pub(super) fn earlier(checks: &[Measurements]) -> Option<&Measurements> {
    let (now, before) = checks.split_last()?;
    before
        .iter()
        .rfind(|check| now.seconds - check.seconds >= 60.0)
        .or(before.first())
}
