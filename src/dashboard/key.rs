//! A key as it is pressed, and as a configuration file writes it.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers, in the one form that equal presses share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyPress {
    /// The key.
    pub code: KeyCode,
    /// What is held down with it.
    pub modifiers: KeyModifiers,
}

impl KeyPress {
    /// A key alone.
    pub fn plain(code: KeyCode) -> Self {
        Self::new(code, KeyModifiers::NONE)
    }

    /// A key held down together with Ctrl.
    pub fn control(letter: char) -> Self {
        Self::new(KeyCode::Char(letter), KeyModifiers::CONTROL)
    }

    /// Terminals differ in whether they report Shift beside a capital or a sign, and `A` with Ctrl as `a` or `A`.
    fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let modifiers =
            modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        match code {
            KeyCode::Char(letter) if modifiers.contains(KeyModifiers::CONTROL) => Self {
                code: KeyCode::Char(letter.to_ascii_lowercase()),
                modifiers: modifiers - KeyModifiers::SHIFT,
            },
            KeyCode::Char(_) | KeyCode::BackTab => Self {
                code,
                modifiers: modifiers - KeyModifiers::SHIFT,
            },
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => {
                Self::plain(KeyCode::BackTab)
            }
            _ => Self { code, modifiers },
        }
    }

    /// The letter or sign that this key types into a field, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(letter) if self.modifiers.is_empty() => Some(letter),
            _ => None,
        }
    }

    /// The key as a person reads it: `space`, `Ctrl-L`, `↑`, or `up` where only ASCII can be shown.
    pub fn label(self, ascii: bool) -> String {
        let arrow = match self.code {
            KeyCode::Up => "↑",
            KeyCode::Down => "↓",
            KeyCode::Left => "←",
            KeyCode::Right => "→",
            _ => "",
        };
        if !ascii && !arrow.is_empty() && self.modifiers.is_empty() {
            return arrow.to_owned();
        }
        let name = self.name();
        let capitalised = |part: &str| {
            let mut letters = part.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().chain(letters).collect()
            })
        };
        match self.code {
            KeyCode::BackTab => "Shift-Tab".to_owned(),
            KeyCode::Esc | KeyCode::Tab | KeyCode::Enter | KeyCode::F(_) => capitalised(&name),
            _ if self.modifiers.is_empty() => name,
            _ => name
                .split('-')
                .map(capitalised)
                .collect::<Vec<_>>()
                .join("-"),
        }
    }

    fn name(self) -> String {
        self.to_string()
    }
}

impl From<KeyEvent> for KeyPress {
    fn from(event: KeyEvent) -> Self {
        Self::new(event.code, event.modifiers)
    }
}

/// Names of keys that type no letter, as a configuration writes them.
const NAMED: &[(&str, KeyCode)] = &[
    ("space", KeyCode::Char(' ')),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
];

impl fmt::Display for KeyPress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, name) in MODIFIERS {
            if self.modifiers.contains(*modifier) {
                write!(out, "{name}-")?;
            }
        }
        let named = NAMED.iter().find(|(_, code)| *code == self.code);
        match (named, self.code) {
            (_, KeyCode::BackTab) => out.write_str("shift-tab"),
            (Some((name, _)), _) => out.write_str(name),
            (None, KeyCode::Char(letter)) => write!(out, "{letter}"),
            (None, KeyCode::F(number)) => write!(out, "f{number}"),
            (None, code) => write!(out, "{code:?}"),
        }
    }
}

const MODIFIERS: &[(KeyModifiers, &str)] = &[
    (KeyModifiers::CONTROL, "ctrl"),
    (KeyModifiers::ALT, "alt"),
    (KeyModifiers::SHIFT, "shift"),
];

impl FromStr for KeyPress {
    type Err = String;

    /// Reads `space`, `x`, `X`, `f5`, `ctrl-l`, `shift-tab`, `alt-up`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        while let Some((modifier, after)) = MODIFIERS.iter().find_map(|(modifier, name)| {
            let head = rest.get(..name.len())?;
            let after = rest.get(name.len()..)?.strip_prefix(['-', '+'])?;
            (head.eq_ignore_ascii_case(name) && !after.is_empty()).then_some((*modifier, after))
        }) {
            modifiers |= modifier;
            rest = after;
        }
        let mut letters = rest.chars();
        if let (Some(letter), None) = (letters.next(), letters.next()) {
            return Ok(Self::new(KeyCode::Char(letter), modifiers));
        }
        let lower = rest.to_ascii_lowercase();
        let function = || {
            let number = lower.strip_prefix('f')?.parse().ok()?;
            (1..=24).contains(&number).then_some(KeyCode::F(number))
        };
        NAMED
            .iter()
            .find(|(name, _)| *name == lower)
            .map(|(_, code)| *code)
            .or_else(function)
            .map(|code| Self::new(code, modifiers))
            .ok_or_else(|| {
                let names: Vec<_> = NAMED.iter().map(|(name, _)| *name).collect();
                format!(
                    "no such key; a key is one letter or sign, f1 to f24, or one of {}, each with ctrl-, alt- or \
                     shift- before it if wanted",
                    names.join(", ")
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_as_it_is_read() {
        for text in [
            "space",
            "x",
            "X",
            "f5",
            "ctrl-l",
            "shift-tab",
            "alt-up",
            "-",
            "+",
            "ctrl--",
        ] {
            assert_eq!(text.parse::<KeyPress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_same_key_is_the_same_however_the_terminal_reports_it() {
        let capital = KeyEvent::new(KeyCode::Char('X'), KeyModifiers::SHIFT);
        assert_eq!(KeyPress::from(capital), "X".parse().unwrap());
        let control = KeyEvent::new(KeyCode::Char('L'), KeyModifiers::CONTROL);
        assert_eq!(KeyPress::from(control), KeyPress::control('l'));
        let back = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(KeyPress::from(back), "shift-tab".parse().unwrap());
    }

    #[test]
    fn what_is_no_key_is_refused_with_what_would_be_one() {
        let error = "banana".parse::<KeyPress>().unwrap_err();
        assert!(error.contains("pagedown"), "{error}");
        assert!("".parse::<KeyPress>().is_err());
        assert!("f99".parse::<KeyPress>().is_err());
    }
}
