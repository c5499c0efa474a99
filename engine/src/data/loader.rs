//! The order in which images are learnt: a function of the seed and the epoch alone.

use tch::{Device, Kind, Tensor};

use super::{Batch, Dataset};
use crate::native::sent;
use crate::seed::{Stream, reseed};

/// The batches of a data set, epoch after epoch, each epoch in another order.
#[derive(Debug)]
pub struct DataLoader {
    data: Dataset,
    batch_size: u64,
    batches_per_step: u64,
    seed: u64,
    /// Whether each image is mirrored with a probability of one half.
    flips: bool,
    /// An epoch and its order: a permutation of all indices, i64.
    order: Option<(u64, Tensor)>,
}

impl DataLoader {
    /// Batches of `batch_size` images, `batches_per_step` of them for each step. The last batch of an epoch may be
    /// smaller, and its last step may have fewer batches.
    pub fn new(data: Dataset, batch_size: u64, batches_per_step: u64, seed: u64) -> Self {
        Self {
            data,
            batch_size,
            batches_per_step,
            seed,
            flips: false,
            order: None,
        }
    }

    /// The same batches, in which each image is mirrored left to right with a probability of one half, if `flips`.
    #[must_use]
    pub fn with_flips(mut self, flips: bool) -> Self {
        self.flips = flips;
        self
    }

    /// The batches of a step (counted from 0), at least one.
    pub fn batches(&mut self, step: u64) -> Vec<Batch> {
        let parts = self.parts(step);
        let mut batches: Vec<_> = parts
            .iter()
            .map(|indices| self.data.select(indices))
            .collect();
        if self.flips {
            reseed(self.seed, Stream::Flips, step);
            for batch in &mut batches {
                *batch = flipped_at_random(batch);
            }
        }
        batches
    }

    /// [`DataLoader::batches`] into the memory of batches of a step that [is whole](DataLoader::is_whole).
    pub fn batches_into(&mut self, step: u64, batches: &[Batch]) {
        for (indices, batch) in self.parts(step).iter().zip(batches) {
            self.data.select_into(indices, batch);
        }
        if self.flips {
            reseed(self.seed, Stream::Flips, step);
            for batch in batches {
                batch.copy_pictures(&flipped_at_random(batch));
            }
        }
    }

    /// Whether a step has all its batches, and each all its images: the last one of an epoch may have fewer.
    pub fn is_whole(&self, step: u64) -> bool {
        let (_, first) = self.position(step);
        first + self.batch_size * self.batches_per_step <= self.data.len()
    }

    /// The indices of each batch of a step.
    fn parts(&mut self, step: u64) -> Vec<Tensor> {
        let (epoch, first) = self.position(step);
        let last = (first + self.batch_size * self.batches_per_step).min(self.data.len());
        let order = self.order(epoch);
        (first..last)
            .step_by(usize::try_from(self.batch_size).unwrap_or(usize::MAX))
            .map(|start| {
                let length = self.batch_size.min(last - start);
                order.narrow(0, start as i64, length as i64)
            })
            .collect()
    }

    /// Takes the order of the epochs from another seed.
    pub(crate) fn reseed(&mut self, seed: u64) {
        self.seed = seed;
        self.order = None;
    }

    /// Number of real images in all steps before this one.
    pub fn images_before(&self, step: u64) -> u64 {
        let (epoch, first) = self.position(step);
        epoch * self.data.len() + first
    }

    /// Steps in an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        let batches = self.data.len().div_ceil(self.batch_size);
        batches.div_ceil(self.batches_per_step)
    }

    /// The data set.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// The epoch of a step, from 0, and the place of the step's first image in the epoch's order.
    fn position(&self, step: u64) -> (u64, u64) {
        let per_epoch = self.steps_per_epoch();
        let first = step % per_epoch * self.batches_per_step * self.batch_size;
        (step / per_epoch, first)
    }

    /// The order of an epoch; kept until another epoch is asked for.
    fn order(&mut self, epoch: u64) -> Tensor {
        if let Some((kept, order)) = &self.order
            && *kept == epoch
        {
            return order.shallow_clone();
        }
        reseed(self.seed, Stream::Order, epoch);
        // Drawn on the CPU: the same order on every device.
        let order = Tensor::randperm(self.data.len() as i64, (Kind::Int64, Device::Cpu));
        let order = sent(&order, self.data.device());
        self.order = Some((epoch, order.shallow_clone()));
        order
    }
}

/// The batch with each image mirrored left to right with a probability of one half, and its partner with it.
fn flipped_at_random(batch: &Batch) -> Batch {
    let images = &batch.images;
    let options = (Kind::Float, images.device());
    let is_flipped = Tensor::rand([images.size()[0], 1, 1, 1], options).less(0.5);
    let flipped = |pictures: &Tensor| pictures.flip([3]).where_self(&is_flipped, pictures);
    Batch {
        images: flipped(images),
        classes: batch.classes.as_ref().map(Tensor::shallow_clone),
        partners: batch.partners.as_ref().map(flipped),
    }
}
