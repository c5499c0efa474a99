//! What is done to examples: what accidents do to files, and what somebody does who knows formats.

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Words that parsers take for more than text, and that stand in a reader's way.
const WORDS: &[&str] = &[
    "\0",
    "\x1b",
    "\x1b[",
    "\r\n",
    "\n",
    "\"",
    "\\",
    "\\u0000",
    "{",
    "}",
    "[",
    "]",
    "[[",
    ",",
    ":",
    "=",
    "#",
    "'",
    "null",
    "true",
    "nan",
    "inf",
    "-",
    "-0",
    "-1",
    "0",
    "1e999",
    "1e-999",
    "255",
    "65536",
    "2147483648",
    "4294967295",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "é",
    "🦦",
    "\u{202e}",
    "..",
    "/",
    "__metadata__",
];

/// Numbers at the edges of what types hold.
const EDGES: &[u64] = &[
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_ffff_fff7,
    u64::MAX,
];

/// One change.
#[derive(Clone, Debug)]
enum Mutation {
    /// Flips a bit.
    Flip(Index, u8),
    /// Replaces a byte.
    Byte(Index, u8),
    /// Writes a number over what is there: its size in bytes, and whether its first byte is the lowest.
    Number(Index, u64, usize, bool),
    /// Inserts a word.
    Word(Index, &'static str),
    /// Removes bytes.
    Remove(Index, usize),
    /// Repeats bytes, many times.
    Repeat(Index, usize, usize),
    /// Cuts the end off.
    Cut(Index),
    /// Replaces what follows by the end of another example.
    Splice(Index, Index, Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = any::<Index>;
    prop_oneof![
        (place(), 0..8_u8).prop_map(|(place, bit)| Mutation::Flip(place, bit)),
        (place(), any::<u8>()).prop_map(|(place, byte)| Mutation::Byte(place, byte)),
        (
            place(),
            select(EDGES),
            select(&[1_usize, 2, 4, 8][..]),
            any::<bool>()
        )
            .prop_map(|(place, number, size, low)| Mutation::Number(place, number, size, low)),
        (place(), select(WORDS)).prop_map(|(place, word)| Mutation::Word(place, word)),
        (place(), 1..32_usize).prop_map(|(place, count)| Mutation::Remove(place, count)),
        (place(), 1..32_usize, 1..200_usize)
            .prop_map(|(place, count, times)| Mutation::Repeat(place, count, times)),
        place().prop_map(Mutation::Cut),
        (place(), place(), place())
            .prop_map(|(place, other, from)| Mutation::Splice(place, other, from)),
    ]
}

/// Examples, each with a few changes.
pub fn mutated(examples: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = proptest::collection::vec(mutation(), 1..6);
    (any::<Index>(), changes).prop_map(move |(example, changes)| {
        let mut bytes = examples[example.index(examples.len())].clone();
        for change in &changes {
            apply(change, &mut bytes, &examples);
        }
        bytes
    })
}

fn apply(change: &Mutation, bytes: &mut Vec<u8>, examples: &[Vec<u8>]) {
    // A place between two bytes, or at an end.
    let between = |place: &Index| place.index(bytes.len() + 1);
    match change {
        Mutation::Flip(place, bit) => {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] ^= 1 << bit;
            }
        }
        Mutation::Byte(place, byte) => {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = *byte;
            }
        }
        Mutation::Number(place, number, size, low) => {
            let place = between(place);
            let end = bytes.len().min(place + size);
            let number = if *low {
                number.to_le_bytes()[..*size].to_vec()
            } else {
                number.to_be_bytes()[8 - size..].to_vec()
            };
            bytes.splice(place..end, number);
        }
        Mutation::Word(place, word) => {
            let place = between(place);
            bytes.splice(place..place, word.bytes());
        }
        Mutation::Remove(place, count) => {
            let place = between(place);
            let end = bytes.len().min(place + count);
            bytes.drain(place..end);
        }
        Mutation::Repeat(place, count, times) => {
            let place = between(place);
            let end = bytes.len().min(place + count);
            let repeated = bytes[place..end].repeat(*times);
            bytes.splice(place..place, repeated);
        }
        Mutation::Cut(place) => {
            let place = between(place);
            bytes.truncate(place);
        }
        Mutation::Splice(place, other, from) => {
            let place = between(place);
            let other = &examples[other.index(examples.len())];
            bytes.truncate(place);
            bytes.extend(&other[from.index(other.len() + 1)..]);
        }
    }
}
