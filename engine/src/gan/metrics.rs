//! The metrics of adversarial training: what they are, and how they add up between two reports.

use sparring_contract::protocol::{Better, MetricKind, MetricSpec};
use tch::{Device, Kind, Tensor};

use super::loss::AdversarialLoss;

/// Sums of metrics over steps, on the device: reading a number of a GPU waits for its queue, so metrics are read once
/// per report and not once per step.
#[derive(Debug)]
pub(super) struct MetricAccumulator {
    sums: Tensor,
    steps: u64,
}

impl MetricAccumulator {
    /// Sums of `count` metrics.
    pub(super) fn new(count: usize, device: Device) -> Self {
        Self {
            sums: Tensor::zeros([count as i64], (Kind::Float, device)),
            steps: 0,
        }
    }

    /// Adds the metrics of a step, scalars each.
    pub(super) fn add(&mut self, metrics: &[Tensor]) {
        self.sums += Tensor::stack(metrics, 0);
    }

    /// Notes that metrics were added, once for each step.
    pub(super) fn count_step(&mut self) {
        self.steps += 1;
    }

    /// Starts from zero.
    pub(super) fn reset(&mut self) {
        let _ = self.sums.zero_();
        self.steps = 0;
    }

    /// The sums over the steps since the last call, scalars on the device, and the number of these steps. They must be
    /// read before the next step.
    pub(super) fn sums(&self) -> (Vec<Tensor>, u64) {
        (self.sums.unbind(0), self.steps)
    }
}

/// The specs of `d_loss`, `g_loss`, `d_real` and `d_fake`.
pub(super) fn adversarial_specs(loss: &AdversarialLoss) -> Vec<MetricSpec> {
    let [d_ideal, g_ideal] = loss.equilibrium();
    let of_loss = |key: &str, label: &str, ideal, explanation: &str| MetricSpec {
        key: key.to_owned(),
        label: label.to_owned(),
        unit: loss.is_in_nats().then(|| "nats".to_owned()),
        kind: MetricKind::Loss,
        ideal,
        reference: None,
        better: Better::Neither,
        explanation: explanation.to_owned(),
    };
    let probability = |key: &str, label: &str, explanation: &str| MetricSpec {
        key: key.to_owned(),
        label: label.to_owned(),
        unit: None,
        kind: MetricKind::Probability,
        ideal: Some(loss.equilibrium_probability()),
        reference: None,
        better: Better::Neither,
        explanation: explanation.to_owned(),
    };
    let [on_real, on_fake] = if loss.compares_pairs() {
        [
            "The probability that D picks the real image of a pair.",
            "The probability that D picks the fake of a pair.",
        ]
    } else {
        [
            "The probability that D gives to real images being real.",
            "The probability that D gives to fakes being real.",
        ]
    };
    vec![
        of_loss(
            "d_loss",
            "D loss",
            d_ideal,
            "The discriminator's loss, penalties included. It says who is ahead, not how good the pictures are.",
        ),
        of_loss(
            "g_loss",
            "G loss",
            g_ideal,
            "The generator's loss. It says who is ahead, not how good the pictures are.",
        ),
        probability("d_real", "D(x)", on_real),
        probability("d_fake", "D(G(z))", on_fake),
    ]
}

/// The specs of `d_grad_norm` and `g_grad_norm`.
pub(super) fn gradient_norm_specs() -> [MetricSpec; 2] {
    let norm = |key: &str, label: &str, network: &str| MetricSpec {
        key: key.to_owned(),
        label: label.to_owned(),
        unit: None,
        kind: MetricKind::Norm,
        ideal: None,
        reference: None,
        better: Better::Neither,
        explanation: format!(
            "L2 norm of the {network}'s gradient in the latest step. Sudden jumps announce divergence."
        ),
    };
    [
        norm("d_grad_norm", "D gradient norm", "discriminator"),
        norm("g_grad_norm", "G gradient norm", "generator"),
    ]
}
