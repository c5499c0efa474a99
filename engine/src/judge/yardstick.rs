//! The whole measurement: pictures against the real images of a data set.

use sparring_contract::protocol::{Control, Figures, Report, Second};
use tch::Tensor;

use super::classifier::Classifier;
use super::controls::{Defect, labelled_gaussians};
use super::gaussian::Gaussian;
use super::ground::Ground;
use super::learn::learn;
use super::neighbours::nearest;
use super::spectrum::{COMPONENTS, MOST_PIXELS, Spectrum};
use super::{Judge, JudgeError};
use crate::data::{DataError, Images, Split, mnist_labels};

/// Pictures that are judged, and real ones that they are held against, at most.
pub const PICTURES: i64 = 10_000;

/// Fewer say nothing about a covariance of 300 dimensions.
pub const FEWEST: i64 = 1000;

/// Times that a classifier looks at every picture, where what it learns from them is a figure: real digits teach it
/// enough by then.
const LESSONS: i64 = 3;

/// Why nothing could be judged.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The real images cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The judge cannot be read.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// Too few pictures.
    #[error(
        "{0} pictures are too few to be judged: at least {FEWEST} are needed, better {PICTURES}"
    )]
    TooFew(i64),
    /// Pictures of another size than the real ones.
    #[error("the pictures are {}x{} and the real images {}x{}: name what they were learnt from with --data", found[0], found[1], real[0], real[1])]
    Sizes {
        /// Height and width of the pictures.
        found: [i64; 2],
        /// Height and width of the real images.
        real: [i64; 2],
    },
}

/// The real images of a data set, prepared to hold pictures against.
#[derive(Debug)]
pub struct Yardstick {
    /// `[n, 1, h, w]`, u8.
    training: Tensor,
    /// `[m, 1, h, w]`, u8: none of them is among `training`.
    real: Tensor,
    against: String,
    judges: Option<[Court; 2]>,
    /// What the digits are: of `training` and of `real`, `[n]`, i64.
    labels: Option<[Tensor; 2]>,
    fine: Option<(Spectrum, Gaussian)>,
    /// Mean distance of a real image to the nearest training image.
    nearest: f64,
    left_out: Option<String>,
}

/// A judge and what it holds pictures against.
#[derive(Debug)]
struct Court {
    judge: Judge,
    ground: Ground,
}

impl Yardstick {
    /// That of what a configuration's `data` names. `doing` hears what takes time.
    pub fn new(data: &str, doing: &mut dyn FnMut(&str)) -> Result<Self, EvalError> {
        doing("reading the real images");
        let images = Images::load(data)?;
        let is_mnist = images.are_mnist()?;
        let training = images.tensor();
        let (training, real, against) =
            match Images::load_test(if is_mnist { "mnist" } else { data })? {
                Some(test) => {
                    let real = first(&test.tensor(), PICTURES);
                    let count = real.size()[0];
                    let kind = if is_mnist {
                        "test digits"
                    } else {
                        "test images"
                    };
                    (training, real, format!("{count} {kind}"))
                }
                None => halves(&training),
            };
        check_size(&real, &training)?;

        doing("looking at the real images");
        let (judges, labels) = if is_mnist {
            let labels = [Split::Train, Split::Test].map(mnist_labels);
            let [of_training, of_test] = labels;
            let labels = [of_training?, of_test?];
            let court = |judge: Judge| Court {
                ground: Ground::new(&judge.classifier, &real, &labels[1]),
                judge,
            };
            let judges = [court(Judge::first()?), court(Judge::second()?)];
            (Some(judges), Some(labels))
        } else {
            (None, None)
        };
        let enough = training.size()[0].min(real.size()[0]) >= FEWEST;
        let fine = enough
            .then(|| Spectrum::of(&flat(&training)))
            .flatten()
            .map(|spectrum| {
                let gaussian = spectrum.gaussian(&flat(&real));
                (spectrum, gaussian)
            });
        let nearest = match &judges {
            // What was measured when the judge was made, of the same images.
            Some([court, _]) => court.judge.about().nearest,
            None => distance(&real, &training, "measuring the real images", doing),
        };
        let left_out = left_out(judges.is_some(), fine.is_some(), enough);
        Ok(Self {
            training,
            real,
            against,
            judges,
            labels,
            fine,
            nearest,
            left_out,
        })
    }

