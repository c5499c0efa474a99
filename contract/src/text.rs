//! Text from outside, made fit for a terminal.

/// The text with every character escaped that a terminal would obey instead of showing it: control characters, and
/// those that change the direction of writing (Unicode's bidirectional formatting characters).
///
/// ```
/// use sparring_contract::text::printable;
/// assert_eq!(printable("cats\u{1b}[2J\n"), r"cats\u{1b}[2J\n");
/// ```
pub fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|letter| {
            let (escaped, plain) = if is_obeyed(letter) {
                (Some(letter.escape_debug()), None)
            } else {
                (None, Some(letter))
            };
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

fn is_obeyed(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(
            printable("a\x1b]0;x\x07\u{9b}2J\r"),
            r"a\u{1b}]0;x\u{7}\u{9b}2J\r"
        );
        assert_eq!(printable("gnp.\u{202e}exe"), r"gnp.\u{202e}exe");
        assert_eq!(printable("naïve 犬 🐕 'x'"), "naïve 犬 🐕 'x'");
    }
}
