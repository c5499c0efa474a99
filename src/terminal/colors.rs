//! How many colours there are, and the nearest of them.

use ratatui::style::Color;

/// How many colours a terminal shows, fewest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Colors {
    /// None but its own two.
    #[default]
    None,
    /// The 16 whose look the user's terminal decides.
    Ansi16,
    /// Those, a cube of 216 and 24 greys.
    Ansi256,
    /// 24 bits.
    True,
}

/// The steps of each side of the 256 colours' cube, which begins at index 16.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The greys of the 16 colours, with a luminance between what xterm and the Linux console give them.
const GREYS_16: [(u8, Color); 4] = [
    (0, Color::Black),
    (106, Color::DarkGray),
    (200, Color::Gray),
    (255, Color::White),
];

impl Colors {
    /// The colour nearest to a grey, 0 black to 255 white; the terminal's own without colours.
    pub fn grey(self, luminance: u8) -> Color {
        match self {
            Self::None => Color::Reset,
            Self::Ansi16 => GREYS_16
                .into_iter()
                .min_by_key(|(grey, _)| grey.abs_diff(luminance))
                .map_or(Color::Reset, |(_, color)| color),
            Self::Ansi256 => Color::Indexed(ramp(luminance).0),
            Self::True => Color::Rgb(luminance, luminance, luminance),
        }
    }

    /// The colour nearest to red, green and blue. Of 16 colours only the greys are used, by luminance: their hues
    /// are the user's.
    pub fn nearest(self, [red, green, blue]: [u8; 3]) -> Color {
        match self {
            Self::None => Color::Reset,
            _ if red == green && green == blue => self.grey(red),
            Self::Ansi16 => self.grey(luminance([red, green, blue])),
            Self::Ansi256 => Color::Indexed(of_256([red, green, blue])),
            Self::True => Color::Rgb(red, green, blue),
        }
    }
}

/// Luma of red, green and blue (ITU-R BT.601), 0 black to 255 white.
pub fn luminance([red, green, blue]: [u8; 3]) -> u8 {
    let sum = 299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue);
    u8::try_from(sum / 1000).unwrap_or(u8::MAX)
}

/// Index and luminance of the nearest of the 26 greys: the ramp, and the cube's black and white.
fn ramp(luminance: u8) -> (u8, u8) {
    match luminance {
        0..=3 => (16, 0),
        247.. => (231, 255),
        _ => {
            let step = (luminance.saturating_sub(3) / 10).min(23);
            (232 + step, 8 + 10 * step)
        }
    }
}

fn of_256(rgb: [u8; 3]) -> u8 {
    let [red, green, blue] = rgb.map(|value| {
        (0..6u8)
            .min_by_key(|step| CUBE[usize::from(*step)].abs_diff(value))
            .unwrap_or(0)
    });
    let cube = [red, green, blue].map(|step| CUBE[usize::from(step)]);
    let (grey, level) = ramp(luminance(rgb));
    if distance(rgb, cube) <= distance(rgb, [level; 3]) {
        16 + 36 * red + 6 * green + blue
    } else {
        grey
    }
}

fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    a.into_iter()
        .zip(b)
        .map(|(a, b)| u32::from(a.abs_diff(b)).pow(2))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grey_is_exact_in_truecolor_and_within_five_of_256_colours() {
        for grey in 0..=255 {
            assert_eq!(Colors::True.grey(grey), Color::Rgb(grey, grey, grey));
            let (index, level) = ramp(grey);
            assert!(level.abs_diff(grey) <= 8, "{grey} became {level}");
            assert!(
                grey > 243 || level.abs_diff(grey) <= 5,
                "{grey} became {level}"
            );
            assert_eq!(Colors::Ansi256.grey(grey), Color::Indexed(index));
        }
        assert_eq!(Colors::Ansi256.grey(0), Color::Indexed(16));
        assert_eq!(Colors::Ansi256.grey(8), Color::Indexed(232));
        assert_eq!(Colors::Ansi256.grey(128), Color::Indexed(244));
        assert_eq!(Colors::Ansi256.grey(238), Color::Indexed(255));
        assert_eq!(Colors::Ansi256.grey(255), Color::Indexed(231));
    }

    #[test]
    fn sixteen_colours_give_four_greys() {
        let greys = [0, 40, 70, 140, 170, 220, 240].map(|grey| Colors::Ansi16.grey(grey));
        let (black, dark, light, white) =
            (Color::Black, Color::DarkGray, Color::Gray, Color::White);
        assert_eq!(greys, [black, black, dark, dark, light, light, white]);
    }

    #[test]
    fn a_hue_is_found_in_the_cube_and_a_muddy_grey_in_the_ramp() {
        assert_eq!(Colors::Ansi256.nearest([255, 175, 0]), Color::Indexed(214));
        assert_eq!(Colors::Ansi256.nearest([90, 180, 230]), Color::Indexed(74));
        assert_eq!(
            Colors::Ansi256.nearest([118, 117, 119]),
            Color::Indexed(243)
        );
        assert_eq!(Colors::Ansi16.nearest([255, 0, 0]), Color::DarkGray);
        assert_eq!(Colors::None.nearest([255, 0, 0]), Color::Reset);
    }
}
