//! Metrics as data: a task says which figures it reports, and everything that shows, stores or exports figures follows
//! from these specs.

use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a metric is, for whoever shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricSpec {
    /// Its name in JSON and in code, such as `d_loss`.
    pub key: String,
    /// Its name on a screen, such as `D loss`.
    pub label: String,
    /// The unit, if it has one, such as `nats`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What kind of number it is, which decides its axis and its digits.
    pub kind: MetricKind,
    /// The value at the game's equilibrium, where theory names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ideal: Option<f64>,
    /// What a plain method reaches, for comparison.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Which direction is an improvement.
    #[serde(default)]
    pub better: Better,
    /// One or two sentences for someone who asks what it means.
    pub explanation: String,
}

/// What another method reaches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// Its name, such as `bicubic interpolation`.
    pub label: String,
    /// The value of the metric.
    pub value: f64,
}

/// What kind of number a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// A loss: any finite number.
    Loss,
    /// A probability, 0 to 1.
    Probability,
    /// A norm, 0 or more, often over several orders of magnitude.
    Norm,
    /// Something per second.
    Rate,
    /// A distance, 0 or more.
    Distance,
    /// A share of a whole, 0 to 1.
    Share,
    /// A ratio in decibels.
    Decibel,
    /// A kind of a newer build.
    #[serde(other)]
    Unknown,
}

/// Which direction of a metric is an improvement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// Neither: a loss of a game that both sides play, for example.
    #[default]
    #[serde(other)]
    Neither,
}

impl MetricSpec {
    /// A metric whose direction does not matter, without a unit and an ideal.
    pub fn new(key: &str, label: &str, kind: MetricKind, explanation: &str) -> Self {
        Self {
            key: key.to_owned(),
            label: label.to_owned(),
            unit: None,
            kind,
            ideal: None,
            reference: None,
            better: Better::Neither,
            explanation: explanation.to_owned(),
        }
    }

    /// The metrics of runs from before metrics had specs. Which loss they were trained with is not known, so neither is
    /// the ideal of a loss.
    pub fn of_older_runs() -> Vec<Self> {
        let loss = |key, label, explanation| Self::new(key, label, MetricKind::Loss, explanation);
        let probability = |key, label, explanation| Self {
            ideal: Some(0.5),
            ..Self::new(key, label, MetricKind::Probability, explanation)
        };
        vec![
            loss("d_loss", "D loss", "How badly D tells real from fake."),
            loss("g_loss", "G loss", "How badly G fools D."),
            probability(
                "d_real",
                "D(x)",
                "How probably real D thinks real images are.",
            ),
            probability("d_fake", "D(G(z))", "How probably real D thinks fakes are."),
            Self::new(
                "d_grad_norm",
                "D gradient",
                MetricKind::Norm,
                "L2 norm of D's gradient at the last step.",
            ),
            Self::new(
                "g_grad_norm",
                "G gradient",
                MetricKind::Norm,
                "L2 norm of G's gradient at the last step.",
            ),
        ]
    }

    /// A value with as many digits as its kind needs; `–` if it is not finite.
    pub fn format(&self, value: f64) -> String {
        let digits = match self.kind {
            _ if !value.is_finite() => return "–".to_owned(),
            MetricKind::Probability | MetricKind::Share | MetricKind::Decibel => 2,
            MetricKind::Rate => 0,
            _ => 3,
        };
        format!("{value:.digits$}")
    }
}

/// Values of metrics by key, in the order in which the task reports them.
///
/// In JSON a flat object; a value that is not finite is `null` there and NaN here. Values that were made with
/// [`share_keys`](Self::share_keys) hold their keys once.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    keys: Arc<[String]>,
    /// One for each key.
    values: Vec<f64>,
}

impl Metrics {
    /// The value of a metric; NaN if it was not reported.
    pub fn get(&self, key: &str) -> f64 {
        self.position(key)
            .and_then(|index| self.values.get(index))
            .map_or(f64::NAN, |value| *value)
    }

    /// Sets the value of a metric, which goes last if it is new.
    pub fn set(&mut self, key: &str, value: f64) {
        let known = self.position(key);
        if let Some(old) = known.and_then(|index| self.values.get_mut(index)) {
            *old = value;
            return;
        }
        let keys = self.keys.iter().cloned();
        self.keys = keys.chain([key.to_owned()]).collect();
        self.values.push(value);
    }

    /// Keys and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        let keys = self.keys.iter().map(String::as_str);
        keys.zip(self.values.iter().copied())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Uses the keys of `other` in memory, if they are the same. Thousands of points then need little more than their
    /// values.
    pub fn share_keys(&mut self, other: &Self) {
        if self.keys == other.keys {
            self.keys = Arc::clone(&other.keys);
        }
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.keys.iter().position(|own| own == key)
    }
}

/// Two values that are not numbers are the same value here: both are gaps.
impl PartialEq for Metrics {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
        self.values.len() == other.values.len()
            && self.iter().all(|(key, value)| same(value, other.get(key)))
    }
}

impl<K: Into<String>> FromIterator<(K, f64)> for Metrics {
    fn from_iter<I: IntoIterator<Item = (K, f64)>>(values: I) -> Self {
        let (keys, values): (Vec<_>, _) = values
            .into_iter()
            .map(|(key, value)| (key.into(), value))
            .unzip();
        Self {
            keys: keys.into(),
            values,
        }
    }
}

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let finite = |value: f64| value.is_finite().then_some(value);
        serializer.collect_map(self.iter().map(|(key, value)| (key, finite(value))))
    }
}

impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FlatObject)
    }
}

/// Reads an object of numbers. Entries that are neither a number nor `null` are fields of something else that was
/// flattened into the same object, and passed over.
struct FlatObject;

impl<'de> Visitor<'de> for FlatObject {
    type Value = Metrics;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metrics, A::Error> {
        let mut found = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, serde_json::Value>()? {
            if value.is_null() || value.is_number() {
                found.push((key, value.as_f64().unwrap_or(f64::NAN)));
            }
        }
        Ok(found.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_a_flat_object_with_gaps_as_null() {
        let metrics: Metrics = [("d_loss", 0.5), ("psnr", f64::NAN)].into_iter().collect();
        let json = serde_json::to_string(&metrics).unwrap();
        assert_eq!(json, r#"{"d_loss":0.5,"psnr":null}"#);
        let back: Metrics = serde_json::from_str(&json).unwrap();
        assert_eq!(back, metrics);
        assert!(back.get("psnr").is_nan());
        assert!(back.get("absent").is_nan());
    }

    #[test]
    fn equal_keys_are_held_once() {
        let first: Metrics = [("d_loss", 0.5), ("psnr", 20.0)].into_iter().collect();
        let mut second: Metrics = [("d_loss", 0.4), ("psnr", 21.0)].into_iter().collect();
        second.share_keys(&first);
        assert!(Arc::ptr_eq(&first.keys, &second.keys));
        assert_eq!(second.get("psnr"), 21.0);
        second.set("ssim", 0.9);
        assert_eq!((first.iter().count(), second.get("ssim")), (2, 0.9));
        second.share_keys(&first);
        assert_eq!(second.get("ssim"), 0.9);
    }

    #[test]
    fn entries_of_other_kinds_are_passed_over() {
        let json = r#"{"event":"stats","d_loss":1,"path":["a"],"best":true}"#;
        let read: Metrics = serde_json::from_str(json).unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), [("d_loss", 1.0)]);
    }
}
