//! Taking the terminal for a full screen, and giving it back whatever happens.

use std::io;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::queue;
use crossterm::style::ResetColor;
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use rustix::process::{Signal, kill_current_process_group};
use rustix::termios::{LocalModes, tcgetattr};

use super::screen::write_out;

/// Whether this process has the terminal. One flag for the process, since a panic on any thread gives it back.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal in raw mode, on the alternate screen, without a cursor, and with pastes marked as such. Dropping it
/// gives the terminal back as it was; so does a panic before it writes its message.
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
                give_back();
                said_by(panic);
            }));
        });
        let guard = Self { _mine: () };
        guard.take()?;
        Ok(guard)
    }

    /// Takes the terminal, also after this process was stopped and went on: the shell has had it meanwhile.
    pub fn take(&self) -> io::Result<()> {
        // A terminal that is raw stays so: a key between two changes could be lost.
        if tcgetattr(io::stdin())?
            .local_modes
            .contains(LocalModes::ICANON)
        {
            // crossterm makes no terminal raw that it takes for raw already.
            disable_raw_mode()?;
            enable_raw_mode()?;
        }
        TAKEN.store(true, Ordering::SeqCst);
        let mut bytes = Vec::new();
        queue!(bytes, EnterAlternateScreen, Hide, EnableBracketedPaste)?;
        write_out(&bytes)
    }

    /// Gives the terminal back and stops the job until the shell continues it, then takes it again. Where no shell
    /// could continue it, the kernel does not stop it.
    pub fn suspend(&self) -> io::Result<()> {
        give_back();
        // The whole job, as the terminal's own Ctrl-Z would: a script that started this must stop as well.
        kill_current_process_group(Signal::TSTP)?;
        self.take()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back. Nobody can be told if that fails.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut bytes = Vec::new();
        let _ = queue!(
            bytes,
            EndSynchronizedUpdate,
            ResetColor,
            DisableBracketedPaste,
            Show,
            LeaveAlternateScreen
        );
        let _ = write_out(&bytes);
        let _ = disable_raw_mode();
    }
}
