//! The training loop: makes steps, and between two steps does what is due and what was asked for.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};

use sparring_contract::protocol::{Command, Ended, Phase, Reason};
use sparring_contract::run::Lock;

use super::active_run::{ActiveRun, Assignment, WentBack};
use super::artifacts::CheckpointKind;
use super::clock::Clock;
use super::commands::{Done, Instruction, Responder, outcome};
use super::due::Due;
use super::end::End;
use super::event_sink::EventSink;
use super::finite_state::NotFinite;
use super::injection::Aside;
use crate::panics::{Panic, caught};

/// Instructions that are carried out between two steps.
const INSTRUCTIONS_AT_ONCE: usize = 8;

/// Trains a run. All decisions are made here; [`ActiveRun`] carries them out.
pub(crate) struct Trainer<'a> {
    lock: &'a Lock,
    active: ActiveRun<'a>,
    instructions: Receiver<Instruction>,
    /// The last completed step, reported if this thread panics.
    completed: &'a AtomicU64,
    is_paused: bool,
    /// The step after which to pause.
    pause_at: Option<u64>,
    /// Whether training ends before the next step.
    is_finished: bool,
    /// The step whose pictures were saved last, or with which this process began.
    pictures_saved_at: u64,
}

/// Why what follows a step is broken off.
enum Interruption {
    /// The run went back to an earlier step.
    WentBack,
    /// Training ends.
    End(End),
}

impl<'a> Trainer<'a> {
    /// Takes up a run and announces it.
    pub(crate) fn new(
        assignment: Assignment<'a>,
        sink: &'a dyn EventSink,
        clock: &'a dyn Clock,
        instructions: Receiver<Instruction>,
        completed: &'a AtomicU64,
    ) -> Self {
        let lock = assignment.lock;
        let active = ActiveRun::new(assignment, sink, clock);
        Self {
            lock,
            instructions,
            completed,
            is_paused: false,
            pause_at: None,
            is_finished: active.has_all_steps(),
            pictures_saved_at: active.steps(),
            active,
        }
    }

    /// Trains until the run is finished or an instruction ends it. A panic ends it too; the last good state is saved
    /// before.
    pub(crate) fn train(mut self) -> Result<Ended, Panic> {
        self.active.enter(Phase::Training);
        self.show_pictures();
        caught(|| self.train_to_the_end()).inspect_err(|_| {
            // What panicked once can do so again. Then the newest checkpoint is what is left.
            let _ = caught(|| self.active.save_good_state());
        })
    }

    fn train_to_the_end(&mut self) -> Ended {
        loop {
            match self.advance() {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(Interruption::WentBack) => self.is_finished = false,
                ControlFlow::Break(Interruption::End(end)) => return self.end(end),
            }
        }
    }

    /// Carries out what was asked for, makes a step, and does what is due after it.
    fn advance(&mut self) -> ControlFlow<Interruption> {
        self.carry_out_instructions()?;
        if self.is_finished {
            return ControlFlow::Break(Interruption::End(End::saving(Reason::Finished)));
        }
        self.active.step();
        let due = self.active.due(self.pause_at);
        self.carry_out(due)
    }

    fn carry_out(&mut self, due: Due) -> ControlFlow<Interruption> {
        if due.fault_check {
            self.going_back(ActiveRun::check_faults)?;
        }
        self.completed.store(self.active.steps(), Ordering::Relaxed);
        if due.keep_state {
            self.going_back(ActiveRun::keep_state)?;
        }
        if due.report {
            self.active.report();
        }
        if due.show_pictures {
            self.show_pictures();
        }
        if due.health_check {
            self.going_back(ActiveRun::check_health)?;
        }
        if let Some(epoch) = due.epoch_pictures {
            self.save_pictures(&format!("epoch-{epoch:04}.png"));
        }
        if let Some(step) = due.step_pictures {
            self.save_pictures(&format!("step-{step:09}.png"));
        }
        if due.checkpoint {
            self.going_back(|active| active.save_checkpoint(CheckpointKind::Latest))?;
        }
        if due.pause {
            self.pause();
        }
        self.is_finished = due.finish;
        ControlFlow::Continue(())
    }

