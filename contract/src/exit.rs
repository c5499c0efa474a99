//! Exit codes of both programs.

/// Everything asked for was done.
pub const SUCCESS: u8 = 0;
/// Something failed; one line on stderr says what.
pub const FAILURE: u8 = 1;
/// The command line or the configuration is wrong; nothing was started.
pub const USAGE: u8 = 2;
/// The worker program, or its libtorch, is missing or of another build.
pub const MISMATCH: u8 = 3;
/// Training went wrong again and again, and was stopped; everything up to then is saved.
pub const DIVERGED: u8 = 4;
/// Left because the terminal went away (SIGHUP).
pub const HUNG_UP: u8 = 129;
/// Ended by Ctrl-C (SIGINT), after saving.
pub const INTERRUPTED: u8 = 130;
/// Ended by SIGTERM, after saving.
pub const TERMINATED: u8 = 143;
