//! The same screen in ASCII, cell for cell, for terminals that show nothing else.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::terminal::Placed;

/// Replaces every letter beyond ASCII by one of the same place and width that looks most alike.
pub(super) fn transliterate(area: Rect, buffer: &mut Buffer) {
    for place in area.positions() {
        if let Some(cell) = buffer.cell_mut(place)
            && !cell.symbol().is_ascii()
            && Placed::of(cell).is_none()
        {
            let letter = cell.symbol().chars().next().map_or(' ', alike);
            cell.set_char(letter);
        }
    }
}

fn alike(letter: char) -> char {
    match letter {
        '╭' | '╮' | '╰' | '╯' | '┌' | '┐' | '└' | '┘' | '┤' | '┬' | '┼' => {
            '+'
        }
        '─' | '╌' | '–' | '−' | '—' => '-',
        '│' | '┃' | '▏' => '|',
        '━' | '╸' | '■' => '#',
        '●' | '✖' => '*',
        '○' | '◌' => 'o',
        '▸' => '>',
        '↑' => '^',
        '↓' => 'v',
        '…' | '·' => '.',
        '×' => 'x',
        '÷' => '/',
        '°' => ' ',
        '▁'..='█' => bar(letter),
        '\u{2800}'..='\u{28ff}' => dots(letter),
        _ => '?',
    }
}

/// A bar of eight heights as one of five.
fn bar(letter: char) -> char {
    match letter {
        '▁' => '_',
        '▂' | '▃' => '.',
        '▄' | '▅' => '-',
        '▆' | '▇' => '=',
        _ => '#',
    }
}

/// The dots of a braille cell: in its upper half, its lower half or both.
fn dots(letter: char) -> char {
    let bits = u32::from(letter) - 0x2800;
    let (upper, lower) = (bits & 0b0001_1011 != 0, bits & 0b1110_0100 != 0);
    match (upper, lower) {
        (false, false) => ' ',
        (true, false) => '\'',
        (false, true) => '.',
        (true, true) if bits.count_ones() > 4 => '|',
        (true, true) => ':',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_keeps_its_place() {
        let area = Rect::new(0, 0, 12, 1);
        let mut buffer = Buffer::with_lines(["╭─ ⡠⢸ ━╸ D…é"]);
        transliterate(area, &mut buffer);
        assert_eq!(buffer, Buffer::with_lines(["+- .: ## D.?"]));
    }
}
