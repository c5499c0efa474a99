//! The terminal: what it can show, pictures and text in its cells, and how a full-screen program takes it and gives it
//! back.
//!
//! Nothing here knows about the dashboard, runs or workers.

pub mod capabilities;
pub mod colors;
mod environment;
pub mod gallery;
pub mod graphics;
pub mod guard;
pub mod input;
mod interview;
pub mod output;
pub mod parser;
mod pen;
pub mod pictures;
mod placed;
pub mod print;
pub mod query;
pub mod screen;
pub mod theme;

pub use capabilities::{Capabilities, ColorChoice, Reasons, RenderChoice};
pub use colors::Colors;
pub use environment::Environment;
pub use gallery::Gallery;
pub use graphics::{Graphics, Protocol};
pub use guard::Guard;
pub use input::Input;
pub use interview::PATIENCE;
pub use output::Output;
pub use pictures::{Brush, Picture, Render, Scale};
pub use placed::Placed;
pub use print::to_text;
pub use screen::Screen;
pub use theme::{Shade, Theme};
