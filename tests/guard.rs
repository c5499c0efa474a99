//! What happens to a run in which a number is not finite.

use sparring_contract::protocol::{Event, Reason, Rollback};
use sparring_contract::run::CheckpointHeader;

use crate::lab::{Lab, Live, Said, tensors};

/// Trains with a step that goes wrong.
fn train(lab: &Lab, name: &str, fault: &str) -> Said {
    let arguments = [
        "--name",
        name,
        "--steps",
        "120",
        "--set",
        "output.checkpoint_every_steps=50",
        "--set",
        "output.checkpoint_every_epochs=0",
    ];
    let mut command = lab.training(&arguments);
    Said::by(command.env("SPARRING_FAULT", fault))
}

fn rollbacks(events: &[Event]) -> Vec<&Rollback> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Rollback(rollback) => Some(rollback),
            _ => None,
        })
        .collect()
}

#[test]
fn a_number_that_is_not_finite_takes_the_run_back_to_its_last_good_state_with_lower_rates() {
    let lab = Lab::new();
    let said = train(&lab, "stumbled", "nan@70");
    assert_eq!(said.code, 0, "{said:?}");
    let events = said.events();
    let [rollback] = rollbacks(&events)[..] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (rollback.step, rollback.back_to, rollback.attempt),
        (71, 50, 1)
    );
    assert_eq!(
        rollback.cause,
        "a loss is not finite: generator.model.0.weight is not finite"
    );
    assert_eq!(
        (
            rollback.generator_learning_rate,
            rollback.discriminator_learning_rate
        ),
        (1e-4, 1e-4)
    );
    let run = lab.run("stumbled");
    let log = std::fs::read_to_string(run.worker_log()).unwrap();
    assert!(
        log.contains("back to step 50 with learning rates 0.0001 and 0.0001, attempt 1"),
        "{log}"
    );

    // The last checkpoint is sound, and records what happened.
    let header = CheckpointHeader::read(&run.checkpoint_file(120)).unwrap();
    assert_eq!(
        (header.attempt, header.config.generator.learning_rate),
        (1, 1e-4)
    );
    let is_finite = |number: &[u8]| f32::from_le_bytes(number.try_into().unwrap()).is_finite();
    assert!(tensors(&run, 120).chunks(4).all(is_finite));

    // It learned from other batches than a run without the fault, and would do so again.
    assert_eq!(train(&lab, "steady", "nan@9999").code, 0);
    assert_ne!(tensors(&lab.run("steady"), 120), tensors(&run, 120));
    assert_eq!(train(&lab, "again", "nan@70").code, 0);
    assert_eq!(tensors(&lab.run("again"), 120), tensors(&run, 120));

    // So does a run that is resumed from its checkpoint.
    for (name, steps) in [("stumbled", "170"), ("again", "150"), ("again", "170")] {
        let longer = lab.sparring(&["train", "--resume", name, "--steps", steps, "--json"]);
        assert_eq!(longer.code, 0, "{longer:?}");
    }
    assert_eq!(tensors(&lab.run("again"), 170), tensors(&run, 170));
}

