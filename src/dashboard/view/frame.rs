//! The frame of a panel, with its title in the upper edge.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Borders, Clear, Widget};

use super::ink::{Ink, Piece, cells, fit, inset, joined, put, row};

/// How much of a frame is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// All four sides.
    Box,
    /// The upper side, where a picture needs the others' room.
    Rule,
}

/// A frame and its title, the most important part first: what does not fit is left out from the end.
pub(super) struct Frame<'a> {
    pub title: Vec<Line<'a>>,
    pub focused: bool,
    pub edge: Edge,
}

impl<'a> Frame<'a> {
    pub(super) fn new(title: Vec<Line<'a>>, focused: bool) -> Self {
        Self {
            title,
            focused,
            edge: Edge::Box,
        }
    }

    /// What it leaves for the panel: a column stays free at either side, so that letters do not touch the edge.
    pub(super) fn inner(area: Rect) -> Rect {
        inset(Block::new().borders(Borders::ALL).inner(area), 1)
    }

    /// Draws it and says what it leaves for the panel.
    pub(super) fn draw(self, ink: Ink, area: Rect, buffer: &mut Buffer) -> Rect {
        let style = self.edge_style(ink);
        let block = match self.edge {
            Edge::Box => Block::new()
                .borders(Borders::ALL)
                .border_type(BorderType::Rounded),
            Edge::Rule => Block::new().borders(Borders::TOP),
        };
        block.border_style(style).render(area, buffer);
        self.entitle(ink, area, buffer);
        Self::inner(area)
    }

    fn edge_style(&self, ink: Ink) -> Style {
        if self.focused {
            ink.theme.text()
        } else {
            ink.theme.dim()
        }
    }

    fn entitle(self, ink: Ink, area: Rect, buffer: &mut Buffer) {
        let edge = self.edge_style(ink);
        let room = usize::from(area.width.saturating_sub(4));
        let mut pieces: Vec<_> = self
            .title
            .into_iter()
            .zip(0..)
            .map(|(line, rank)| Piece::new(rank, line))
            .collect();
        if pieces.is_empty() || room < 3 {
            return;
        }
        fit(&mut pieces, room, 4);
        // The mark of focus takes the place of a blank, so that nothing moves with it.
        let mark = if self.focused { "▸" } else { " " };
        let mut line = Line::from(Span::styled(mark, ink.theme.accent()));
        line.spans
            .extend(joined(pieces, &Span::styled(" ── ", edge)).spans);
        line.push_span(" ");
        let place = inset(row(area, 0), 1);
        let written = Rect {
            width: cells(line.width()).min(place.width),
            ..place
        };
        buffer.set_style(written, Style::reset());
        put(buffer, place, line);
    }
}

/// A box over the panels, with a blank column beside it. Says what it leaves for its content.
pub(super) fn overlay(
    title: &str,
    ink: Ink,
    within: Rect,
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let margin = Rect {
        x: area.x.saturating_sub(1),
        width: area.width + 2,
        ..area
    };
    Clear.render(margin.intersection(within), buffer);
    Frame::new(vec![Line::from(ink.bold(title))], true).draw(ink, area, buffer)
}
