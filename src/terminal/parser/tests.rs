use crossterm::event::KeyCode::{self, *};
use proptest::prelude::*;

use super::*;

const NONE: KeyModifiers = KeyModifiers::NONE;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;
const ALT: KeyModifiers = KeyModifiers::ALT;
const CONTROL: KeyModifiers = KeyModifiers::CONTROL;

/// What these bytes mean, with silence after them.
fn sent(bytes: &[u8]) -> Vec<Sent> {
    let mut parser = Parser::default();
    let mut sent = parser.feed(bytes);
    sent.extend(parser.silence());
    sent
}

fn keys(bytes: &[u8]) -> Vec<(KeyCode, KeyModifiers)> {
    sent(bytes)
        .into_iter()
        .map(|sent| match sent {
            Sent::Key(key) => (key.code, key.modifiers),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn keys_are_understood_as_terminals_send_them() {
    for (bytes, code, modifiers) in [
        (&b"q"[..], Char('q'), NONE),
        (b"Q", Char('Q'), SHIFT),
        ("ä".as_bytes(), Char('ä'), NONE),
        ("犬".as_bytes(), Char('犬'), NONE),
        ("🚀".as_bytes(), Char('🚀'), NONE),
        (b"\r", Enter, NONE),
        (b"\t", Tab, NONE),
        (b"\x7f", Backspace, NONE),
        (b"\x03", Char('c'), CONTROL),
        (b"\n", Char('j'), CONTROL),
        (b"\x00", Char(' '), CONTROL),
        (b"\x1c", Char('4'), CONTROL),
        (b"\x1b", Esc, NONE),
        (b"\x1bx", Char('x'), ALT),
        (b"\x1b[", Char('['), ALT),
        (b"\x1bO", Char('O'), ALT),
        ("\x1bé".as_bytes(), Char('é'), ALT),
        (b"\x1b\x03", Char('c'), CONTROL.union(ALT)),
        (b"\x1b[A", Up, NONE),
        (b"\x1bOB", Down, NONE),
        (b"\x1b[1;5C", Right, CONTROL),
        (b"\x1b[1;2D", Left, SHIFT),
        (b"\x1b[H", Home, NONE),
        (b"\x1b[4~", End, NONE),
        (b"\x1b[5~", PageUp, NONE),
        (b"\x1b[3;5~", Delete, CONTROL),
        (b"\x1b[Z", BackTab, SHIFT),
        (b"\x1bOP", F(1), NONE),
        (b"\x1b[[B", F(2), NONE),
        (b"\x1b[R", F(3), NONE),
        (b"\x1b[15~", F(5), NONE),
        (b"\x1b[24~", F(12), NONE),
        (b"\x1b[1;3S", F(4), ALT),
        (b"\x1b[34~", F(20), NONE),
        (b"\x1bOM", Enter, NONE),
        (b"\x1bOk", Char('+'), NONE),
        (b"\x1b[97u", Char('a'), NONE),
        (b"\x1b[97;2u", Char('A'), SHIFT),
        (b"\x1b[99;5u", Char('c'), CONTROL),
        (b"\x1b[27u", Esc, NONE),
        (b"\x1b[9;2u", BackTab, SHIFT),
        (b"\x1b[27;5;13~", Enter, CONTROL),
    ] {
        assert_eq!(
            keys(bytes),
            [(code, modifiers)],
            "{:?}",
            bytes.escape_ascii().to_string()
        );
    }
}

#[test]
fn what_a_terminal_says_by_itself_is_no_key() {
    for reply in [
        &b"\x1b[?1;2c"[..],
        b"\x1b[12;40R",
        b"\x1b[0;0R",
        b"\x1b[1;0R",
        b"\x1b[?2026;2$y",
        b"\x1b[I",
        // A key is let go of.
        b"\x1b[97;1:3u",
        b"\x1b[6;18;9t",
        b"\x1b]11;rgb:1e1e/1e1e/2e2e\x07",
        b"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\",
        b"\x1bP>|xterm(390)\x1b\\",
        b"\x1b_Gi=1;OK\x1b\\",
    ] {
        assert_eq!(sent(reply), [Sent::Reply(reply.to_vec())]);
    }
    assert_eq!(sent(b"\x1b[M   "), []);
}

#[test]
fn a_paste_is_one_piece_whatever_is_in_it() {
    let pasted = |text: &str| [Sent::Paste(text.to_owned())];
    assert_eq!(
        sent(b"\x1b[200~one\ntwo\x1b[A\x03\x1b[201~"),
        pasted("one\ntwo\x1b[A\x03")
    );
    assert_eq!(sent(b"\x1b[200~\xff\x1b[201~"), pasted("\u{fffd}"));
    assert_eq!(sent(b"\x1b[200~no end"), pasted("no end"));
    let mut long = b"\x1b[200~".to_vec();
    long.extend(vec![b'x'; LONGEST_PASTE + 1000]);
    long.extend(PASTE_END);
    long.push(b'q');
    let [Sent::Paste(text), Sent::Key(key)] = &sent(&long)[..] else {
        panic!("not a paste and a key")
    };
    assert_eq!((text.len(), key.code), (LONGEST_PASTE, Char('q')));
}

#[test]
fn what_is_cut_short_swallows_no_later_key() {
    for begun in [
        &b"\x1b[?2026;2$"[..],
        b"\x1b[?1;2",
        b"\x1b[200~",
        b"\x1b]11;rgb:",
        b"\x1bP>|",
        b"\x1b[M ",
        b"\xf0\x9f",
    ] {
        let mut parser = Parser::default();
        parser.feed(begun);
        assert!(parser.patience().is_some());
        parser.silence();
        assert_eq!(parser.patience(), None);
        assert_eq!(parser.feed(b"q"), [typed('q')]);
        // Ctrl-C need not wait for silence, unless it is pasted or belongs to a mouse.
        if !begun.starts_with(b"\x1b[200") && !begun.starts_with(b"\x1b[M") {
            let mut parser = Parser::default();
            parser.feed(begun);
            assert_eq!(parser.feed(b"\x03"), [key(Char('c'), CONTROL)]);
        }
    }
}

/// Bytes that mean something more often than any others do.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        prop::sample::select(vec![
            "\x1b",
            "\x1b[",
            "\x1bO",
            "\x1b]",
            "\x1bP",
            "\x1b[<",
            "\x1b[?",
            "\x1b[200~",
            "\x1b[201~",
            "\x1b\\",
            "\x07",
            ";",
            ":",
            "0",
            "1",
            "27",
            "99999999999",
            "~",
            "u",
            "R",
            "M",
            "A",
            "[",
            "\x03",
            "q",
            "ä",
            "🚀",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

#[test]
fn the_mouse_is_no_key() {
    let mouse = |what, x, y| vec![Sent::Mouse(Mouse { what, x, y })];
    assert_eq!(sent(b"\x1b[<0;1;1M"), mouse(MouseKind::Click, 0, 0));
    assert_eq!(
        sent(b"\x1b[<16;300;2M"),
        mouse(MouseKind::Click, 299, 1),
        "with Ctrl"
    );
    assert_eq!(sent(b"\x1b[<64;5;6M"), mouse(MouseKind::WheelUp, 4, 5));
    assert_eq!(sent(b"\x1b[<65;5;6M"), mouse(MouseKind::WheelDown, 4, 5));
    for other in [
        &b"\x1b[<0;1;1m"[..],
        b"\x1b[<2;1;1M",
        b"\x1b[<32;1;1M",
        b"\x1b[<0;0;1M",
        b"\x1b[<0;99999;1M",
        b"\x1b[<0;1M",
        b"\x1b[<M",
    ] {
        assert_eq!(sent(other), []);
    }
}

proptest! {
    #[test]
    fn it_does_not_matter_how_bytes_are_split(bytes in bytes(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        places.sort_unstable();
        places.push(bytes.len());
        let mut parser = Parser::default();
        let mut split = Vec::new();
        let mut begin = 0;
        for end in places {
            split.extend(parser.feed(&bytes[begin..end]));
            begin = end;
        }
        split.extend(parser.silence());
        prop_assert_eq!(split, sent(&bytes));
    }

    #[test]
    fn after_any_bytes_and_silence_a_key_arrives(bytes in bytes()) {
        let mut parser = Parser::default();
        parser.feed(&bytes);
        parser.silence();
        prop_assert_eq!(parser.patience(), None);
        prop_assert_eq!(parser.feed(b"q"), [typed('q')]);
    }
}

mod fuzz {
    use super::*;

    #[test]
    fn what_terminals_send() {
        sparring_fuzz::fuzz("terminal", |bytes| {
            let whole = sent(bytes);
            let mut parser = Parser::default();
            let mut by_byte: Vec<_> = bytes
                .iter()
                .flat_map(|byte| parser.feed(&[*byte]))
                .collect();
            by_byte.extend(parser.silence());
            assert_eq!(by_byte, whole);
            assert_eq!(parser.patience(), None);
            assert_eq!(parser.feed(b"q"), [typed('q')]);
            !whole.is_empty()
        });
    }
}
