//! How a dashboard is drawn. Nothing here changes it.

mod ascii;
mod axis;
mod balance;
mod chart;
mod classes;
mod curves;
mod dialogs;
mod explorer;
mod footer;
mod frame;
mod gallery;
mod header;
mod health;
mod help;
mod ink;
mod layout;
mod log;
mod machine;
mod plot;
mod small;
mod spark;
mod teaching;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::state::{Dialog, Panel, State};
use crate::terminal::{Picture, Placed};
pub use ink::Ink;

/// Draws a dashboard into a blank area of any size.
pub fn view(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    if area.is_empty() {
        return;
    }
    if area.height < 9 || area.width < 36 {
        if area.area() > 1 {
            small::line(state, ink, area, buffer);
        }
    } else {
        screen(state, ink, area, buffer);
    }
    if !ink.unicode {
        ascii::transliterate(area, buffer);
    }
}

/// The picture that was drawn in marked cells, while it is there.
pub fn hung(state: &State, placed: Placed) -> Option<Picture<'_>> {
    let explored = match &state.dialog {
        Some(Dialog::Explore(explorer)) => explorer.around.as_ref(),
        _ => None,
    };
    let shown = state.gallery.shown().map(|shown| &shown.pictures);
    explored
        .into_iter()
        .chain(shown)
        .find(|pictures| placed.is_of(pictures.purpose))
        .and_then(|pictures| Picture::of(pictures, placed.index()))
}

/// The panel at a place on a screen of this size. None where there is none, or a dialogue lies over it.
pub fn panel_at(state: &State, area: Rect, place: Position) -> Option<Panel> {
    let (least_width, least_height) = layout::LEAST;
    if state.dialog.is_some() || area.width < least_width || area.height < least_height {
        return None;
    }
    let panels = layout::panels(state, body(area));
    let mut there = panels
        .into_iter()
        .filter(|(_, panel)| panel.contains(place));
    there.next().map(|(panel, _)| panel)
}

/// The area between the lines at the top and the line of keys.
fn body(area: Rect) -> Rect {
    Rect {
        y: area.y + 2,
        height: area.height.saturating_sub(3),
        ..area
    }
}

fn screen(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let body = body(area);
    let (least_width, least_height) = layout::LEAST;
    if area.width < least_width || area.height < least_height {
        small::draw(state, ink, area, buffer);
        if state.look.enlarged {
            ratatui::widgets::Widget::render(ratatui::widgets::Clear, body, buffer);
            panel(state, state.look.focus, ink, body, buffer);
        }
    } else {
        header::identity(state, ink, ink::row(area, 0), buffer);
        header::progress(state, ink, ink::row(area, 1), buffer);
        for (kind, place) in layout::panels(state, body) {
            panel(state, kind, ink, place, buffer);
        }
        footer::draw(state, ink, ink::row(area, area.height - 1), buffer);
    }
    if let Some(dialog) = &state.dialog {
        dialogs::draw(state, dialog, ink, body, buffer);
    }
}

fn panel(state: &State, kind: Panel, ink: Ink, area: Rect, buffer: &mut Buffer) {
    match kind {
        Panel::Gallery => gallery::draw(state, ink, area, buffer),
        Panel::Curves => curves::draw(state, ink, area, buffer),
        Panel::Balance => balance::draw(state, ink, area, buffer),
        Panel::Health => health::draw(state, ink, area, buffer),
        Panel::Machine => machine::draw(state, ink, area, buffer),
        Panel::Log => log::draw(state, ink, area, buffer),
    }
}
