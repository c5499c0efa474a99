//! Flags of how pictures are shown, as the terminal's room knows them.

use crate::cli::{Drawing, Render, Scale, When};
use crate::sample::Look;
use crate::terminal::{self, ColorChoice};

/// The flag `--color`.
pub(super) fn color(when: When) -> ColorChoice {
    match when {
        When::Auto => ColorChoice::Auto,
        When::Always => ColorChoice::Always,
        When::Never => ColorChoice::Never,
    }
}

/// How pictures are drawn, with the names of their classes.
pub(super) fn look(flags: &Drawing) -> Look {
    Look {
        columns: flags.columns,
        color: color(flags.color),
        render: render(flags.render),
        scale: flags.scale.map(scale),
        no_labels: false,
    }
}

/// The flag `--render`; `None` is `auto`.
fn render(render: Render) -> Option<terminal::Render> {
    match render {
        Render::Auto => None,
        Render::Half => Some(terminal::Render::Half),
        Render::Braille => Some(terminal::Render::Braille),
        Render::Ascii => Some(terminal::Render::Ascii),
    }
}

/// The flag `--scale`.
fn scale(scale: Scale) -> terminal::Scale {
    match scale {
        Scale::Full => terminal::Scale::Full,
        Scale::Half => terminal::Scale::Half,
        Scale::Third => terminal::Scale::Third,
        Scale::Quarter => terminal::Scale::Quarter,
    }
}
