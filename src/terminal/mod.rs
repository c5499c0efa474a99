//! The terminal: what it can show, pictures and text in its cells, and how a full-screen program takes it and gives it
//! back.
//!
//! Nothing here knows about the dashboard, runs or workers.

pub mod capabilities;
pub mod colors;
pub mod gallery;
pub mod guard;
pub mod input;
pub mod output;
pub mod parser;
mod pen;
pub mod pictures;
pub mod print;
pub mod screen;
pub mod theme;

pub use capabilities::{Capabilities, ColorChoice, Environment, Reasons};
pub use colors::Colors;
pub use gallery::Gallery;
pub use guard::Guard;
pub use input::Input;
pub use output::Output;
pub use pictures::{Brush, Picture, Render, Scale};
pub use print::to_text;
pub use screen::Screen;
pub use theme::{Shade, Theme};
