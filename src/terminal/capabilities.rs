//! What a terminal can show, judged by flags and the environment alone. The terminal itself is not asked: tmux can
//! swallow its answer, and a pipe gives none.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::os::fd::AsFd;

use ratatui::layout::Size;

use super::{Colors, Render};

/// The size if neither the terminal nor the environment tells one.
const USUAL: Size = Size::new(80, 24);

/// The environment variables that say something about a terminal.
const VARIABLES: [&str; 9] = [
    "NO_COLOR",
    "COLORTERM",
    "TERM",
    "TMUX",
    "LC_ALL",
    "LC_CTYPE",
    "LANG",
    "COLUMNS",
    "LINES",
];

/// Parts of `TERM` that mean 24 bits. ssh passes `TERM` on, but not `COLORTERM`.
const TRUE_COLOR_TERMS: [&str; 8] = [
    "alacritty",
    "contour",
    "direct",
    "foot",
    "ghostty",
    "kitty",
    "rio",
    "wezterm",
];

/// The flag `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// As the environment says.
    #[default]
    Auto,
    /// Even into a pipe and under `NO_COLOR`.
    Always,
    /// No colours, and no other escape sequences either.
    Never,
}

/// All that is known about an output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Whether the output is a terminal.
    pub is_terminal: bool,
    /// The terminal's size, if known.
    pub size: Option<Size>,
    /// Environment variables; an empty one counts as unset.
    pub variables: BTreeMap<String, String>,
}

/// What an output can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether it is a terminal.
    pub is_terminal: bool,
    /// How many colours it has.
    pub colors: Colors,
    /// Whether it shows more than ASCII.
    pub unicode: bool,
    /// How pictures are drawn on it.
    pub render: Render,
    /// Its size in cells, at least 1×1; 80×24 if unknown.
    pub size: Size,
}

/// What decided about an output's capabilities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reasons {
    /// About its colours, such as `COLORTERM=truecolor`.
    pub colors: String,
    /// About Unicode, such as `LANG=C.UTF-8`.
    pub unicode: String,
}

impl Environment {
    /// The environment of an output of this process, such as `std::io::stdout()`.
    pub fn of(output: &(impl IsTerminal + AsFd)) -> Self {
        let is_terminal = output.is_terminal();
        Self {
            is_terminal,
            size: rustix::termios::tcgetwinsize(output)
                .ok()
                .map(|size| Size::new(size.ws_col, size.ws_row)),
            variables: VARIABLES
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
                .collect(),
        }
    }

    fn variable(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    /// Whether the terminal may not understand any escape sequence.
    fn is_dumb(&self) -> bool {
        match self.variable("TERM") {
            "dumb" => true,
            "" => self.is_terminal,
            _ => false,
        }
    }

    /// The variable that decides about the locale, if one is set.
    fn locale(&self) -> Option<&'static str> {
        ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find(|name| !self.variable(name).is_empty())
    }

    fn has_utf8_locale(&self) -> bool {
        let locale = self.locale().map(|name| self.variable(name));
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    }

    /// A variable and its value, in words.
    fn told(&self, name: &str) -> String {
        match self.variable(name) {
            "" => format!("{name} is not set"),
            value => format!("{name}={value}"),
        }
    }

    /// The colours that the terminal should have, going by its name, and the variable that tells.
    fn promised_colors(&self) -> (Colors, &'static str) {
        let term = self.variable("TERM");
        let in_tmux = !self.variable("TMUX").is_empty() || term.starts_with("tmux");
        // GNU screen reads the numbers of a 24-bit colour as other attributes. tmux, which often calls itself screen,
        // turns such a colour into one that the terminal around it can show.
        let in_screen = term.starts_with("screen") && !in_tmux;
        let announced = matches!(self.variable("COLORTERM"), "truecolor" | "24bit");
        let known = term
            .split(['-', '.'])
            .any(|part| TRUE_COLOR_TERMS.contains(&part));
        if (announced || known) && !in_screen {
            (Colors::True, if announced { "COLORTERM" } else { "TERM" })
        } else if term.contains("256color") || term.starts_with("tmux") {
            (Colors::Ansi256, "TERM")
        } else if in_tmux {
            (Colors::Ansi256, "TMUX")
        } else if self.is_dumb() || term.is_empty() || term.starts_with("vt") {
            (Colors::None, "TERM")
        } else {
            (Colors::Ansi16, "TERM")
        }
    }

    fn size(&self) -> Size {
        let told = self.size.filter(|_| self.is_terminal).unwrap_or_default();
        let side = |told: u16, name, usual| match told {
            0 => self
                .variable(name)
                .parse()
                .ok()
                .filter(|side| *side > 0)
                .unwrap_or(usual),
            told => told,
        };
        Size {
            width: side(told.width, "COLUMNS", USUAL.width),
            height: side(told.height, "LINES", USUAL.height),
        }
    }
}

