//! Repairs by a generator that has only learnt to make pictures from noise.

use sparring_contract::config::Mask;
use tch::{Device, Kind, Tensor};

use super::search::{Critic, Query, search};
use super::space::LatentSpace;
use crate::data::{Degradation, to_bytes};
use crate::native::no_grad;

/// Fills in missing pixels from the picture that comes closest where pixels are known (Yeh et al. 2017, «Semantic Image
/// Inpainting with Deep Generative Models»). Known pixels stay as they are; the paper blends them into the result.
#[derive(Debug)]
pub struct LatentRepair {
    space: LatentSpace,
    critic: Critic,
    mask: Mask,
}

impl LatentRepair {
    /// A repair by a generator and the discriminator that it learnt from; `mask` is what is missing if nothing else is said.
    pub fn new(space: LatentSpace, critic: Critic, mask: Mask) -> Self {
        Self {
            space,
            critic,
            mask,
        }
    }

    /// What it repairs.
    pub fn degradation(&self) -> Degradation {
        Degradation::Holes(self.mask)
    }

    /// Pictures `[n, channels, h, w]`, u8, on the CPU, from pictures with holes ([`with_holes`](crate::data::with_holes)).
    /// Draws from libtorch's generator, and seeds it.
    pub fn repair(&self, conditions: &Tensor) -> Tensor {
        let seed = Tensor::randint(i64::from(i32::MAX), [1], (Kind::Int64, Device::Cpu));
        let conditions = conditions.to_device(self.space.device());
        let channels = conditions.size()[1] - 1;
        let pictures = conditions.narrow(1, 0, channels);
        let missing = conditions.narrow(1, channels, 1);
        let query = Query {
            pictures: &pictures,
            missing: Some(&missing),
            class: None,
            seed: seed.int64_value(&[0]).unsigned_abs(),
        };
        let found = search(&self.space, &query, Some(&self.critic), &mut |_| {});
        let made = self.space.pixels(&found.noise, found.classes.as_ref());
        no_grad(|| {
            let known = to_bytes(&pictures).to_device(Device::Cpu);
            let missing = missing.gt(0.0).to_device(Device::Cpu);
            made.where_self(&missing, &known)
        })
    }
}
