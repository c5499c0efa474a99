//! Metrics as data: a task says which figures it reports, and everything that shows, stores or exports figures follows
//! from these specs.

use std::fmt;

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
    /// Which direction is an improvement.
    #[serde(default)]
    pub better: Better,
    /// One or two sentences for someone who asks what it means.
    pub explanation: String,
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

/// Values of metrics by key, in the order in which the task reports them.
///
/// In JSON a flat object; a value that is not finite is `null` there and NaN here.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Vec<(String, f64)>);

impl Metrics {
    /// The value of a metric; NaN if it was not reported.
    pub fn get(&self, key: &str) -> f64 {
        let found = self.0.iter().find(|(own, _)| own == key);
        found.map_or(f64::NAN, |(_, value)| *value)
    }

    /// Sets the value of a metric, which goes last if it is new.
    pub fn set(&mut self, key: &str, value: f64) {
        match self.0.iter_mut().find(|(own, _)| own == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    /// Keys and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(key, value)| (key.as_str(), *value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Two values that are not numbers are the same value here: both are gaps.
impl PartialEq for Metrics {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
        self.0.len() == other.0.len() && self.iter().all(|(key, value)| same(value, other.get(key)))
    }
}

impl<K: Into<String>> FromIterator<(K, f64)> for Metrics {
    fn from_iter<I: IntoIterator<Item = (K, f64)>>(values: I) -> Self {
        Self(
            values
                .into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect(),
        )
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
        let mut values = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, serde_json::Value>()? {
            if value.is_null() || value.is_number() {
                values.push((key, value.as_f64().unwrap_or(f64::NAN)));
            }
        }
        Ok(Metrics(values))
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
    fn entries_of_other_kinds_are_passed_over() {
        let json = r#"{"event":"stats","d_loss":1,"path":["a"],"best":true}"#;
        let read: Metrics = serde_json::from_str(json).unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), [("d_loss", 1.0)]);
    }
}
