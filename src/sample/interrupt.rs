use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// A signal ended the work early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted {
    /// The signal's number.
    pub signal: i32,
    /// How many pictures are kept to go on with, if any are.
    pub kept: Option<u64>,
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "interrupted by signal {}; ", self.signal)?;
        match self.kept {
            None => f.write_str("nothing was written"),
            Some(count) => write!(
                f,
                "{count} pictures are kept, and the same command goes on with the next"
            ),
        }
    }
}

impl std::error::Error for Interrupted {}

/// Whether a signal came. The first one is only noted, so that files can be left in order; a second one has its usual
/// effect.
pub struct Interrupts(Arc<AtomicUsize>);

impl Interrupts {
    pub fn listen() -> io::Result<Self> {
        let (first, noted) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        for (signal, number) in [(SIGINT, 2), (SIGTERM, 15), (SIGHUP, 1)] {
            flag::register_conditional_default(signal, Arc::clone(&noted))?;
            flag::register(signal, Arc::clone(&noted))?;
            flag::register_usize(signal, Arc::clone(&first), number)?;
        }
        Ok(Self(first))
    }

    pub fn check(&self) -> Result<(), Interrupted> {
        match i32::try_from(self.0.load(Ordering::Relaxed)) {
            Ok(0) | Err(_) => Ok(()),
            Ok(signal) => Err(Interrupted { signal, kept: None }),
        }
    }
}
