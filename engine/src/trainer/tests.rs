//! Stories of training loops: with a clock that the test sets, on a device that is asked for faults as seldom as a GPU.

use std::cell::{Cell, RefCell};
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use sparring_contract::config::Config;
use sparring_contract::protocol::{
    Command, Ended, Event, Outcome, Phase, Pictures, Reason, Rollback,
};
use sparring_contract::run::{CheckpointHeader, Home, Run};
use tch::Tensor;

use super::active_run::Assignment;
use super::clock::Clock;
use super::commands::{Instruction, Responder};
use super::event_sink::EventSink;
use super::injection::Injection;
use super::testing::{config, session_of};
use super::training_loop::Trainer;

/// A clock on which every reading is one millisecond after the one before.
#[derive(Default)]
struct TickingClock(Cell<u64>);

impl Clock for TickingClock {
    fn now(&self) -> Duration {
        self.0.set(self.0.get() + 1);
        Duration::from_millis(self.0.get())
    }
}

/// Keeps the events, and lets the test react to each.
struct Recorder<F> {
    events: RefCell<Vec<Event>>,
    react: F,
}

impl<F: Fn(&Event)> EventSink for Recorder<F> {
    fn emit(&self, event: Event) {
        (self.react)(&event);
        self.events.borrow_mut().push(event);
    }

    fn record(&self, event: Event) -> std::io::Result<()> {
        self.emit(event);
        Ok(())
    }

    fn show(&self, _pictures: Pictures) {}

    fn configure(&self, _config: String) {}

    fn is_watched(&self) -> bool {
        false
    }
}

/// A run in a folder of its own, and the instructions for it.
struct Lab {
    _folder: tempfile::TempDir,
    run: Run,
    config: Config,
    instruct: Sender<Instruction>,
    instructions: Option<Receiver<Instruction>>,
    injection: Option<Injection>,
}

/// What a story leaves.
struct Story {
    ended: Ended,
    events: Vec<Event>,
}

impl Lab {
    /// Nothing is written unless the settings ask for it.
    fn new(settings: &[&str]) -> Self {
        let quiet = [
            "output.report_every_seconds=3600",
            "output.sample_every_epochs=0",
            "output.checkpoint_every_epochs=0",
            "health.time_fraction=0",
        ];
        let config = config(&[&quiet[..], settings].concat());
        let folder = tempfile::tempdir().unwrap();
        let home = Home::locate(Some(folder.path())).unwrap();
        let run = home.create(Some("otter"), &config).unwrap();
        let (instruct, instructions) = channel();
        Self {
            _folder: folder,
            run,
            config,
            instruct,
            instructions: Some(instructions),
            injection: None,
        }
    }

    fn with_fault(mut self, fault: &str) -> Self {
        self.injection = Some(Injection::parse(fault).unwrap());
        self
    }

    /// Trains as on a GPU, where faults are looked for only when something is due.
    fn train(&mut self, react: impl Fn(&Event, &Sender<Instruction>)) -> Story {
        let clock = TickingClock::default();
        let instructions = self.instructions.take().unwrap();
        let instruct = self.instruct.clone();
        let recorder = Recorder {
            events: RefCell::default(),
            react: |event: &Event| react(event, &instruct),
        };
        let completed = AtomicU64::new(0);
        let lock = self.run.lock().unwrap();
        let assignment = Assignment {
            injection: self.injection,
            ..Assignment::plain(&lock, &self.config, session_of(&self.config))
        };
        let trainer = Trainer::new(assignment, &recorder, &clock, instructions, &completed);
        let ended = trainer.train();
        Story {
            ended: ended.unwrap(),
            events: recorder.events.into_inner(),
        }
    }
}

impl Story {
    fn rollbacks(&self) -> Vec<&Rollback> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Rollback(rollback) => Some(rollback),
                _ => None,
            })
            .collect()
    }
}

fn is_paused(event: &Event) -> bool {
    matches!(
        event,
        Event::Phase {
            phase: Phase::Paused,
            ..
        }
    )
}

