//! The history of a value over a run, in bounded memory.

use std::collections::VecDeque;

use crate::protocol::{Metrics, Quality, Sampled, Stats};

/// Something that was so at a step.
pub trait Point: Clone {
    /// Steps done.
    fn step(&self) -> u64;

    /// Merges two neighbours into one point. No gap is lost: a value that is not finite in either is not finite in
    /// the result.
    #[must_use]
    fn merge(earlier: Self, later: Self) -> Self;
}

/// How many points a [`History`] keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The latest points, which are all kept.
    pub recent: usize,
    /// Older points, at least 2. When there are more, every two neighbours are merged.
    pub older: usize,
}

/// Points in the order of training: all of the latest ones, and older ones thinned evenly.
#[derive(Clone, Debug)]
pub struct History<P> {
    limit: Limit,
    older: Vec<P>,
    recent: VecDeque<P>,
    /// How many points are merged into one when they become old.
    stride: usize,
    /// Old points that are being merged, and how many they are.
    merging: Option<(P, usize)>,
}

impl<P: Point> History<P> {
    /// An empty history.
    pub fn new(limit: Limit) -> Self {
        Self {
            limit,
            older: Vec::new(),
            recent: VecDeque::new(),
            stride: 1,
            merging: None,
        }
    }

    /// Adds the newest point.
    pub fn push(&mut self, point: P) {
        self.recent.push_back(point);
        if self.recent.len() > self.limit.recent
            && let Some(old) = self.recent.pop_front()
        {
            self.retire(old);
        }
    }

    fn retire(&mut self, old: P) {
        let (point, count) = match self.merging.take() {
            Some((earlier, count)) => (P::merge(earlier, old), count + 1),
            None => (old, 1),
        };
        if count < self.stride {
            self.merging = Some((point, count));
            return;
        }
        self.older.push(point);
        if self.older.len() > self.limit.older {
            self.halve();
        }
    }

    /// Merges every two neighbours of the older points. One that is left over waits for its neighbour.
    fn halve(&mut self) {
        let mut points = std::mem::take(&mut self.older).into_iter();
        while let Some(earlier) = points.next() {
            match points.next() {
                Some(later) => self.older.push(P::merge(earlier, later)),
                None => self.merging = Some((earlier, self.stride)),
            }
        }
        self.stride *= 2;
    }

    /// Forgets the points after a step: the run goes on from there.
    pub fn rewind(&mut self, step: u64) {
        self.recent.retain(|point| point.step() <= step);
        self.older.retain(|point| point.step() <= step);
        self.merging.take_if(|(point, _)| point.step() > step);
    }

    /// Forgets all points.
    pub fn clear(&mut self) {
        *self = Self::new(self.limit);
    }

    /// The newest point.
    pub fn last(&self) -> Option<&P> {
        self.iter().next_back()
    }

    /// Every point that is kept, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &P> {
        let merging = self.merging.iter().map(|(point, _)| point);
        self.older.iter().chain(merging).chain(&self.recent)
    }
}

impl Point for Stats {
    fn step(&self) -> u64 {
        self.step
    }

    fn merge(earlier: Self, later: Self) -> Self {
        match (
            covers(&earlier.metrics, &later.metrics),
            covers(&later.metrics, &earlier.metrics),
        ) {
            (_, true) => later,
            (true, false) => earlier,
            (false, false) => Self {
                metrics: with_gaps(later.metrics, &earlier.metrics),
                ..later
            },
        }
    }
}

/// Whether `one` has a gap wherever `other` has one.
fn covers(one: &Metrics, other: &Metrics) -> bool {
    other
        .iter()
        .all(|(key, value)| value.is_finite() || !one.get(key).is_finite())
}

/// `metrics` with the gaps of `other` added.
fn with_gaps(mut metrics: Metrics, other: &Metrics) -> Metrics {
    for (key, value) in other.iter().filter(|(_, value)| !value.is_finite()) {
        metrics.set(key, value);
    }
    metrics
}

