//! What is due after a step: decided once, from one reading of the clock.

use std::time::Duration;

use sparring_contract::config::Output;

/// How often the fixed pictures are drawn for faces that watch: with a report, once a second.
const SHOW_EVERY: Duration = Duration::from_secs(1);

/// In its first seconds a run changes most, and somebody looks who has just started it.
const EARLY: Duration = Duration::from_secs(10);
const SHOW_EARLY_EVERY: Duration = Duration::from_millis(250);

/// Steps between two states kept to go back to. A copy costs no more than the optimisers of one step, so this takes far
/// less than 1% of the time. It counts steps, not seconds, so that a run that went back can be reproduced.
const KEEP_EVERY: u64 = 250;

/// Where a run stands after a step: all that decides what is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment<'a> {
    /// What the configuration wants written, and how often.
    pub(super) output: &'a Output,
    /// Steps done, at least 1.
    pub(super) steps: u64,
    /// Steps in an epoch.
    pub(super) steps_per_epoch: u64,
    /// The step at which epochs or steps end the training.
    pub(super) last_step: u64,
    /// The step at which to pause, if a user asked for one.
    pub(super) pause_at: Option<u64>,
    /// Whether the minutes asked for are over.
    pub(super) is_time_up: bool,
    /// Training time of this process.
    pub(super) elapsed: Duration,
    /// Training time since the latest report.
    pub(super) since_report: Duration,
    /// Time since the fixed pictures were last shown; `None` if no face watches.
    pub(super) since_shown: Option<Duration>,
    /// Whether the health monitor may take its time now.
    pub(super) is_health_check_due: bool,
    /// Whether asking for faults is free. On a GPU it waits for the device.
    pub(super) is_fault_check_free: bool,
}

/// What to do after a step. It is plain data, so one process can decide it for several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // each is decided on its own
pub(super) struct Due {
    /// Ask whether the last steps had a number that is not finite.
    pub(super) fault_check: bool,
    /// Keep the state as the one to go back to.
    pub(super) keep_state: bool,
    /// Report metrics.
    pub(super) report: bool,
    /// Show the fixed pictures to faces.
    pub(super) show_pictures: bool,
    /// Check the run's health.
    pub(super) health_check: bool,
    /// Save the fixed pictures under the name of this epoch, counted from 1.
    pub(super) epoch_pictures: Option<u64>,
    /// Save the fixed pictures under the name of this step.
    pub(super) step_pictures: Option<u64>,
    /// Save a checkpoint.
    pub(super) checkpoint: bool,
    /// Pause.
    pub(super) pause: bool,
    /// End the training, if no command changes that first.
    pub(super) finish: bool,
}

impl Due {
    /// What is due at a moment.
    pub(super) fn at(moment: &Moment<'_>) -> Self {
        let output = moment.output;
        let steps = moment.steps;
        let finished_epoch = steps
            .is_multiple_of(moment.steps_per_epoch)
            .then(|| steps / moment.steps_per_epoch);
        let epoch_pictures = finished_epoch.filter(|epoch| {
            let first = output.sample_every_epochs > 0 && *epoch == 1;
            first || is_due(output.sample_every_epochs, *epoch)
        });
        let report = moment.since_report.as_secs_f64() >= output.report_every_seconds;
        let keep_state = steps.is_multiple_of(KEEP_EVERY);
        let checkpoint = finished_epoch
            .is_some_and(|epoch| is_due(output.checkpoint_every_epochs, epoch))
            || is_due(output.checkpoint_every_steps, steps);
        let health_check = moment.is_health_check_due;
        let finish = steps >= moment.last_step || moment.is_time_up;
        let show_pictures = moment.since_shown.is_some_and(|since| {
            if moment.elapsed < EARLY {
                since >= SHOW_EARLY_EVERY
            } else {
                report && since >= SHOW_EVERY
            }
        });
        Self {
            // Each of these waits for the device anyway, or must not see a faulty state.
            fault_check: moment.is_fault_check_free
                || report
                || show_pictures
                || keep_state
                || checkpoint
                || health_check
                || finish,
            keep_state,
            report,
            show_pictures,
            health_check,
            epoch_pictures,
            step_pictures: is_due(output.sample_every_steps, steps).then_some(steps),
            checkpoint,
            pause: moment.pause_at == Some(steps),
            finish,
        }
    }
}

