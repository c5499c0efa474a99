//! Curves in dots: two across and four down in a braille cell.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::axis::Axis;
use crate::dashboard::state::Slice;
use crate::dashboard::words::whole;

/// The bits of a braille cell's dots, row by row (Unicode, «Braille Patterns»).
const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// A grid of dots that curves are drawn on.
pub(super) struct Plot {
    width: usize,
    height: usize,
    curves: Vec<Layer>,
}

/// The dots of one curve.
struct Layer {
    style: Style,
    dots: Vec<u8>,
}

impl Plot {
    /// An empty grid of so many cells.
    pub(super) fn new(width: u16, height: u16) -> Self {
        let (width, height) = (usize::from(width), usize::from(height));
        Self {
            width,
            height,
            curves: Vec::new(),
        }
    }

    /// Draws a curve, a slice for each column of dots. It is broken where a figure was not finite, and goes on
    /// straight where no report fell into a slice. Returns the row of dots in which it ends.
    pub(super) fn curve(&mut self, slices: &[Slice], axis: &Axis, style: Style) -> Option<u16> {
        self.curves.push(Layer {
            style,
            dots: vec![0; self.width * self.height],
        });
        let mut last: Option<(usize, usize)> = None;
        for (column, slice) in slices.iter().enumerate() {
            match slice {
                Slice::Empty => {}
                Slice::Gap => last = None,
                Slice::Mean(value) => {
                    let Some(row) = self.dot_row(axis, *value) else {
                        last = None;
                        continue;
                    };
                    self.stroke(last.unwrap_or((column, row)), (column, row));
                    last = Some((column, row));
                }
            }
        }
        last.map(|(_, row)| u16::try_from(row).unwrap_or(0))
    }

    /// The row of dots of a value, from the top.
    fn dot_row(&self, axis: &Axis, value: f64) -> Option<usize> {
        let rows = (self.height * 4).checked_sub(1)?;
        let from_top = (1.0 - axis.place(value)?) * rows as f64;
        usize::try_from(whole(from_top)).ok()
    }

    /// A straight line. Each column of dots takes its share of the height, so that a steep line has no holes.
    fn stroke(&mut self, from: (usize, usize), to: (usize, usize)) {
        let columns = (to.0 - from.0).max(1);
        let between = |part: usize| {
            let (start, end) = (from.1 as f64, to.1 as f64);
            let row = start + (end - start) * part as f64 / columns as f64;
            usize::try_from(whole(row)).unwrap_or(0)
        };
        for part in 1..=columns {
            let (start, end) = (between(part - 1), between(part));
            let column = (from.0 + part).min(to.0);
            for row in start.min(end)..=start.max(end) {
                // The dot where the line comes from is drawn already, one column before.
                if row != start || start == end {
                    self.dot(column, row);
                }
            }
        }
    }

    fn dot(&mut self, column: usize, row: usize) {
        let (x, y) = (column / 2, row / 4);
        if let Some(layer) = self
            .curves
            .last_mut()
            .filter(|_| x < self.width && y < self.height)
        {
            layer.dots[y * self.width + x] |= BITS[row % 4][column % 2];
        }
    }

    /// Puts the curves into cells; where there is no dot, what is there stays. A cell has one colour, so where curves
    /// meet they take turns from column to column, and each shows its own dots alone.
    pub(super) fn draw(&self, area: Rect, buffer: &mut Buffer) {
        for index in 0..self.width * self.height {
            let (x, y) = (index % self.width, index / self.width);
            let here: Vec<_> = self
                .curves
                .iter()
                .filter(|layer| layer.dots[index] != 0)
                .collect();
            let Some(layer) = here.get(x % here.len().max(1)) else {
                continue;
            };
            let place = (area.x + super::ink::cells(x), area.y + super::ink::cells(y));
            let glyph = char::from_u32(0x2800 + u32::from(layer.dots[index])).unwrap_or(' ');
            if let Some(cell) = buffer
                .cell_mut(place)
                .filter(|_| area.contains(place.into()))
            {
                cell.set_char(glyph).set_style(layer.style);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Color;

    use super::super::axis::Range;
    use super::*;

    fn drawn(slices: &[Slice], width: u16, height: u16) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let mut plot = Plot::new(width, height);
        let axis = Axis::linear(
            Range {
                low: 0.0,
                high: 1.0,
            },
            3,
        );
        plot.curve(slices, &axis, Style::new());
        plot.draw(area, &mut buffer);
        (0..height)
            .map(|y| (0..width).map(|x| buffer[(x, y)].symbol()).collect())
            .collect()
    }

    #[test]
    fn a_curve_joins_its_points_and_breaks_at_gaps() {
        let whole = [
            Slice::Mean(0.0),
            Slice::Empty,
            Slice::Empty,
            Slice::Mean(1.0),
        ];
        assert_eq!(drawn(&whole, 2, 1), ["⡠⠊"]);
        let broken = [Slice::Mean(0.0), Slice::Gap, Slice::Gap, Slice::Mean(1.0)];
        assert_eq!(drawn(&broken, 2, 1), ["⡀⠈"]);
    }

    #[test]
    fn where_two_curves_meet_they_take_turns() {
        let area = Rect::new(0, 0, 4, 1);
        let mut buffer = Buffer::empty(area);
        let mut plot = Plot::new(4, 1);
        let range = Range {
            low: 0.0,
            high: 1.0,
        };
        let axis = Axis::linear(range, 3);
        for (value, style) in [(0.0, Style::new().red()), (0.4, Style::new().blue())] {
            plot.curve(&[Slice::Mean(value); 8], &axis, style);
        }
        plot.draw(area, &mut buffer);
        let cells: Vec<_> = buffer
            .content
            .iter()
            .map(|cell| (cell.symbol(), cell.fg))
            .collect();
        let (low, high) = (("⣀", Color::Red), ("⠤", Color::Blue));
        assert_eq!(cells, [low, high, low, high]);
    }

    #[test]
    fn a_jump_is_drawn_without_holes() {
        let jump = [Slice::Mean(0.0), Slice::Mean(1.0)];
        assert_eq!(drawn(&jump, 1, 2), ["⢸", "⡸"]);
    }
}