    /// Judges pictures `[n, 1, h, w]`, u8, the first 10,000 of them, and if it is known what they were asked to be,
    /// `[n]`, i64, also by that. `doing` hears what takes time.
    pub fn measure(
        &self,
        pictures: &Tensor,
        asked: Option<&Tensor>,
        doing: &mut dyn FnMut(&str),
    ) -> Result<Report, EvalError> {
        check_size(pictures, &self.real)?;
        let pictures = first(pictures, PICTURES);
        let count = pictures.size()[0];
        if count < FEWEST {
            return Err(EvalError::TooFew(count));
        }
        doing("looking at the pictures");
        let mut found = self.figures(&pictures);
        // As many as the pictures: the Fréchet distance grows as there are fewer.
        let real = first(&self.training, count);
        let mut floor = self.figures(&real);
        let away = distance(
            &pictures,
            &self.training,
            "seeking the nearest training images",
            doing,
        );
        found.nearest = Some(away / self.nearest);
        floor.nearest = Some(1.0);

        let mut controls = self.controls().to_vec();
        if let (Some([court, _]), Some([labels, _]), Some(asked)) =
            (&self.judges, &self.labels, asked)
        {
            let agreement = |pictures: &Tensor, asked: &Tensor| {
                Some(court.judge.classifier.accuracy(pictures, asked))
            };
            let (asked, labels_of_real) = (first(asked, count), first(labels, count));
            found.label_agreement = agreement(&pictures, &asked);
            floor.label_agreement = agreement(&real, &labels_of_real);
            found.accuracy_score = self.accuracy_score(&pictures, &asked, "the pictures", doing);
            floor.accuracy_score =
                self.accuracy_score(&real, &labels_of_real, "real digits", doing);
            let (name, words) = Defect::ClassGaussians.names();
            if let Some(control) = controls.iter_mut().find(|control| control.name == name) {
                let (pictures, asked) = labelled_gaussians(&self.training, labels);
                control.figures.accuracy_score =
                    self.accuracy_score(&pictures, &asked, words, doing);
            }
        }
        let second = self.second(&pictures).zip(self.second(&real));
        let second = second.map(|(found, floor)| Second { found, floor });
        Ok(Report {
            pictures: count.unsigned_abs(),
            against: self.against.clone(),
            found,
            floor,
            second,
            controls,
            left_out: self.left_out.clone(),
        })
    }

    /// The classification accuracy score (Ravuri and Vinyals 2019): how many real digits a classifier knows that has
    /// learnt from these pictures and what they were asked to be.
    fn accuracy_score(
        &self,
        pictures: &Tensor,
        asked: &Tensor,
        what: &str,
        doing: &mut dyn FnMut(&str),
    ) -> Option<f64> {
        let [_, labels] = self.labels.as_ref()?;
        let mut tell = |epoch| doing(&format!("learning from {what}: {epoch} of {LESSONS}"));
        tell(1);
        let classifier = learn(0, LESSONS, pictures, asked, |epoch, _| {
            tell((epoch + 1).min(LESSONS));
        });
        Some(classifier.accuracy(&self.real, labels))
    }

    /// What the judge's controls read; none for a data set that it does not know.
    fn controls(&self) -> &[Control] {
        match &self.judges {
            Some([first, _]) => &first.judge.about().controls,
            None => &[],
        }
    }

    /// The Fréchet distance of pictures `[n, 1, h, w]`, u8, by the second judge; `None` for other data than MNIST.
    pub fn second(&self, pictures: &Tensor) -> Option<f64> {
        let [_, court] = self.judges.as_ref()?;
        Some(court.frechet(pictures))
    }

    /// All figures of pictures `[n, 1, h, w]`, u8, n ≥ 1000, but the distance to the nearest training image, which
    /// takes longer than all others.
    pub fn figures(&self, pictures: &Tensor) -> Figures {
        let judged = self.judges.as_ref().map(|[first, _]| {
            let seen = first.judge.classifier.look(pictures);
            first.ground.figures(&seen)
        });
        Figures {
            fine: self
                .fine
                .as_ref()
                .map(|(spectrum, real)| spectrum.gaussian(&flat(pictures)).distance(real)),
            ..judged.unwrap_or_default()
        }
    }
}

