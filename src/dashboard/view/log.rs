//! The panel of what happened.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::frame::Frame;
use super::ink::{Ink, put, row, shortened, wrapped};
use crate::dashboard::state::{Panel, State};
use crate::dashboard::words::clock;

/// From here on times have seconds.
const ROOMY: u16 = 44;

/// Draws the panel, the newest line at its foot.
pub(super) fn draw(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let focused = state.look.focus == Panel::Log;
    let mut title = vec![Line::from(ink.bold("log"))];
    if state.look.scrolled > 0 {
        title.push(Line::from(format!("{} newer below", state.look.scrolled)));
    }
    let inner = Frame::new(title, focused).draw(ink, area, buffer);
    end(state, ink, inner, buffer);
}

/// The last lines that fill an area, without a frame.
pub(super) fn end(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    for (index, line) in (0..).zip(lines(state, ink, area)) {
        put(buffer, row(area, index), line);
    }
}

/// The last rows of the log that fill the panel, oldest first.
fn lines<'a>(state: &State, ink: Ink, inner: Rect) -> Vec<Line<'a>> {
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    let stamp = if inner.width < ROOMY { 5 } else { 8 };
    let mut rows: Vec<Line> = Vec::new();
    for line in state.journal.newest_first().skip(state.look.scrolled) {
        if rows.len() >= height {
            break;
        }
        let time = clock(line.time, state.utc_offset);
        let style = ink.weight(line.weight);
        let mut parts = wrapped(&line.text, width.saturating_sub(stamp + 1));
        if rows.is_empty() && parts.len() > height {
            // The newest is told from its beginning, however little room there is.
            let rest = parts.split_off(height);
            if let Some(last) = parts.last_mut() {
                *last = shortened(
                    &format!("{last} {}", rest.join(" ")),
                    width.saturating_sub(stamp + 1),
                );
            }
        }
        // Rows are collected from the foot up.
        for (index, part) in parts.into_iter().enumerate().rev() {
            let head = if index == 0 {
                time.get(..stamp).unwrap_or_default().to_owned()
            } else {
                " ".repeat(stamp)
            };
            rows.push(Line::from(vec![
                ink.dim(head + " "),
                Span::styled(part, style),
            ]));
        }
    }
    rows.truncate(height);
    rows.reverse();
    rows
}
