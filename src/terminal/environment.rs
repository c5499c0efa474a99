//! What is known about an output: its size, the environment, and what the terminal has told about itself.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::os::fd::AsFd;

use ratatui::layout::Size;
use sparring_contract::text::printable;

use super::query::Answers;
use super::{Colors, Shade};

/// The size if neither the terminal nor the environment tells one.
const USUAL: Size = Size::new(80, 24);

/// The environment variables that say something about a terminal.
const VARIABLES: [&str; 11] = [
    "NO_COLOR",
    "COLORTERM",
    "TERM",
    "TMUX",
    "LC_ALL",
    "LC_CTYPE",
    "LANG",
    "COLUMNS",
    "LINES",
    "SSH_CONNECTION",
    "SSH_TTY",
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

/// How the names begin, in small letters, of terminals that have 24 bits and may not answer the question about them. tmux
/// takes them for any terminal around it, and turns them into what that one can show.
const TRUE_COLOR_NAMES: [&str; 10] = [
    "contour", "foot", "ghostty", "iterm2", "kitty", "konsole", "mintty", "tmux", "vte", "wezterm",
];

/// All that is known about an output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Whether the output is a terminal.
    pub is_terminal: bool,
    /// The terminal's size, if known.
    pub size: Option<Size>,
    /// Pixels of a cell, across and down, as far as the system knows them.
    pub cell: Option<(u16, u16)>,
    /// Environment variables; an empty one counts as unset.
    pub variables: BTreeMap<String, String>,
    /// What the terminal has told, if it was asked.
    pub answers: Answers,
}

impl Environment {
    /// The environment of an output of this process, such as `std::io::stdout()`. A terminal is not asked anything.
    pub fn of(output: &(impl IsTerminal + AsFd)) -> Self {
        let is_terminal = output.is_terminal();
        let size = rustix::termios::tcgetwinsize(output).ok();
        Self {
            is_terminal,
            size: size.map(|size| Size::new(size.ws_col, size.ws_row)),
            cell: size.and_then(|size| {
                let width = size.ws_xpixel.checked_div(size.ws_col)?;
                let height = size.ws_ypixel.checked_div(size.ws_row)?;
                Some((width, height))
            }),
            variables: VARIABLES
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
                .collect(),
            answers: Answers::default(),
        }
    }

    pub(super) fn variable(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    /// A variable and its value, in words.
    pub(super) fn told(&self, name: &str) -> String {
        match self.variable(name) {
            "" => format!("{name} is not set"),
            value => format!("{name}={value}"),
        }
    }

    /// Whether the terminal may not understand any escape sequence.
    pub(super) fn is_dumb(&self) -> bool {
        match self.variable("TERM") {
            "dumb" => true,
            "" => self.is_terminal,
            _ => false,
        }
    }

    /// The Linux console, whose fonts lack braille and more.
    fn is_console(&self) -> bool {
        self.variable("TERM") == "linux"
    }

    /// Whether the output is a terminal that understands questions, or at least takes no harm from them.
    pub fn can_be_asked(&self) -> bool {
        self.is_terminal && !self.is_dumb() && !self.is_console()
    }

    /// Whether it may be tmux or GNU screen that takes the bytes.
    pub fn is_multiplexed(&self) -> bool {
        let term = self.variable("TERM");
        self.is_in_tmux() || term.starts_with("screen")
    }

    /// Whether the terminal is at the other end of an ssh connection.
    pub fn is_remote(&self) -> bool {
        ["SSH_CONNECTION", "SSH_TTY"]
            .into_iter()
            .any(|name| !self.variable(name).is_empty())
    }

    fn is_in_tmux(&self) -> bool {
        !self.variable("TMUX").is_empty()
            || self.variable("TERM").starts_with("tmux")
            || self.name().starts_with("tmux")
    }

    /// The terminal's own name and version, in small letters; empty if it has not told them.
    fn name(&self) -> String {
        let name = self.answers.name.as_deref().unwrap_or_default();
        name.to_ascii_lowercase()
    }

    /// The variable that decides about the locale, if one is set.
    fn locale(&self) -> Option<&'static str> {
        ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find(|name| !self.variable(name).is_empty())
    }

    /// Whether the output shows more than ASCII, and what tells.
    ///
    /// Where nothing was said of letters, or only that there is no language, the terminal knows better: ssh and containers
    /// often lose the locale. `LC_ALL` is hardly ever set by accident.
    pub(super) fn unicode(&self) -> (bool, String) {
        if self.is_dumb() || self.is_console() {
            return (false, self.told("TERM"));
        }
        let shows = self.answers.unicode();
        if shows == Some(false) {
            return (false, "the terminal shows ñ as two letters".to_owned());
        }
        if self.answers.has_wide_blocks() {
            return (false, "the terminal draws ▀ two columns wide".to_owned());
        }
        let name = self.locale();
        let locale = name
            .map_or("", |name| self.variable(name))
            .to_ascii_lowercase();
        let is_bare = matches!(locale.as_str(), "" | "c" | "posix");
        if shows == Some(true) && is_bare && name != Some("LC_ALL") {
            return (true, "the terminal shows ñ as one letter".to_owned());
        }
        let is_utf8 = locale.contains("utf-8") || locale.contains("utf8");
        (is_utf8, self.told(name.unwrap_or("LANG")))
    }

    /// The colours that the terminal should have, and what tells.
    pub(super) fn promised_colors(&self) -> (Colors, String) {
        let term = self.variable("TERM");
        let in_tmux = self.is_in_tmux();
        // GNU screen reads the numbers of a 24-bit colour as other attributes.
        let in_screen = term.starts_with("screen") && !in_tmux;
        let announced = matches!(self.variable("COLORTERM"), "truecolor" | "24bit");
        let known = term
            .split(['-', '.'])
            .any(|part| TRUE_COLOR_TERMS.contains(&part));
        let name = self.name();
        if announced && !in_screen {
            (Colors::True, self.told("COLORTERM"))
        } else if known && !in_screen {
            (Colors::True, self.told("TERM"))
        } else if self.answers.true_color == Some(true) && !in_screen {
            (
                Colors::True,
                "the terminal keeps a 24-bit colour".to_owned(),
            )
        } else if TRUE_COLOR_NAMES.iter().any(|known| name.starts_with(known)) {
            (Colors::True, self.told_name())
        } else if term.contains("256color") || term.starts_with("tmux") {
            (Colors::Ansi256, self.told("TERM"))
        } else if in_tmux {
            (Colors::Ansi256, self.told("TMUX"))
        } else if self.is_dumb() || term.is_empty() || term.starts_with("vt") {
            (Colors::None, self.told("TERM"))
        } else {
            (Colors::Ansi16, self.told("TERM"))
        }
    }

    /// The terminal's own name, in words.
    pub(super) fn told_name(&self) -> String {
        let name = self.answers.name.as_deref().unwrap_or_default();
        format!("the terminal is {}", printable(name))
    }

    /// Whether the background is light: dark, unless the terminal tells.
    pub fn shade(&self) -> Shade {
        match self.answers.is_light() {
            Some(true) => Shade::Light,
            Some(false) | None => Shade::Dark,
        }
    }

    /// The size in cells, at least 1×1.
    pub(super) fn size(&self) -> Size {
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
