//! Makes text from outside fit for a terminal.

/// Escapes every character that a terminal would obey instead of showing, or would not show at all: control characters,
/// bidirectional formatting (such as U+202E) and invisible characters. Joiners (U+200C, U+200D) stay, because scripts and
/// emoji need them.
///
/// ```
/// use sparring_contract::text::printable;
/// assert_eq!(printable("cats\u{1b}[2J\n"), r"cats\u{1b}[2J\n");
/// ```
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_unsafe(letter) {
            shown.extend(letter.escape_debug());
        } else {
            shown.push(letter);
        }
    }
    shown
}

fn is_unsafe(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
