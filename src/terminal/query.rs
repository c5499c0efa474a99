//! What a terminal is asked about itself, and what its answers mean. Pure: whoever asks also listens.
//!
//! Sequences: <https://invisible-island.net/xterm/ctlseqs/ctlseqs.html>; the question about pictures is that of
//! <https://sw.kovidgoyal.net/kitty/graphics-protocol/>.

/// A letter of two bytes in UTF-8 that takes one column everywhere. A terminal of another encoding shows two letters.
const LETTER: &str = "ñ";
/// The block that pictures are made of. Some terminals in East Asia give it two columns.
const BLOCK: &str = "▀";

/// A colour that no theme has.
const COLOR: [u8; 3] = [1, 2, 3];

/// Half of the brightness that there is, by the weights of Rec. 601.
const MIDDLE: u32 = 127_500;

/// What a terminal has told about itself. A question that it did not answer leaves `None` or `false`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Whether the answer to the last question came, which every terminal gives.
    pub complete: bool,
    /// Its name and version, such as `kitty(0.26.5)`.
    pub name: Option<String>,
    /// The colour of its background, red, green and blue.
    pub background: Option<[u8; 3]>,
    /// Whether a 24-bit colour stayed what it was.
    pub true_color: Option<bool>,
    /// Pixels of a cell, across and down.
    pub cell: Option<(u16, u16)>,
    /// Whether it takes pictures by kitty's protocol.
    pub kitty: bool,
    /// Whether it takes pictures as sixels.
    pub sixel: bool,
    /// Columns of the cursor: at first, after the letter, after the block.
    columns: Vec<u16>,
}

/// All questions in one volley. It ends with the one that every terminal answers; what is shown meanwhile is taken back.
/// `pictures`: whether to ask for kitty's protocol. tmux and GNU screen would take that question for a title.
pub fn volley(pictures: bool) -> String {
    let [red, green, blue] = COLOR;
    let pictures = if pictures {
        "\x1b_Gi=1,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
    } else {
        ""
    };
    format!(
        "\x1b7\x1b[6n{LETTER}\x1b[6n\x1b8{BLOCK}\x1b[6n\x1b[48;2;{red};{green};{blue}m\x1bP$qm\x1b\\\x1b[0m\x1b[>0q\
         \x1b]11;?\x1b\\\x1b[16t{pictures}\x1b8\x1b[K\x1b[c"
    )
}

impl Answers {
    /// Takes in a reply, whole and with its introducer. One that answers no question changes nothing.
    pub fn take(&mut self, reply: &[u8]) {
        let Ok(reply) = std::str::from_utf8(reply) else {
            return;
        };
        if let Some(sequence) = reply.strip_prefix("\x1b[") {
            self.take_sequence(sequence);
        } else if let Some(text) = string(reply, "\x1bP>|") {
            self.name = Some(text.trim().to_owned()).filter(|name| !name.is_empty());
        } else if let Some(style) = string(reply, "\x1bP1$r") {
            self.true_color = Some(style.strip_suffix('m').is_some_and(has_color));
        } else if string(reply, "\x1bP0$r").is_some() {
            // It knows the question and not this style.
        } else if let Some(color) = string(reply, "\x1b]11;") {
            self.background = rgb(color);
        } else if let Some(answer) = string(reply, "\x1b_Gi=1;") {
            self.kitty = answer == "OK";
        }
    }

    fn take_sequence(&mut self, sequence: &str) {
        let Some((last, parameters)) = sequence
            .char_indices()
            .next_back()
            .map(|(at, last)| (last, &sequence[..at]))
        else {
            return;
        };
        match last {
            'c' => {
                if let Some(attributes) = parameters.strip_prefix('?') {
                    self.sixel = attributes.split(';').skip(1).any(|one| one == "4");
                    self.complete = true;
                }
            }
            'R' => {
                let column = parameters
                    .split_once(';')
                    .and_then(|(_, column)| column.parse::<u16>().ok());
                self.columns.extend(column);
            }
            't' => {
                let numbers: Vec<u16> = parameters
                    .split(';')
                    .filter_map(|n| n.parse().ok())
                    .collect();
                if let [6, height, width] = numbers[..]
                    && height.min(width) > 0
                {
                    self.cell = Some((width, height));
                }
            }
            _ => {}
        }
    }

    /// Whether letters outside ASCII show: their bytes are read as UTF-8. `None` if the cursor did not tell.
    pub fn unicode(&self) -> Option<bool> {
        match self.columns[..] {
            [first, after, _] if after > first => Some(after - first == 1),
            _ => None,
        }
    }

    /// Whether the blocks that pictures are made of take two columns.
    pub fn has_wide_blocks(&self) -> bool {
        matches!(self.columns[..], [first, _, after] if after == first.saturating_add(2))
    }

    /// Whether the background is light. `None` if it did not tell.
    pub fn is_light(&self) -> Option<bool> {
        let weights = [299, 587, 114];
        self.background.map(|color| {
            let parts = color.into_iter().zip(weights);
            parts
                .map(|(part, weight)| u32::from(part) * weight)
                .sum::<u32>()
                > MIDDLE
        })
    }
}

