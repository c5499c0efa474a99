use proptest::prelude::*;
use ratatui::style::Color;

use super::*;

fn brush(render: Render, scale: Scale, colors: Colors) -> Brush {
    Brush {
        render,
        scale,
        colors,
    }
}

fn drawn(pixels: &[u8], channels: usize, width: usize, brush: Brush) -> Buffer {
    let height = pixels.len() / channels / width;
    let drawing = Picture::new(pixels, channels, height, width)
        .unwrap()
        .drawn(brush);
    let mut buffer = Buffer::empty(Rect::from((Position::ORIGIN, drawing.size())));
    drawing.render(buffer.area, &mut buffer);
    buffer
}

fn letters(buffer: &Buffer) -> Vec<String> {
    let width = usize::from(buffer.area.width.max(1));
    buffer
        .content
        .chunks(width)
        .map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect())
        .collect()
}

#[test]
fn a_digit_takes_28_by_14_cells_in_half_blocks_and_14_by_7_at_half_scale_or_in_braille() {
    let cells = |render, scale| brush(render, scale, Colors::True).cells(28, 28);
    assert_eq!(cells(Render::Half, Scale::Full), Size::new(28, 14));
    assert_eq!(cells(Render::Half, Scale::Half), Size::new(14, 7));
    assert_eq!(cells(Render::Ascii, Scale::Full), Size::new(28, 14));
    assert_eq!(cells(Render::Ascii, Scale::Half), Size::new(14, 7));
    assert_eq!(cells(Render::Braille, Scale::Full), Size::new(14, 7));
    assert_eq!(cells(Render::Braille, Scale::Half), Size::new(7, 4));
}

#[test]
fn half_blocks_hold_every_pixel_exactly() {
    let buffer = drawn(
        &[0, 10, 200, 10],
        1,
        2,
        brush(Render::Half, Scale::Full, Colors::True),
    );
    assert_eq!(letters(&buffer), ["▀ "]);
    assert_eq!(buffer[(0, 0)].fg, Color::Rgb(0, 0, 0));
    assert_eq!(buffer[(0, 0)].bg, Color::Rgb(200, 200, 200));
    assert_eq!(buffer[(1, 0)].bg, Color::Rgb(10, 10, 10));
}

#[test]
fn the_channels_of_a_colour_picture_are_planes() {
    let pixels = [255, 0, 0, 255, 9, 9];
    let full = brush(Render::Half, Scale::Full, Colors::True);
    let buffer = drawn(&pixels, 3, 2, full);
    assert_eq!(buffer[(0, 0)].fg, Color::Rgb(255, 0, 9));
    assert_eq!(buffer[(1, 0)].fg, Color::Rgb(0, 255, 9));
}

#[test]
fn an_odd_last_row_leaves_the_terminals_background_below_it() {
    let buffer = drawn(
        &[1, 2, 3],
        1,
        1,
        brush(Render::Half, Scale::Full, Colors::True),
    );
    assert_eq!(letters(&buffer), ["▀", "▀"]);
    assert_eq!(buffer[(0, 1)].fg, Color::Rgb(3, 3, 3));
    assert_eq!(buffer[(0, 1)].bg, Color::Reset);
}

#[test]
fn half_scale_is_the_mean_of_what_there_is_of_each_square() {
    let pixels = [0, 100, 50, 100, 200, 50, 8, 8, 4];
    let buffer = drawn(
        &pixels,
        1,
        3,
        brush(Render::Half, Scale::Half, Colors::True),
    );
    assert_eq!(buffer.area.as_size(), Size::new(2, 1));
    let cell = &buffer[(0, 0)];
    assert_eq!(
        (cell.fg, cell.bg),
        (Color::Rgb(100, 100, 100), Color::Rgb(8, 8, 8))
    );
    let corner = &buffer[(1, 0)];
    assert_eq!(
        (corner.fg, corner.bg),
        (Color::Rgb(50, 50, 50), Color::Rgb(4, 4, 4))
    );
}

#[test]
fn fewer_colours_give_the_nearest_greys() {
    let pixels = [0, 128, 255, 100];
    let in_256 = drawn(
        &pixels,
        1,
        2,
        brush(Render::Half, Scale::Full, Colors::Ansi256),
    );
    assert_eq!(
        (in_256[(0, 0)].fg, in_256[(0, 0)].bg),
        (Color::Indexed(16), Color::Indexed(231))
    );
    assert_eq!(
        (in_256[(1, 0)].fg, in_256[(1, 0)].bg),
        (Color::Indexed(244), Color::Indexed(241))
    );
    let in_16 = drawn(
        &pixels,
        1,
        2,
        brush(Render::Half, Scale::Full, Colors::Ansi16),
    );
    assert_eq!(
        (in_16[(0, 0)].fg, in_16[(0, 0)].bg),
        (Color::Black, Color::White)
    );
    assert_eq!(
        (letters(&in_16), in_16[(1, 0)].bg),
        (vec!["▀ ".to_owned()], Color::DarkGray)
    );
}

