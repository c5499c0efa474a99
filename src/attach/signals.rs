//! Signals to a dashboard.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that concern a dashboard.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    quit: Signal,
    go_on: Signal,
    resized: Signal,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// To end, with the signal's number.
    End(i32),
    /// To take the terminal again, after the process was stopped.
    GoOn,
    /// To fill a terminal of another size.
    Resize,
}

impl Signals {
    /// Listens. A second signal to end has its usual effect at once, should the first find this process stuck in a
    /// terminal that takes no more bytes.
    pub(super) fn listen() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
            flag::register_conditional_default(number, Arc::clone(&asked))?;
            flag::register(number, Arc::clone(&asked))?;
        }
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            quit: signal(SignalKind::quit())?,
            go_on: signal(SignalKind::from_raw(signal_hook::consts::SIGCONT))?,
            resized: signal(SignalKind::window_change())?,
        })
    }

    /// Waits for the next.
    pub(super) async fn next(&mut self) -> Wanted {
        tokio::select! {
            _ = self.interrupt.recv() => Wanted::End(SIGINT),
            _ = self.terminate.recv() => Wanted::End(SIGTERM),
            _ = self.hang_up.recv() => Wanted::End(SIGHUP),
            _ = self.quit.recv() => Wanted::End(SIGQUIT),
            _ = self.go_on.recv() => Wanted::GoOn,
            _ = self.resized.recv() => Wanted::Resize,
        }
    }
}
