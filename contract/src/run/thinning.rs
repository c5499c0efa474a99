//! Fewer reports, health checks, checkpoints and grids in a log that has grown long: the older, the sparser. Everything
//! else stays.

use super::history::Limit;
use crate::protocol::{Checkpointed, Event, Purpose, Record, Sampled};

/// Reports that stay: half an hour of them in full at two a second, and as many of all the time before.
const REPORTS: Limit = Limit {
    recent: 4096,
    older: 4096,
};

/// Health checks that stay.
const HEALTH: Limit = Limit {
    recent: 1024,
    older: 1024,
};

/// What was saved every so often: checkpoints, most of which are pruned already, and grids of the fixed pictures. A run on
/// a few pictures has an epoch, and with it a checkpoint, every few steps.
const SAVED: Limit = Limit {
    recent: 256,
    older: 256,
};

/// A line that may go.
struct Entry {
    line: usize,
    step: u64,
    /// The names of the metrics that are not finite. A change of them is a gap in a curve, which stays.
    gaps: Vec<String>,
}

/// The lines of a log without most of its older reports, health checks, checkpoints and grids. Those that stay lie evenly over the steps.
/// Lines that are no records of this build stay, byte by byte.
pub(super) fn thinned(log: &[u8]) -> Vec<u8> {
    let lines: Vec<_> = log.split_inclusive(|byte| *byte == b'\n').collect();
    let [mut reports, mut checks, mut checkpoints, mut grids] = [const { Vec::new() }; 4];
    for (line, bytes) in lines.iter().enumerate() {
        let entry = |step| Entry {
            line,
            step,
            gaps: Vec::new(),
        };
        match serde_json::from_slice(bytes).map(|record: Record| record.event) {
            Ok(Event::Stats(stats)) => reports.push(Entry {
                gaps: stats
                    .metrics
                    .iter()
                    .filter(|(_, value)| !value.is_finite())
                    .map(|(key, _)| key.to_owned())
                    .collect(),
                ..entry(stats.step)
            }),
            Ok(Event::Health(health)) => checks.push(entry(health.step)),
            Ok(Event::Checkpoint(Checkpointed {
                step, best: false, ..
            })) => checkpoints.push(entry(step)),
            Ok(Event::Samples(Sampled {
                step,
                purpose: Purpose::Fixed,
                ..
            })) => grids.push(entry(step)),
            _ => {}
        }
    }
    let mut stays = vec![true; lines.len()];
    let all = [
        (reports, REPORTS),
        (checks, HEALTH),
        (checkpoints, SAVED),
        (grids, SAVED),
    ];
    for (entries, limit) in all {
        for line in superfluous(&entries, limit) {
            stays[line] = false;
        }
    }
    let kept = lines.iter().zip(stays).filter(|(_, stays)| *stays);
    kept.flat_map(|(line, _)| line.iter().copied()).collect()
}

/// The lines that go.
fn superfluous(entries: &[Entry], limit: Limit) -> Vec<usize> {
    let old = &entries[..entries.len().saturating_sub(limit.recent)];
    if old.len() <= limit.older {
        return Vec::new();
    }
    // A run that goes back to an earlier step makes those steps again: the distance grows all the same.
    let distances = old
        .windows(2)
        .map(|pair| pair[1].step.abs_diff(pair[0].step));
    let spacing = (distances.clone().sum::<u64>() / limit.older as u64).max(1);
    let mut gone = Vec::new();
    let mut since_kept = 0;
    let mut kept = &old[0];
    for (entry, distance) in old[1..].iter().zip(distances) {
        since_kept += distance;
        if since_kept >= spacing || entry.gaps != kept.gaps {
            since_kept = 0;
            kept = entry;
        } else {
            gone.push(entry.line);
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Stats;

    fn line(event: Event) -> Vec<u8> {
        let mut line = serde_json::to_vec(&Record { event, time: 1.5 }).unwrap();
        line.push(b'\n');
        line
    }

    fn report(step: u64, loss: f64) -> Vec<u8> {
        line(Event::Stats(Stats {
            metrics: [("d_loss", loss), ("never", f64::NAN)]
                .into_iter()
                .collect(),
            ..Stats::none_at(step, 1, step)
        }))
    }

    fn steps(log: &[u8]) -> Vec<u64> {
        log.split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice::<Record>(line).ok())
            .filter_map(|record| match record.event {
                Event::Stats(stats) => Some(stats.step),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn a_short_log_stays_as_it_is() {
        let log: Vec<u8> = (0..8000).flat_map(|step| report(step, 0.5)).collect();
        assert_eq!(thinned(&log), log);
    }

    #[test]
    fn reports_lie_evenly_however_often_the_log_is_thinned_out() {
        let mut log = Vec::new();
        for round in 0..10 {
            log.extend((0..20_000).flat_map(|step| report(round * 20_000 + step, 0.5)));
            log = thinned(&log);
        }
        let steps = steps(&log);
        assert!((6000..=8200).contains(&steps.len()), "{}", steps.len());
        let recent = &steps[steps.len() - REPORTS.recent..];
        assert_eq!(recent, (195_904..200_000).collect::<Vec<_>>());
        let old = &steps[..steps.len() - REPORTS.recent];
        let widest = old.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        let even = 200_000 / REPORTS.older as u64;
        assert!(widest <= 3 * even, "{widest}, even were {even}");
    }

    #[test]
    fn notes_gaps_and_unknown_lines_stay() {
        let odd: &[u8] = b"{\"event\":\"newer\",\"time\":1.0,\"more\":[1]}\n\xff no record\n";
        let mut log = odd.to_vec();
        for step in 0..20_000 {
            if step == 5000 {
                log.extend(line(Event::Note {
                    step,
                    text: "slower from here".to_owned(),
                }));
            }
            log.extend(report(step, if step == 7777 { f64::NAN } else { 0.5 }));
        }
        let thinned = thinned(&log);
        assert!(thinned.len() < log.len() / 2);
        assert!(thinned.starts_with(odd));
        let text = String::from_utf8_lossy(&thinned);
        assert!(text.contains("slower from here"));
        assert!(steps(&thinned).contains(&7777));
    }

    #[test]
    fn a_checkpoint_every_few_steps_makes_no_long_log_and_the_best_stay() {
        let saved = |step, best| {
            line(Event::Checkpoint(Checkpointed {
                step,
                epoch: step,
                path: format!("step-{step}.safetensors").into(),
                bytes: 100,
                best,
            }))
        };
        let log: Vec<u8> = (0..10_000)
            .flat_map(|step| saved(step, step % 1000 == 7))
            .collect();
        let thinned = thinned(&log);
        let text = String::from_utf8_lossy(&thinned);
        assert_eq!(text.matches("\"best\":true").count(), 10);
        let kept = text.lines().count();
        assert!((400..=530).contains(&kept), "{kept}");
        assert!(text.contains("step-9999."));
    }

    #[test]
    fn a_run_that_went_back_is_thinned_out_like_any_other() {
        let log: Vec<u8> = (0..100)
            .flat_map(|_| 0..300)
            .flat_map(|step| report(step, 0.5))
            .collect();
        let kept = steps(&thinned(&log)).len();
        assert!((6000..=8200).contains(&kept), "{kept}");
    }
}
