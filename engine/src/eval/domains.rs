//! Translations between two domains, compared with real pictures of the other domain.

use sparring_contract::protocol::TranslatedBy;
use tch::{Device, Tensor};

use super::error::EvalError;
use super::evaluator::Evaluator;
use super::fidelity::fidelity;
use super::judges;
use super::plain::{PlainMethod, Training};
use super::real::{FEWEST_REAL, PICTURES, RealData};
use crate::data::{DataBundle, Dataset, Degradation, from_bytes, to_bytes};
use crate::native::no_grad;

/// Two domains, prepared to evaluate translations from one to the other.
pub struct Domains([Domain; 2]);

struct Domain {
    name: String,
    evaluator: Evaluator,
    training: Training,
    /// Pictures that the run did not learn from, or where there are too few some of those that it did; `[n, channels, h, w]`, u8.
    pictures: Tensor,
    is_held_out: bool,
    /// Its class of the judge, if there is a judge.
    class: Option<i64>,
}

impl Domain {
    fn new(
        bundle: &DataBundle,
        place: u16,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Self, EvalError> {
        let name = bundle.class_names.get(usize::from(place));
        let name = name.cloned().unwrap_or_default();
        let judge = judges::find(&bundle.judged_by)?;
        let class = judge.as_ref().and_then(|judge| {
            let mut known = (0..).zip(&judge.record().class_names);
            known.find_map(|(class, known)| (*known == name).then_some(class))
        });
        let own = bundle.domain(place);
        let held_out = own.test.as_ref().map(|test| test.images.tensor());
        let held_out = held_out.filter(|pictures| pictures.size()[0] >= FEWEST_REAL);
        let is_held_out = held_out.is_some();
        let pictures = held_out.unwrap_or_else(|| own.train.images.tensor());
        let count = PICTURES.min(pictures.size()[0]);
        Ok(Self {
            training: Training::new(Degradation::Unpaired, &Dataset::of(Device::Cpu, &own)),
            pictures: pictures.narrow(0, 0, count),
            is_held_out,
            evaluator: RealData::of(own)
                .and_then(|real| Evaluator::new(real, judge, progress))
                .map_err(|error| EvalError::Domain {
                    name: name.clone(),
                    error: Box::new(error),
                })?,
            class,
            name,
        })
    }
}

impl Domains {
    /// Prepares both domains of a data set that has two. `progress` is told what begins.
    pub fn new(bundle: &DataBundle, progress: &mut dyn FnMut(&str)) -> Result<Self, EvalError> {
        Ok(Self([
            Domain::new(bundle, 0, progress)?,
            Domain::new(bundle, 1, progress)?,
        ]))
    }

    /// The name of a domain, 0 or 1.
    pub fn name(&self, domain: usize) -> &str {
        &self.0[domain].name
    }

    /// Held-out pictures of a domain, or if there are fewer than 20 some to train on; `[n, channels, h, w]`, u8.
    pub fn pictures(&self, domain: usize) -> &Tensor {
        &self.0[domain].pictures
    }

    /// Whether [`Domains::pictures`] are held out.
    pub fn is_held_out(&self, domain: usize) -> bool {
        self.0[domain].is_held_out
    }

    /// What pictures of a domain are compared with, in words, such as `958 test digits`.
    pub fn against(&self, domain: usize) -> &str {
        &self.0[domain].evaluator.data().against
    }

    /// Pictures of a domain to train on, as many as [`Domains::pictures`] or all, `[n, channels, h, w]`, u8.
    pub fn training(&self, domain: usize) -> Tensor {
        let to = &self.0[domain];
        let training = &to.evaluator.data().training;
        training.narrow(0, to.pictures.size()[0]).pictures
    }

    /// Whether there is no judge that knows both domains as classes.
    pub fn has_no_judge(&self) -> bool {
        self.0.iter().any(|domain| domain.class.is_none())
    }

    /// Pictures of a domain that a plain method makes of others; all `[n, channels, h, w]`, u8.
    pub fn plain(&self, method: PlainMethod, pictures: &Tensor, domain: usize) -> Tensor {
        let training = &self.0[domain].training;
        no_grad(|| to_bytes(&method.apply(&from_bytes(pictures), training)))
    }

    /// The figures of pictures that are to be of a domain, and of what came `back` of the pictures that they were made from;
    /// all `[n, channels, h, w]`, u8.
    pub fn figures(
        &self,
        (name, words): (&str, &str),
        made: &Tensor,
        domain: usize,
        back: Option<(&Tensor, &Tensor)>,
    ) -> TranslatedBy {
        let to = &self.0[domain];
        no_grad(|| TranslatedBy {
            name: name.to_owned(),
            words: words.to_owned(),
            taken: to.class.and_then(|class| {
                let asked = Tensor::full([made.size()[0]], class, (tch::Kind::Int64, Device::Cpu));
                to.evaluator.accuracy(made, &asked)
            }),
            frechet: to.evaluator.times_floor(made),
            back: back
                .map(|(returned, sources)| fidelity(returned, sources, None).psnr)
                .filter(|psnr| psnr.is_finite()),
        })
    }
}
