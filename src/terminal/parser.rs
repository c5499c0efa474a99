//! What a terminal sends, from bytes to keys, pastes and replies. Pure: whoever reads the bytes also keeps the time.
//!
//! Every sequence has an end: a key that follows it, or silence. So nothing that a terminal sends, and no reply that is
//! cut short, keeps a later key from being understood. Sequences: ECMA-48 and
//! <https://invisible-island.net/xterm/ctlseqs/ctlseqs.html>.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Something that a terminal sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// A key.
    Key(KeyEvent),
    /// Pasted text.
    Paste(String),
    /// Something was done with the mouse.
    Mouse(Mouse),
    /// The answer to a question, or a report that nobody asked for, whole.
    Reply(Vec<u8>),
}

/// What was done with the mouse, and in which cell, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mouse {
    /// What.
    pub what: MouseKind,
    /// The column.
    pub x: u16,
    /// The row.
    pub y: u16,
}

/// What was done with the mouse. Other buttons, releases and motions are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MouseKind {
    /// The left button was pressed.
    Click,
    /// The wheel was turned upwards.
    WheelUp,
    /// The wheel was turned downwards.
    WheelDown,
}

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;

/// The end of a paste.
const PASTE_END: &[u8] = b"\x1b[201~";

/// The longest paste that is passed on, in bytes; the rest is left out.
const LONGEST_PASTE: usize = 1 << 20;

/// The longest other sequence, in bytes. Of a longer one the middle is left out.
const LONGEST_SEQUENCE: usize = 1024;

/// After so much silence, what has come of a key is all of it.
const KEY_SILENCE: Duration = Duration::from_millis(50);

/// The same for a reply, and for a paste, which come in pieces over a slow line.
const LONG_SILENCE: Duration = Duration::from_millis(500);

/// Turns bytes into what they mean.
#[derive(Debug, Default)]
pub struct Parser {
    /// The beginning of a sequence.
    begun: Vec<u8>,
    /// What has come of a paste.
    paste: Option<Vec<u8>>,
}

/// What the first bytes of a sequence are.
enum First {
    /// So many bytes, and what they mean, if anything.
    Whole(usize, Option<Sent>),
    /// The beginning of something longer.
    Part,
    /// The beginning of a paste, so many bytes long.
    PasteBegins(usize),
}

impl Parser {
    /// The key that asks a program to end.
    pub const INTERRUPT: KeyEvent = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);

    /// Takes bytes in and returns what has become whole by them.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Sent> {
        let mut sent = Vec::new();
        for byte in bytes {
            if let Some(paste) = &mut self.paste {
                paste.push(*byte);
                if paste.ends_with(PASTE_END) {
                    paste.truncate(paste.len() - PASTE_END.len());
                    sent.extend(self.end_paste());
                } else if paste.len() > LONGEST_PASTE + PASTE_END.len() {
                    paste.remove(LONGEST_PASTE);
                }
                continue;
            }
            self.begun.push(*byte);
            self.take_whole(&mut sent);
            if self.begun.len() > LONGEST_SEQUENCE {
                // Its kind and its end stay.
                self.begun.remove(LONGEST_SEQUENCE / 2);
            }
        }
        sent
    }

    fn take_whole(&mut self, sent: &mut Vec<Sent>) {
        while !self.begun.is_empty() {
            match first(&self.begun) {
                First::Whole(length, meaning) => {
                    self.begun.drain(..length.clamp(1, self.begun.len()));
                    sent.extend(meaning);
                }
                First::PasteBegins(length) => {
                    self.begun.drain(..length);
                    self.paste = Some(std::mem::take(&mut self.begun));
                }
                First::Part => return,
            }
        }
    }

    /// How much silence ends what has begun; `None` if nothing has.
    pub fn patience(&self) -> Option<Duration> {
        let is_long = self.paste.is_some()
            || matches!(
                self.begun[..],
                [ESC, b']' | b'P' | b'X' | b'^' | b'_', _, ..]
            );
        if is_long {
            Some(LONG_SILENCE)
        } else {
            (!self.begun.is_empty()).then_some(KEY_SILENCE)
        }
    }

    /// Ends what has begun: there was silence.
    pub fn silence(&mut self) -> Option<Sent> {
        if self.paste.is_some() {
            return self.end_paste();
        }
        let begun = std::mem::take(&mut self.begun);
        match begun[..] {
            [ESC] => Some(key(KeyCode::Esc, KeyModifiers::NONE)),
            // Alt and a sign that could have begun a sequence.
            [ESC, sign] if sign.is_ascii_graphic() => {
                Some(key(KeyCode::Char(char::from(sign)), KeyModifiers::ALT))
            }
            // Half a letter, or a sequence that was cut short.
            _ => None,
        }
    }

    fn end_paste(&mut self) -> Option<Sent> {
        let mut paste = self.paste.take()?;
        paste.truncate(LONGEST_PASTE);
        Some(Sent::Paste(String::from_utf8_lossy(&paste).into_owned()))
    }
}

