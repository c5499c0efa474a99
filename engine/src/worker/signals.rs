//! Signals become instructions: the first Ctrl-C or SIGTERM saves and ends, a second Ctrl-C ends at once.

use std::sync::mpsc::SyncSender;

use sparring_contract::protocol::Reason;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::trainer::Instruction;

/// The signals that a worker hears.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

/// A second Ctrl-C: the user does not want to wait.
#[derive(Debug)]
pub(super) struct Impatience;

impl Signals {
    /// Starts to listen. From here on none of these signals ends the process by itself.
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Passes signals on to the trainer; returns when the user is impatient. A hangup is ignored: the terminal is gone,
    /// and training goes on.
    pub(super) async fn pass_on(&mut self, instructions: &SyncSender<Instruction>) -> Impatience {
        let mut interrupted = false;
        loop {
            let reason = tokio::select! {
                _ = self.interrupt.recv() => Reason::Interrupted,
                _ = self.terminate.recv() => Reason::Terminated,
                _ = self.hangup.recv() => continue,
            };
            if reason == Reason::Interrupted && std::mem::replace(&mut interrupted, true) {
                return Impatience;
            }
            // It fails if the trainer is ending already, or if its queue is full; a second signal then still helps.
            let _ = instructions.try_send(Instruction::End(reason));
        }
    }
}
