//! Flags that decide how things look in the terminal.

use clap::{Args, ValueEnum};

/// Flags that decide how a dashboard looks.
#[derive(Debug, Args)]
#[command(next_help_heading = "Dashboard")]
pub struct View {
    /// Frames per second, at most; keys are answered at once
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=60))]
    pub fps: u16,
    /// KB per second to the terminal, at most: beyond it, pictures come less often, then in coarser colours; 0 sets no limit
    /// [default: no limit; over ssh 8, or less if the link carries less]
    #[arg(long, value_name = "KB", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub budget: Option<u32>,
    /// Background of the terminal
    #[arg(long, value_enum, default_value_t)]
    pub theme: Background,
    /// When to use colour
    #[arg(long, value_enum, default_value_t)]
    pub color: When,
    /// How pictures are drawn
    #[arg(long, value_enum, default_value_t)]
    pub render: Render,
    /// Shell command to run when the run ends or a health check raises an alarm; it gets SPARRING_RUN and SPARRING_MESSAGE
    #[arg(long, value_name = "CMD")]
    pub notify: Option<String>,
}

/// Flags that decide how pictures are drawn.
#[derive(Debug, Args)]
pub struct Drawing {
    /// Pictures per row [default: as many as fit]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub columns: Option<u16>,
    /// When to use colour
    #[arg(long, value_enum, default_value_t)]
    pub color: When,
    /// How pictures are drawn
    #[arg(long, value_enum, default_value_t)]
    pub render: Render,
    /// How large pictures are drawn [default: the largest at which a row of them fits]
    #[arg(long, value_enum)]
    pub scale: Option<Scale>,
}

/// Background of a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Background {
    /// As the terminal says; dark if it does not
    #[default]
    Auto,
    /// Light letters on dark
    Dark,
    /// Dark letters on light
    Light,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// When the output is a terminal that has colours and NO_COLOR is not set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How pictures are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Render {
    /// The best that the terminal can show
    #[default]
    Auto,
    /// Half blocks: two pixels a cell, in colour
    Half,
    /// Braille: eight dots a cell, without colour
    Braille,
    /// Characters of growing brightness
    Ascii,
    /// Pixels, in terminals that know kitty's graphics protocol
    Kitty,
    /// Pixels, in terminals that know iTerm2's inline images
    Iterm,
    /// Pixels, in terminals that know sixels
    Sixel,
}

/// Size of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scale {
    /// Every pixel
    Full,
    /// 2×2 pixels averaged to one
    Half,
    /// 3×3 pixels averaged to one
    Third,
    /// 4×4 pixels averaged to one
    Quarter,
}
