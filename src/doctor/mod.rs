//! `sparring doctor`: what training would find on this machine, and what stands in its way.
//!
//! [`Findings`] are facts; [`words`] says them on a screen.

mod findings;
mod folders;
mod machine;
mod terminal;
pub mod words;

pub use findings::{Findings, Settings, WorkerFacts};
pub use folders::{Folder, FolderUse};
pub use machine::{Logout, MachineFacts};
pub use terminal::TerminalFacts;
