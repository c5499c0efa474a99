//! The whole evaluation: pictures against the real pictures of a data set.

use sparring_contract::judges::JudgeRecord;
use sparring_contract::protocol::{Augmentation, Control, Figures, Report, Second};
use tch::Tensor;

use super::comparison::Comparison;
use super::controls::{Defect, class_gaussians, count};
use super::error::EvalError;
use super::features::Features;
use super::judge::Judge;
use super::neighbours::nearest_distance;
use super::real::{FEWEST_REAL, PICTURES, RealData, shape};
use super::usefulness::{accuracy_score, augmentation};

/// Pictures that are needed, or as many as there are to train on, if those are fewer.
const FEWEST: i64 = 1000;

/// Pictures of a control whose nearest training pictures are sought where the controls were not measured beforehand.
const FEW: i64 = 500;

/// A data set, prepared to compare pictures with.
#[derive(Debug)]
pub struct Evaluator {
    data: RealData,
    comparison: Comparison,
    /// What is known of the judge, if there is one.
    record: Option<JudgeRecord>,
    /// By the second judge, and its own floor.
    second: Option<(Comparison, JudgeRecord)>,
    /// Mean distance of a held-out picture to the nearest training picture.
    nearest: f64,
    /// Of a data set without a judge; else they are in its record.
    controls: Vec<Control>,
}

