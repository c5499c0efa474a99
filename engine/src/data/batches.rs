//! The order in which images are learnt: a function of the seed and the epoch alone.

use tch::{Kind, Tensor};

use super::Dataset;
use crate::seed::{Stream, reseed};

/// Images, and the class of each where the data set knows it.
#[derive(Debug)]
pub struct Batch {
    /// `[batch, channels, height, width]` in [-1, 1], f32.
    pub images: Tensor,
    /// `[batch]`, i64.
    pub classes: Option<Tensor>,
}

/// Batches of a data set, epoch after epoch, each epoch in another order.
#[derive(Debug)]
pub struct Batches {
    data: Dataset,
    batch_size: u64,
    /// Batches of a step.
    per_step: u64,
    seed: u64,
    /// The epoch that `order` is for, and a permutation of all indices, i64.
    order: Option<(u64, Tensor)>,
}

impl Batches {
    /// Batches of `batch_size` images, so many a step; the last of an epoch may be shorter, and its last step may have
    /// fewer.
    pub fn new(data: Dataset, batch_size: u64, per_step: u64, seed: u64) -> Self {
        Self {
            data,
            batch_size,
            per_step,
            seed,
            order: None,
        }
    }

    /// The batches of a step (counted from 0), one at least.
    pub fn get(&mut self, step: u64) -> Vec<Batch> {
        let (epoch, first) = self.place(step);
        let last = (first + self.batch_size * self.per_step).min(self.data.len());
        let order = self.order_of(epoch).shallow_clone();
        let mut batches = Vec::new();
        let mut start = first;
        while start < last {
            let length = self.batch_size.min(last - start);
            batches.push(
                self.data
                    .select(&order.narrow(0, start as i64, length as i64)),
            );
            start += length;
        }
        batches
    }

    /// Takes the order of the epochs from another seed.
    pub(crate) fn reseed(&mut self, seed: u64) {
        self.seed = seed;
        self.order = None;
    }

    /// Number of real images of all steps before this one.
    pub fn images_before(&self, step: u64) -> u64 {
        let (epoch, first) = self.place(step);
        epoch * self.data.len() + first
    }

    /// Steps in an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        let batches = self.data.len().div_ceil(self.batch_size);
        batches.div_ceil(self.per_step)
    }

    /// The data set.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// Epoch of a step, from 0, and the place of its first image in the epoch's order.
    fn place(&self, step: u64) -> (u64, u64) {
        let per_epoch = self.steps_per_epoch();
        let first = step % per_epoch * self.per_step * self.batch_size;
        (step / per_epoch, first)
    }

    fn order_of(&mut self, epoch: u64) -> &Tensor {
        let stale = self.order.as_ref().is_none_or(|(of, _)| *of != epoch);
        if stale {
            reseed(self.seed, Stream::Order, epoch);
            let order = Tensor::randperm(self.data.len() as i64, (Kind::Int64, self.data.device()));
            self.order = Some((epoch, order));
        }
        &self
            .order
            .get_or_insert_with(|| unreachable!("an order was just made"))
            .1
    }
}
