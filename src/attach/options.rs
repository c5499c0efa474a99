//! How a dashboard is shown.

use super::display::Display;
use super::pacing::Budget;
use crate::dashboard::Keymap;

/// How a dashboard is shown.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// What it is drawn on.
    pub(crate) display: Display,
    /// Frames of news a second, at most.
    pub(crate) fps: u16,
    /// Bytes a second to the terminal.
    pub(crate) budget: Budget,
    /// A command for `sh` when something needs the user's attention.
    pub(crate) notify: Option<String>,
    /// Which key does what.
    pub(crate) keymap: Keymap,
    /// Whether this face only watches.
    pub(crate) read_only: bool,
    /// Remarks for the log.
    pub(crate) notes: Vec<String>,
}
