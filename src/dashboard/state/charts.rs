//! What can be drawn of a run: its metrics, in charts by their kind.

use sparring_contract::protocol::{MetricKind, MetricSpec, Reference, Stats};

use super::journal::plain;
use crate::dashboard::words::figure;

/// A figure that has a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// Real images per second, which every run reports.
    Throughput,
    /// The metric at this place among the specs of the run.
    Metric(usize),
}

/// The colour of a curve, by its place in its chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hue(pub usize);

impl Hue {
    /// The colour of a chart with a single curve.
    const ALONE: Self = Self(2);
    /// The colour of throughput.
    const THROUGHPUT: Self = Self(3);
}

/// A series in a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The series.
    pub series: Series,
    /// What it is called.
    pub label: String,
    /// A letter that tells it from the others in its chart where there are no colours; empty if it is the only one.
    pub mark: String,
    /// Its colour.
    pub hue: Hue,
    /// Its value at the game's equilibrium, if theory names one.
    pub ideal: Option<f64>,
    /// What a plain method reaches.
    pub reference: Option<Reference>,
}

/// Series between the same two axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What it is called.
    pub name: String,
    /// What its curves show.
    pub kind: MetricKind,
    /// Its curves, in the order of the specs.
    pub curves: Vec<Curve>,
}

/// The charts of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Charts {
    specs: Vec<MetricSpec>,
    charts: Vec<Chart>,
}

impl Default for Charts {
    fn default() -> Self {
        Self::new(&MetricSpec::of_older_runs())
    }
}

impl Charts {
    /// The charts of what a run reports: one of all losses, one of all probabilities and one of all norms, then
    /// throughput, then one for each other metric.
    pub fn new(specs: &[MetricSpec]) -> Self {
        let specs: Vec<_> = specs.iter().map(printable).collect();
        let together = [MetricKind::Loss, MetricKind::Probability, MetricKind::Norm];
        let mut charts: Vec<_> = together
            .into_iter()
            .filter_map(|kind| shared(&specs, kind))
            .collect();
        charts.push(throughput());
        let others = (0..)
            .zip(&specs)
            .filter(|(_, spec)| !together.contains(&spec.kind));
        charts.extend(others.map(|(index, spec)| alone(index, spec)));
        Self { specs, charts }
    }

    /// The chart at a place, which counts on around the ends.
    pub fn at(&self, place: usize) -> &Chart {
        // There is always one: that of throughput.
        &self.charts[place % self.charts.len()]
    }

    /// How many charts there are.
    pub fn count(&self) -> usize {
        self.charts.len()
    }

    /// The chart of all metrics of a kind, if there are any.
    pub fn of_kind(&self, kind: MetricKind) -> Option<&Chart> {
        self.charts.iter().find(|chart| chart.kind == kind)
    }

    /// What is shown first, at every size.
    pub fn main(&self) -> &Chart {
        self.at(0)
    }

    /// The spec of a series; throughput has none.
    pub fn spec(&self, series: Series) -> Option<&MetricSpec> {
        match series {
            Series::Metric(index) => self.specs.get(index),
            Series::Throughput => None,
        }
    }

    /// The value of a series in a report.
    pub fn value(&self, series: Series, stats: &Stats) -> f64 {
        match self.spec(series) {
            Some(spec) => stats.metrics.get(&spec.key),
            None => stats.images_per_second,
        }
    }

    /// Lines that explain a chart: what each curve means, and its value at the equilibrium.
    pub fn explain(&self, chart: &Chart) -> Vec<String> {
        chart
            .curves
            .iter()
            .map(|curve| match self.spec(curve.series) {
                Some(spec) => explain(spec),
                None => "images/s: Real images per second of training time.".to_owned(),
            })
            .collect()
    }
}

fn explain(spec: &MetricSpec) -> String {
    let unit = spec
        .unit
        .as_ref()
        .map_or_else(String::new, |unit| format!(" ({unit})"));
    let ideal = spec.ideal.map_or_else(String::new, |ideal| {
        format!(" At the equilibrium: {}.", figure(ideal))
    });
    let reference = spec.reference.as_ref().map_or_else(String::new, |plain| {
        format!(
            " {}: {}.",
            capitalised(&plain.label),
            spec.format(plain.value)
        )
    });
    format!(
        "{}{unit}: {}{ideal}{reference}",
        spec.label, spec.explanation
    )
}

/// A text with a capital letter at its beginning.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// A spec whose words a terminal cannot take for commands.
fn printable(spec: &MetricSpec) -> MetricSpec {
    MetricSpec {
        label: plain(&spec.label),
        unit: spec.unit.as_deref().map(plain),
        reference: spec.reference.as_ref().map(|reference| Reference {
            label: plain(&reference.label),
            value: reference.value,
        }),
        explanation: plain(&spec.explanation),
        ..spec.clone()
    }
}

