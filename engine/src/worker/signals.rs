//! Signals become orders: the first Ctrl-C or SIGTERM saves and ends, a second Ctrl-C ends at once.

use std::sync::mpsc::SyncSender;

use sparring_contract::protocol::Reason;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::orders::Order;

/// The signals that a worker hears.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

/// A second Ctrl-C: the user waits no longer.
#[derive(Debug)]
pub(super) struct Impatience;

impl Signals {
    /// Starts to listen. From here on no signal of these ends the process by itself.
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Passes signals on to the trainer; returns when the user is impatient. A hangup is heard and let pass: the
    /// terminal is gone, the training goes on.
    pub(super) async fn pass_on(&mut self, orders: &SyncSender<Order>) -> Impatience {
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
            // A trainer that is ending, or whose orders wait in a full row, ends all the same.
            let _ = orders.try_send(Order::End(reason));
        }
    }
}