/// The text of a string of the terminal's, between what it begins with and its end.
fn string<'a>(reply: &'a str, begin: &str) -> Option<&'a str> {
    let text = reply.strip_prefix(begin)?;
    text.strip_suffix("\x1b\\")
        .or_else(|| text.strip_suffix('\x07'))
}

/// Whether a style has the background that was asked about. Its parts are divided by colons or semicolons, with or
/// without a place for a colour space.
fn has_color(style: &str) -> bool {
    let [red, green, blue] = COLOR;
    let mut style = style.replace("::", ":").replace(':', ";");
    style.push(';');
    style.contains(&format!("48;2;{red};{green};{blue};"))
}

/// A colour as X11 writes it: `rgb:` or `rgba:`, and one to four hexadecimal digits for each part.
fn rgb(text: &str) -> Option<[u8; 3]> {
    let parts = text
        .strip_prefix("rgb:")
        .or_else(|| text.strip_prefix("rgba:"))?;
    let mut parts = parts.split('/').map(|digits| {
        let most = match digits.len() {
            length @ 1..=4 => (1_u32 << (4 * length)) - 1,
            _ => return None,
        };
        let value = u32::from_str_radix(digits, 16).ok()?;
        u8::try_from(value * 255 / most).ok()
    });
    let mut part = || parts.next().flatten();
    Some([part()?, part()?, part()?])
}

#[cfg(test)]
mod tests {
    use super::super::parser::{Parser, Sent};
    use super::*;

    /// What the bytes of a terminal tell, and the keys among them.
    fn told(bytes: &str) -> (Answers, usize) {
        let (mut answers, mut keys) = (Answers::default(), 0);
        for sent in Parser::default().feed(bytes.as_bytes()) {
            match sent {
                Sent::Reply(reply) => answers.take(&reply),
                Sent::Key(_) | Sent::Paste(_) | Sent::Mouse(_) => keys += 1,
            }
        }
        (answers, keys)
    }

    #[test]
    fn kitty_answers_everything() {
        let (answers, keys) = told(
            "\x1b[3;1R\x1b[3;2R\x1b[3;2R\x1bP1$r0;48:2:1:2:3m\x1b\\\x1bP>|kitty(0.26.5)\x1b\\\
             \x1b]11;rgb:0000/0000/0000\x1b\\\x1b[6;20;10t\x1b_Gi=1;OK\x1b\\\x1b[?62;c",
        );
        assert_eq!(keys, 0);
        assert_eq!(answers.name.as_deref(), Some("kitty(0.26.5)"));
        assert_eq!(
            (answers.unicode(), answers.has_wide_blocks()),
            (Some(true), false)
        );
        assert_eq!(
            (answers.true_color, answers.is_light()),
            (Some(true), Some(false))
        );
        assert_eq!(
            (answers.cell, answers.kitty, answers.sixel),
            (Some((10, 20)), true, false)
        );
        assert!(answers.complete);
    }

    #[test]
    fn keys_between_the_answers_stay_keys() {
        let (answers, keys) = told("\x1b[3;1Rq\x1b[3;3R\x1b[A\x1b[3;2R \x1b[?1;2c");
        assert_eq!(keys, 3);
        assert_eq!((answers.unicode(), answers.complete), (Some(false), true));
    }

    #[test]
    fn xterm_with_a_palette_and_a_light_background() {
        let (answers, _) = told(
            "\x1b[1;9R\x1b[1;10R\x1b[1;10R\x1bP1$r0;48:5:16m\x1b\\\x1bP>|XTerm(379)\x1b\\\
             \x1b]11;rgb:ffff/fafa/f0f0\x07\x1b[?63;1;2;4;6c",
        );
        assert_eq!(
            (answers.true_color, answers.is_light()),
            (Some(false), Some(true))
        );
        assert!(answers.sixel && !answers.kitty);
    }

    #[test]
    fn blocks_of_two_columns_are_seen() {
        let (answers, _) = told("\x1b[1;1R\x1b[1;2R\x1b[1;3R");
        assert_eq!(
            (answers.unicode(), answers.has_wide_blocks()),
            (Some(true), true)
        );
    }

    #[test]
    fn at_the_right_edge_the_cursor_tells_nothing() {
        assert_eq!(told("\x1b[1;80R\x1b[1;80R\x1b[1;80R").0.unicode(), None);
    }

    #[test]
    fn styles_are_written_in_several_ways() {
        for style in [
            "0;48:2:1:2:3",
            "48;2;1;2;3",
            "0;48:2::1:2:3",
            "0;48;2;1;2;3;4",
        ] {
            assert!(has_color(style), "{style}");
        }
        for style in ["0", "0;48;5;16", "48;2;1;2;33", "0;38:2:1:2:3"] {
            assert!(!has_color(style), "{style}");
        }
    }

    #[test]
    fn colours_have_one_to_four_digits() {
        assert_eq!(rgb("rgb:ff/80/0"), Some([255, 128, 0]));
        assert_eq!(rgb("rgba:ffff/0000/1234/ffff"), Some([255, 0, 18]));
        for bad in ["rgb:", "rgb:1/2", "rgb:12345/1/1", "#ffffff", "rgb:x/y/z"] {
            assert_eq!(rgb(bad), None, "{bad}");
        }
    }
}
