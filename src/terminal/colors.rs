//! How many colours a terminal has, and which of them is nearest to a given one.

mod oklab;

use ratatui::style::Color;

/// How many colours a terminal shows, fewest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Colors {
    /// Only its default foreground and background.
    #[default]
    None,
    /// The 16 named colours. The user's theme decides how they look.
    Ansi16,
    /// The 16, a cube of 6×6×6 colours and a ramp of 24 greys.
    Ansi256,
    /// 24 bits.
    True,
}

/// The 16 colours by name, and how they usually look: halfway between xterm and the Linux console.
const NAMED: [(Color, [u8; 3]); 16] = [
    (Color::DarkGray, [106, 106, 106]),
    (Color::Gray, [200, 200, 200]),
    (Color::White, [255, 255, 255]),
    (Color::Black, [0, 0, 0]),
    (Color::Red, [188, 0, 0]),
    (Color::Green, [0, 188, 0]),
    (Color::Yellow, [188, 145, 0]),
    (Color::Blue, [0, 0, 204]),
    (Color::Magenta, [188, 0, 188]),
    (Color::Cyan, [0, 188, 188]),
    (Color::LightRed, [255, 42, 42]),
    (Color::LightGreen, [42, 255, 42]),
    (Color::LightYellow, [255, 255, 42]),
    (Color::LightBlue, [88, 88, 255]),
    (Color::LightMagenta, [255, 42, 255]),
    (Color::LightCyan, [42, 255, 255]),
];

/// The greys of [`NAMED`], and its hues; black is among both.
const GREYS: std::ops::RangeTo<usize> = ..4;
const HUES: std::ops::RangeFrom<usize> = 3..;

impl Colors {
    /// The colour nearest to a grey, 0 black to 255 white; the terminal's default colour if it has no others.
    pub fn grey(self, level: u8) -> Color {
        match self {
            Self::None => Color::Reset,
            Self::Ansi16 => nearest_named(&NAMED[GREYS], [level; 3]),
            Self::Ansi256 => Color::Indexed(ramp(level)),
            Self::True => Color::Rgb(level, level, level),
        }
    }

    /// The colour nearest to red, green and blue. A grey stays a grey.
    pub fn nearest(self, [red, green, blue]: [u8; 3]) -> Color {
        match self {
            Self::None => Color::Reset,
            _ if red == green && green == blue => self.grey(red),
            Self::Ansi16 => of_16([red, green, blue]),
            Self::Ansi256 => Color::Indexed(oklab::nearest_of_256([red, green, blue])),
            Self::True => Color::Rgb(red, green, blue),
        }
    }
}

/// Luma of gamma-encoded red, green and blue (ITU-R BT.709-6, section 3.2), 0 black to 255 white.
pub fn luma([red, green, blue]: [u8; 3]) -> u8 {
    let sum = 2126 * u32::from(red) + 7152 * u32::from(green) + 722 * u32::from(blue);
    u8::try_from((sum + 5000) / 10_000).unwrap_or(u8::MAX)
}

/// The index of the nearest of the 26 greys: the ramp, and the cube's black and white.
fn ramp(level: u8) -> u8 {
    match level {
        0..=3 => 16,
        247.. => 231,
        _ => 232 + (level.saturating_sub(3) / 10).min(23),
    }
}

/// One of the 16 colours. All hues among them are strong, so a paler colour would come out as a grey; it is made as
/// strong as they are first, unless it hardly has a hue.
fn of_16(rgb: [u8; 3]) -> Color {
    let (least, most) = rgb.into_iter().fold((u8::MAX, 0), |(least, most), value| {
        (least.min(value), most.max(value))
    });
    let range = u32::from(most - least);
    if range * 3 < u32::from(most) {
        return nearest_named(&NAMED[GREYS], [luma(rgb); 3]);
    }
    let strong = rgb.map(|value| {
        let stretched = u32::from(value - least) * u32::from(most) / range.max(1);
        u8::try_from(stretched).unwrap_or(most)
    });
    nearest_named(&NAMED[HUES], strong)
}

