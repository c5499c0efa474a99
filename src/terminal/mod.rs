//! The terminal: what it can show, in which colours, and pictures and text in its cells.
//!
//! Nothing here knows the dashboard, a run or a worker.

pub mod capabilities;
pub mod colors;
pub mod gallery;
pub mod pictures;
pub mod print;
pub mod theme;

pub use capabilities::{Capabilities, ColorChoice, Environment};
pub use colors::Colors;
pub use gallery::Gallery;
pub use pictures::{Brush, Picture, Render, Scale};
pub use print::to_text;
pub use theme::{Shade, Theme};