/// What the first of these bytes, of which there is at least one, are.
fn first(bytes: &[u8]) -> First {
    match bytes {
        [ESC] | [ESC, b'O'] => First::Part,
        [ESC, b'[', rest @ ..] => control_sequence(rest),
        [ESC, b'O', letter, ..] => keypad(*letter),
        [ESC, b']' | b'P' | b'X' | b'^' | b'_', rest @ ..] => string(bytes, rest),
        // Two presses, or Alt and a key that is a sequence.
        [ESC, ESC, ..] => First::Whole(1, Some(key(KeyCode::Esc, KeyModifiers::NONE))),
        [ESC, rest @ ..] => match letter(rest) {
            First::Whole(length, meaning) => {
                let with_alt = meaning.map(|meaning| match meaning {
                    Sent::Key(key) => {
                        Sent::Key(KeyEvent::new(key.code, key.modifiers | KeyModifiers::ALT))
                    }
                    meaning => meaning,
                });
                First::Whole(length + 1, with_alt)
            }
            part => part,
        },
        _ => letter(bytes),
    }
}

/// A letter or a control character.
fn letter(bytes: &[u8]) -> First {
    let control = |letter: u8| {
        First::Whole(
            1,
            Some(key(
                KeyCode::Char(char::from(letter)),
                KeyModifiers::CONTROL,
            )),
        )
    };
    let plain = |code| First::Whole(1, Some(key(code, KeyModifiers::NONE)));
    match bytes[0] {
        b'\r' => plain(KeyCode::Enter),
        b'\t' => plain(KeyCode::Tab),
        0x7f => plain(KeyCode::Backspace),
        0 => control(b' '),
        byte @ 0x01..=0x1a => control(byte - 1 + b'a'),
        byte @ 0x1c..=0x1f => control(byte - 0x1c + b'4'),
        lead => {
            let length = match lead {
                0..=0x7f => 1,
                0xc2..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf4 => 4,
                // No letter begins like this.
                _ => return First::Whole(1, None),
            };
            let is_part = |byte: &u8| (0x80..=0xbf).contains(byte);
            let found = bytes.iter().skip(1).take(length - 1);
            let good = 1 + found.take_while(|byte| is_part(byte)).count();
            if good == length {
                let text = std::str::from_utf8(&bytes[..length]).ok();
                let meaning = text.and_then(|text| text.chars().next()).map(typed);
                First::Whole(length, meaning)
            } else if good < bytes.len() {
                First::Whole(good, None)
            } else {
                First::Part
            }
        }
    }
}

/// A letter as a key. A capital is one with Shift.
fn typed(letter: char) -> Sent {
    let modifiers = if letter.is_uppercase() {
        KeyModifiers::SHIFT
    } else {
        KeyModifiers::NONE
    };
    key(KeyCode::Char(letter), modifiers)
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Sent {
    Sent::Key(KeyEvent::new(code, modifiers))
}

/// What follows `ESC O`: keys in the modes of a keypad.
fn keypad(letter: u8) -> First {
    let code = match letter {
        b'M' => KeyCode::Enter,
        b'j'..=b'y' => KeyCode::Char(char::from(letter - b'j' + b'*')),
        b'P'..=b'S' => KeyCode::F(letter - b'P' + 1),
        _ => match arrow(letter) {
            Some(code) => code,
            // Alt-O, and a key of its own.
            None => {
                return First::Whole(2, Some(key(KeyCode::Char('O'), KeyModifiers::ALT)));
            }
        },
    };
    First::Whole(3, Some(key(code, KeyModifiers::NONE)))
}

fn arrow(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        _ => return None,
    })
}

/// A string of the terminal's, such as the answer to a question about a colour: up to BEL or `ESC \`. A key that ends
/// things ends it as well.
fn string(bytes: &[u8], rest: &[u8]) -> First {
    for (at, byte) in rest.iter().enumerate() {
        let before = bytes.len() - rest.len() + at;
        match (*byte, rest.get(at + 1)) {
            (BEL, _) => return reply(bytes, before + 1),
            (ESC, Some(b'\\')) => return reply(bytes, before + 2),
            (ESC, None) => return First::Part,
            // Another sequence begins, or somebody presses Ctrl-C.
            (ESC, Some(_)) | (0..=0x1f, _) => return First::Whole(before, None),
            _ => {}
        }
    }
    First::Part
}

fn reply(bytes: &[u8], length: usize) -> First {
    First::Whole(length, Some(Sent::Reply(bytes[..length].to_vec())))
}

