//! Takes the terminal for a full-screen program, and gives it back whatever happens.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste};
use crossterm::queue;
use crossterm::style::ResetColor;
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use rustix::process::{Signal, kill_current_process_group};
use rustix::stdio::{dup2_stderr, dup2_stdout};
use rustix::termios::{LocalModes, tcgetattr};

use super::output::write_within;

/// How long the terminal may take to change its modes. One that takes longer does not listen, and nobody looks at it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether this process has taken the terminal. One flag for the process, since a panic on any thread gives it back.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal in raw mode, on the alternate screen, without a cursor, and with marked pastes. Dropping the guard gives
/// the terminal back as it was; a panic does so before its message is printed.
#[derive(Debug)]
pub struct Guard {
    _mine: (),
}

impl Guard {
    /// Takes the terminal.
    pub fn enter() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let said_by = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back_for_good();
                said_by(panic);
            }));
        });
        let guard = Self { _mine: () };
        guard.take()?;
        Ok(guard)
    }

    /// Takes the terminal. Also needed after this process was stopped and continued: the shell had it in between.
    pub fn take(&self) -> io::Result<()> {
        // A terminal that is raw already stays raw: a key typed between two changes could be lost.
        if tcgetattr(io::stdin())?
            .local_modes
            .contains(LocalModes::ICANON)
        {
            // crossterm changes nothing if it believes that the terminal is raw.
            disable_raw_mode()?;
            enable_raw_mode()?;
        }
        TAKEN.store(true, Ordering::SeqCst);
        let mut bytes = Vec::new();
        queue!(bytes, EnterAlternateScreen, Hide, EnableBracketedPaste)?;
        write_within(PATIENCE, &bytes)
    }

    /// Asks the terminal to report clicks and turns of the wheel, or not to.
    pub fn report_mouse(&self, wanted: bool) -> io::Result<()> {
        let bytes: &[u8] = if wanted {
            b"\x1b[?1000h\x1b[?1006h"
        } else {
            b"\x1b[?1006l\x1b[?1000l"
        };
        write_within(PATIENCE, bytes)
    }

    /// Gives the terminal back, stops the job until the shell continues it, and takes the terminal again. If there is no
    /// shell that could continue it, the kernel does not stop it.
    pub fn suspend(&self) -> io::Result<()> {
        let _ = give_back();
        // The whole job, as the terminal's own Ctrl-Z does: a script that started this must stop as well.
        kill_current_process_group(Signal::TSTP)?;
        self.take()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back_for_good();
    }
}

/// Gives the terminal back. If it does not listen, this process says nothing to it any more: its last lines would wait
/// for ever, and the process with them.
fn give_back_for_good() {
    if give_back().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut)
        && let Ok(nowhere) = File::options().write(true).open("/dev/null")
    {
        if io::stdout().is_terminal() {
            let _ = dup2_stdout(&nowhere);
        }
        if io::stderr().is_terminal() {
            let _ = dup2_stderr(&nowhere);
        }
    }
}

/// Gives the terminal back, if it is taken.
fn give_back() -> io::Result<()> {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    let mut bytes = Vec::new();
    queue!(
        bytes,
        EndSynchronizedUpdate,
        DisableMouseCapture,
        ResetColor,
        DisableBracketedPaste,
        Show,
        LeaveAlternateScreen
    )?;
    let told = write_within(PATIENCE, &bytes);
    told.and(disable_raw_mode())
}