/// The nearest of some named colours. Distances are squares in RGB: a finer measure would be wasted on colours that look
/// different on every terminal, and in OKLab pictures came out speckled.
fn nearest_named(named: &[(Color, [u8; 3])], rgb: [u8; 3]) -> Color {
    let distance = |other: [u8; 3]| -> u32 {
        rgb.into_iter()
            .zip(other)
            .map(|(a, b)| u32::from(a.abs_diff(b)).pow(2))
            .sum()
    };
    named
        .iter()
        .min_by_key(|(_, other)| distance(*other))
        .map_or(Color::Reset, |(color, _)| *color)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rgb_of(index: u8) -> [u8; 3] {
        oklab::palette()
            .find_map(|(known, rgb)| (known == index).then_some(rgb))
            .unwrap()
    }

    #[test]
    fn every_grey_is_exact_in_truecolor_and_within_five_of_256_colours() {
        for grey in 0..=255 {
            assert_eq!(Colors::True.grey(grey), Color::Rgb(grey, grey, grey));
            let Color::Indexed(index) = Colors::Ansi256.grey(grey) else {
                panic!("not one of the 256")
            };
            let [level, ..] = rgb_of(index);
            assert!(level.abs_diff(grey) <= 8, "{grey} became {level}");
            assert!(
                grey > 243 || level.abs_diff(grey) <= 5,
                "{grey} became {level}"
            );
        }
        assert_eq!(Colors::Ansi256.grey(0), Color::Indexed(16));
        assert_eq!(Colors::Ansi256.grey(8), Color::Indexed(232));
        assert_eq!(Colors::Ansi256.grey(128), Color::Indexed(244));
        assert_eq!(Colors::Ansi256.grey(238), Color::Indexed(255));
        assert_eq!(Colors::Ansi256.grey(255), Color::Indexed(231));
    }

    #[test]
    fn sixteen_colours_have_four_greys() {
        let greys = [0, 40, 70, 140, 170, 220, 240].map(|grey| Colors::Ansi16.grey(grey));
        let (black, dark, light, white) =
            (Color::Black, Color::DarkGray, Color::Gray, Color::White);
        assert_eq!(greys, [black, black, dark, dark, light, light, white]);
    }

    #[test]
    fn a_hue_is_found_in_the_cube_and_a_muddy_grey_in_the_ramp() {
        assert_eq!(Colors::Ansi256.nearest([255, 175, 0]), Color::Indexed(214));
        assert_eq!(Colors::Ansi256.nearest([90, 180, 230]), Color::Indexed(74));
        let Color::Indexed(muddy) = Colors::Ansi256.nearest([118, 117, 119]) else {
            panic!("not one of the 256")
        };
        assert!(muddy >= 232, "{muddy} is in the cube");
        assert_eq!(Colors::None.nearest([255, 0, 0]), Color::Reset);
    }

    #[test]
    fn a_red_stays_red_where_rgb_distances_would_make_it_pink() {
        // The red of Twitter's heart, U+2764: its nearest neighbour in RGB is 161, [215, 0, 95].
        let Color::Indexed(index) = Colors::Ansi256.nearest([0xdd, 0x2e, 0x44]) else {
            panic!("not one of the 256")
        };
        let [red, green, blue] = rgb_of(index);
        assert!(red > 150 && blue <= green, "{red} {green} {blue}");
    }

    #[test]
    fn sixteen_colours_keep_the_hue_of_what_has_one() {
        let named = |rgb| Colors::Ansi16.nearest(rgb);
        assert_eq!(named([255, 0, 0]), Color::LightRed);
        assert_eq!(named([20, 150, 40]), Color::Green);
        assert_eq!(named([0xe6, 0x9f, 0x00]), Color::Yellow);
        assert_eq!(named([120, 177, 89]), Color::Green);
        assert_eq!(named([136, 201, 249]), Color::Cyan);
        assert_eq!(named([110, 100, 105]), Color::DarkGray);
        assert_eq!(named([30, 5, 0]), Color::Black);
    }

    #[test]
    fn luma_weighs_green_most_and_keeps_black_and_white() {
        assert_eq!((luma([0; 3]), luma([255; 3])), (0, 255));
        assert_eq!(luma([255, 0, 0]), 54);
        assert_eq!(luma([0, 255, 0]), 182);
        assert_eq!(luma([0, 0, 255]), 18);
    }
}