fn shared(specs: &[MetricSpec], kind: MetricKind) -> Option<Chart> {
    let of_kind: Vec<_> = (0..)
        .zip(specs)
        .filter(|(_, spec)| spec.kind == kind)
        .collect();
    let labels: Vec<_> = of_kind
        .iter()
        .map(|(_, spec)| spec.label.as_str())
        .collect();
    let name = match kind {
        MetricKind::Loss => "losses".to_owned(),
        MetricKind::Norm => "gradient norms".to_owned(),
        _ => labels.join(", "),
    };
    let curves: Vec<_> = of_kind
        .iter()
        .zip(marks(&labels))
        .enumerate()
        .map(|(place, ((index, spec), mark))| Curve {
            series: Series::Metric(*index),
            label: spec.label.clone(),
            mark,
            hue: Hue(place),
            ideal: spec.ideal,
            reference: spec.reference.clone(),
        })
        .collect();
    (!curves.is_empty()).then_some(Chart { name, kind, curves })
}

fn alone(index: usize, spec: &MetricSpec) -> Chart {
    let name = match &spec.unit {
        Some(unit) => format!("{} ({unit})", spec.label),
        None => spec.label.clone(),
    };
    Chart {
        name,
        kind: spec.kind,
        curves: vec![Curve {
            series: Series::Metric(index),
            label: spec.label.clone(),
            mark: String::new(),
            hue: Hue::ALONE,
            ideal: spec.ideal,
            reference: spec.reference.clone(),
        }],
    }
}

fn throughput() -> Chart {
    Chart {
        name: "images/s".to_owned(),
        kind: MetricKind::Rate,
        curves: vec![Curve {
            series: Series::Throughput,
            label: "images/s".to_owned(),
            mark: String::new(),
            hue: Hue::THROUGHPUT,
            ideal: None,
            reference: None,
        }],
    }
}

/// A letter for each label: the first place where all labels have different ones. Their numbers where there is no such
/// place, and nothing for a single one.
fn marks(labels: &[&str]) -> Vec<String> {
    let longest = labels.iter().map(|label| label.chars().count()).max();
    let letters = |place: usize| -> Option<Vec<char>> {
        let letters: Vec<_> = labels
            .iter()
            .filter_map(|label| label.chars().nth(place))
            .filter(|letter| letter.is_alphanumeric())
            .collect();
        let all_differ = (1..letters.len()).all(|end| !letters[..end].contains(&letters[end]));
        (letters.len() == labels.len() && all_differ).then_some(letters)
    };
    if labels.len() < 2 {
        return vec![String::new(); labels.len()];
    }
    match (0..longest.unwrap_or(0)).find_map(letters) {
        Some(letters) => letters.iter().map(char::to_string).collect(),
        None => (1..=labels.len())
            .map(|number| number.to_string())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(charts: &Charts) -> Vec<&str> {
        charts
            .charts
            .iter()
            .map(|chart| chart.name.as_str())
            .collect()
    }

    #[test]
    fn the_game_of_two_networks_has_four_charts() {
        let charts = Charts::default();
        assert_eq!(
            names(&charts),
            ["losses", "D(x), D(G(z))", "gradient norms", "images/s"]
        );
        let marks = |place: usize| -> Vec<&str> {
            let curves = charts.at(place).curves.iter();
            curves.map(|curve| curve.mark.as_str()).collect()
        };
        assert_eq!(marks(0), ["D", "G"]);
        assert_eq!(marks(1), ["x", "G"]);
        assert_eq!(marks(3), [""]);
        assert_eq!(charts.at(4), charts.at(0));
    }

    #[test]
    fn a_new_metric_gets_a_chart_of_its_own() {
        let psnr = MetricSpec {
            unit: Some("dB".to_owned()),
            ideal: Some(30.0),
            ..MetricSpec::new("psnr", "PSNR", MetricKind::Decibel, "How near.\u{1b}[2J")
        };
        let specs = [MetricSpec::of_older_runs(), vec![psnr]].concat();
        let charts = Charts::new(&specs);
        let chart = charts.at(4);
        assert_eq!(chart.name, "PSNR (dB)");
        assert_eq!(
            charts.explain(chart),
            ["PSNR (dB): How near. [2J At the equilibrium: 30.00."]
        );
        let mut stats = Stats::none_at(1, 1, 64);
        stats.metrics.set("psnr", 21.5);
        assert_eq!(charts.value(chart.curves[0].series, &stats), 21.5);
    }

    #[test]
    fn a_run_without_losses_has_charts_too() {
        let charts = Charts::new(&[]);
        assert_eq!(names(&charts), ["images/s"]);
        assert!(charts.of_kind(MetricKind::Loss).is_none());
    }

    #[test]
    fn marks_tell_labels_apart() {
        assert_eq!(marks(&["D loss", "G loss", "L1 loss"]), ["D", "G", "L"]);
        assert_eq!(marks(&["loss 1", "loss 2"]), ["1", "2"]);
        assert_eq!(marks(&["same", "same"]), ["1", "2"]);
        assert_eq!(marks(&["loss"]), [""]);
    }
}
