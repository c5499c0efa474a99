//! Pictures in pixels, as a terminal gets them.

use base64ct::{Base64, Encoding as _};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget as _;
use sparring_contract::protocol::{Pictures, Purpose};

use super::*;
use crate::terminal::{Brush, Colors, Placed, Render, Scale};

const CELL: (u16, u16) = (4, 8);

fn by(protocol: Protocol) -> Graphics {
    Graphics {
        protocol,
        cell: CELL,
    }
}

/// Pictures of 8×8 pixels, each as bright as this.
fn pictures(brightness: &[u8]) -> Pictures {
    Pictures {
        purpose: Purpose::Fixed,
        seed: 0,
        step: 0,
        count: brightness.len().try_into().unwrap(),
        channels: 1,
        height: 8,
        width: 8,
        pixels: brightness.iter().flat_map(|value| [*value; 64]).collect(),
        labels: Vec::new(),
        parts: Vec::new(),
    }
}

/// A screen on which pictures stand beside each other, as large as half blocks would be.
fn screen(of: &Pictures) -> Buffer {
    let brush = Brush {
        render: Render::Pixels(CELL),
        scale: Scale::Full,
        colors: Colors::True,
    };
    let mut buffer = Buffer::empty(Rect::new(0, 0, 30, 6));
    for (index, x) in (0..of.count as usize).zip((1..).step_by(9)) {
        let area = Rect::new(x, 1, 8, 4);
        Picture::of(of, index)
            .unwrap()
            .drawn(brush)
            .render(area, &mut buffer);
    }
    buffer
}

/// What a wall sends to a terminal that shows `shown` and is to show `next`.
fn sent(
    wall: &mut Wall,
    graphics: Graphics,
    shown: &Buffer,
    next: &Buffer,
    of: &Pictures,
) -> String {
    let mut text = String::new();
    let picture = |placed: Placed| Picture::of(of, placed.index());
    wall.rehang(graphics, (shown, next), picture, &mut text);
    text
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn a_picture_is_enlarged_to_squares_of_whole_pixels() {
    let of = pictures(&[200]);
    let picture = Picture::of(&of, 0).unwrap();
    let graphics = by(Protocol::Kitty);
    assert_eq!(graphics.times(Size::new(8, 4), &picture), 4);
    assert_eq!(graphics.times(Size::new(5, 4), &picture), 2);
    let raster = Raster::of(&picture, 4);
    assert_eq!((raster.width, raster.height), (32, 32));
    let mut reader = png::Decoder::new(std::io::Cursor::new(raster.png()))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    assert_eq!(pixels, vec![200; 32 * 32]);
}

#[test]
fn planes_of_colour_become_pixels_of_colour() {
    let planes = [1, 2, 3, 4, 5, 6];
    let picture = Picture::new(&planes, 3, 1, 2).unwrap();
    let raster = Raster::of(&picture, 2);
    let row = [1, 3, 5, 1, 3, 5, 2, 4, 6, 2, 4, 6];
    assert_eq!(raster.pixels, [row, row].concat());
}

#[test]
fn kitty_gets_a_file_in_pieces() {
    // Noise, so that the file is longer than a piece.
    let pixels: Vec<u8> = (0..10_000_u32)
        .map(|place| {
            let spread = |number: u32| number.wrapping_mul(2_654_435_761).rotate_left(15);
            (spread(spread(place) ^ place) >> 24) as u8
        })
        .collect();
    let raster = Raster::of(&Picture::new(&pixels, 1, 100, 100).unwrap(), 1);
    let mut text = String::new();
    by(Protocol::Kitty).draw(Some(7), &raster, &mut text);
    let pieces: Vec<&str> = text
        .split_terminator("\x1b\\")
        .map(|piece| piece.strip_prefix("\x1b_G").unwrap())
        .collect();
    assert!(pieces.len() > 1);
    assert!(pieces[0].starts_with("a=T,f=100,C=1,q=2,i=7,p=1,m=1;"));
    assert!(pieces.last().unwrap().starts_with("q=2,m=0;"));
    let data: String = pieces
        .iter()
        .map(|piece| piece.split_once(';').unwrap().1)
        .collect();
    assert!(pieces.iter().all(|piece| piece.len() <= PIECE + 40));
    assert_eq!(Base64::decode_vec(&data).unwrap(), raster.png());
}

#[test]
fn iterm_gets_a_file_with_its_size_and_the_cursor_stays() {
    let of = pictures(&[9]);
    let raster = Raster::of(&Picture::of(&of, 0).unwrap(), 4);
    let mut text = String::new();
    by(Protocol::Iterm).draw(None, &raster, &mut text);
    let (control, data) = text.split_once(':').unwrap();
    assert!(control.starts_with("\x1b]1337;File=inline=1;size="));
    assert!(control.ends_with("width=32px;height=32px;preserveAspectRatio=0;doNotMoveCursor=1"));
    let data = data.strip_suffix('\x07').unwrap();
    assert_eq!(Base64::decode_vec(data).unwrap(), raster.png());
}

#[test]
fn a_wall_draws_what_is_new_and_what_has_changed_only() {
    let (mut wall, kitty) = (Wall::default(), by(Protocol::Kitty));
    let of = pictures(&[10, 20, 30]);
    let blank = Buffer::empty(Rect::new(0, 0, 30, 6));
    let hung = screen(&of);
    let first = sent(&mut wall, kitty, &blank, &hung, &of);
    assert_eq!(count(&first, "a=T"), 3);
    assert!(first.contains("\x1b[2;11H"));
    assert_eq!(sent(&mut wall, kitty, &hung, &hung, &of), "");
    let other = pictures(&[10, 21, 30]);
    let second = sent(&mut wall, kitty, &hung, &hung, &other);
    assert_eq!(count(&second, "a=T"), 1);
    let fewer = screen(&pictures(&[10]));
    let gone = sent(&mut wall, kitty, &hung, &fewer, &other);
    assert_eq!((count(&gone, "a=T"), count(&gone, "a=d")), (0, 2));
}

#[test]
fn a_picture_that_something_lies_over_is_taken_away_and_comes_back() {
    let (mut wall, sixel) = (Wall::default(), by(Protocol::Sixel));
    let of = pictures(&[10]);
    let hung = screen(&of);
    let blank = Buffer::empty(hung.area);
    assert_eq!(
        count(&sent(&mut wall, sixel, &blank, &hung, &of), "\x1bP"),
        1
    );
    // What is left of it looks like a smaller one.
    let mut covered = hung.clone();
    for y in 0..6 {
        covered.set_string(3, y, "help and more help", Style::new());
    }
    assert_eq!(sent(&mut wall, sixel, &hung, &covered, &of), "");
    assert_eq!(
        count(&sent(&mut wall, sixel, &covered, &hung, &of), "\x1bP"),
        1
    );
}