impl Capabilities {
    /// What an output can show in an environment, under the flags `--color` and `--render` (`None` is `auto`).
    ///
    /// A user who asks for half blocks or braille must have a terminal that shows Unicode; one who asks for ASCII gets
    /// nothing else.
    pub fn new(environment: &Environment, color: ColorChoice, render: Option<Render>) -> Self {
        let unwanted = !environment.is_terminal
            || environment.is_dumb()
            || !environment.variable("NO_COLOR").is_empty();
        let colors = match color {
            ColorChoice::Always => environment.promised_colors().0.max(Colors::Ansi16),
            ColorChoice::Auto if !unwanted => environment.promised_colors().0,
            ColorChoice::Auto | ColorChoice::Never => Colors::None,
        };
        let unicode = match render {
            Some(Render::Half | Render::Braille) => true,
            Some(Render::Ascii) => false,
            // The Linux console's fonts lack braille and more.
            None => {
                environment.has_utf8_locale()
                    && !environment.is_dumb()
                    && environment.variable("TERM") != "linux"
            }
        };
        Self {
            is_terminal: environment.is_terminal,
            colors,
            unicode,
            render: render.unwrap_or(match (unicode, colors) {
                (false, _) => Render::Ascii,
                (true, Colors::None) => Render::Braille,
                (true, _) => Render::Half,
            }),
            size: environment.size(),
        }
    }

    /// What decided about colours and Unicode, each in a few words.
    pub fn reasons(
        environment: &Environment,
        color: ColorChoice,
        render: Option<Render>,
    ) -> Reasons {
        let colors = match color {
            ColorChoice::Never => "--color never".to_owned(),
            ColorChoice::Auto if !environment.is_terminal => "no terminal".to_owned(),
            ColorChoice::Auto if environment.is_dumb() => environment.told("TERM"),
            ColorChoice::Auto if !environment.variable("NO_COLOR").is_empty() => {
                environment.told("NO_COLOR")
            }
            _ => environment.told(environment.promised_colors().1),
        };
        let unicode = match (render, environment.locale()) {
            (Some(_), _) => "--render".to_owned(),
            (None, _) if environment.is_dumb() || environment.variable("TERM") == "linux" => {
                environment.told("TERM")
            }
            (None, Some(name)) => environment.told(name),
            (None, None) => "LANG is not set".to_owned(),
        };
        Reasons { colors, unicode }
    }

