//! Why a dashboard was left.

use super::connection::Death;
use crate::client::LinkError;

/// Why a dashboard was left.
#[derive(Debug)]
pub(crate) enum Left {
    /// The user left it.
    ByUser {
        /// Whether the run goes on without the user.
        training: bool,
        /// How it stands, in words.
        standing: String,
        /// The worker's exit code, where the end of the run was seen.
        code: Option<u8>,
    },
    /// A signal asked for it.
    Signal(i32),
    /// The terminal is gone.
    Gone,
    /// The worker that this face started died before it began.
    NeverBegan(Death),
    /// The worker cannot be talked to.
    Refused(LinkError),
}
