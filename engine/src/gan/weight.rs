//! The weight of a layer, and what keeps it in bounds.

use sparring_contract::config::Normalization;
use tch::{Tensor, no_grad};

use super::layer::Mode;

/// A weight as it is learnt, and as it is used.
#[derive(Debug)]
pub struct Weight {
    learnt: Tensor,
    spectral: Option<Spectral>,
}

/// The largest singular value of a weight, followed by one iteration of the power method a step: spectral
/// normalisation (Miyato et al. 2018), as `torch.nn.utils.parametrizations.spectral_norm` does it.
#[derive(Debug)]
struct Spectral {
    /// Left and right singular vectors of the weight as a matrix `[out, rest]`: `[out]` and `[rest]`.
    u: Tensor,
    v: Tensor,
}

impl Weight {
    /// A weight that is used as it is, or divided by its largest singular value.
    pub(super) fn new(learnt: Tensor, normalization: Normalization) -> Self {
        let spectral = (normalization == Normalization::Spectral).then(|| Spectral::of(&learnt));
        Self { learnt, spectral }
    }

    /// The weight to work with. Each use in training follows the singular vectors a little further.
    pub(super) fn in_force(&self, mode: Mode) -> Tensor {
        match &self.spectral {
            None => self.learnt.shallow_clone(),
            Some(spectral) => spectral.normalized(&self.learnt, mode),
        }
    }

    /// What is learnt, with PyTorch's name.
    pub(super) fn parameter(&self) -> (&'static str, &Tensor) {
        let name = match self.spectral {
            None => "weight",
            Some(_) => "parametrizations.weight.original",
        };
        (name, &self.learnt)
    }

    /// What it remembers beside, with PyTorch's names.
    pub(super) fn buffers(&self) -> Vec<(&'static str, &Tensor)> {
        self.spectral.iter().flat_map(Spectral::buffers).collect()
    }
}

impl Spectral {
    /// Iterations before the first step, as in PyTorch.
    const FIRST: usize = 15;
    /// As in PyTorch: added to nothing but lengths of zero.
    const EPSILON: f64 = 1e-12;

    fn of(weight: &Tensor) -> Self {
        let matrix = matrix(weight).detach();
        let unit = |length: i64| {
            // Drawn on the CPU, so that a seed gives the same numbers on every device.
            let random = Tensor::randn([length], (matrix.kind(), tch::Device::Cpu));
            normalize(&random.to_device(matrix.device()))
        };
        let spectral = Self {
            u: unit(matrix.size()[0]),
            v: unit(matrix.size()[1]),
        };
        for _ in 0..Self::FIRST {
            spectral.follow(&matrix);
        }
        spectral
    }

    /// One iteration of the power method.
    fn follow(&self, matrix: &Tensor) {
        no_grad(|| {
            let u = normalize(&matrix.mv(&self.v));
            self.u.shallow_clone().copy_(&u);
            let v = normalize(&matrix.tr().mv(&u));
            self.v.shallow_clone().copy_(&v);
        });
    }

    fn normalized(&self, weight: &Tensor, mode: Mode) -> Tensor {
        let matrix = matrix(weight);
        if mode == Mode::Training {
            self.follow(&matrix.detach());
        }
        // Copies, since the next use changes them, and this one has yet to be differentiated.
        let (u, v) = (self.u.copy(), self.v.copy());
        weight / u.dot(&matrix.mv(&v))
    }

    fn buffers(&self) -> [(&'static str, &Tensor); 2] {
        [
            ("parametrizations.weight.0._u", &self.u),
            ("parametrizations.weight.0._v", &self.v),
        ]
    }
}

fn matrix(weight: &Tensor) -> Tensor {
    weight.flatten(1, -1)
}

fn normalize(vector: &Tensor) -> Tensor {
    vector / vector.norm().clamp_min(Spectral::EPSILON)
}