    /// Makes crossterm, and with it ratatui's backend, use the colours decided on here. Otherwise it checks `NO_COLOR`
    /// itself and drops colours even under `--color always`.
    pub fn impose_on_crossterm(&self) {
        crossterm::style::force_color_output(self.colors != Colors::None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const XTERM: [(&str, &str); 2] = [("TERM", "xterm-256color"), ("LANG", "en_US.UTF-8")];

    fn environment(is_terminal: bool, variables: &[(&str, &str)]) -> Environment {
        Environment {
            is_terminal,
            size: is_terminal.then_some(Size::new(120, 34)),
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    fn terminal(variables: &[(&str, &str)]) -> Capabilities {
        Capabilities::new(&environment(true, variables), ColorChoice::Auto, None)
    }

    fn colors_of(term: &str) -> Colors {
        terminal(&[("TERM", term), ("LANG", "C.UTF-8")]).colors
    }

    #[test]
    fn a_terminal_of_today_gets_half_blocks_in_colour() {
        let told = terminal(&[XTERM[0], XTERM[1], ("COLORTERM", "truecolor")]);
        assert_eq!(
            told,
            Capabilities {
                is_terminal: true,
                colors: Colors::True,
                unicode: true,
                render: Render::Half,
                size: Size::new(120, 34),
            }
        );
        assert_eq!(terminal(&XTERM).colors, Colors::Ansi256);
    }

    #[test]
    fn the_name_of_a_terminal_tells_its_colours_where_ssh_lost_colorterm() {
        for term in [
            "xterm-kitty",
            "alacritty",
            "foot-extra",
            "xterm-ghostty",
            "wezterm",
            "xterm-direct",
        ] {
            assert_eq!(colors_of(term), Colors::True, "{term}");
        }
        assert_eq!(colors_of("putty-256color"), Colors::Ansi256);
        assert_eq!(colors_of("xterm"), Colors::Ansi16);
        assert_eq!(colors_of("linux"), Colors::Ansi16);
        assert_eq!(colors_of("vt100"), Colors::None);
    }

    #[test]
    fn screen_gets_no_24_bit_colours_and_tmux_does() {
        let truecolor = ("COLORTERM", "truecolor");
        let screen = ("TERM", "screen-256color");
        assert_eq!(terminal(&[screen, truecolor]).colors, Colors::Ansi256);
        let tmux = ("TMUX", "/tmp/tmux-0/default,1,0");
        assert_eq!(terminal(&[screen, truecolor, tmux]).colors, Colors::True);
        assert_eq!(
            terminal(&[("TERM", "screen"), tmux]).colors,
            Colors::Ansi256
        );
        assert_eq!(
            terminal(&[("TERM", "tmux-256color")]).colors,
            Colors::Ansi256
        );
        assert_eq!(terminal(&[("TERM", "screen")]).colors, Colors::Ansi16);
    }

    #[test]
    fn no_color_gives_braille_unless_color_is_always() {
        let mut variables = XTERM.to_vec();
        variables.push(("NO_COLOR", "1"));
        let told = terminal(&variables);
        assert_eq!((told.colors, told.render), (Colors::None, Render::Braille));
        let always = Capabilities::new(&environment(true, &variables), ColorChoice::Always, None);
        assert_eq!(
            (always.colors, always.render),
            (Colors::Ansi256, Render::Half)
        );
        assert_eq!(
            terminal(&[XTERM[0], XTERM[1], ("NO_COLOR", "")]).colors,
            Colors::Ansi256
        );
    }

    #[test]
    fn a_pipe_gets_no_escapes_and_its_width_from_columns() {
        let pipe =
            |variables: &[_], color| Capabilities::new(&environment(false, variables), color, None);
        let told = pipe(&XTERM, ColorChoice::Auto);
        assert_eq!((told.colors, told.render), (Colors::None, Render::Braille));
        assert_eq!(told.size, Size::new(80, 24));
        assert_eq!(
            pipe(&[("COLUMNS", "132")], ColorChoice::Auto).size.width,
            132
        );
        assert_eq!(pipe(&[("COLUMNS", "0")], ColorChoice::Auto).size.width, 80);
        assert_eq!(pipe(&XTERM, ColorChoice::Always).colors, Colors::Ansi256);
        assert_eq!(pipe(&[], ColorChoice::Always).colors, Colors::Ansi16);
    }

    #[test]
    fn a_dumb_terminal_gets_ascii() {
        for term in ["dumb", ""] {
            let told = terminal(&[
                ("TERM", term),
                ("LANG", "C.UTF-8"),
                ("COLORTERM", "truecolor"),
            ]);
            assert_eq!(
                (told.colors, told.render),
                (Colors::None, Render::Ascii),
                "{term:?}"
            );
        }
    }

    #[test]
    fn the_first_locale_that_is_set_decides_about_unicode() {
        let term = ("TERM", "xterm");
        let unicode =
            |locale: &[(&'static str, &'static str)]| terminal(&[&[term], locale].concat()).unicode;
        assert!(unicode(&[("LANG", "de_DE.utf8")]));
        assert!(unicode(&[
            ("LC_ALL", ""),
            ("LC_CTYPE", "C.UTF-8"),
            ("LANG", "C")
        ]));
        assert!(!unicode(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]));
        assert!(!unicode(&[]));
    }

    #[test]
    fn what_decided_can_be_told() {
        let reasons = |is_terminal, variables: &[_], color, render| {
            let told = Capabilities::reasons(&environment(is_terminal, variables), color, render);
            (told.colors, told.unicode)
        };
        let told = |colors: &str, unicode: &str| (colors.to_owned(), unicode.to_owned());
        let auto = |variables: &[_]| reasons(true, variables, ColorChoice::Auto, None);
        let truecolor = ("COLORTERM", "truecolor");
        assert_eq!(
            auto(&[XTERM[0], XTERM[1], truecolor]),
            told("COLORTERM=truecolor", "LANG=en_US.UTF-8")
        );
        assert_eq!(
            auto(&[("TERM", "xterm-kitty"), ("LC_ALL", "C"), XTERM[1]]),
            told("TERM=xterm-kitty", "LC_ALL=C")
        );
        let tmux = ("TMUX", "/tmp/tmux-0/default,1,0");
        assert_eq!(
            auto(&[("TERM", "screen"), tmux]),
            told("TMUX=/tmp/tmux-0/default,1,0", "LANG is not set")
        );
        assert_eq!(
            auto(&[("TERM", "dumb"), truecolor]),
            told("TERM=dumb", "TERM=dumb")
        );
        assert_eq!(auto(&[]), told("TERM is not set", "TERM is not set"));
        assert_eq!(
            auto(&[XTERM[0], XTERM[1], ("NO_COLOR", "1")]).0,
            "NO_COLOR=1"
        );
        assert_eq!(
            reasons(false, &XTERM, ColorChoice::Auto, Some(Render::Half)),
            told("no terminal", "--render")
        );
        assert_eq!(
            reasons(false, &XTERM, ColorChoice::Always, None).0,
            "TERM=xterm-256color"
        );
    }

    #[test]
    fn an_explicit_render_says_what_the_terminal_shows() {
        let bare = environment(true, &[("TERM", "xterm")]);
        let half = Capabilities::new(&bare, ColorChoice::Auto, Some(Render::Half));
        assert_eq!((half.unicode, half.render), (true, Render::Half));
        let rich = environment(true, &XTERM);
        let ascii = Capabilities::new(&rich, ColorChoice::Auto, Some(Render::Ascii));
        assert_eq!((ascii.unicode, ascii.render), (false, Render::Ascii));
    }
}
