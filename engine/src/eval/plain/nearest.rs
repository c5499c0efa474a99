//! Training pictures by how near their conditions are.

use tch::{Device, Kind, Tensor};

use crate::data::{Batch, Dataset, Degradation, from_bytes};
use crate::eval::chunks;
use crate::native::matmul;

/// Conditions whose distances are in memory at once, to all training pictures.
const CHUNK: i64 = 250;
/// Training pictures that are degraded at once.
const DEGRADED: i64 = 5000;

/// Training pictures with their conditions, on the CPU.
pub struct Training {
    degradation: Degradation,
    channels: i64,
    /// `[n, channels, h, w]`, u8.
    pictures: Tensor,
    /// What is compared: their conditions, or the pictures themselves where pixels are missing or there are no pairs;
    /// `[n, numbers]`, f32.
    compared: Tensor,
    /// Its squares where pixels are missing, which differ from picture to picture, else their sums `[n]`.
    squares: Tensor,
}

impl Training {
    /// The pictures of a data set.
    pub fn new(degradation: Degradation, data: &Dataset) -> Self {
        let count = data.len() as i64;
        let compared: Vec<_> = chunks(count, DEGRADED)
            .map(|(first, length)| {
                let options = (Kind::Int64, data.device());
                let batch = data.select(&Tensor::arange_start(first, first + length, options));
                compared(degradation, &batch)
                    .flatten(1, -1)
                    .to_device(Device::Cpu)
            })
            .collect();
        let compared = Tensor::cat(&compared, 0);
        let squares = compared.square();
        Self {
            degradation,
            channels: data.shape()[0],
            pictures: data.images().to_device(Device::Cpu),
            squares: match degradation {
                Degradation::Holes(_) => squares,
                _ => squares.sum_dim_intlist(1, false, Kind::Float),
            },
            compared,
        }
    }

    /// The mean of the `count` training pictures whose conditions are nearest to each of `conditions` `[n, …, h, w]`:
    /// `[n, channels, h, w]` in [-1, 1]. Known pixels stay as they are.
    pub fn nearest(&self, conditions: &Tensor, count: i64) -> Tensor {
        let conditions = conditions.to_device(Device::Cpu);
        let means: Vec<_> = chunks(conditions.size()[0], CHUNK)
            .map(|(first, length)| self.nearest_of(&conditions.narrow(0, first, length), count))
            .collect();
        Tensor::cat(&means, 0)
    }

    fn nearest_of(&self, conditions: &Tensor, count: i64) -> Tensor {
        let (_, places) = self.distances(conditions).topk(count, 1, false, false);
        let size = conditions.size();
        let found = self.pictures.index_select(0, &places.flatten(0, 1));
        let found = from_bytes(&found);
        let shape = [size[0], count, self.channels, size[2], size[3]];
        let mean = found
            .view(shape)
            .mean_dim([1].as_slice(), false, Kind::Float);
        match self.degradation {
            Degradation::Holes(_) => {
                let known = conditions.narrow(1, 0, self.channels);
                known + mean * conditions.narrow(1, self.channels, 1)
            }
            _ => mean,
        }
    }

    /// Squared distances `[n, training pictures]`, less what is the same for all training pictures; where pixels are
    /// missing, of the known ones.
    fn distances(&self, conditions: &Tensor) -> Tensor {
        match self.degradation {
            Degradation::Holes(_) => {
                let known = conditions.narrow(1, 0, self.channels);
                let missing = conditions.narrow(1, self.channels, 1);
                let is_known: Tensor = 1.0 - missing;
                let is_known = is_known.expand_as(&known).flatten(1, -1).contiguous();
                let products = matmul(&(known.flatten(1, -1) * -2.0), &self.compared.tr());
                products + matmul(&is_known, &self.squares.tr())
            }
            _ => matmul(&(conditions.flatten(1, -1) * -2.0), &self.compared.tr()) + &self.squares,
        }
    }

    /// Conditions as pictures: with all channels.
    pub fn as_picture(&self, conditions: &Tensor) -> Tensor {
        let size = conditions.size();
        conditions
            .expand([size[0], self.channels, size[2], size[3]], false)
            .to_device(Device::Cpu)
    }
}

/// What training pictures are compared by.
fn compared(degradation: Degradation, batch: &Batch) -> Tensor {
    match degradation {
        Degradation::Holes(_) | Degradation::Unpaired => batch.images.shallow_clone(),
        _ => degradation.apply(batch),
    }
}
