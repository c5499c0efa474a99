//! The panel of pictures: as many as fit, as large as they fit.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;
use sparring_contract::protocol::{Pictures, Purpose};
use unicode_width::UnicodeWidthStr;

use super::frame::{Edge, Frame};
use super::ink::{Ink, centred, put, row, wrapped};
use crate::dashboard::state::{Panel, Shown, Standing, State, plain};
use crate::dashboard::words::{ago, grouped};
use crate::terminal::gallery::Wanted;
use crate::terminal::{Gallery, Picture};

/// The enlarged panel shows so many pictures larger rather than all of them small.
const ENOUGH: usize = 4;

/// Draws the panel.
pub(super) fn draw(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let focused = state.look.focus == Panel::Gallery;
    let Some(shown) = state.gallery.shown() else {
        let title = vec![Line::from(ink.bold(noise(state)))];
        let inner = Frame::new(title, focused).draw(ink, area, buffer);
        return explain(&missing(state), ink, inner, buffer);
    };
    let enough = state.look.enlarged.then_some(ENOUGH);
    let hang = hang(&shown.pictures, enough, ink, area);
    let mut frame = Frame::new(title(state, shown, &hang, ink), focused);
    frame.edge = hang.edge;
    let inner = frame.draw(ink, area, buffer);
    if hang.gallery.places.is_empty() {
        return explain(
            "no room for a whole picture here: z enlarges",
            ink,
            inner,
            buffer,
        );
    }
    pictures(&shown.pictures, &hang.gallery, buffer);
}

fn noise(state: &State) -> &'static str {
    match state.gallery.showing {
        Purpose::Fresh => "fresh noise",
        Purpose::Fixed | Purpose::Explored | Purpose::Real | Purpose::Unknown => "fixed noise",
    }
}

/// What the pictures are: those that belong together by their names.
fn what(state: &State, shown: &Shown) -> String {
    let parts = &shown.pictures.parts;
    match (parts.is_empty(), state.gallery.showing) {
        (true, _) => noise(state).to_owned(),
        (false, Purpose::Fresh) => format!("fresh: {}", plain(&parts.join(", "))),
        (false, _) => plain(&parts.join(", ")),
    }
}

fn title<'a>(state: &State, shown: &Shown, hang: &Hang, ink: Ink) -> Vec<Line<'a>> {
    let mut title = vec![
        Line::from(ink.bold(what(state, shown))),
        Line::from(format!("step {}", grouped(shown.pictures.step))),
    ];
    if let Some(arrived) = shown.arrived {
        title.push(Line::from(ago(state.now - arrived)));
    }
    let group = shown.pictures.group();
    let [all, there] =
        [shown.pictures.count as usize, hang.gallery.places.len()].map(|count| count / group);
    if there < all {
        title.push(Line::from(format!("{there} of {all}")));
    }
    // In the terminal's own pixels a smaller picture still has them all.
    let words = hang.gallery.brush.scale.words();
    if let Some(words) = words.filter(|_| !ink.has_pixels()) {
        title.push(Line::from(ink.dim(words)));
    }
    if ink.is_coarse() {
        title.push(Line::from(ink.dim("few colours")));
    }
    title
}

/// Why there is no picture.
fn missing(state: &State) -> String {
    match (state.standing(), state.gallery.showing) {
        (Standing::Loading, _) => "loading libtorch…".to_owned(),
        (Standing::WarmingUp, _) => "warming up…".to_owned(),
        (Standing::Ended(_) | Standing::Crashed, Purpose::Fresh) => {
            "drawing fresh pictures from the newest checkpoint…".to_owned()
        }
        (Standing::Ended(_) | Standing::Crashed, _) => {
            "no pictures here; those that were saved are in samples/".to_owned()
        }
        (_, Purpose::Fresh) => "drawing fresh pictures…".to_owned(),
        _ => "the first pictures are on their way…".to_owned(),
    }
}

