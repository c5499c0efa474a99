//! The course of every figure, in bounded memory: the latest points whole, older ones thinned out evenly.

use std::collections::VecDeque;

use sparring_contract::protocol::{Quality, Stats};

use crate::dashboard::words::whole;

/// So many of the latest points are kept whole: of reports some minutes, for the shorter times to look at.
const WHOLE: usize = 1024;
/// So many older points are kept before every second one is left out.
const THINNED: usize = 3072;
/// A smoothed figure has forgotten what was so many points before it: even at .98 less than 1 in 10,000 is left.
const MEMORY: usize = 512;

/// A figure that has a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// Loss of the discriminator.
    DLoss,
    /// Loss of the generator.
    GLoss,
    /// D(x).
    DReal,
    /// D(G(z)).
    DFake,
    /// Gradient norm of the discriminator.
    DGradient,
    /// Gradient norm of the generator.
    GGradient,
    /// Real images a second.
    Throughput,
}

impl Series {
    /// The figure in a report.
    pub fn of(self, stats: &Stats) -> f64 {
        match self {
            Self::DLoss => stats.d_loss,
            Self::GLoss => stats.g_loss,
            Self::DReal => stats.d_real,
            Self::DFake => stats.d_fake,
            Self::DGradient => stats.d_grad_norm,
            Self::GGradient => stats.g_grad_norm,
            Self::Throughput => stats.images_per_second,
        }
    }
}

/// Figures of a moment of a run.
pub trait Point: Copy {
    /// Steps done.
    fn step(&self) -> u64;
    /// Seconds of training, by which it stands in a chart.
    fn seconds(&self) -> f64;
    /// The same at another time.
    #[must_use]
    fn at_seconds(self, seconds: f64) -> Self;
    /// Whether the figures that a chart shows first are finite.
    fn is_finite(&self) -> bool;
}

impl Point for Stats {
    fn step(&self) -> u64 {
        self.step
    }

    fn seconds(&self) -> f64 {
        self.training_seconds
    }

    fn at_seconds(mut self, seconds: f64) -> Self {
        self.training_seconds = seconds;
        self
    }

    fn is_finite(&self) -> bool {
        self.d_loss.is_finite() && self.g_loss.is_finite()
    }
}

impl Point for Quality {
    fn step(&self) -> u64 {
        self.step
    }

    fn seconds(&self) -> f64 {
        self.training_seconds
    }

    fn at_seconds(mut self, seconds: f64) -> Self {
        self.training_seconds = seconds;
        self
    }

    fn is_finite(&self) -> bool {
        self.quick_distance.is_finite()
    }
}

/// What a slice of time holds of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slice {
    /// No point fell into it.
    Empty,
    /// A point whose figure was not finite.
    Gap,
    /// The mean of the points.
    Mean(f64),
}

impl Slice {
    /// The mean, where there is one.
    pub fn mean(self) -> Option<f64> {
        match self {
            Self::Mean(value) => Some(value),
            Self::Empty | Self::Gap => None,
        }
    }
}

/// Points in the order of training.
#[derive(Clone, Debug)]
pub struct History<P = Stats> {
    thinned: Vec<P>,
    latest: VecDeque<P>,
    /// Of the points that become old, one in so many is kept.
    stride: usize,
    /// Points that became old since one was kept, and the one of them to keep.
    waiting: usize,
    candidate: Option<P>,
}

impl<P> Default for History<P> {
    fn default() -> Self {
        Self {
            thinned: Vec::new(),
            latest: VecDeque::new(),
            stride: 0,
            waiting: 0,
            candidate: None,
        }
    }
}

impl<P: Point> History<P> {
    /// The points of a run, oldest first.
    pub fn new(points: impl IntoIterator<Item = P>) -> Self {
        let mut history = Self::default();
        for point in points {
            history.push(point);
        }
        history
    }

    /// Adds a point. One that is not newer than the last is of no use.
    pub fn push(&mut self, mut point: P) {
        let last = self.last().copied();
        if last.is_some_and(|last| point.step() <= last.step()) {
            return;
        }
        // Time is where a point stands in a chart: one that lacks it stands at its predecessor.
        if !point.seconds().is_finite() {
            point = point.at_seconds(last.map_or(0.0, |last| last.seconds()));
        }
        self.latest.push_back(point);
        if self.latest.len() > WHOLE
            && let Some(old) = self.latest.pop_front()
        {
            self.retire(old);
        }
    }

    fn retire(&mut self, old: P) {
        let kept = match self.candidate.take() {
            Some(candidate) => telling(candidate, old),
            None => old,
        };
        self.waiting += 1;
        if self.waiting < self.stride.max(1) {
            self.candidate = Some(kept);
            return;
        }
        self.waiting = 0;
        self.thinned.push(kept);
        if self.thinned.len() >= THINNED {
            self.thinned = self
                .thinned
                .chunks(2)
                .filter_map(|pair| pair.iter().copied().reduce(telling))
                .collect();
            self.stride = self.stride.max(1) * 2;
        }
    }

    /// Forgets what lies after a step: the run goes on from there.
    pub fn rewind(&mut self, step: u64) {
        self.latest.retain(|point| point.step() <= step);
        self.thinned.retain(|point| point.step() <= step);
        self.candidate = self.candidate.filter(|point| point.step() <= step);
    }

    /// The newest point.
    pub fn last(&self) -> Option<&P> {
        self.latest.back().or_else(|| self.thinned.last())
    }

