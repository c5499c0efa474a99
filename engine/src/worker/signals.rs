//! Signals become instructions: the first Ctrl-C or SIGTERM saves and ends, a second Ctrl-C ends at once. Before there is
//! anything to save, the first one does.

use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use sparring_contract::protocol::Reason;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

use crate::trainer::Instruction;

/// The signals that a worker hears.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

/// Why a worker ends without another step.
#[derive(Debug)]
pub(super) enum Cut {
    /// A second Ctrl-C: the user does not want to wait.
    Impatience,
    /// A signal came before the training began.
    Unbegun(Reason),
}

/// How often to try again to pass a signal on to a trainer whose queue is full.
const AGAIN: Duration = Duration::from_millis(20);

impl Signals {
    /// Starts to listen. From here on none of these signals ends the process by itself.
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Passes signals on to the trainer once it has begun; returns when it should not be waited for. A hangup is ignored:
    /// the terminal is gone, and training goes on.
    pub(super) async fn pass_on(
        &mut self,
        instructions: &SyncSender<Instruction>,
        has_begun: impl Fn() -> bool,
    ) -> Cut {
        let mut interrupted = false;
        let mut waiting = None;
        loop {
            let reason = tokio::select! {
                _ = self.interrupt.recv() => Reason::Interrupted,
                _ = self.terminate.recv() => Reason::Terminated,
                _ = self.hangup.recv() => continue,
                () = sleep(AGAIN), if waiting.is_some() => {
                    waiting = waiting.take().and_then(|reason| pass(reason, instructions));
                    continue;
                }
            };
            if !has_begun() {
                return Cut::Unbegun(reason);
            }
            if reason == Reason::Interrupted && std::mem::replace(&mut interrupted, true) {
                return Cut::Impatience;
            }
            waiting = pass(reason, instructions);
        }
    }
}

/// Passes the wish to end on to the trainer, and returns it if the queue is full. A trainer that is gone is ending already.
fn pass(reason: Reason, instructions: &SyncSender<Instruction>) -> Option<Reason> {
    match instructions.try_send(Instruction::End(reason)) {
        Err(TrySendError::Full(_)) => Some(reason),
        _ => None,
    }
}
