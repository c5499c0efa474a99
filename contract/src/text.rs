//! Makes text from outside fit for a terminal.
//!
//! Whatever comes from a file, a name, an argument, the environment or another process is one line, and stays one:
//! [`printable`] escapes its line ends like every other control character. A text of our own that has several lines on
//! purpose is printed line by line. Making a text printable twice changes nothing more.

use std::fmt::Write as _;

/// A size in bytes: `812 B`, `3.1 KB`, `24 MB`, in steps of 1000, with as many digits as a user needs. One that is not a
/// number is `–`.
pub fn size(bytes: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
    if !bytes.is_finite() || bytes < 0.0 {
        return "–".to_owned();
    }
    let mut value = bytes;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 || value >= 9.95 {
        format!("{value:.0} {}", UNITS[unit])
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

/// Escapes every character that a terminal would obey instead of showing, or would not show at all: control characters,
/// bidirectional formatting (such as U+202E) and invisible characters. Joiners (U+200C, U+200D) stay, because scripts and
/// emoji need them.
///
/// ```
/// use sparring_contract::text::printable;
/// assert_eq!(printable("cats\u{1b}[2J\n"), r"cats\u{1b}[2J\n");
/// ```
pub fn printable(text: &str) -> String {
    escaped(text, |letter, shown| shown.extend(letter.escape_debug()))
}

/// Escapes the same characters as JSON does within its strings. JSON may have them nowhere else, but for line ends and
/// tabs between its parts, which become spaces; so it means what it meant.
///
/// ```
/// use sparring_contract::text::printable_json;
/// assert_eq!(printable_json("[\"\u{9b}2J\"]"), r#"["\u009b2J"]"#);
/// ```
pub fn printable_json(json: &str) -> String {
    escaped(json, |letter, shown| {
        if matches!(letter, '\n' | '\r' | '\t') {
            return shown.push(' ');
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let _ = write!(shown, "\\u{unit:04x}");
        }
    })
}

fn escaped(text: &str, escape: impl Fn(char, &mut String)) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_unsafe(letter) {
            escape(letter, &mut shown);
        } else {
            shown.push(letter);
        }
    }
    shown
}

fn is_unsafe(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_two_digits_or_three() {
        for (bytes, words) in [
            (812.0, "812 B"),
            (3100.0, "3.1 KB"),
            (24e6, "24 MB"),
            (999_900.0, "1.0 MB"),
            (117_737_136.0, "118 MB"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(size(bytes), words);
        }
    }

    #[test]
    fn characters_that_a_terminal_would_obey_or_hide_are_escaped() {
        assert_eq!(
            printable("a\x1b]0;x\x07\u{9b}2J\r"),
            r"a\u{1b}]0;x\u{7}\u{9b}2J\r"
        );
        assert_eq!(
            printable("gnp.\u{202e}exe\u{200b}"),
            r"gnp.\u{202e}exe\u{200b}"
        );
        assert_eq!(
            printable("naïve 犬 👩\u{200d}🚀 'x'"),
            "naïve 犬 👩\u{200d}🚀 'x'"
        );
    }

    #[test]
    fn json_that_is_made_printable_means_the_same() {
        let value = serde_json::json!({ "a\u{9b}\u{7f}": "\x1b\u{202e}\n\u{e0041}犬\"\\" });
        let json = value.to_string();
        assert!(json.chars().any(is_unsafe));
        let shown = printable_json(&json);
        assert!(!shown.chars().any(is_unsafe), "{shown}");
        let read: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(read, value);
    }

    #[test]
    fn every_character_is_shown_or_escaped() {
        for letter in '\0'..=char::MAX {
            let shown = printable(letter.encode_utf8(&mut [0; 4]));
            assert!(!shown.chars().any(is_unsafe), "{shown:?}");
        }
    }

    #[test]
    fn what_is_printable_stays_as_it_is() {
        let once = printable("\x1b\\\u{1b}\n");
        assert_eq!(printable(&once), once);
    }
}