#[test]
fn without_colours_half_blocks_still_have_a_shape() {
    let pixels = [0, 255, 0, 255, 0, 0, 255, 255];
    let buffer = drawn(
        &pixels,
        1,
        4,
        brush(Render::Half, Scale::Full, Colors::None),
    );
    assert_eq!(letters(&buffer), [" ▀▄█"]);
    assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset));
}

#[test]
fn braille_has_a_dot_for_every_light_pixel() {
    let pixels = [255, 0, 0, 0, 0, 0, 0, 255];
    let buffer = drawn(
        &pixels,
        1,
        2,
        brush(Render::Braille, Scale::Full, Colors::None),
    );
    assert_eq!(letters(&buffer), ["⢁"]);
    let blank = drawn(
        &[0; 8],
        1,
        2,
        brush(Render::Braille, Scale::Full, Colors::None),
    );
    assert_eq!(letters(&blank), [" "]);
}

#[test]
fn a_dark_shape_in_colour_stands_out_from_a_darker_background() {
    // A red pixel has a luma of 54, far below the threshold of grey pictures.
    let pixels = [255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let dots = brush(Render::Braille, Scale::Full, Colors::None);
    assert_eq!(letters(&drawn(&pixels, 3, 2, dots)), ["⠁"]);
    assert_eq!(letters(&drawn(&[9; 12], 3, 2, dots)), [" "]);
}

#[test]
fn smaller_scales_are_the_means_of_larger_squares() {
    let pixels: Vec<u8> = (0..144).collect();
    let mean = |scale| {
        let buffer = drawn(&pixels, 1, 12, brush(Render::Half, scale, Colors::True));
        (buffer.area.as_size(), buffer[(0, 0)].fg)
    };
    let grey = |level| Color::Rgb(level, level, level);
    assert_eq!(mean(Scale::Third), (Size::new(4, 2), grey(13)));
    assert_eq!(mean(Scale::Quarter), (Size::new(3, 2), grey(20)));
}

#[test]
fn ascii_goes_from_blank_to_at() {
    let pixels = [0, 60, 120, 180, 255, 0, 60, 120, 180, 255];
    let buffer = drawn(
        &pixels,
        1,
        5,
        brush(Render::Ascii, Scale::Full, Colors::None),
    );
    assert_eq!(letters(&buffer), [" :=#@"]);
}

#[test]
fn pixels_that_do_not_fit_their_sizes_are_no_picture() {
    assert!(Picture::new(&[0; 4], 1, 2, 2).is_some());
    assert!(Picture::new(&[0; 5], 1, 2, 2).is_none());
    assert!(Picture::new(&[0; 4], 2, 1, 2).is_none());
    assert!(Picture::new(&[], 1, 0, 2).is_none());
    assert!(Picture::new(&[0; 4], 1, usize::MAX, usize::MAX).is_none());
}

proptest! {
    #[test]
    fn no_area_and_no_size_panics_or_draws_outside(
        (x, y, width, height) in (0..40u16, 0..40u16, 0..60u16, 0..60u16),
        (channels, down, across) in (prop_oneof![Just(1usize), Just(3)], 1..40usize, 1..40usize),
        render in prop_oneof![Just(Render::Half), Just(Render::Braille), Just(Render::Ascii)],
        scale in prop_oneof![Just(Scale::Full), Just(Scale::Half), Just(Scale::Third), Just(Scale::Quarter)],
        colors in prop_oneof![Just(Colors::None), Just(Colors::Ansi16), Just(Colors::Ansi256), Just(Colors::True)],
    ) {
        let pixels = vec![255; channels * down * across];
        let drawing = Picture::new(&pixels, channels, down, across).unwrap()
            .drawn(Brush { render, scale, colors });
        let area = Rect { x, y, width, height };
        let mut buffer = Buffer::filled(Rect::new(5, 5, 30, 20), ratatui::buffer::Cell::new("x"));
        drawing.render(area, &mut buffer);
        let taken = Rect { width: drawing.size().width, height: drawing.size().height, ..area }.intersection(area);
        for position in buffer.area.positions() {
            prop_assert_eq!(buffer[position].symbol() == "x", !taken.contains(position));
        }
    }
}
