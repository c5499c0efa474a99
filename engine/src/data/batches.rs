//! The order in which images are learnt: a function of the seed and the epoch alone.

use tch::{Kind, Tensor};

use super::Dataset;
use crate::seed::{Stream, reseed};

/// Batches of a data set, epoch after epoch, each epoch in another order.
#[derive(Debug)]
pub struct Batches {
    data: Dataset,
    batch_size: u64,
    seed: u64,
    /// The epoch that `order` is for, and a permutation of all indices, i64.
    order: Option<(u64, Tensor)>,
}

impl Batches {
    /// Batches of `batch_size` images; the last one of an epoch may be shorter.
    pub fn new(data: Dataset, batch_size: u64, seed: u64) -> Self {
        Self {
            data,
            batch_size,
            seed,
            order: None,
        }
    }

    /// The real images of a step (counted from 0): `[batch, channels, height, width]` in [-1, 1], f32.
    pub fn get(&mut self, step: u64) -> Tensor {
        let (epoch, first) = self.place(step);
        let length = self.length(step);
        let indices = self.order_of(epoch).narrow(0, first as i64, length as i64);
        self.data.select(&indices)
    }

    /// Number of real images of a step.
    pub fn length(&self, step: u64) -> u64 {
        self.batch_size.min(self.data.len() - self.place(step).1)
    }

    /// Number of real images of all steps before this one.
    pub fn images_before(&self, step: u64) -> u64 {
        let (epoch, first) = self.place(step);
        epoch * self.data.len() + first
    }

    /// Steps in an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.data.len().div_ceil(self.batch_size)
    }

    /// The data set.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// Epoch of a step, from 0, and the place of its first image in the epoch's order.
    fn place(&self, step: u64) -> (u64, u64) {
        let per_epoch = self.steps_per_epoch();
        (step / per_epoch, step % per_epoch * self.batch_size)
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
