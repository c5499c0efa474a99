//! The comparison of a run's pictures with its training images: of all at once, or of each domain's with those of the domain.

use sparring_contract::protocol::FeatureKind;
use tch::Tensor;

use crate::data::Dataset;
use crate::eval::{Judge, QuickFigures, QuickFrechet};

/// Training images, prepared for comparisons.
pub(super) struct Comparison {
    /// One for each domain, or one for all images.
    quick: Vec<QuickFrechet>,
    /// Where the run's classes are among those of the judge, if it has some of them only.
    classes: Option<Vec<usize>>,
}

impl Comparison {
    /// For the images of a data set, with the judge of them if there is one; of each domain by itself if the images have
    /// domains, so that what is left as it was does not pass for what it should have become. `None` if there are too few
    /// images.
    pub(super) fn new(data: &Dataset, has_domains: bool, judge: Option<Judge>) -> Option<Self> {
        let classes = judge.as_ref().and_then(|judge| {
            let known = &judge.record().class_names;
            let names = data.class_names();
            let place = |name: &String| known.iter().position(|known| known == name);
            let places: Option<Vec<_>> = names.iter().map(place).collect();
            places.filter(|places| !places.is_empty() && names != known)
        });
        let quick = if has_domains {
            let of_domain = |domain| {
                let judge = judge.as_ref().map(Judge::shared);
                QuickFrechet::of_part(&data.distinct_of(domain), judge)
            };
            [0, 1].into_iter().map(of_domain).collect::<Option<_>>()?
        } else {
            vec![QuickFrechet::new(data.images(), judge)?]
        };
        Some(Self { quick, classes })
    }

    /// What gives the features.
    pub(super) fn features(&self) -> Option<FeatureKind> {
        self.quick.first().map(QuickFrechet::features)
    }

    /// Up to this quick distance pictures are good.
    pub(super) fn good(&self) -> f64 {
        mean(self.quick.iter().map(QuickFrechet::good))
    }

    /// Share of the training images in each of the run's classes; empty without a judge.
    pub(super) fn class_shares(&self) -> Vec<f64> {
        let shares = self.quick.iter().map(|quick| quick.class_shares().to_vec());
        self.of_the_run(shares.collect())
    }

    /// The share of pictures that the judge takes for the same class as their originals; `None` without a judge.
    pub(super) fn agreement(&self, pictures: &Tensor, originals: &Tensor) -> Option<f64> {
        self.quick.first()?.agreement(pictures, originals)
    }

    /// Compares pictures `[n, channels, height, width]`, u8, of these domains, `[n]`, i64, if they have any. Figures of
    /// domains are means over them.
    pub(super) fn measure(&self, pictures: &Tensor, domains: Option<&Tensor>) -> QuickFigures {
        let found: Vec<_> = (0..)
            .zip(&self.quick)
            .map(|(domain, quick)| match domains {
                Some(domains) if self.quick.len() > 1 => {
                    let places = domains.eq(domain).nonzero().view([-1]);
                    quick.measure(&pictures.index_select(0, &places.to_device(pictures.device())))
                }
                _ => quick.measure(pictures),
            })
            .collect();
        QuickFigures {
            frechet: mean(found.iter().map(|figures| figures.frechet)),
            confidence: mean(found.iter().map(|figures| figures.confidence)),
            histogram: self
                .of_the_run(found.into_iter().map(|figures| figures.histogram).collect()),
        }
    }

    /// The mean of shares of the judge's classes, of which the run's own are taken.
    fn of_the_run(&self, shares: Vec<Vec<f64>>) -> Vec<f64> {
        let count = shares.len() as f64;
        let means: Vec<f64> = shares
            .into_iter()
            .reduce(|sum, more| sum.iter().zip(&more).map(|(a, b)| a + b).collect())
            .unwrap_or_default()
            .into_iter()
            .map(|sum| sum / count)
            .collect();
        match &self.classes {
            Some(classes) => classes
                .iter()
                .filter_map(|class| means.get(*class).copied())
                .collect(),
            None => means,
        }
    }
}

fn mean(numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = numbers.len() as f64;
    numbers.sum::<f64>() / count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::DataBundle;
    use crate::eval::judges;

    #[test]
    fn what_is_left_as_it_was_is_far_from_what_it_should_have_become() {
        let bundle = DataBundle::mnist()
            .unwrap()
            .classes_as_domains(["0", "6"])
            .unwrap();
        let data = Dataset::labelled(tch::Device::Cpu, &bundle);
        let judge = judges::find(&bundle.judged_by).unwrap();
        let comparison = Comparison::new(&data, true, judge).unwrap();
        let test = data.test().unwrap().first(1900);
        let own = test.classes.unwrap();
        let pictures = data.test().unwrap().images().narrow(0, 0, 1900);
        let right = comparison.measure(&pictures, Some(&own));
        assert!(right.frechet < comparison.good(), "{right:?}");
        let unchanged = comparison.measure(&pictures, Some(&(1 - &own)));
        assert!(
            unchanged.frechet > 10.0 * comparison.good(),
            "{unchanged:?}"
        );
        // Of ten classes the two that are the run's.
        assert_eq!(right.histogram.len(), 2);
        assert!(
            right
                .histogram
                .iter()
                .all(|share| (share - 0.5).abs() < 0.03)
        );
        assert_eq!(comparison.class_shares().len(), 2);
    }
}
