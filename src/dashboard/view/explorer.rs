//! The explorer: a point of the latent space in the middle of its neighbours.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;
use ratatui::widgets::Widget as _;
use sparring_contract::protocol::{Exploration, Pictures};

use super::frame::overlay;
use super::ink::{Ink, cells, centred, put, row, wrapped};
use crate::dashboard::state::{Axis, Explorer, State};
use crate::terminal::{Brush, Picture, Scale};

/// Lines of an explorer in which pictures have room above the words; in fewer they stand beside each other.
const HIGH: u16 = 12;

/// The explorer fills the area over which it lies.
pub(super) fn draw(state: &State, explorer: &Explorer, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let inner = overlay("latent space", ink, area, area, buffer);
    let beside = inner.height < HIGH;
    let width = if beside { inner.width / 2 } else { inner.width };
    let room = usize::from(width);
    let place = wrapped(&place(state, explorer), room);
    let keys = wrapped(&keys(explorer), room);
    let lines: Vec<_> = place
        .into_iter()
        .map(Line::from)
        .chain(keys.into_iter().map(|line| Line::from(ink.dim(line))))
        .collect();
    let (words, pictures) = if beside {
        let words = Rect {
            x: inner.x + inner.width - width,
            width,
            ..inner
        };
        let pictures = Rect {
            width: (inner.width - width).saturating_sub(1),
            ..inner
        };
        (words, pictures)
    } else {
        let height = inner.height.saturating_sub(cells(lines.len()));
        let words = Rect {
            y: inner.y + height,
            height: inner.height - height,
            ..inner
        };
        (words, Rect { height, ..inner })
    };
    for (index, line) in (0..words.height).zip(lines) {
        put(buffer, row(words, index), line);
    }
    match (&explorer.around, &explorer.problem) {
        (Some(around), _) => neighbours(around, ink, pictures, buffer),
        (None, Some(problem)) => say(problem, ink, pictures, buffer),
        (None, None) => say("measuring the directions…", ink, pictures, buffer),
    }
}

fn say(words: &str, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let lines = wrapped(words, usize::from(area.width));
    for (index, line) in (0..area.height).zip(lines) {
        put(buffer, row(area, index), Line::from(ink.dim(line)));
    }
}

/// Where the point is.
fn place(state: &State, explorer: &Explorer) -> String {
    let Exploration {
        seed,
        class,
        coordinates,
        ..
    } = &explorer.place;
    let mut parts = vec![format!("seed {seed}")];
    if let Some(class) = class {
        let names = state
            .started()
            .map_or(&[][..], |started| &started.class_names);
        let index = usize::try_from(*class).unwrap_or(usize::MAX);
        let name = names.get(index).cloned();
        parts.push(format!(
            "class {}",
            name.unwrap_or_else(|| class.to_string())
        ));
    }
    parts.extend(
        coordinates
            .iter()
            .map(|coordinate| format!("{} {:+.1}", coordinate.direction, coordinate.amount)),
    );
    if let Some(kept) = &explorer.kept {
        parts.push(format!("kept as {kept}"));
    }
    if let Some(problem) = explorer
        .problem
        .as_ref()
        .filter(|_| explorer.around.is_some())
    {
        parts.push(problem.clone());
    }
    parts.join(" · ")
}

/// Where the arrow keys lead.
fn keys(explorer: &Explorer) -> String {
    let direction = |axis| explorer.direction(axis).unwrap_or("…");
    format!("←→ {}, ↑↓ {}", direction(Axis::Across), direction(Axis::Up))
}

/// Draws the point in the middle of its neighbours: of all of them, or of those across, or alone, whatever fits.
fn neighbours(around: &Pictures, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let side = u16::try_from(Exploration::SIDE).unwrap_or(1);
    let ways = [(side, side), (side, 1), (1, 1)];
    let found = ways.into_iter().find_map(|way| {
        let (brush, each) = fitting(around, way, ink, area)?;
        Some((way, brush, each))
    });
    let Some(((across, down), brush, each)) = found else {
        return say("no room for a picture", ink, area, buffer);
    };
    let all = extent(each, (across, down));
    let place = centred(area, all.width, all.height);
    let skipped = [across, down].map(|shown| (side - shown) / 2);
    for y in 0..down {
        for x in 0..across {
            let index = (y + skipped[1]) * side + x + skipped[0];
            let place = Rect {
                x: place.x + x * (each.width + 1),
                y: place.y + y * (each.height + 1),
                width: each.width,
                height: each.height,
            };
            if let Some(picture) = Picture::of(around, usize::from(index)) {
                picture.drawn(brush).render(place, buffer);
            }
            if across == side && index == side * side / 2 {
                corners(place, ink, area, buffer);
            }
        }
    }
}

/// The largest scale at which so many pictures fit across and down.
fn fitting(pictures: &Pictures, way: (u16, u16), ink: Ink, area: Rect) -> Option<(Brush, Size)> {
    let (width, height) = (pictures.width as usize, pictures.height as usize);
    Scale::choices(ink.render, width, height)
        .map(|scale| {
            let brush = Brush {
                render: ink.render,
                scale,
                colors: ink.pictures,
            };
            (brush, brush.cells(width, height))
        })
        .find(|(_, each)| {
            let all = extent(*each, way);
            all.width <= area.width && all.height <= area.height
        })
}

/// Cells of so many pictures across and down, with a cell between them.
fn extent(each: Size, (across, down): (u16, u16)) -> Size {
    let along = |count: u16, one: u16| {
        count
            .saturating_mul(one.saturating_add(1))
            .saturating_sub(1)
    };
    Size::new(along(across, each.width), along(down, each.height))
}

/// Marks a picture in the cells around it, as far as they are in the area.
fn corners(place: Rect, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let (left, top) = (place.x.saturating_sub(1), place.y.saturating_sub(1));
    for (x, y, corner) in [
        (left, top, "┌"),
        (place.right(), top, "┐"),
        (left, place.bottom(), "└"),
        (place.right(), place.bottom(), "┘"),
    ] {
        let is_inside = area.contains((x, y).into());
        if let Some(cell) = buffer.cell_mut((x, y)).filter(|_| is_inside) {
            cell.set_symbol(corner).set_style(ink.theme.accent());
        }
    }
}
