//! The weight of a layer, and what keeps it bounded.

use tch::Tensor;

use super::module::{Mode, NamedTensors};
use crate::native::no_grad;

/// What keeps a weight bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightNorm {
    /// Nothing.
    Off,
    /// Spectral normalisation: the weight is divided by its largest singular value (Miyato et al. 2018).
    Spectral,
}

/// A trained weight.
#[derive(Debug)]
pub struct Weight {
    trained: Tensor,
    spectral: Option<SpectralNorm>,
}

/// Estimates the largest singular value of a weight with one power iteration per training step, as
/// `torch.nn.utils.parametrizations.spectral_norm` does.
#[derive(Debug)]
struct SpectralNorm {
    /// Left and right singular vectors of the weight as a matrix `[out, rest]`: `[out]` and `[rest]`.
    u: Tensor,
    v: Tensor,
}

impl Weight {
    /// A weight with this initial value.
    pub fn new(initial: Tensor, norm: WeightNorm) -> Self {
        let spectral = (norm == WeightNorm::Spectral).then(|| SpectralNorm::new(&initial));
        Self {
            trained: initial,
            spectral,
        }
    }

    /// The weight that the layer applies. With spectral normalisation every call in training makes a power iteration.
    pub fn effective(&self, mode: Mode) -> Tensor {
        match &self.spectral {
            None => self.trained.shallow_clone(),
            Some(spectral) => spectral.normalize(&self.trained, mode),
        }
    }

    /// The trained tensor, with PyTorch's name.
    pub fn parameter(&self) -> (String, &Tensor) {
        let name = match self.spectral {
            None => "weight",
            Some(_) => "parametrizations.weight.original",
        };
        (name.to_owned(), &self.trained)
    }

    /// The singular vectors, with PyTorch's names.
    pub fn buffers(&self) -> NamedTensors<'_> {
        self.spectral
            .iter()
            .flat_map(|spectral| {
                [
                    ("parametrizations.weight.0._u".to_owned(), &spectral.u),
                    ("parametrizations.weight.0._v".to_owned(), &spectral.v),
                ]
            })
            .collect()
    }
}

impl SpectralNorm {
    /// Power iterations before the first step, as in PyTorch.
    const INITIAL_ITERATIONS: usize = 15;

    fn new(weight: &Tensor) -> Self {
        let matrix = matrix(weight).detach();
        let unit_vector = |length: i64| {
            // Drawn on the CPU, so that a seed gives the same numbers on every device.
            let random = Tensor::randn([length], (matrix.kind(), tch::Device::Cpu));
            unit(&random.to_device(matrix.device()))
        };
        let spectral = Self {
            u: unit_vector(matrix.size()[0]),
            v: unit_vector(matrix.size()[1]),
        };
        for _ in 0..Self::INITIAL_ITERATIONS {
            spectral.iterate(&matrix);
        }
        spectral
    }

    /// One power iteration.
    fn iterate(&self, matrix: &Tensor) {
        no_grad(|| {
            let u = unit(&matrix.mv(&self.v));
            self.u.shallow_clone().copy_(&u);
            let v = unit(&matrix.tr().mv(&u));
            self.v.shallow_clone().copy_(&v);
        });
    }

    fn normalize(&self, weight: &Tensor, mode: Mode) -> Tensor {
        let matrix = matrix(weight);
        if mode == Mode::Train {
            self.iterate(&matrix.detach());
        }
        // Copies: the next iteration overwrites the vectors, and the backward pass of this one still needs them.
        let (u, v) = (self.u.copy(), self.v.copy());
        weight / u.dot(&matrix.mv(&v))
    }
}

fn matrix(weight: &Tensor) -> Tensor {
    weight.flatten(1, -1)
}

/// The vector scaled to a length of 1.
fn unit(vector: &Tensor) -> Tensor {
    /// As in PyTorch: keeps the division finite for a vector of zeros.
    const EPSILON: f64 = 1e-12;
    vector / vector.norm().clamp_min(EPSILON)
}
