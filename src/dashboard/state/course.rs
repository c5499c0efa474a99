//! The course of a figure over time, in as many slices as a drawing has columns.

use sparring_contract::protocol::{Quality, Stats};
use sparring_contract::run::{History, Point};

use crate::dashboard::words::whole;

/// A smoothed figure has forgotten what was so many points before it: even at .98 less than 1 in 10,000 is left.
const MEMORY: usize = 512;

/// A point that stands at a time of the training.
pub trait Timed: Point {
    /// Seconds of training.
    fn seconds(&self) -> f64;
}

impl Timed for Stats {
    fn seconds(&self) -> f64 {
        self.training_seconds
    }
}

impl Timed for Quality {
    fn seconds(&self) -> f64 {
        self.training_seconds
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

/// Seconds of training from the first point to the last.
pub fn seconds<P: Timed>(history: &History<P>) -> f64 {
    history.last().map_or(0.0, |last| {
        last.seconds() - history.iter().next().unwrap_or(last).seconds()
    })
}

/// The last `window` seconds of a figure in `count` slices of equal time, oldest first.
///
/// Slices begin at whole multiples of their length, not at the newest point: so a curve moves by whole slices and does
/// not shimmer. With `smoothing` above 0 each figure is first averaged with those before it, so that much weight stays
/// with the past (an exponential moving average that starts unbiased, as Adam's).
pub fn slices<P: Timed>(
    history: &History<P>,
    figure: impl Fn(&P) -> f64,
    window: f64,
    count: usize,
    smoothing: f64,
) -> Vec<Slice> {
    let mut slices = vec![Slice::Empty; count];
    let length = window / count.max(1) as f64;
    let (Some(last), true) = (history.last(), length > 0.0 && length.is_finite()) else {
        return slices;
    };
    let newest = (last.seconds() / length).floor();
    let oldest = newest - count as f64 + 1.0;
    let mut average = Average::new(smoothing);
    let mut sums = vec![(0.0, 0_u32); count];
    let earlier = history
        .iter()
        .take_while(|point| point.seconds() < oldest * length)
        .count();
    for point in history.iter().skip(earlier.saturating_sub(MEMORY)) {
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

/// The mean of the finite figures among the latest `count` points.
pub fn recent<P: Point>(
    history: &History<P>,
    figure: impl Fn(&P) -> f64,
    count: usize,
) -> Option<f64> {
    let (sum, number) = history
        .iter()
        .rev()
        .take(count)
        .map(figure)
        .filter(|value| value.is_finite())
        .fold((0.0, 0_u32), |(sum, number), value| {
            (sum + value, number + 1)
        });
    (number > 0).then(|| sum / f64::from(number))
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
    use sparring_contract::run::Limit;

    use super::*;

    fn loss(stats: &Stats) -> f64 {
        stats.metrics.get("d_loss")
    }

    fn history(losses: impl IntoIterator<Item = (u64, f64)>) -> History<Stats> {
        let mut history = History::new(Limit {
            recent: 16,
            older: 16,
        });
        for (step, loss) in losses {
            history.push(Stats {
                training_seconds: step as f64,
                metrics: [("d_loss", loss)].into_iter().collect(),
                ..Stats::none_at(step, 1, step)
            });
        }
        history
    }

    #[test]
    fn a_figure_that_is_not_finite_is_a_gap_and_no_part_of_a_mean() {
        let history = history([(1, 1.0), (2, f64::INFINITY), (3, 3.0)]);
        assert_eq!(
            slices(&history, loss, 4.0, 4, 0.0),
            [Slice::Empty, Slice::Mean(1.0), Slice::Gap, Slice::Mean(3.0)]
        );
        assert_eq!(recent(&history, loss, 3), Some(2.0));
        assert_eq!(recent(&history, |stats| stats.metrics.get("psnr"), 3), None);
    }

    #[test]
    fn smoothing_starts_at_the_first_figure() {
        let history = history([(1, 4.0), (2, 2.0)]);
        let slices = slices(&history, loss, 2.0, 2, 0.9);
        assert_eq!(slices[0], Slice::Mean(4.0));
        let second = slices[1].mean().unwrap();
        assert!(second > 2.9 && second < 3.0, "{second}");
    }
}