/// Gives a command whose outcome nobody waits for.
fn give(instruct: &Sender<Instruction>, command: Command) {
    let responder = Responder::new(|_, _| ());
    let instruction = Instruction::Command(command, responder);
    instruct.send(instruction).unwrap();
}

/// Asserts that a run has these checkpoints, newest first, and that all their numbers are finite.
fn has_finite_checkpoints(run: &Run, steps: &[u64]) {
    let checkpoints = run.checkpoints();
    let found: Vec<_> = checkpoints.iter().map(|one| one.step).collect();
    assert_eq!(found, steps);
    for checkpoint in checkpoints {
        for (name, tensor) in Tensor::read_safetensors(&checkpoint.path).unwrap() {
            let is_finite = tensor.isfinite().all().int64_value(&[]) == 1;
            assert!(is_finite, "{name} of step {}", checkpoint.step);
        }
    }
}

#[test]
fn a_checkpoint_that_was_asked_for_is_refused_after_a_faulty_step_and_the_run_goes_back() {
    let mut lab = Lab::new(&["steps=40"]).with_fault("nan@20");
    give(&lab.instruct, Command::Step { steps: 21 });
    let (tell, outcome) = channel();
    let story = lab.train(|event, instruct| {
        if is_paused(event) {
            let tell = tell.clone();
            let responder = Responder::new(move |step, outcome| {
                tell.send((step, outcome)).unwrap();
            });
            let command = Instruction::Command(Command::Checkpoint, responder);
            instruct.send(command).unwrap();
        } else if matches!(event, Event::Rollback(_) | Event::Checkpoint(_)) {
            give(instruct, Command::Resume);
        }
    });
    let (step, outcome) = outcome.recv().unwrap();
    let Outcome::Refused { reason } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(step, 0, "the run went back");
    assert!(
        reason.starts_with("step 21 is not saved, because a loss is not finite: "),
        "{reason}"
    );
    let rollbacks = story.rollbacks();
    let [rollback] = rollbacks[..] else {
        panic!("{rollbacks:?}")
    };
    assert_eq!((rollback.step, rollback.back_to), (21, 0));
    assert_eq!(story.ended.reason, Reason::Finished);
    has_finite_checkpoints(&lab.run, &[40]);
}

#[test]
fn a_run_that_is_stopped_after_a_faulty_step_ends_with_its_last_good_state() {
    let mut lab = Lab::new(&["steps=40", "output.checkpoint_every_steps=10"]).with_fault("nan@20");
    give(&lab.instruct, Command::Step { steps: 21 });
    let story = lab.train(|event, instruct| {
        if is_paused(event) {
            give(instruct, Command::Stop { save: true });
        }
    });
    assert_eq!(story.ended.reason, Reason::Stopped);
    assert_eq!(story.rollbacks().len(), 1);
    let newest = lab.run.checkpoint_file(20);
    assert_eq!(story.ended.checkpoint.as_ref(), Some(&newest));
    // It is the state that the next attempt begins with.
    let header = CheckpointHeader::read(&newest).unwrap();
    assert_eq!(
        (header.attempt, header.config.generator.learning_rate),
        (1, 1e-4)
    );
    has_finite_checkpoints(&lab.run, &[20, 10]);
}

#[test]
fn a_fault_in_the_last_step_is_found_before_the_run_ends() {
    let mut lab = Lab::new(&["steps=40"]).with_fault("nan@39");
    let story = lab.train(|_, _| ());
    assert_eq!(story.rollbacks().len(), 1);
    assert_eq!(
        (story.ended.reason, story.ended.stats.step),
        (Reason::Finished, 40)
    );
    has_finite_checkpoints(&lab.run, &[40]);
}

#[test]
fn a_run_ends_by_the_clock_that_it_is_given() {
    let mut lab = Lab::new(&["minutes=0.001"]);
    let story = lab.train(|_, _| ());
    // A step reads the clock twice, as it starts the stopwatch and as it decides what is due: the 31st ends after 61 ms.
    assert_eq!(story.ended.reason, Reason::Finished);
    assert_eq!(story.ended.stats.step, 31);
}
