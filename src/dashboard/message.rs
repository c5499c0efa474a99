//! What goes into a dashboard, and what comes out.

use sparring_contract::protocol::{Command, ToFace};

use super::key::KeyPress;
use super::state::Panel;

/// Something that a dashboard takes in.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// The time, in seconds since 1970. Everything that follows happens at this time, until the next.
    Tick(f64),
    /// A key was pressed.
    Key(KeyPress),
    /// Text was pasted. It never acts as keys.
    Paste(String),
    /// A panel was clicked on.
    Click(Panel),
    /// The mouse's wheel was turned over a panel.
    Wheel {
        /// The panel.
        panel: Panel,
        /// Whether upwards.
        up: bool,
    },
    /// The worker said something.
    FromWorker(ToFace),
    /// The connection is gone and is being reopened. The next snapshot says that it is back.
    LinkLost {
        /// Why, in words.
        why: String,
    },
    /// Fresh pictures could not be drawn.
    Undrawn {
        /// Why, in words.
        why: String,
    },
    /// The worker's process is gone without having ended the run.
    WorkerDied {
        /// How it went, in words, such as «killed by signal 9» or «exit status 101».
        status: String,
        /// The last lines of its log, oldest first.
        log: Vec<String>,
    },
    /// Bytes a second that this face writes to its terminal.
    Traffic(f64),
    /// A remark for the log about something that is not as the user wants it.
    Remark(String),
    /// A line for the log about something that is as it should be, such as that pictures come less often over a slow link.
    Aside(String),
}

/// Something for the loop around a dashboard to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send a command to the worker.
    Send {
        /// The number that its answer will carry.
        id: u64,
        /// The command.
        command: Command,
    },
    /// Leave the dashboard.
    Quit(Leave),
    /// Ring the bell and run the user's command with this message: the run ended, or something is wrong.
    Notify(String),
    /// Clear the screen and draw everything anew.
    Redraw,
    /// Draw fresh pictures from the newest checkpoint of a run that nobody trains.
    Draw,
    /// Ask the terminal to report the mouse, or to keep it to itself.
    Mouse(bool),
    /// Restore the terminal and stop the process until the shell continues it.
    Suspend,
}

/// What stays behind when a dashboard is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// A worker that goes on training: say how to come back and how to stop it.
    Training,
    /// A run that nobody trains: say how to go on with it.
    Over,
}