    /// Every point that is kept, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &P> {
        self.thinned.iter().chain(&self.latest)
    }

    /// Training seconds from the first point to the last.
    pub fn seconds(&self) -> f64 {
        self.last().map_or(0.0, |last| {
            last.seconds() - self.iter().next().unwrap_or(last).seconds()
        })
    }

    /// The last `window` seconds of a figure in `count` slices of equal time, oldest first.
    ///
    /// Slices begin at whole multiples of their length, not at the newest point: so a curve moves by whole slices
    /// and does not shimmer. With `smoothing` above 0 each figure is first averaged with those before it, so that
    /// much weight staying with the past (an exponential moving average that starts unbiased, as Adam's).
    pub fn slices(
        &self,
        figure: impl Fn(&P) -> f64,
        window: f64,
        count: usize,
        smoothing: f64,
    ) -> Vec<Slice> {
        let mut slices = vec![Slice::Empty; count];
        let length = window / count.max(1) as f64;
        let (Some(last), true) = (self.last(), length > 0.0 && length.is_finite()) else {
            return slices;
        };
        let newest = (last.seconds() / length).floor();
        let oldest = newest - count as f64 + 1.0;
        let mut average = Average::new(smoothing);
        let mut sums = vec![(0.0, 0_u32); count];
        let earlier = self
            .iter()
            .take_while(|point| point.seconds() < oldest * length)
            .count();
        for point in self.iter().skip(earlier.saturating_sub(MEMORY)) {
            let value = average.next(figure(point));
            let place = (point.seconds() / length).floor() - oldest;
            if place < 0.0 {
                continue;
            }
            let place = usize::try_from(whole(place)).unwrap_or(usize::MAX);
            let Some(slice) = slices.get_mut(place) else {
                continue;
            };
            match value {
                Some(value) if *slice != Slice::Gap => {
                    let (sum, number) = &mut sums[place];
                    *sum += value;
                    *number += 1;
                    *slice = Slice::Mean(*sum / f64::from(*number));
                }
                Some(_) => {}
                None => *slice = Slice::Gap,
            }
        }
        slices
    }
}

impl History {
    /// The mean of the finite figures among the latest `count` reports.
    pub fn recent(&self, series: Series, count: usize) -> Option<f64> {
        let (sum, number) = self
            .iter()
            .rev()
            .take(count)
            .map(|report| series.of(report))
            .filter(|value| value.is_finite())
            .fold((0.0, 0_u32), |(sum, number), value| {
                (sum + value, number + 1)
            });
        (number > 0).then(|| sum / f64::from(number))
    }
}

/// Which of two neighbours stays: what was not finite must not vanish, else the later.
fn telling<P: Point>(earlier: P, later: P) -> P {
    if later.is_finite() && !earlier.is_finite() {
        earlier
    } else {
        later
    }
}

/// An exponential moving average that passes over what is not finite.
struct Average {
    keep: f64,
    sum: f64,
    weight: f64,
}

impl Average {
    fn new(keep: f64) -> Self {
        Self {
            keep,
            sum: 0.0,
            weight: 0.0,
        }
    }

    fn next(&mut self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            return None;
        }
        self.sum = self.keep * self.sum + (1.0 - self.keep) * value;
        self.weight = self.keep * self.weight + (1.0 - self.keep);
        Some(self.sum / self.weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss_of_d(stats: &Stats) -> f64 {
        stats.d_loss
    }

    fn report(step: u64, loss: f64) -> Stats {
        Stats {
            d_loss: loss,
            g_loss: 1.0,
            training_seconds: step as f64,
            ..Stats::none_at(step, 1, step)
        }
    }

    #[test]
    fn a_week_of_reports_takes_bounded_memory_and_keeps_its_ends() {
        let history = History::new((1..=200_000).map(|step| report(step, 0.5)));
        let kept: Vec<_> = history.iter().map(|report| report.step).collect();
        assert!(kept.len() < THINNED + WHOLE, "{}", kept.len());
        assert!(kept.is_sorted());
        assert!(kept[0] < 200);
        assert_eq!(kept.last(), Some(&200_000));
        let widest = kept.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(widest <= 512, "{widest}");
    }

    #[test]
    fn thinning_out_never_hides_what_was_not_finite() {
        let loss = |step| if step == 77 { f64::NAN } else { 0.5 };
        let history = History::new((1..=60_000).map(|step| report(step, loss(step))));
        assert!(history.iter().any(|report| report.d_loss.is_nan()));
    }

    #[test]
    fn what_is_not_finite_is_a_gap_and_no_part_of_a_mean() {
        let mut history = History::default();
        for (step, loss) in [(1, 1.0), (2, f64::INFINITY), (3, 3.0)] {
            history.push(report(step, loss));
        }
        let slices = history.slices(loss_of_d, 4.0, 4, 0.0);
        assert_eq!(
            slices,
            [Slice::Empty, Slice::Mean(1.0), Slice::Gap, Slice::Mean(3.0)]
        );
        assert_eq!(history.recent(Series::DLoss, 3), Some(2.0));
        assert_eq!(history.recent(Series::DReal, 3), None);
    }

    #[test]
    fn smoothing_starts_at_the_first_figure() {
        let history = History::new([report(1, 4.0), report(2, 2.0)]);
        let slices = history.slices(loss_of_d, 2.0, 2, 0.9);
        assert_eq!(slices[0], Slice::Mean(4.0));
        let second = slices[1].mean().unwrap();
        assert!(second > 2.9 && second < 3.0, "{second}");
    }

    #[test]
    fn a_resumed_run_goes_on_from_its_checkpoint() {
        let mut history = History::new((1..=10).map(|step| report(step, 0.5)));
        history.rewind(7);
        history.push(report(5, 0.5));
        history.push(report(8, 0.5));
        assert_eq!(history.iter().count(), 8);
        assert_eq!(history.last().unwrap().step, 8);
    }
}