impl Evaluator {
    /// Prepares a data set. Without a judge it takes features that need no labels, and measures the controls in them,
    /// which takes some seconds. `progress` is told what begins.
    pub fn new(
        data: RealData,
        judge: Option<Judge>,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Self, EvalError> {
        progress("reading the real pictures");
        let judged = |judge: Judge| {
            let (classifier, record) = judge.into_parts();
            (Comparison::new(Features::Judge(classifier), &data), record)
        };
        let second = match &judge {
            Some(_) if data.is_mnist() => Some(judged(Judge::mnist_second()?)),
            _ => None,
        };
        let (comparison, record) = match judge {
            Some(judge) => {
                let (comparison, record) = judged(judge);
                (comparison, Some(record))
            }
            None => (
                Comparison::new(Features::unlabelled(&data.training.pictures), &data),
                None,
            ),
        };
        let mut evaluator = Self {
            nearest: match &record {
                Some(record) => record.nearest,
                None => {
                    nearest_distance(&data.held_out.pictures, &data.training.pictures, PICTURES)
                }
            },
            data,
            comparison,
            record,
            second,
            controls: Vec::new(),
        };
        evaluator.controls = match &evaluator.record {
            Some(record) => record.controls.clone(),
            None => evaluator.measure_controls(progress),
        };
        Ok(evaluator)
    }

    fn measure_controls(&self, progress: &mut dyn FnMut(&str)) -> Vec<Control> {
        let real = self.data.training.narrow(0, count(&self.data));
        let floor = self.figures(&real.pictures);
        self.comparison
            .controls(&self.data, &floor, self.nearest, FEW, progress)
    }

    /// The data set.
    pub fn data(&self) -> &RealData {
        &self.data
    }

    /// Evaluates pictures `[n, channels, height, width]`, u8, the first 10,000 of them. `asked` holds the class asked of
    /// each, `[n]`, i64, if that is known. `progress` is told what begins.
    pub fn measure(
        &self,
        pictures: &Tensor,
        asked: Option<&Tensor>,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Report, EvalError> {
        let (pictures, asked) = self.checked(pictures, asked)?;
        let count = pictures.size()[0];
        progress("comparing the pictures");
        let mut found = self.figures(&pictures);
        let mut floor = self.floor(count);
        let second = self.second_of(&pictures, &floor_pictures(&self.data, count), count);
        progress("seeking the nearest training pictures");
        let distance = nearest_distance(&pictures, &self.data.learnt, PICTURES);
        found.nearest = Some(distance / self.nearest).filter(|_| self.nearest > 0.0);
        let mut controls = self.controls.clone();
        if let Some(asked) = &asked {
            if let Features::Judge(classifier) = self.comparison.features() {
                found.label_agreement = Some(classifier.accuracy(&pictures, asked));
            }
            found.accuracy_score = accuracy_score(&self.data, &pictures, asked, progress);
            if self.record.is_none() {
                self.add_real_scores(&mut floor, &mut controls, progress);
            }
        }
        Ok(Report {
            pictures: count.unsigned_abs(),
            against: self.data.against.clone(),
            noun: self.data.noun().to_owned(),
            features: self.comparison.features().kind(),
            class_names: self.data.class_names.clone(),
            found,
            floor,
            second,
            controls,
            augmentation: None,
            left_out: self.left_out(),
        })
    }

    /// The gain from augmentation with pictures `[n, channels, height, width]`, u8, of the classes `asked`, `[n]`, i64; a
    /// minute or more. `None` if the data has no labels. `progress` is told how far it is.
    pub fn augmentation(
        &self,
        pictures: &Tensor,
        asked: &Tensor,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Option<Augmentation>, EvalError> {
        let (pictures, asked) = self.checked(pictures, Some(asked))?;
        Ok(asked.and_then(|asked| augmentation(&self.data, &pictures, &asked, progress)))
    }

    /// At most 10,000 pictures, if they are enough and of the right shape, and the classes asked for, if the data has
    /// labels.
    fn checked(
        &self,
        pictures: &Tensor,
        asked: Option<&Tensor>,
    ) -> Result<(Tensor, Option<Tensor>), EvalError> {
        let [found, real] = [shape(pictures), self.data.shape()];
        if found != real {
            return Err(EvalError::Shapes { found, real });
        }
        let count = pictures.size()[0].min(PICTURES);
        let needed = FEWEST.min(self.data.training.count());
        if count < needed {
            return Err(EvalError::TooFew {
                found: count,
                needed,
            });
        }
        let asked = asked.filter(|asked| self.data.num_classes() > asked.max().int64_value(&[]));
        Ok((
            pictures.narrow(0, 0, count),
            asked.map(|asked| asked.narrow(0, 0, count)),
        ))
    }

    /// The figures of as many real training pictures: the Fréchet distance grows as they become fewer. Those of as many
    /// as are compared at most were measured with the judge.
    fn floor(&self, count: i64) -> Figures {
        let real = floor_pictures(&self.data, count);
        match &self.record {
            Some(record) if record.pictures == real.size()[0].unsigned_abs() => {
                record.floor.clone()
            }
            _ => Figures {
                nearest: Some(1.0),
                ..self.figures(&real)
            },
        }
    }

    /// By the second judge, of `count` pictures and as many real ones.
    fn second_of(&self, pictures: &Tensor, real: &Tensor, count: i64) -> Option<Second> {
        let (comparison, record) = self.second.as_ref()?;
        let floor = match record.floor.frechet {
            Some(floor) if record.pictures == count.unsigned_abs() => floor,
            _ => comparison.frechet(real),
        };
        Some(Second {
            found: comparison.frechet(pictures),
            floor,
        })
    }

    /// Adds the accuracy scores of real pictures and of class Gaussians, which a judge's record already has.
    fn add_real_scores(
        &self,
        floor: &mut Figures,
        controls: &mut [Control],
        progress: &mut dyn FnMut(&str),
    ) {
        let real = self.data.training.narrow(0, PICTURES);
        floor.accuracy_score = real
            .labels
            .as_ref()
            .and_then(|labels| accuracy_score(&self.data, &real.pictures, labels, progress));
        let name = Defect::ClassGaussians.name();
        if let (Some(gaussians), Some((pictures, asked))) = (
            controls.iter_mut().find(|control| control.name == name),
            class_gaussians(&self.data),
        ) {
            gaussians.figures.accuracy_score =
                accuracy_score(&self.data, &pictures, &asked, progress);
        }
    }

    /// The Fréchet distance of pictures `[n, channels, height, width]`, u8, by the second judge, if there is one.
    pub fn second(&self, pictures: &Tensor) -> Option<f64> {
        let (comparison, _) = self.second.as_ref()?;
        Some(comparison.frechet(pictures))
    }

    /// All figures of pictures `[n, channels, height, width]`, u8, n > 5, but the distance to the nearest training
    /// picture, which takes longer than all others, and those of the classes asked for.
    pub fn figures(&self, pictures: &Tensor) -> Figures {
        self.comparison.figures(pictures)
    }

    /// The Fréchet distance of pictures `[n, channels, height, width]`, u8, as a multiple of that of as many real training
    /// pictures; `None` for fewer than 20, which have no distribution to speak of.
    pub fn times_floor(&self, pictures: &Tensor) -> Option<f64> {
        if pictures.size()[0] < FEWEST_REAL {
            return None;
        }
        let floor = self.floor(pictures.size()[0]).frechet?;
        Some(self.comparison.frechet(pictures) / floor)
    }

    /// Share of pictures that the judge takes for their label, `[n]`, i64; `None` without a judge.
    pub fn accuracy(&self, pictures: &Tensor, labels: &Tensor) -> Option<f64> {
        match self.comparison.features() {
            Features::Judge(classifier) => Some(classifier.accuracy(pictures, labels)),
            Features::Unlabelled(_) => None,
        }
    }

    /// Whether there is no judge.
    pub fn has_no_judge(&self) -> bool {
        self.record.is_none()
    }

    /// Which figures are missing, and why.
    fn left_out(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.record.is_none() {
            parts.push(if self.data.num_classes() > 1 {
                "figures of the classes need a judge: `sparring judge train` makes one".to_owned()
            } else {
                "figures of the classes need labels".to_owned()
            });
        }
        parts.extend(self.comparison.fine_left_out(&self.data));
        if self.nearest <= 0.0 {
            parts.push(
                "nearest training picture: the held-out pictures are copies of training pictures"
                    .to_owned(),
            );
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// As many real training pictures, or all if they are fewer.
fn floor_pictures(data: &RealData, count: i64) -> Tensor {
    data.training.narrow(0, count).pictures
}
