//! Pictures around a point of the latent space, drawn on a thread of their own while training goes on.
//!
//! The explorer has a copy of the generator, on the CPU, and asks the trainer for a newer one as often as someone looks.
//! So nobody waits for the end of a step, and a step waits for a copy at most.

mod place;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use sparring_contract::protocol::Exploration;

use crate::latent::{Direction, directions};
use crate::native::work_alone;
use crate::panics::caught;
use crate::trainer::{
    CopyRequest, Done, EventSink, GeneratorCopy, Instruction, Responder, Seen, outcome,
};

use place::View;

/// Numbers of all the samples by which directions are measured: a thousand grey pictures of 28×28. Of larger ones fewer
/// are made, for somebody waits.
const MEASURED: i64 = 784_000;
const SAMPLES: RangeInclusive<i64> = 400..=1000;

/// The seed of the samples.
const SEED: u64 = 0;

/// Steps after which directions are measured again where a walk begins.
const STALE: u64 = 500;

/// How long a copy is new enough while someone walks, and how long a walk that goes on waits for a newer one.
const FRESH_FOR: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_millis(30);

/// What a face asks of the explorer.
#[derive(Debug)]
pub(super) enum Question {
    /// Show what lies around a point.
    Look(Exploration, Responder),
    /// Keep a point as it is seen.
    Keep(Exploration, Responder),
    /// The run has ended.
    End,
}

impl From<Question> for Option<Responder> {
    /// The way back to whoever asked.
    fn from(question: Question) -> Self {
        match question {
            Question::Look(_, responder) | Question::Keep(_, responder) => Some(responder),
            Question::End => None,
        }
    }
}

/// Answers questions about the latent space of a run in training.
pub(super) struct Explorer {
    questions: Receiver<Question>,
    trainer: SyncSender<Instruction>,
    /// What it draws with, and when that came.
    copy: Option<(GeneratorCopy, Instant)>,
    /// A copy whose weights may be overwritten.
    spare: Option<GeneratorCopy>,
    /// Where a newer copy will come from, once it was asked for.
    newer: Option<Receiver<Result<GeneratorCopy, String>>>,
    directions: Vec<Direction>,
    measured_at: u64,
    fresh_for: Duration,
}

impl Explorer {
    /// An explorer of the run that `trainer` trains.
    pub(super) fn new(questions: Receiver<Question>, trainer: SyncSender<Instruction>) -> Self {
        Self {
            questions,
            trainer,
            copy: None,
            spare: None,
            newer: None,
            directions: Vec::new(),
            measured_at: 0,
            fresh_for: FRESH_FOR,
        }
    }

    /// Answers until [`Question::End`] comes, or nobody is left who could ask. Shows pictures to `sink`.
    pub(super) fn serve(mut self, sink: &dyn EventSink) {
        work_alone();
        let mut waiting = VecDeque::new();
        loop {
            if waiting.is_empty() {
                waiting.extend(self.questions.recv());
            }
            waiting.extend(self.questions.try_iter());
            match waiting.pop_front() {
                Some(Question::Look(place, responder)) => {
                    // Whoever holds a key down sees where it led, not every place on the way.
                    let is_past = matches!(waiting.front(), Some(Question::Look(..)));
                    self.answer(responder, |explorer| explorer.look(&place, is_past, sink));
                }
                Some(Question::Keep(place, responder)) => self.keep(place, responder),
                Some(Question::End) | None => return,
            }
        }
    }

    /// Answers a question. If that panics, for example because there is no memory for it, the question is refused.
    fn answer(&mut self, responder: Responder, answer: impl FnOnce(&mut Self) -> Done) {
        let done = caught(|| answer(self)).unwrap_or_else(|panic| Err(panic.to_string()));
        let step = self.copy.as_ref().map_or(0, |(copy, _)| copy.step);
        responder.respond(step, outcome(done));
    }

    /// Shows what lies around a point, unless that is past already; says which directions there are.
    fn look(&mut self, place: &Exploration, is_past: bool, sink: &dyn EventSink) -> Done {
        if !is_past || self.directions.is_empty() {
            let view = self.view(place)?;
            sink.show(view.around);
        }
        let names: Vec<_> = self.directions.iter().map(Direction::name).collect();
        Ok(Some(names.join(",")))
    }

    fn keep(&mut self, place: Exploration, responder: Responder) {
        let seen = caught(|| {
            self.view(&place).map(|view| Seen {
                step: view.point.step,
                place,
                z: view.z,
                picture: view.point,
            })
        });
        match seen {
            Ok(Ok(seen)) => self.pass_on(Instruction::Keep(Box::new(seen), responder)),
            Ok(Err(reason)) => responder.refuse(0, &reason),
            Err(panic) => responder.refuse(0, &panic.to_string()),
        }
    }

    /// Gives the trainer an instruction. The answer to one that it cannot take is that the run is ending.
    fn pass_on(&self, instruction: Instruction) {
        if let Err(failed) = self.trainer.send(instruction)
            && let Some(responder) = Option::<Responder>::from(failed.0)
        {
            responder.refuse(0, "the run is ending");
        }
    }

    /// Draws what there is to see at a point, or says why that is not possible.
    fn view(&mut self, place: &Exploration) -> Result<View, String> {
        let begins = place.coordinates.is_empty();
        self.refresh(begins)?;
        let Some((copy, _)) = &self.copy else {
            return Err("there is nothing to explore yet".to_owned());
        };
        let is_stale = begins && copy.step > self.measured_at.saturating_add(STALE);
        if self.directions.is_empty() || is_stale {
            let samples = (MEASURED / copy.numbers).clamp(*SAMPLES.start(), *SAMPLES.end());
            let (noise, classes) = copy.space.sample(SEED, samples);
            let drawn = copy.space.pixels(&noise, classes.as_ref());
            self.directions = directions(&noise, &drawn, None);
            self.measured_at = copy.step;
        }
        place::view(copy, &self.directions, place)
    }

    /// Takes a newer copy of the generator where there is one, and asks for one where there should be. Only where a walk
    /// begins, and where there is none at all, it is waited for.
    fn refresh(&mut self, begins: bool) -> Result<(), String> {
        let age = self.copy.as_ref().map(|(_, came)| came.elapsed());
        let is_fresh = age.is_some_and(|age| age < self.fresh_for);
        if !is_fresh && self.newer.is_none() {
            let (reply, newer) = sync_channel(1);
            let spare = self.spare.take();
            self.pass_on(Instruction::Copy(CopyRequest { spare, reply }));
            self.newer = Some(newer);
        }
        let Some(newer) = &self.newer else {
            return Ok(());
        };
        let wait = if begins || self.copy.is_none() {
            newer.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            newer.recv_timeout(PATIENCE)
        };
        match wait {
            Ok(Ok(copy)) => {
                self.newer = None;
                let before = self.copy.replace((copy, Instant::now()));
                self.spare = before.map(|(copy, _)| copy);
                Ok(())
            }
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Ok(Err(reason)) => {
                self.newer = None;
                Err(reason)
            }
            Err(RecvTimeoutError::Disconnected) => {
                self.newer = None;
                Err("the run is ending".to_owned())
            }
        }
    }
}