impl Court {
    fn frechet(&self, pictures: &Tensor) -> f64 {
        self.ground.frechet(&self.judge.classifier.look(pictures))
    }
}

/// Mean distance to the nearest training image, and word of how far it is.
fn distance(images: &Tensor, training: &Tensor, what: &str, doing: &mut dyn FnMut(&str)) -> f64 {
    let all = images.size()[0];
    nearest(&flat(images), &flat(training), |done| {
        doing(&format!("{what}: {} %", 100 * done / all));
    })
}

/// Where there are no test images: one half of the training images in their place, the other to hold them against.
fn halves(images: &Tensor) -> (Tensor, Tensor, String) {
    let half = images.size()[0] / 2;
    let count = half.clamp(1, PICTURES);
    let real = images.narrow(0, half, count);
    let against =
        format!("{count} of the training images, in the absence of t10k-images-idx3-ubyte");
    (images.narrow(0, 0, half.max(1)), real, against)
}

/// Which figures are missing, and why.
fn left_out(judged: bool, fine: bool, enough: bool) -> Option<String> {
    let mut parts = Vec::new();
    if !judged {
        parts.push("the judge knows MNIST only".to_owned());
    }
    if !fine {
        let why = if enough {
            let (_, last) = COMPONENTS;
            format!("images of {last} to {MOST_PIXELS} pixels")
        } else {
            format!("{FEWEST} real images")
        };
        parts.push(format!("the fine Fréchet distance needs {why}"));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn check_size(pictures: &Tensor, real: &Tensor) -> Result<(), EvalError> {
    let size = |of: &Tensor| [of.size()[2], of.size()[3]];
    let (found, real) = (size(pictures), size(real));
    if found == real {
        Ok(())
    } else {
        Err(EvalError::Sizes { found, real })
    }
}

/// At most so many.
fn first(images: &Tensor, count: i64) -> Tensor {
    images.narrow(0, 0, count.min(images.size()[0]))
}

/// `[n, 1, h, w]` as `[n, h·w]`.
fn flat(images: &Tensor) -> Tensor {
    images.flatten(1, -1)
}

/// What the controls read of a new judge, its bias and the rest of what is known of it.
pub(super) fn examine(
    classifier: &Classifier,
    seed: u64,
    doing: &mut dyn FnMut(&str),
) -> Result<super::About, EvalError> {
    let digits = Images::load("mnist")?.tensor();
    let Some(test) = Images::load_test("mnist")? else {
        return Err(JudgeError::Foreign.into());
    };
    let test = test.tensor();
    let (labels, test_labels) = (mnist_labels(Split::Train)?, mnist_labels(Split::Test)?);
    let ground = Ground::new(classifier, &test, &test_labels);
    let own = distance(&test, &digits, "measuring the test digits", doing);
    let spectrum = Spectrum::of(&flat(&digits)).ok_or(JudgeError::Foreign)?;
    let real = spectrum.gaussian(&flat(&test));

    let floor = ground.frechet(&classifier.look(&first(&digits, PICTURES)));
    let mut controls = Vec::new();
    for defect in Defect::ALL {
        let pictures = defect.pictures(&digits, &labels);
        let (_, words) = defect.names();
        let away = distance(&pictures, &digits, words, doing);
        let figures = Figures {
            fine: Some(spectrum.gaussian(&flat(&pictures)).distance(&real)),
            nearest: Some(away / own),
            ..ground.figures(&classifier.look(&pictures))
        };
        controls.push(defect.control(figures, floor));
    }
    controls.sort_by(|a, b| {
        let reading = |control: &Control| control.figures.frechet.unwrap_or(f64::NAN);
        reading(a).total_cmp(&reading(b))
    });
    Ok(super::About {
        seed,
        accuracy: classifier.accuracy(&test, &test_labels),
        bias: super::quick::bias(classifier, &digits),
        nearest: own,
        controls,
    })
}