#[test]
fn after_three_attempts_a_run_ends_with_everything_saved() {
    let lab = Lab::new();
    let said = train(&lab, "lost", "nan@70+");
    assert_eq!(said.code, 4, "{said:?}");
    let events = said.events();
    let attempts: Vec<_> = rollbacks(&events).iter().map(|one| one.attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
    let Some(Event::Ended(ended)) = events.last() else {
        panic!("{events:?}")
    };
    assert_eq!((ended.reason, ended.exit_code), (Reason::Diverged, 4));
    assert_eq!(
        ended.message.as_deref(),
        Some(
            "step 71: a loss is not finite: generator.model.0.weight is not finite; 3 attempts from step 50 on did not \
             help: go on with lower learning rates"
        )
    );
    let run = lab.run("lost");
    assert_eq!(ended.checkpoint, Some(run.checkpoint_file(50)));
    assert_eq!(lab.sparring(&["wait", "lost"]).code, 4);

    // Without the fault the run goes on, with draws that none of the attempts had.
    let resumed = lab.sparring(&["train", "--resume", "lost", "--json"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    let header = CheckpointHeader::read(&run.checkpoint_file(120)).unwrap();
    assert_eq!(
        (header.attempt, header.config.generator.learning_rate),
        (4, 2.5e-5)
    );
}

#[test]
fn an_injected_fault_that_cannot_be_read_is_refused() {
    let lab = Lab::new();
    train(&lab, "odd", "nan").refused(
        1,
        "error: SPARRING_FAULT=nan: expected nan@STEP, panic@STEP or panic-check@STEP (also -pictures, -command, \
         -checkpoint), with + behind it for every attempt",
    );
}

#[test]
fn an_error_before_the_first_checkpoint_keeps_the_log_and_says_where_it_happened() {
    let lab = Lab::new();
    let said = train(&lab, "crashed", "panic@20");
    assert_eq!(said.code, 1, "{said:?}");
    let events = said.events();
    let Some(Event::Ended(ended)) = events.last() else {
        panic!("{events:?}")
    };
    assert_eq!((ended.reason, ended.stats.step), (Reason::Failed, 20));
    let run = lab.run("crashed");
    let place = "engine/src/trainer/injection.rs:";
    let message = ended.message.as_deref().unwrap();
    assert!(
        message.starts_with(&format!("internal error at {place}")),
        "{message}"
    );
    assert!(
        message.ends_with(": a panic was injected at step 20"),
        "{message}"
    );
    let log = std::fs::read_to_string(run.worker_log()).unwrap();
    assert!(log.contains(&format!("panic at {place}")), "{log}");
    assert!(run.events_file().exists() && run.checkpoints().is_empty());

    // A run that fails before its first step is removed.
    assert_eq!(train(&lab, "stillborn", "panic@0").code, 1);
    assert_eq!(lab.sparring(&["logs", "stillborn"]).code, 1);
}

#[test]
fn a_panic_in_a_step_saves_the_last_good_state_and_the_resumed_run_is_the_unbroken_one() {
    let lab = Lab::new();
    let arguments = |name| {
        [
            "--name",
            name,
            "--steps",
            "400",
            "--set",
            "output.checkpoint_every_epochs=0",
        ]
    };
    let mut command = lab.training(&arguments("crashed"));
    let crashed = Said::by(command.env("SPARRING_FAULT", "panic@300"));
    assert_eq!(crashed.code, 1, "{crashed:?}");
    // The state is kept every 250 steps.
    let run = lab.run("crashed");
    assert_eq!(crashed.ended().checkpoint, Some(run.checkpoint_file(250)));

    assert_eq!(
        lab.sparring(&["train", "--resume", "crashed", "--json"])
            .code,
        0
    );
    assert_eq!(lab.train(&arguments("unbroken")).code, 0);
    assert_eq!(tensors(&run, 400), tensors(&lab.run("unbroken"), 400));
}

#[test]
fn a_panic_beside_the_training_is_a_warning_and_changes_nothing() {
    let lab = Lab::new();
    assert_eq!(train(&lab, "unbroken", "nan@9999").code, 0);
    for (fault, what) in [
        (
            "panic-pictures@0",
            "no pictures are shown: internal error at ",
        ),
        (
            "panic-checkpoint@50",
            "the checkpoint could not be saved: internal error at ",
        ),
    ] {
        let name = fault.split('@').next().unwrap();
        let said = train(&lab, name, fault);
        assert_eq!(said.code, 0, "{said:?}");
        let warnings = warnings(&said.events());
        assert_eq!(warnings.len(), 1, "{said:?}");
        assert!(
            warnings[0].starts_with(what) && warnings[0].ends_with("; training goes on"),
            "{warnings:?}"
        );
        assert_eq!(
            tensors(&lab.run(name), 120),
            tensors(&lab.run("unbroken"), 120)
        );
    }
}

#[test]
fn a_health_check_that_panics_is_a_warning_and_the_next_one_is_made() {
    let lab = Lab::new();
    let mut command = lab.training(&["--name", "checked", "--set", "health.time_fraction=0.5"]);
    let mut live = Live::start({
        command.env("SPARRING_FAULT", "panic-check@0");
        command
    });
    let warning = live.until(|event| matches!(event, Event::Warning { .. }));
    assert!(
        matches!(&warning, Event::Warning { message, .. }
            if message.starts_with("health checks cannot be made in this run: internal error at ")
                || message.starts_with("the health check failed: internal error at ")),
        "{warning:?}"
    );
    live.until(|event| matches!(event, Event::Stats(_)));
    assert_eq!(live.terminated(), 143);
}

#[test]
fn a_command_that_panics_is_refused_and_training_goes_on() {
    let lab = Lab::new();
    let mut command = lab.training(&["--name", "otter"]);
    command.env("SPARRING_FAULT", "panic-command@0");
    let mut live = Live::start(command);
    live.until(|event| matches!(event, Event::Stats(_)));
    let refused = lab.sparring(&["note", "otter", "one"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains(": internal error at "), "{refused:?}");
    assert_eq!(lab.sparring(&["note", "otter", "two"]).code, 0);
    assert_eq!(live.terminated(), 143);
}

#[test]
fn no_number_of_steps_is_too_great() {
    let lab = Lab::new();
    let mut live = Live::start(lab.training(&["--name", "otter"]));
    live.until(|event| matches!(event, Event::Stats(_)));
    let stepped = lab.sparring(&["step", "otter", "18446744073709551615"]);
    assert_eq!(stepped.code, 0, "{stepped:?}");
    assert_eq!(live.terminated(), 143);
}

fn warnings(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Warning { message, .. } => Some(message.clone()),
            _ => None,
        })
        .collect()
}
