//! The metrics of held-out pictures, for tasks with right answers: measured by health checks, and reported beside the
//! metrics of the steps.

use sparring_contract::protocol::{Better, Fidelity, MetricKind, MetricSpec, Metrics, Reference};

use crate::eval::PlainMethod;

/// What the plain methods for a task reach.
pub(crate) type References = Vec<(PlainMethod, Fidelity)>;

/// A figure of held-out pictures.
struct Figure {
    key: &'static str,
    label: &'static str,
    unit: Option<&'static str>,
    kind: MetricKind,
    better: Better,
    explanation: &'static str,
    of: fn(&Fidelity) -> Option<f64>,
}

const FIGURES: [Figure; 4] = [
    Figure {
        key: "psnr",
        label: "PSNR",
        unit: Some("dB"),
        kind: MetricKind::Decibel,
        better: Better::Higher,
        explanation: "Peak signal-to-noise ratio of held-out pictures at the latest health check, of the mean error of all; in \
                      a repair, of the missing pixels. It rewards blur.",
        of: |fidelity| Some(fidelity.psnr),
    },
    Figure {
        key: "ssim",
        label: "SSIM",
        unit: None,
        kind: MetricKind::Share,
        better: Better::Higher,
        explanation: "Structural similarity of held-out pictures to the originals at the latest health check, up to 1.",
        of: |fidelity| Some(fidelity.ssim),
    },
    Figure {
        key: "held_out_l1",
        label: "held-out L1",
        unit: None,
        kind: MetricKind::Distance,
        better: Better::Lower,
        explanation: "Mean absolute difference of held-out pictures from the originals at the latest health check, where a \
                      pixel goes from 0 to 1; in a repair, of the missing pixels.",
        of: |fidelity| Some(fidelity.l1),
    },
    Figure {
        key: "label_kept",
        label: "label kept",
        unit: None,
        kind: MetricKind::Share,
        better: Better::Higher,
        explanation: "Share of held-out pictures that the judge takes for the same class as their originals, at the latest \
                      health check.",
        of: |fidelity| fidelity.label_kept,
    },
];

/// The specs of [`metrics`], in its order; none without references, for a task without right answers. The plain method that
/// does best at a figure is its reference.
pub(super) fn specs(references: &References) -> Vec<MetricSpec> {
    if references.is_empty() {
        return Vec::new();
    }
    FIGURES
        .iter()
        .filter_map(|figure| {
            let values = references
                .iter()
                .filter_map(|(method, fidelity)| Some((method, (figure.of)(fidelity)?)))
                .filter(|(_, value)| !value.is_nan());
            let best = values.reduce(|best, other| {
                let is_better = match figure.better {
                    Better::Lower => other.1 < best.1,
                    Better::Higher | Better::Neither => other.1 > best.1,
                };
                if is_better { other } else { best }
            });
            // What no plain method has, such as a class without a judge, or structure in tiny pictures, the run's pictures
            // will not have either.
            let (method, value) = best?;
            Some(MetricSpec {
                unit: figure.unit.map(str::to_owned),
                better: figure.better,
                // A perfect picture has a PSNR without end.
                reference: value.is_finite().then(|| Reference {
                    label: method.words().to_owned(),
                    value,
                }),
                ..MetricSpec::new(figure.key, figure.label, figure.kind, figure.explanation)
            })
        })
        .collect()
}

/// The figures of held-out pictures by their keys.
pub(super) fn metrics(fidelity: &Fidelity) -> Metrics {
    FIGURES
        .iter()
        .filter_map(|figure| Some((figure.key, (figure.of)(fidelity)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(psnr: f64, l1: f64, label_kept: Option<f64>) -> Fidelity {
        Fidelity {
            psnr,
            ssim: 0.5,
            l1,
            label_kept,
            frechet: None,
        }
    }

    #[test]
    fn the_reference_of_a_figure_is_the_plain_method_that_does_best_at_it() {
        let references = vec![
            (PlainMethod::Bicubic, reached(14.6, 0.2, Some(0.36))),
            (PlainMethod::Nearest, reached(15.1, 0.3, Some(0.95))),
        ];
        let found: Vec<_> = specs(&references)
            .into_iter()
            .map(|spec| (spec.key, spec.reference.unwrap().label))
            .collect();
        let expected = [
            ("psnr", "nearest training picture"),
            ("ssim", "bicubic interpolation"),
            ("held_out_l1", "bicubic interpolation"),
            ("label_kept", "nearest training picture"),
        ];
        assert_eq!(
            found,
            expected.map(|(key, label)| (key.to_owned(), label.to_owned()))
        );
    }

    #[test]
    fn without_a_judge_no_label_is_reported() {
        let references = vec![(PlainMethod::Bicubic, reached(14.6, 0.2, None))];
        let keys = |references: &References| -> Vec<String> {
            specs(references).into_iter().map(|spec| spec.key).collect()
        };
        assert_eq!(keys(&references), ["psnr", "ssim", "held_out_l1"]);
        let tiny = Fidelity {
            ssim: f64::NAN,
            ..reached(f64::INFINITY, 0.0, None)
        };
        let perfect = vec![(PlainMethod::Unchanged, tiny)];
        assert_eq!(keys(&perfect), ["psnr", "held_out_l1"]);
        assert!(specs(&perfect)[0].reference.is_none());
        let values = metrics(&reached(1.0, 0.1, None));
        assert_eq!(values.iter().count(), 3);
        assert!(specs(&Vec::new()).is_empty());
    }
}
