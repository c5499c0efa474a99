//! Flags of how pictures are shown, as the terminal's room knows them.

use sparring_contract::config::Mask;
use sparring_contract::protocol::Truncation;

use crate::cli::{self, Drawing, Render, Scale, When};
use crate::sample::{Existing, Look};
use crate::terminal::{self, ColorChoice, Protocol, RenderChoice};

/// The flags `--truncation` and `--tails`.
pub(super) fn truncation(flags: cli::Truncation) -> Truncation {
    match (flags.truncation, flags.tails) {
        (Some(share), _) => Truncation::TowardsMean(share),
        (None, Some(threshold)) => Truncation::Redrawn(threshold),
        (None, None) => Truncation::Off,
    }
}

/// The mask of this name; `None` if there is none.
pub(super) fn named_mask(name: &str) -> Option<Mask> {
    match name {
        "centre" => Some(Mask::Centre),
        "half" => Some(Mask::Half),
        "strokes" => Some(Mask::Strokes),
        "random" => Some(Mask::Random),
        "mixed" => Some(Mask::Mixed),
        _ => None,
    }
}

/// The flag `--force`.
pub(super) fn existing(force: bool) -> Existing {
    if force {
        Existing::Replace
    } else {
        Existing::Keep
    }
}

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

/// The flag `--render`.
pub(super) fn render(render: Render) -> RenderChoice {
    match render {
        Render::Auto => RenderChoice::Auto,
        Render::Half => RenderChoice::Half,
        Render::Braille => RenderChoice::Braille,
        Render::Ascii => RenderChoice::Ascii,
        Render::Kitty => RenderChoice::Pixels(Protocol::Kitty),
        Render::Iterm => RenderChoice::Pixels(Protocol::Iterm),
        Render::Sixel => RenderChoice::Pixels(Protocol::Sixel),
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