/// What follows `ESC [`: parameters, then one final letter.
fn control_sequence(rest: &[u8]) -> First {
    const INTRODUCER: usize = 2;
    match rest {
        // F1 to F5 of the Linux console.
        [b'['] => return First::Part,
        [b'[', letter @ b'A'..=b'E', ..] => {
            let code = KeyCode::F(letter - b'A' + 1);
            return First::Whole(INTRODUCER + 2, Some(key(code, KeyModifiers::NONE)));
        }
        // A mouse of the oldest kind: three bytes of any value follow.
        [b'M', position @ ..] => {
            return if position.len() < 3 {
                First::Part
            } else {
                First::Whole(INTRODUCER + 4, None)
            };
        }
        _ => {}
    }
    let is_parameter = |byte: &u8| (0x20..=0x3f).contains(byte);
    let length = rest.iter().take_while(|byte| is_parameter(byte)).count();
    let Some(last) = rest.get(length) else {
        return First::Part;
    };
    if !(0x40..=0x7e).contains(last) {
        // It was cut short, and what follows is a key of its own.
        return First::Whole(INTRODUCER + length, None);
    }
    let whole = INTRODUCER + length + 1;
    let parameters = &rest[..length];
    if (*last, parameters) == (b'~', b"200") {
        return First::PasteBegins(whole);
    }
    if let Some(report) = parameters.strip_prefix(b"<") {
        return First::Whole(whole, mouse(report, *last).map(Sent::Mouse));
    }
    let meaning = key_sequence(parameters, *last).unwrap_or_else(|| {
        let mut reply = vec![ESC, b'['];
        reply.extend(&rest[..=length]);
        Sent::Reply(reply)
    });
    First::Whole(whole, Some(meaning))
}

/// What a report about the mouse means, of the kind with decimal numbers (xterm's mode 1006): button, column, row, and
/// `M` for a press.
fn mouse(report: &[u8], last: u8) -> Option<Mouse> {
    /// What is held down meanwhile.
    const MODIFIERS: u32 = 4 + 8 + 16;
    let numbers: Vec<_> = report.split(|byte| *byte == b';').map(number).collect();
    let &[Some(button), Some(x), Some(y)] = &numbers[..] else {
        return None;
    };
    let what = match (button & !MODIFIERS, last) {
        (0, b'M') => MouseKind::Click,
        (64, b'M') => MouseKind::WheelUp,
        (65, b'M') => MouseKind::WheelDown,
        _ => return None,
    };
    let place = |counted: u32| u16::try_from(counted.checked_sub(1)?).ok();
    Some(Mouse {
        what,
        x: place(x)?,
        y: place(y)?,
    })
}

/// The key that a control sequence stands for; `None` if it is a reply or a report, such as that a key was let go of.
fn key_sequence(parameters: &[u8], last: u8) -> Option<Sent> {
    if parameters
        .first()
        .is_some_and(|sign| !sign.is_ascii_digit() && *sign != b';')
    {
        return None;
    }
    let numbers: Vec<Vec<Option<u32>>> = parameters
        .split(|byte| *byte == b';')
        .map(|parameter| parameter.split(|byte| *byte == b':').map(number).collect())
        .collect();
    let at = |place: usize, part: usize| -> Option<u32> { *numbers.get(place)?.get(part)? };
    let modifiers = modifiers(at(1, 0).unwrap_or(1));
    let code = match last {
        b'P' | b'Q' | b'S' => KeyCode::F(last - b'P' + 1),
        // With parameters it is the place of the cursor.
        b'R' if parameters.is_empty() => KeyCode::F(3),
        b'Z' => return Some(key(KeyCode::BackTab, KeyModifiers::SHIFT)),
        b'~' if at(0, 0) == Some(27) => return letter_of(at(2, 0)?, modifiers),
        b'~' => numbered(at(0, 0)?)?,
        b'u' => {
            const RELEASED: u32 = 3;
            if at(1, 1) == Some(RELEASED) {
                return None;
            }
            return letter_of(at(0, 0)?, modifiers);
        }
        _ => arrow(last)?,
    };
    Some(key(code, modifiers))
}

/// Keys that terminals number.
fn numbered(number: u32) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => function_key(number - 10),
        17..=21 => function_key(number - 11),
        23..=26 => function_key(number - 12),
        28..=29 => function_key(number - 13),
        31..=34 => function_key(number - 14),
        _ => return None,
    })
}

fn function_key(number: u32) -> KeyCode {
    KeyCode::F(u8::try_from(number).unwrap_or(u8::MAX))
}

/// The key of a code point, as terminals send it that tell keys apart which have no sequence of their own.
fn letter_of(code: u32, modifiers: KeyModifiers) -> Option<Sent> {
    let code = match char::from_u32(code)? {
        '\u{1b}' => KeyCode::Esc,
        '\r' | '\n' => KeyCode::Enter,
        '\t' if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
        '\t' => KeyCode::Tab,
        '\u{7f}' | '\u{8}' => KeyCode::Backspace,
        letter if letter.is_control() => return None,
        letter if modifiers.contains(KeyModifiers::SHIFT) => {
            let mut capital = letter.to_uppercase();
            KeyCode::Char(
                capital
                    .next()
                    .filter(|_| capital.len() == 0)
                    .unwrap_or(letter),
            )
        }
        letter => KeyCode::Char(letter),
    };
    Some(key(code, modifiers))
}

/// A parameter; `None` if there is none.
fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What is held down, of a number that is one more than the sum of its bits.
fn modifiers(number: u32) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
        (8, KeyModifiers::SUPER),
    ]
    .into_iter()
    .filter(|(bit, _)| bits & bit != 0)
    .map(|(_, modifier)| modifier)
    .collect()
}

#[cfg(test)]
mod tests;
