//! The dashboard of a run: a state, what changes it, and how it is drawn.
//!
//! Everything here is pure. [`update`] turns a [`Message`] into a changed [`State`] and [`Effect`]s for the world
//! around it, [`view`](view::view) draws a state and changes nothing. There is no IO and no clock: a loop outside
//! reads keys and the worker's messages, tells the time in [`Message::Tick`], and carries out the effects.

mod key;
mod keymap;
mod message;
mod state;
mod update;
pub mod view;
mod words;

#[cfg(test)]
mod tests;

pub use key::KeyPress;
pub use keymap::{Action, Binding, Keymap, KeymapError, TABLE};
pub use message::{Effect, Leave, Message};
pub use state::{
    Chart, Charts, Connection, Dialog, Health, Panel, Series, Settings, Standing, State, Tone,
    Verdict, verdict,
};
pub use update::update;
pub use words::ago;