impl Point for Quality {
    fn step(&self) -> u64 {
        self.step
    }

    fn merge(earlier: Self, later: Self) -> Self {
        if later.quick_distance.is_finite() && !earlier.quick_distance.is_finite() {
            earlier
        } else {
            later
        }
    }
}

impl Point for Sampled {
    fn step(&self) -> u64 {
        self.step
    }

    fn merge(_earlier: Self, later: Self) -> Self {
        later
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit {
        recent: 200,
        older: 1000,
    };

    fn report(step: u64, values: [f64; 2]) -> Stats {
        Stats {
            metrics: ["d_loss", "psnr"].into_iter().zip(values).collect(),
            ..Stats::none_at(step, 1, step * 64)
        }
    }

    fn history(points: impl IntoIterator<Item = Stats>) -> History<Stats> {
        let mut history = History::new(LIMIT);
        for point in points {
            history.push(point);
        }
        history
    }

    fn steps(history: &History<Stats>) -> Vec<u64> {
        history.iter().map(Stats::step).collect()
    }

    #[test]
    fn a_long_history_is_thinned_evenly_and_keeps_its_latest_points() {
        let history = history((1..=200_000).map(|step| report(step, [0.5, 20.0])));
        let steps = steps(&history);
        assert!(
            steps.len() <= LIMIT.recent + LIMIT.older + 1,
            "{}",
            steps.len()
        );
        assert!(steps.len() > LIMIT.older / 2, "{}", steps.len());
        assert_eq!(
            steps[steps.len() - 200..],
            (199_801..=200_000).collect::<Vec<_>>()
        );
        let old = &steps[..steps.len() - 201];
        let gaps: Vec<_> = old.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| *gap == gaps[0]), "{gaps:?}");
    }

    #[test]
    fn no_gap_of_any_metric_is_lost() {
        let value = |step: u64, gap: u64| if step == gap { f64::NAN } else { 1.0 };
        // Of neighbours in the log, one has a gap in one metric and one in another.
        let history = history(
            (1..=60_000).map(|step| report(step, [value(step, 7_777), value(step, 7_778)])),
        );
        for key in ["d_loss", "psnr"] {
            let gaps = history
                .iter()
                .filter(|stats| stats.metrics.get(key).is_nan());
            assert_eq!(gaps.count(), 1, "{key}");
        }
        let finite = history
            .iter()
            .filter(|stats| stats.metrics.get("d_loss") == 1.0);
        assert_eq!(finite.count(), steps(&history).len() - 1);
    }

    #[test]
    fn a_metric_that_is_never_finite_hides_no_gap_of_another() {
        let history = history((1..=60_000).map(|step| {
            let loss = if step == 7_777 { f64::INFINITY } else { 1.0 };
            report(step, [loss, f64::NAN])
        }));
        let gaps = history
            .iter()
            .filter(|stats| !stats.metrics.get("d_loss").is_finite());
        assert_eq!(gaps.count(), 1);
    }

    #[test]
    fn no_gap_of_the_quality_curve_is_lost() {
        let mut history = History::new(LIMIT);
        for step in 1..=60_000 {
            history.push(Quality {
                step,
                training_seconds: step as f64,
                quick_distance: if step == 777 { f64::NAN } else { 9.0 },
                features: None,
            });
        }
        assert!(history.iter().any(|point| point.quick_distance.is_nan()));
    }

    #[test]
    fn a_run_that_goes_back_forgets_what_came_after() {
        let mut history = history((1..=1000).map(|step| report(step, [0.5, 20.0])));
        history.rewind(600);
        assert_eq!(steps(&history), (1..=600).collect::<Vec<_>>());
        history.rewind(0);
        assert_eq!(history.last(), None);
        history.push(report(1, [0.5, 20.0]));
        assert_eq!(steps(&history), [1]);
    }
}
