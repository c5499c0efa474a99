//! The course of a run, thinned out evenly when it is long.

use sparring_contract::protocol::{Quality, Stats};

/// Something that was so at a step.
pub(super) trait Dated: Copy {
    /// Steps done.
    fn step(&self) -> u64;
}

impl Dated for Stats {
    fn step(&self) -> u64 {
        self.step
    }
}

impl Dated for Quality {
    fn step(&self) -> u64 {
        self.step
    }
}

/// Points at even distances, and the latest.
#[derive(Debug)]
pub(super) struct History<T> {
    kept: Vec<T>,
    latest: Option<T>,
    /// Points that are kept at most.
    most: usize,
    /// Every so many points one is kept: 2 to this power.
    halvings: u32,
    seen: u64,
}

impl<T: Dated> History<T> {
    /// A history of at most so many points, beside the latest.
    pub(super) fn of_at_most(most: usize) -> Self {
        Self {
            kept: Vec::new(),
            latest: None,
            most,
            halvings: 0,
            seen: 0,
        }
    }

    pub(super) fn add(&mut self, point: T) {
        if self.seen.is_multiple_of(1 << self.halvings) {
            self.kept.push(point);
        }
        self.seen += 1;
        self.latest = Some(point);
        if self.kept.len() > self.most {
            let mut index = 0;
            self.kept.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.halvings += 1;
        }
    }

    /// Forgets what lies after a step: the run went back to it.
    pub(super) fn rewind(&mut self, step: u64) {
        self.kept.retain(|point| point.step() <= step);
        self.latest = self
            .latest
            .filter(|latest| latest.step() <= step)
            .or_else(|| self.kept.last().copied());
    }

    /// The kept points and the latest, oldest first.
    pub(super) fn thinned(&self) -> Vec<T> {
        let latest = self.latest.filter(|latest| {
            self.kept
                .last()
                .is_none_or(|last| last.step() != latest.step())
        });
        self.kept.iter().copied().chain(latest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1200;

    fn of_steps(steps: u64) -> History<Stats> {
        let mut history = History::of_at_most(MOST);
        for step in 0..steps {
            history.add(Stats::none_at(step, 1, 0));
        }
        history
    }

    fn steps(history: &History<Stats>) -> Vec<u64> {
        history.thinned().iter().map(|stats| stats.step).collect()
    }

    #[test]
    fn a_long_history_is_thinned_out_evenly_and_ends_with_the_latest() {
        let steps = steps(&of_steps(100_003));
        assert!(
            steps.len() > MOST / 2 && steps.len() <= MOST + 1,
            "{}",
            steps.len()
        );
        assert_eq!((steps[0], steps[steps.len() - 1]), (0, 100_002));
        let gaps: Vec<_> = steps.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(
            gaps[..gaps.len() - 1].iter().all(|gap| *gap == gaps[0]),
            "{gaps:?}"
        );
    }

    #[test]
    fn a_run_that_went_back_is_told_without_what_came_after() {
        let mut history = of_steps(10);
        history.rewind(6);
        assert_eq!(steps(&history), [0, 1, 2, 3, 4, 5, 6]);
        history.add(Stats::none_at(7, 1, 0));
        assert_eq!(steps(&history).last(), Some(&7));
    }
}
