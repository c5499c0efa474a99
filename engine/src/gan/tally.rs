//! Figures that add up on the device: reading them stops the queue of a GPU, so that happens once a report and not
//! once a step.

use tch::{Device, Kind, Tensor};

/// Sums of `N` figures over steps.
#[derive(Debug)]
pub(super) struct Tally<const N: usize> {
    sums: Tensor,
    steps: u64,
}

impl<const N: usize> Tally<N> {
    pub(super) fn new(device: Device) -> Self {
        Self {
            sums: Tensor::zeros([N as i64], (Kind::Float, device)),
            steps: 0,
        }
    }

    /// Adds one step's scalars.
    pub(super) fn add(&mut self, figures: [&Tensor; N]) {
        self.sums += Tensor::stack(&figures, 0);
        self.steps += 1;
    }

    /// The means since the last call; NaN if there was no step.
    pub(super) fn take(&mut self) -> [f64; N] {
        let steps = std::mem::take(&mut self.steps);
        let mut means = [f64::NAN; N];
        let sums = self.sums.to_device(Device::Cpu).to_kind(Kind::Double);
        let _ = self.sums.zero_();
        if steps > 0 {
            sums.copy_data(&mut means, N);
            for mean in &mut means {
                *mean /= steps as f64;
            }
        }
        means
    }
}
