//! What a run in progress keeps, and what it refuses to keep.

use std::fs;

use sparring_contract::protocol::FeatureKind;
use sparring_contract::run::Home;

use super::super::testing::{Discard, StoppedClock, config, session_of};
use super::*;
use crate::native::no_grad;

#[test]
fn no_checkpoint_of_any_kind_and_no_state_is_kept_of_a_faulty_step() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::locate(Some(folder.path())).unwrap();
    let config = config(&[]);
    let run = home.create(Some("otter"), &config).unwrap();
    let lock = run.lock().unwrap();
    let assignment = Assignment {
        injection: Injection::parse("nan@1"),
        ..Assignment::plain(&lock, &config, session_of(&config))
    };
    let mut active = ActiveRun::new(assignment, &Discard, &StoppedClock);
    active.step();
    assert_eq!(active.save_checkpoint(CheckpointKind::Latest), Ok(true));
    active.step();
    let best = CheckpointKind::Best {
        quick_distance: 9.0,
        features: FeatureKind::Unlabelled,
    };
    let cause = "a loss is not finite: generator.model.0.weight is not finite";
    for refused in [
        active.save_checkpoint(CheckpointKind::Latest).map(drop),
        active.save_checkpoint(best).map(drop),
        active.keep_state(),
        active.check_faults(),
    ] {
        assert_eq!(refused.unwrap_err().to_string(), cause);
    }
    let files: Vec<_> = fs::read_dir(run.checkpoints_dir())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files, [run.checkpoint_file(1)]);

    let faulty = active.check_faults().unwrap_err();
    assert!(matches!(active.go_back(&faulty), WentBack::Retry));
    assert_eq!(active.steps(), 1);
    assert_eq!(active.save_checkpoint(best), Ok(true));
    assert_eq!(run.best_checkpoint().unwrap().1.step, 1);
}

#[test]
fn a_state_that_is_broken_without_a_faulty_step_is_not_saved_either() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::locate(Some(folder.path())).unwrap();
    let config = config(&[]);
    let run = home.create(Some("otter"), &config).unwrap();
    let lock = run.lock().unwrap();
    let assignment = Assignment {
        is_fault_check_free: true,
        ..Assignment::plain(&lock, &config, session_of(&config))
    };
    let mut active = ActiveRun::new(assignment, &Discard, &StoppedClock);
    active.step();
    let state_dict = active.session.state_dict();
    let (name, moment) = state_dict.tensors.last().unwrap();
    let _ = no_grad(|| moment.shallow_clone().fill_(f64::INFINITY));
    let cause = active.save_checkpoint(CheckpointKind::Latest).unwrap_err();
    assert_eq!(cause.to_string(), format!("{name} is not finite"));
    assert!(run.checkpoints().is_empty());
}
