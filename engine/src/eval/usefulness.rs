//! What a generated data set is worth: how well a classifier does that was trained on it.

use sparring_contract::protocol::Augmentation;
use tch::Tensor;

use super::classifier::{SMALLEST, Subject};
use super::real::RealData;
use super::train::train;

/// Pictures that a classifier is trained on, the same ones counted again: three epochs of 10,000.
const SEEN: i64 = 30_000;
/// Most epochs, where there are few pictures.
const MOST_EPOCHS: i64 = 30;

/// Real pictures of each class that are augmented.
const PER_CLASS: i64 = 50;
/// Classifiers, each of another seed, whose accuracy is averaged.
const CLASSIFIERS: u64 = 3;

/// The classification accuracy score (Ravuri and Vinyals 2019, <https://arxiv.org/abs/1905.10887>): accuracy on the
/// held-out pictures of a classifier trained on pictures `[n, channels, height, width]`, u8, and the classes asked for,
/// `[n]`, i64, alone. `None` if the data has no labels, or pictures too small for a classifier. `progress` is told how
/// far it is.
pub(super) fn accuracy_score(
    data: &RealData,
    pictures: &Tensor,
    asked: &Tensor,
    progress: &mut dyn FnMut(&str),
) -> Option<f64> {
    let trial = Trial::of(data)?;
    Some(trial.accuracy(
        0,
        SEEN,
        pictures,
        asked,
        "training on the pictures",
        progress,
    ))
}

/// The gain from augmentation: accuracy on the held-out pictures after training on 50 real pictures of each class, and
/// after as much training on these and generated ones, half of each. Means of three classifiers.
/// `None` as for [`accuracy_score`].
pub(super) fn augmentation(
    data: &RealData,
    pictures: &Tensor,
    asked: &Tensor,
    progress: &mut dyn FnMut(&str),
) -> Option<Augmentation> {
    let trial = Trial::of(data)?;
    let [labels, _] = data.labels()?;
    let chosen: Vec<_> = (0..data.num_classes())
        .map(|class| {
            let of_class = labels.eq(class).nonzero().view([-1]);
            let count = PER_CLASS.min(of_class.size()[0]);
            of_class.narrow(0, 0, count)
        })
        .collect();
    let chosen = Tensor::cat(&chosen, 0);
    let few = data.training.pictures.index_select(0, &chosen);
    let few_labels = labels.index_select(0, &chosen);

    // As many copies of the real pictures as there are generated ones, so that half of what is seen is real.
    let repeats = (pictures.size()[0] / few.size()[0]).max(1);
    let mut shape = vec![1; few.dim()];
    shape[0] = repeats;
    let real = few.repeat(shape.as_slice());
    let real_labels = few_labels.repeat([repeats]);
    let both = Tensor::cat(&[&real, pictures], 0);
    let both_labels = Tensor::cat(&[&real_labels, asked], 0);

    let mut mean = |pictures: &Tensor, labels: &Tensor, words: &str| {
        let sum: f64 = (0..CLASSIFIERS)
            .map(|seed| {
                let words = format!("{words}, classifier {} of {CLASSIFIERS}", seed + 1);
                trial.accuracy(seed, 2 * SEEN, pictures, labels, &words, progress)
            })
            .sum();
        sum / CLASSIFIERS as f64
    };
    let real = mean(&real, &real_labels, "training on few real pictures");
    let with_generated = mean(
        &both,
        &both_labels,
        "training on real and generated pictures",
    );
    Some(Augmentation {
        per_class: PER_CLASS.unsigned_abs(),
        real,
        with_generated,
        gain: with_generated - real,
    })
}

/// A small classifier, trained on some pictures and tried on the held-out ones.
struct Trial<'a> {
    subject: Subject,
    held_out: &'a Tensor,
    labels: &'a Tensor,
}

impl<'a> Trial<'a> {
    fn of(data: &'a RealData) -> Option<Self> {
        let [_, labels] = data.labels()?;
        let [_, height, width] = data.shape();
        (height.min(width) >= SMALLEST).then(|| Self {
            subject: Subject {
                shape: data.shape(),
                num_classes: data.num_classes(),
                pixels: data.pixel_statistics(),
            },
            held_out: &data.held_out.pictures,
            labels,
        })
    }

    fn accuracy(
        &self,
        seed: u64,
        pictures_seen: i64,
        pictures: &Tensor,
        labels: &Tensor,
        words: &str,
        progress: &mut dyn FnMut(&str),
    ) -> f64 {
        let epochs = (pictures_seen / pictures.size()[0]).clamp(1, MOST_EPOCHS);
        progress(&format!("{words}: epoch 1 of {epochs}"));
        let classifier = train(seed, epochs, self.subject, pictures, labels, |epoch, _| {
            let next = (epoch + 1).min(epochs);
            progress(&format!("{words}: epoch {next} of {epochs}"));
        });
        classifier.accuracy(self.held_out, self.labels)
    }
}
