//! Colours by their meaning. Each meaning also shows without colour: here by weight, and by a word where it is used.

use ratatui::style::{Color, Modifier, Style};

use super::Colors;

/// Whether the terminal's background is dark or light. It is never changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shade {
    /// Light letters on dark.
    #[default]
    Dark,
    /// Dark letters on light.
    Light,
}

/// A style for each meaning, in the colours that the terminal has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    shade: Shade,
    colors: Colors,
}

/// A colour on a dark and on a light background. With 256 colours, the nearest one is used. Of the 16, one is chosen by
/// hand, since their names mean the same on every terminal and their exact colours do not.
struct Hue {
    dark: ([u8; 3], Color),
    light: ([u8; 3], Color),
}

// Orange, blue, yellow, green and purple are those of Okabe and Ito, which colour-blind people tell apart
// (https://jfly.uni-koeln.de/color/), darkened or lightened for contrast with the background.
const ORANGE: Hue = Hue {
    dark: ([0xe6, 0x9f, 0x00], Color::Yellow),
    light: ([0xb8, 0x52, 0x00], Color::Red),
};
const BLUE: Hue = Hue {
    dark: ([0x56, 0xb4, 0xe9], Color::LightBlue),
    light: ([0x00, 0x62, 0x9b], Color::Blue),
};
const YELLOW: Hue = Hue {
    dark: ([0xf0, 0xe4, 0x42], Color::LightYellow),
    light: ([0x7d, 0x66, 0x00], Color::Magenta),
};
const RED: Hue = Hue {
    dark: ([0xff, 0x5f, 0x5f], Color::LightRed),
    light: ([0xc0, 0x00, 0x1a], Color::Red),
};
const GREEN: Hue = Hue {
    dark: ([0x2c, 0xc0, 0x95], Color::Green),
    light: ([0x00, 0x75, 0x55], Color::Green),
};
const PURPLE: Hue = Hue {
    dark: ([0xd9, 0x8f, 0xb8], Color::LightMagenta),
    light: ([0x98, 0x3f, 0x72], Color::Magenta),
};
const GREY: Hue = Hue {
    dark: ([0x8a, 0x8a, 0x8a], Color::DarkGray),
    light: ([0x6c, 0x6c, 0x6c], Color::DarkGray),
};

impl Theme {
    /// The theme for a background and a number of colours.
    pub fn new(shade: Shade, colors: Colors) -> Self {
        Self { shade, colors }
    }

    /// How many colours it may use.
    pub fn colors(self) -> Colors {
        self.colors
    }

    /// The discriminator: orange.
    pub fn discriminator(self) -> Style {
        self.paint(&ORANGE, Modifier::BOLD)
    }

    /// The generator: blue.
    pub fn generator(self) -> Style {
        self.paint(&BLUE, Modifier::empty())
    }

    /// Something the user should look at.
    pub fn warning(self) -> Style {
        self.paint(&YELLOW, Modifier::BOLD)
    }

    /// Something that is wrong.
    pub fn alarm(self) -> Style {
        self.paint(&RED, Modifier::REVERSED)
            .add_modifier(Modifier::BOLD)
    }

    /// Something that is fine.
    pub fn good(self) -> Style {
        self.paint(&GREEN, Modifier::empty())
    }

    /// Something that stands out and is not a network: the judge, a cursor, a selection.
    pub fn accent(self) -> Style {
        self.paint(&PURPLE, Modifier::BOLD)
    }

    /// Something the eye may skip: borders, axes, units.
    pub fn dim(self) -> Style {
        self.paint(&GREY, Modifier::DIM)
    }

    /// Ordinary letters.
    pub fn text(self) -> Style {
        Style::new()
    }

    /// The name of the program, a panel or a run.
    pub fn title(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The name of a key.
    pub fn key(self) -> Style {
        self.paint(&PURPLE, Modifier::REVERSED)
            .add_modifier(Modifier::BOLD)
    }

    /// The line that is selected in a list.
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// A hue, or what replaces it if there are no colours.
    fn paint(self, hue: &Hue, without: Modifier) -> Style {
        let (rgb, named) = match self.shade {
            Shade::Dark => hue.dark,
            Shade::Light => hue.light,
        };
        match self.colors {
            Colors::None => Style::new().add_modifier(without),
            Colors::Ansi16 => Style::new().fg(named),
            colors => Style::new().fg(colors.nearest(rgb)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHADES: [Shade; 2] = [Shade::Dark, Shade::Light];
    const LEVELS: [Colors; 3] = [Colors::Ansi16, Colors::Ansi256, Colors::True];

    #[test]
    fn the_networks_and_the_states_never_share_a_colour() {
        for (shade, colors) in SHADES
            .into_iter()
            .flat_map(|shade| LEVELS.map(|level| (shade, level)))
        {
            let theme = Theme::new(shade, colors);
            let styles = [
                theme.discriminator(),
                theme.generator(),
                theme.warning(),
                theme.good(),
                theme.dim(),
            ];
            for (index, style) in styles.iter().enumerate() {
                assert!(
                    !styles[..index].contains(style),
                    "{shade:?} {colors:?}: {style:?} twice"
                );
            }
        }
    }

    /// The contrast of two colours, 1 to 21 (WCAG 2.2, relative luminance and contrast ratio).
    fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
        let luminance = |color: [u8; 3]| {
            let [red, green, blue] = color.map(|part| {
                let part = f64::from(part) / 255.0;
                if part <= 0.04045 {
                    part / 12.92
                } else {
                    ((part + 0.055) / 1.055).powf(2.4)
                }
            });
            0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
        };
        let (one, other) = (luminance(one), luminance(other));
        one.max(other) / one.min(other)
    }

    #[test]
    fn every_colour_can_be_read_on_its_background() {
        for hue in [&ORANGE, &BLUE, &YELLOW, &RED, &GREEN, &PURPLE, &GREY] {
            let on_dark = contrast(hue.dark.0, [0, 0, 0]);
            let on_light = contrast(hue.light.0, [255, 255, 255]);
            assert!(on_dark >= 4.5 && on_light >= 4.5, "{on_dark} {on_light}");
        }
    }

    #[test]
    fn without_colours_no_style_has_one_and_an_alarm_still_stands_out() {
        let theme = Theme::new(Shade::Dark, Colors::None);
        for style in [
            theme.discriminator(),
            theme.generator(),
            theme.warning(),
            theme.alarm(),
            theme.key(),
        ] {
            assert_eq!((style.fg, style.bg), (None, None));
        }
        assert!(
            theme
                .alarm()
                .add_modifier
                .contains(Modifier::REVERSED | Modifier::BOLD)
        );
        assert_ne!(theme.warning(), theme.text());
    }

    #[test]
    fn orange_and_blue_are_orange_and_blue_in_256_colours() {
        let theme = Theme::new(Shade::Dark, Colors::Ansi256);
        assert_eq!(theme.discriminator().fg, Some(Color::Indexed(178)));
        assert_eq!(theme.generator().fg, Some(Color::Indexed(75)));
    }
}
