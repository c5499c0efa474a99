//! Signals become instructions: the first Ctrl-C or SIGTERM saves and ends, a second Ctrl-C ends at once. Before there is
//! anything to save, the first one does.

use std::sync::mpsc::SyncSender;

use sparring_contract::protocol::Reason;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::orders;
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
        let pass = async |reason| {
            if let Some(reason) = reason {
                orders::end(instructions, reason).await;
            }
        };
        loop {
            let reason = tokio::select! {
                _ = self.interrupt.recv() => Reason::Interrupted,
                _ = self.terminate.recv() => Reason::Terminated,
                _ = self.hangup.recv() => continue,
                () = pass(waiting), if waiting.is_some() => {
                    waiting = None;
                    continue;
                }
            };
            if !has_begun() {
                return Cut::Unbegun(reason);
            }
            if reason == Reason::Interrupted && std::mem::replace(&mut interrupted, true) {
                return Cut::Impatience;
            }
            waiting = Some(reason);
        }
    }
}
