//! Pictures as sixels.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Raster;

/// Rows of pixels that one line of sixels holds.
const BAND: usize = 6;

/// Levels of each part of a colour: 6×7×6 colours are fewer than the 256 that every terminal with sixels has.
const LEVELS: [u32; 3] = [6, 7, 6];

/// Appends a picture. Greys keep 101 levels, which is all that the format has.
pub(super) fn encode(raster: &Raster, text: &mut String) {
    let (width, height) = (raster.width as usize, raster.height as usize);
    let _ = write!(text, "\x1bP0;1;0q\"1;1;{width};{height}");
    let indices: Vec<usize> = (0..width * height)
        .map(|place| index(raster.color(place), raster.is_rgb))
        .collect();
    let mut known = vec![false; 256];
    for (number, band) in indices.chunks(width.max(1) * BAND).enumerate() {
        // None after the last: below it there may be no more screen, and the terminal would scroll.
        if number > 0 {
            text.push('-');
        }
        // For each colour of the band, the rows in which each column has it, as bits.
        let mut masks: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
        for (place, color) in band.iter().enumerate() {
            let columns = masks.entry(*color).or_insert_with(|| vec![0; width]);
            columns[place % width] |= 1 << (place / width);
        }
        for (color, columns) in masks {
            if !std::mem::replace(&mut known[color], true) {
                let [red, green, blue] = percents(color, raster.is_rgb);
                let _ = write!(text, "#{color};2;{red};{green};{blue}");
            }
            let _ = write!(text, "#{color}");
            repeat(&columns, text);
            text.push('$');
        }
    }
    text.push_str("\x1b\\");
}

/// The register of a colour.
fn index([red, green, blue]: [u8; 3], is_rgb: bool) -> usize {
    let level = |value: u8, levels: u32| (u32::from(value) * (levels - 1) + 127) / 255;
    let register = if is_rgb {
        let [reds, greens, blues] = LEVELS;
        (level(red, reds) * greens + level(green, greens)) * blues + level(blue, blues)
    } else {
        level(red, 101)
    };
    register as usize
}

/// The parts of a register's colour, from 0 to 100.
fn percents(register: usize, is_rgb: bool) -> [usize; 3] {
    if !is_rgb {
        return [register; 3];
    }
    let [reds, greens, blues] = LEVELS.map(|levels| levels as usize);
    let parts = [
        (register / (greens * blues), reds),
        (register / blues % greens, greens),
        (register % blues, blues),
    ];
    parts.map(|(level, levels)| level * 100 / (levels - 1))
}

/// Appends columns; what repeats is counted.
fn repeat(columns: &[u8], text: &mut String) {
    for run in columns.chunk_by(|a, b| a == b) {
        let sixel = char::from(b'?' + run[0]);
        if run.len() > 3 {
            let _ = write!(text, "!{}{sixel}", run.len());
        } else {
            text.extend(std::iter::repeat_n(sixel, run.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_six_pixels_by_colour() {
        // White above black, seven rows of five: the last row is a band of its own.
        let pixels = [[255_u8; 5].as_slice(), &[0; 30]].concat();
        let raster = Raster {
            width: 5,
            height: 7,
            is_rgb: false,
            pixels,
        };
        let mut text = String::new();
        encode(&raster, &mut text);
        assert_eq!(
            text,
            "\x1bP0;1;0q\"1;1;5;7#0;2;0;0;0#0!5}$#100;2;100;100;100#100!5@$-#0!5@$\x1b\\"
        );
    }

    #[test]
    fn every_colour_has_a_register_of_its_own_percents() {
        for (color, percent) in [
            ([255, 0, 0], [100, 0, 0]),
            ([0, 255, 0], [0, 100, 0]),
            ([255, 255, 255], [100, 100, 100]),
            ([51, 0, 102], [20, 0, 40]),
        ] {
            let register = index(color, true);
            assert!(register < 252);
            assert_eq!(percents(register, true), percent);
        }
    }
}
