//! The whole measurement: pictures against the real images of a data set.

use sparring_contract::protocol::{Control, Figures, Report, Second};
use tch::Tensor;

use super::classifier::Classifier;
use super::controls::{Defect, labelled_gaussians};
use super::fine::{COMPONENTS, FineComponents, MOST_PIXELS};
use super::gaussian::Gaussian;
use super::neighbours::nearest;
use super::reference::Reference;
use super::train::learn;
use super::{Judge, JudgeError};
use crate::data::{DataBundle, DataError, DataSource, Part};

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
pub struct Evaluator {
    /// `[n, 1, h, w]`, u8.
    training: Tensor,
    /// `[m, 1, h, w]`, u8: none of them is among `training`.
    real: Tensor,
    against: String,
    judges: Option<[JudgeReference; 2]>,
    /// What the digits of `real` are, `[m]`, i64.
    labels: Option<Tensor>,
    fine: Option<(FineComponents, Gaussian)>,
    /// Mean distance of a real image to the nearest training image.
    nearest: f64,
    left_out: Option<String>,
}

/// A judge and what it holds pictures against.
#[derive(Debug)]
struct JudgeReference {
    judge: Judge,
    reference: Reference,
}

impl Evaluator {
    /// That of what a source names. `doing` hears what takes time.
    pub fn new(source: &DataSource, doing: &mut dyn FnMut(&str)) -> Result<Self, EvalError> {
        doing("reading the real images");
        let data = DataBundle::load(source, &mut |_| {})?;
        let is_mnist = data.is_mnist();
        let training = data.train.images.tensor();
        let test_labels = data.test.as_ref().and_then(Part::labels_tensor);
        let (training, real, against) = match data.test {
            Some(test) => {
                let real = first(&test.images.tensor(), PICTURES);
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
        let (judges, labels) = if let Some(labels) = test_labels.filter(|_| is_mnist) {
            let reference = |judge: Judge| JudgeReference {
                reference: Reference::new(&judge.classifier, &real, &labels),
                judge,
            };
            let judges = [reference(Judge::first()?), reference(Judge::second()?)];
            (Some(judges), Some(labels))
        } else {
            (None, None)
        };
        let enough = training.size()[0].min(real.size()[0]) >= FEWEST;
        let fine = enough
            .then(|| FineComponents::of(&flat(&training)))
            .flatten()
            .map(|fine| {
                let gaussian = fine.gaussian(&flat(&real));
                (fine, gaussian)
            });
        let nearest = match &judges {
            // What was measured when the judge was made, of the same images.
            Some([reference, _]) => reference.judge.about().nearest,
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
        let (floor, second_floor) = self.floor(count);
        let away = distance(
            &pictures,
            &self.training,
            "seeking the nearest training images",
            doing,
        );
        found.nearest = Some(away / self.nearest);
        if let (Some([reference, _]), Some(labels), Some(asked)) =
            (&self.judges, &self.labels, asked)
        {
            let asked = first(asked, count);
            found.label_agreement = Some(reference.judge.classifier.accuracy(&pictures, &asked));
            let score = accuracy_score([&pictures, &asked], [&self.real, labels], |lesson| {
                doing(&format!(
                    "learning from the pictures: {lesson} of {LESSONS}"
                ));
            });
            found.accuracy_score = Some(score);
        }
        let second = self.second(&pictures).zip(second_floor);
        let second = second.map(|(found, floor)| Second { found, floor });
        Ok(Report {
            pictures: count.unsigned_abs(),
            against: self.against.clone(),
            found,
            floor,
            second,
            controls: self.controls().to_vec(),
            left_out: self.left_out.clone(),
        })
    }

    /// What so many real training images read, and their Fréchet distance by the second judge: it grows as there are
    /// fewer. Of as many as are judged at most, it was measured when the judges were made.
    fn floor(&self, count: i64) -> (Figures, Option<f64>) {
        if let (PICTURES, Some([first, second])) = (count, &self.judges) {
            return (
                first.judge.about().floor,
                second.judge.about().floor.frechet,
            );
        }
        let real = first(&self.training, count);
        let floor = Figures {
            nearest: Some(1.0),
            ..self.figures(&real)
        };
        (floor, self.second(&real))
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
        let [_, reference] = self.judges.as_ref()?;
        Some(reference.frechet(pictures))
    }

    /// All figures of pictures `[n, 1, h, w]`, u8, n ≥ 1000, but the distance to the nearest training image, which
    /// takes longer than all others.
    pub fn figures(&self, pictures: &Tensor) -> Figures {
        let judged = self.judges.as_ref().map(|[first, _]| {
            let seen = first.judge.classifier.look(pictures);
            first.reference.figures(&seen)
        });
        Figures {
            fine: self
                .fine
                .as_ref()
                .map(|(fine, real)| fine.gaussian(&flat(pictures)).distance(real)),
            ..judged.unwrap_or_default()
        }
    }
}

impl JudgeReference {
    fn frechet(&self, pictures: &Tensor) -> f64 {
        self.reference
            .frechet(&self.judge.classifier.look(pictures))
    }
}

/// The classification accuracy score (Ravuri and Vinyals 2019): how many real digits a classifier knows that has learnt
/// from pictures and what they were asked to be. `begins` hears which lesson begins, from 1.
fn accuracy_score(
    [pictures, asked]: [&Tensor; 2],
    [real, labels]: [&Tensor; 2],
    mut begins: impl FnMut(i64),
) -> f64 {
    begins(1);
    let classifier = learn(0, LESSONS, pictures, asked, |lesson, _| {
        begins((lesson + 1).min(LESSONS));
    });
    classifier.accuracy(real, labels)
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

/// What real digits and the controls read of a judge, its bias and the rest of what is known of it.
pub(super) fn examine(
    classifier: &Classifier,
    seed: u64,
    doing: &mut dyn FnMut(&str),
) -> Result<super::JudgeRecord, EvalError> {
    let mnist = DataBundle::mnist()?;
    let test = mnist.test.ok_or(JudgeError::Foreign)?;
    let labels = mnist.train.labels_tensor().ok_or(JudgeError::Foreign)?;
    let test_labels = test.labels_tensor().ok_or(JudgeError::Foreign)?;
    let (digits, test) = (mnist.train.images.tensor(), test.images.tensor());
    let reference = Reference::new(classifier, &test, &test_labels);
    let own = distance(&test, &digits, "measuring the test digits", doing);
    let fine = FineComponents::of(&flat(&digits)).ok_or(JudgeError::Foreign)?;
    let real = fine.gaussian(&flat(&test));
    let figures = |pictures: &Tensor| Figures {
        fine: Some(fine.gaussian(&flat(pictures)).distance(&real)),
        ..reference.figures(&classifier.look(pictures))
    };
    let score = |pictures: &Tensor, asked: &Tensor| {
        Some(accuracy_score(
            [pictures, asked],
            [&test, &test_labels],
            |_| {},
        ))
    };

    doing("measuring the floor");
    let (some, what) = (first(&digits, PICTURES), first(&labels, PICTURES));
    let floor = Figures {
        nearest: Some(1.0),
        label_agreement: Some(classifier.accuracy(&some, &what)),
        accuracy_score: score(&some, &what),
        ..figures(&some)
    };
    let mut controls = Vec::new();
    for defect in Defect::ALL {
        let pictures = defect.pictures(&digits, &labels);
        let (_, words) = defect.names();
        let away = distance(&pictures, &digits, words, doing);
        let mut figures = Figures {
            nearest: Some(away / own),
            ..figures(&pictures)
        };
        if defect == Defect::ClassGaussians {
            let (pictures, asked) = labelled_gaussians(&digits, &labels);
            figures.accuracy_score = score(&pictures, &asked);
        }
        controls.push(defect.control(figures, floor.frechet.unwrap_or(f64::NAN)));
    }
    controls.sort_by(|a, b| {
        let reading = |control: &Control| control.figures.frechet.unwrap_or(f64::NAN);
        reading(a).total_cmp(&reading(b))
    });
    Ok(super::JudgeRecord {
        seed,
        accuracy: classifier.accuracy(&test, &test_labels),
        bias: super::quick::bias(classifier, &digits),
        nearest: own,
        floor,
        controls,
    })
}
