//! The reports of a run, thinned out evenly when there are many.

use sparring_contract::protocol::Stats;

/// Reports that a snapshot tells at most, beside the latest: some 250 bytes each, in a frame of 1 MiB.
const KEPT: usize = 1200;

/// Reports at even distances, and the latest.
#[derive(Debug, Default)]
pub(super) struct History {
    kept: Vec<Stats>,
    latest: Option<Stats>,
    /// Every so many reports one is kept: 2 to this power.
    halvings: u32,
    seen: u64,
}

impl History {
    pub(super) fn add(&mut self, stats: Stats) {
        if self.seen.is_multiple_of(1 << self.halvings) {
            self.kept.push(stats);
        }
        self.seen += 1;
        self.latest = Some(stats);
        if self.kept.len() > KEPT {
            let mut index = 0;
            self.kept.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.halvings += 1;
        }
    }

    /// The kept reports and the latest, oldest first.
    pub(super) fn thinned(&self) -> Vec<Stats> {
        let latest = self
            .latest
            .filter(|latest| self.kept.last().is_none_or(|last| last.step != latest.step));
        self.kept.iter().copied().chain(latest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_history_is_thinned_out_evenly_and_ends_with_the_latest() {
        let mut history = History::default();
        for step in 0..100_003 {
            history.add(Stats::none_at(step, 1, 0));
        }
        let steps: Vec<_> = history.thinned().iter().map(|stats| stats.step).collect();
        assert!(
            steps.len() > KEPT / 2 && steps.len() <= KEPT + 1,
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
}