fn explain(words: &str, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let lines = wrapped(words, usize::from(area.width));
    let place = centred(area, area.width, super::ink::cells(lines.len()));
    for (index, line) in (0..).zip(lines) {
        let width = super::ink::cells(line.width());
        let middle = centred(row(place, index), width, 1);
        put(buffer, middle, ink.dim(line));
    }
}

/// How the pictures hang: in which frame, and where.
struct Hang {
    edge: Edge,
    gallery: Gallery,
}

/// Of a few ways to hang the pictures, the first that shows most: an open row between them and a whole frame are
/// given up for more pictures or larger ones, in this order.
fn hang(pictures: &Pictures, enough: Option<usize>, ink: Ink, area: Rect) -> Hang {
    let ways = [(Edge::Box, true), (Edge::Box, false), (Edge::Rule, false)];
    let mut best: Option<(usize, Hang)> = None;
    for (edge, airy) in ways {
        let place = match edge {
            Edge::Box => Rect {
                x: area.x + 1,
                width: area.width.saturating_sub(2),
                ..Frame::inner(area)
            },
            Edge::Rule => Rect {
                y: row(area, 1).y,
                height: area.height.saturating_sub(1),
                ..area
            },
        };
        let gallery = laid_out(pictures, enough, ink, place, airy);
        let cells: usize = gallery
            .places
            .iter()
            .map(|place| place.area() as usize)
            .sum();
        if best.as_ref().is_none_or(|(most, _)| cells > *most) {
            best = Some((cells, Hang { edge, gallery }));
        }
    }
    best.map_or_else(
        || Hang {
            edge: Edge::Box,
            gallery: laid_out(pictures, enough, ink, Rect::ZERO, true),
        },
        |(_, hang)| hang,
    )
}

/// The pictures in the middle of an area. If `enough` of them, or of their groups, can be shown larger, the others may be
/// left out. Without the open row between them there is room for a row more of high
/// ones; a picture's own dark edge keeps them apart.
pub(super) fn laid_out(
    pictures: &Pictures,
    enough: Option<usize>,
    ink: Ink,
    area: Rect,
    airy: bool,
) -> Gallery {
    let size = (pictures.width as usize, pictures.height as usize);
    let (count, group) = (pictures.count as usize, pictures.group());
    let wanted = Wanted {
        count,
        group,
        enough: enough.map_or(count, |enough| count.min(enough * group)),
    };
    let within = |area| Gallery::within(area, wanted, size, ink.render, ink.pictures);
    let mut gallery = if airy {
        within(area)
    } else {
        packed(area, within)
    };
    let bounds = gallery.bounds();
    let middle = centred(area, bounds.width, bounds.height);
    for place in &mut gallery.places {
        place.x = place.x - bounds.x + middle.x;
        place.y = place.y - bounds.y + middle.y;
    }
    gallery
}

fn packed(area: Rect, within: impl Fn(Rect) -> Gallery) -> Gallery {
    // Each row of pictures gives up the open row above it, so the area is laid out as if it had those as well.
    let mut open_rows = area.height;
    loop {
        let mut gallery = within(Rect {
            height: area.height.saturating_add(open_rows),
            ..area
        });
        let rows = u16::try_from(gallery.rows).unwrap_or(u16::MAX);
        let given_up = rows.saturating_sub(1);
        if given_up >= open_rows {
            let pitch = gallery.places.first().map_or(1, |place| place.height + 1);
            for place in &mut gallery.places {
                place.y -= (place.y - area.y) / pitch;
            }
            return gallery;
        }
        open_rows = given_up;
    }
}

/// Draws each picture in its place.
pub(super) fn pictures(pictures: &Pictures, gallery: &Gallery, buffer: &mut Buffer) {
    for (index, place) in gallery.places.iter().enumerate() {
        if let Some(picture) = Picture::of(pictures, index) {
            picture.drawn(gallery.brush).render(*place, buffer);
        }
    }
}