    fn show_pictures(&mut self) {
        self.active
            .on_the_side("no pictures are shown", ActiveRun::show_fixed_pictures);
    }

    fn save_pictures(&mut self, name: &str) {
        self.pictures_saved_at = self.active.steps();
        self.active.on_the_side("no pictures are saved", |active| {
            active.save_fixed_pictures(name);
        });
    }

    /// Saves what the last step makes, so that a run that has ended is not looked at as it was some time before.
    fn save_last_pictures(&mut self, end: &End) {
        let step = self.active.steps();
        if end.save && end.has_time() && self.pictures_saved_at != step {
            self.save_pictures(&format!("step-{step:09}.png"));
        }
    }

    /// Does something that checks for faults; if there is one, the run goes back.
    fn going_back<T>(
        &mut self,
        checked: impl FnOnce(&mut ActiveRun<'a>) -> Result<T, NotFinite>,
    ) -> ControlFlow<Interruption, T> {
        match checked(&mut self.active) {
            Ok(value) => ControlFlow::Continue(value),
            Err(cause) => ControlFlow::Break(self.go_back(&cause)),
        }
    }

    fn go_back(&mut self, cause: &NotFinite) -> Interruption {
        match self.active.go_back(cause) {
            WentBack::Retry => Interruption::WentBack,
            WentBack::GaveUp { message } => Interruption::End(End {
                message: Some(message),
                ..End::saving(Reason::Diverged)
            }),
            WentBack::Failed { message } => Interruption::End(End {
                reason: Reason::Diverged,
                save: false,
                message: Some(message),
            }),
        }
    }

    /// Carries out the instructions that have arrived, a few between two steps: whoever sends more of them does not stop
    /// the training. While the run is paused, waits for them.
    fn carry_out_instructions(&mut self) -> ControlFlow<Interruption> {
        let mut carried_out = 0;
        loop {
            if carried_out == INSTRUCTIONS_AT_ONCE && !self.is_paused {
                return ControlFlow::Continue(());
            }
            carried_out += 1;
            let instruction = if self.is_paused {
                self.instructions
                    .recv()
                    .map_err(|_| TryRecvError::Disconnected)
            } else {
                self.instructions.try_recv()
            };
            match instruction {
                Ok(Instruction::End(reason)) => {
                    return ControlFlow::Break(Interruption::End(self.end_for(reason)));
                }
                Ok(Instruction::Command(command, responder)) => {
                    let mut flow = ControlFlow::Continue(());
                    self.carry_out_command(responder, |trainer| {
                        trainer.try_command(command, &mut flow)
                    });
                    flow?;
                }
                Ok(Instruction::Keep(seen, responder)) => {
                    self.carry_out_command(responder, |trainer| trainer.active.keep_point(*seen));
                }
                Ok(Instruction::Copy(request)) => {
                    self.active
                        .on_the_side("there is nothing to explore", |active| {
                            active.copy_generator(request);
                        });
                }
                // Nobody is left who could end the pause.
                Err(TryRecvError::Disconnected) if self.is_paused => self.is_paused = false,
                Err(_) => return ControlFlow::Continue(()),
            }
        }
    }

    /// The end that an instruction asks for.
    fn end_for(&self, reason: Reason) -> End {
        match reason {
            Reason::Failed => {
                let is_there = self.lock.is_lost();
                let what = if is_there { "the lock of " } else { "" };
                let dir = self.lock.run();
                End {
                    reason,
                    save: is_there,
                    message: Some(format!("{what}{} was removed", dir.dir().display())),
                }
            }
            reason => End::saving(reason),
        }
    }

    /// Carries out a command. If that panics, the command is refused, and training goes on.
    fn carry_out_command(&mut self, responder: Responder, command: impl FnOnce(&mut Self) -> Done) {
        let done = caught(|| command(self)).unwrap_or_else(|panic| {
            self.active.warn_of("a command failed", &panic);
            Err(panic.to_string())
        });
        responder.respond(self.active.steps(), outcome(done));
    }

    fn try_command(&mut self, command: Command, flow: &mut ControlFlow<Interruption>) -> Done {
        self.active.fail_on_purpose(Aside::Command);
        match command {
            Command::Pause => {
                self.pause();
                Ok(None)
            }
            Command::Resume => {
                self.resume(None);
                Ok(None)
            }
            Command::Step { steps } => {
                self.resume(Some(self.active.steps().saturating_add(steps.max(1))));
                Ok(None)
            }
            Command::Sample { count, seed } => self.active.sample(count, seed, None),
            Command::SampleClass { class, count, seed } => {
                self.active.sample(count, seed, Some(class))
            }
            Command::Checkpoint => match self.active.save_checkpoint(CheckpointKind::Latest) {
                Ok(true) => {
                    let path = self.lock.run().checkpoint_file(self.active.steps());
                    Ok(Some(path.display().to_string()))
                }
                Ok(false) => Err("the checkpoint could not be saved; the log says why".to_owned()),
                Err(cause) => {
                    let step = self.active.steps();
                    *flow = ControlFlow::Break(self.go_back(&cause));
                    Err(format!(
                        "step {step} is not saved, because {cause}; the log says how the run goes on"
                    ))
                }
            },
            Command::Set { key, value } => self.active.set(&key, value),
            Command::Note { text } => self.active.note(text),
            Command::Stop { save } => {
                *flow = ControlFlow::Break(Interruption::End(End {
                    save,
                    ..End::saving(Reason::Stopped)
                }));
                Ok(None)
            }
            Command::Explore(_) | Command::Keep(_) => Err("nobody explores this run".to_owned()),
            Command::Unknown => {
                Err("this worker is of an older build and does not know the command".to_owned())
            }
        }
    }

    fn pause(&mut self) {
        self.active.stop_stopwatch();
        self.active.report();
        self.is_paused = true;
        self.pause_at = None;
        self.show_pictures();
        self.active.enter(Phase::Paused);
    }

    /// Ends a pause, for good or up to a step.
    fn resume(&mut self, pause_at: Option<u64>) {
        self.pause_at = pause_at;
        if std::mem::replace(&mut self.is_paused, false) {
            self.active.enter(Phase::Training);
        }
    }

    fn end(&mut self, mut end: End) -> Ended {
        self.active.stop_stopwatch();
        self.before_the_end(&mut end, ActiveRun::check_faults);
        if end.save && end.has_time() && self.active.is_final_check_due() {
            self.before_the_end(&mut end, ActiveRun::check_health);
        }
        self.active.report();
        self.save_last_pictures(&end);
        let saved = self.save_last_checkpoint(&mut end);
        let newest = self.lock.run().newest_checkpoint().ok();
        end.report(
            saved,
            newest.map(|newest| newest.path),
            self.active.latest_stats(),
        )
    }

    /// Saves the state in which the run ends, if it is to be saved. Returns false if that was not possible.
    fn save_last_checkpoint(&mut self, end: &mut End) -> bool {
        if !end.save || self.active.steps() == 0 {
            return true;
        }
        self.active.enter(Phase::Saving);
        let save = |active: &mut ActiveRun<'_>| active.save_checkpoint(CheckpointKind::Latest);
        match self.before_the_end(end, save) {
            Some(saved) => saved,
            // After a fault the last good state is saved, which was finite when it was kept.
            None => !end.save || matches!(save(&mut self.active), Ok(true)),
        }
    }

    /// Does something that checks for faults, in a run that is about to end and to be saved; if there is one, the run
    /// goes back and ends there.
    fn before_the_end<T>(
        &mut self,
        end: &mut End,
        checked: impl FnOnce(&mut ActiveRun<'a>) -> Result<T, NotFinite>,
    ) -> Option<T> {
        if !end.save {
            return None;
        }
        let cause = match checked(&mut self.active) {
            Ok(value) => return Some(value),
            Err(cause) => cause,
        };
        if let Interruption::End(gave_up) = self.go_back(&cause) {
            end.message = gave_up.message;
            end.save = gave_up.save;
        }
        None
    }
}