/// Whether something that happens every `cadence` counts is due at this one; a cadence of 0 turns it off.
fn is_due(cadence: u64, count: u64) -> bool {
    cadence > 0 && count.is_multiple_of(cadence)
}

#[cfg(test)]
mod tests {
    use sparring_contract::config::{Request, resolve};

    use super::*;

    /// What is due after a step in the middle of a run on a GPU, with the default output and 100 steps in an epoch.
    fn due(change: impl FnOnce(&mut Moment<'_>)) -> Due {
        let output = resolve(&Request::default()).unwrap().config.output;
        due_with(&output, change)
    }

    fn due_with(output: &Output, change: impl FnOnce(&mut Moment<'_>)) -> Due {
        let mut moment = Moment {
            output,
            steps: 7,
            steps_per_epoch: 100,
            last_step: 100_000,
            pause_at: None,
            is_time_up: false,
            elapsed: Duration::from_mins(2),
            since_report: Duration::ZERO,
            since_shown: Some(Duration::from_mins(1)),
            is_health_check_due: false,
            is_fault_check_free: false,
        };
        change(&mut moment);
        Due::at(&moment)
    }

    #[test]
    fn after_most_steps_nothing_is_due() {
        assert_eq!(due(|_| {}), Due::default());
        let on_the_cpu = due(|moment| moment.is_fault_check_free = true);
        let only_the_check = Due {
            fault_check: true,
            ..Due::default()
        };
        assert_eq!(on_the_cpu, only_the_check);
    }

    #[test]
    fn whatever_reports_or_keeps_a_state_looks_for_faults_first() {
        let report = due(|moment| moment.since_report = Duration::from_millis(500));
        assert!(report.report && report.show_pictures && report.fault_check);
        let kept = due(|moment| moment.steps = 250);
        assert!(kept.keep_state && kept.fault_check);
        let health = due(|moment| moment.is_health_check_due = true);
        assert!(health.health_check && health.fault_check);
        let checkpoint = due(|moment| moment.steps = 300);
        assert!(checkpoint.checkpoint && checkpoint.fault_check);
        for last in [
            due(|moment| moment.last_step = 7),
            due(|moment| moment.is_time_up = true),
        ] {
            assert!(last.finish && last.fault_check);
        }
    }

    #[test]
    fn pictures_are_drawn_for_faces_once_a_second_with_a_report() {
        let half = Duration::from_millis(500);
        let after = |since_shown| {
            due(|moment| {
                moment.since_report = half;
                moment.since_shown = since_shown;
            })
        };
        assert!(after(Some(Duration::from_secs(1))).show_pictures);
        assert!(!after(Some(half)).show_pictures);
        assert!(!after(None).show_pictures, "nobody watches");
    }

    #[test]
    fn in_the_first_seconds_pictures_come_often() {
        let early = |since_shown| {
            due(|moment| {
                moment.elapsed = Duration::from_secs(2);
                moment.since_shown = Some(Duration::from_millis(since_shown));
            })
        };
        assert!(early(250).show_pictures && early(250).fault_check);
        assert!(!early(249).show_pictures);
    }

    #[test]
    fn pictures_are_saved_after_the_first_epoch_and_at_each_cadence() {
        let mut output = resolve(&Request::default()).unwrap().config.output;
        (output.sample_every_epochs, output.sample_every_steps) = (10, 150);
        let epochs: Vec<_> = (1..=2000)
            .filter_map(|steps| due_with(&output, |moment| moment.steps = steps).epoch_pictures)
            .collect();
        assert_eq!(epochs, [1, 10, 20]);
        let at_150 = due_with(&output, |moment| moment.steps = 150);
        assert_eq!(at_150.step_pictures, Some(150));
        output.sample_every_epochs = 0;
        let off = due_with(&output, |moment| moment.steps = 100);
        assert_eq!(off.epoch_pictures, None);
    }

    #[test]
    fn a_pause_is_due_at_its_step() {
        assert!(due(|moment| moment.pause_at = Some(7)).pause);
        assert!(!due(|moment| moment.pause_at = Some(8)).pause);
    }
}
