//! What the game of two networks reports, as data.

use std::f64::consts::LN_2;

use sparring_contract::config::{Config, Loss};
use sparring_contract::protocol::{MetricKind, MetricSpec, Metrics};

use crate::gan::Figures;

/// The metrics of a game with this loss, with their values at its equilibrium.
pub(super) fn specs(config: &Config) -> Vec<MetricSpec> {
    let ideal = Ideal::of(config);
    let mut specs = MetricSpec::of_older_runs();
    for spec in &mut specs {
        spec.ideal = match spec.key.as_str() {
            "d_loss" => ideal.d_loss,
            "g_loss" => ideal.g_loss,
            "d_real" | "d_fake" => Some(ideal.probability),
            _ => None,
        };
        if spec.kind == MetricKind::Loss && matches!(config.loss, Loss::Bce | Loss::Relativistic) {
            spec.unit = Some("nats".to_owned());
        }
    }
    specs
}

/// The values of a report.
pub(super) fn values(figures: &Figures) -> Metrics {
    [
        ("d_loss", figures.d_loss),
        ("g_loss", figures.g_loss),
        ("d_real", figures.d_real),
        ("d_fake", figures.d_fake),
        ("d_grad_norm", figures.d_grad_norm),
        ("g_grad_norm", figures.g_grad_norm),
    ]
    .into_iter()
    .collect()
}

/// Losses and probabilities where fakes are distributed like real images and D is at its best. Penalties come on top.
struct Ideal {
    d_loss: Option<f64>,
    /// `None` where D may then give any logit, as long as it is the same everywhere.
    g_loss: Option<f64>,
    probability: f64,
}

impl Ideal {
    fn of(config: &Config) -> Self {
        let (d_loss, g_loss, probability) = match config.loss {
            // D minimises −(1 − s) ln D − s ln(1 − D) − ln(1 − D), which D = (1 − s) / 2 does.
            Loss::Bce => {
                let s = config.label_smoothing;
                let p = (1.0 - s) / 2.0;
                let d = -(1.0 - s) * p.ln() - (1.0 + s) * (1.0 - p).ln();
                (d, Some(-p.ln()), p)
            }
            // Lim and Ye 2017, theorem 1: the equilibrium is at 2 for D.
            Loss::Hinge => (2.0, None, 0.5),
            // D = ½ everywhere.
            Loss::LeastSquares => (0.25, Some(0.125), 0.5),
            Loss::Wasserstein => (0.0, None, 0.5),
            // Logits of real images and fakes are the same.
            Loss::Relativistic => (LN_2, Some(LN_2), 0.5),
        };
        Self {
            d_loss: Some(d_loss),
            g_loss,
            probability,
        }
    }
}

#[cfg(test)]
mod tests {
    use sparring_contract::config::{Request, resolve};

    use super::*;

    fn ideals(settings: &[(&str, Loss, f64)]) -> Vec<[Option<f64>; 3]> {
        settings
            .iter()
            .map(|(preset, loss, label_smoothing)| {
                let request = Request {
                    preset: Some((*preset).to_owned()),
                    ..Request::default()
                };
                let mut config = resolve(&request).unwrap().config;
                config.loss = *loss;
                config.label_smoothing = *label_smoothing;
                let specs = specs(&config);
                let ideal = |key: &str| specs.iter().find(|spec| spec.key == key).unwrap().ideal;
                [ideal("d_loss"), ideal("g_loss"), ideal("d_fake")]
            })
            .collect()
    }

    fn near(found: Option<f64>, wanted: f64) {
        assert!(
            (found.unwrap() - wanted).abs() < 1e-12,
            "{found:?} {wanted}"
        );
    }

    #[test]
    fn the_equilibrium_depends_on_the_loss() {
        let found = ideals(&[
            ("tutorial", Loss::Bce, 0.0),
            ("tutorial", Loss::Bce, 0.2),
            ("tutorial", Loss::Relativistic, 0.0),
            ("tutorial", Loss::Hinge, 0.0),
        ]);
        near(found[0][0], 2.0 * LN_2);
        near(found[0][1], LN_2);
        near(found[0][2], 0.5);
        // D gives 0.4 everywhere: −0.8 ln 0.4 − 1.2 ln 0.6.
        near(
            found[1][0],
            0.8 * 0.916_290_731_874_155 + 1.2 * 0.510_825_623_765_990_7,
        );
        near(found[1][2], 0.4);
        near(found[2][0], LN_2);
        near(found[2][1], LN_2);
        near(found[3][0], 2.0);
        assert_eq!(found[3][1], None);
    }
}
