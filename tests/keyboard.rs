//! A keyboard that works whatever the terminal sends.

use rustix::process::Signal;
use sparring_contract::protocol::Event;

use crate::actor::Actor;
use crate::lab::Lab;
use crate::terminal::Terminal;

/// A dashboard of an actor's run, in a terminal.
fn attach(lab: &Lab) -> Terminal {
    let mut terminal = Terminal::with(lab.command(&["attach", "otter"]));
    terminal.shows("training");
    terminal
}

/// Sequences at which crossterm's reader panics, and some that it waits for to end for ever.
const HOSTILE: [&str; 10] = [
    "\x1b[M   ",
    "\x1b[0;0R",
    "\x1b[1;0R",
    "\x1b[<0;0;0M",
    "\x1b[?2026;2$y",
    "\x1b[?1;2",
    "\x1b[200~",
    "\x1b]11;rgb:1e1e",
    "\x1bP>|xterm",
    "\x1b[99999999999999999999;5C",
];

#[test]
fn whatever_a_terminal_sends_keys_work_after_it() {
    let lab = Lab::new();
    let _actor = Actor::of(&lab, "otter");
    for hostile in HOSTILE {
        let mut terminal = attach(&lab);
        terminal.types(hostile);
        // What is typed at once may belong to what came before.
        terminal.presses_until_it_ends("d");
        terminal.is_as_before();
    }
}

#[test]
fn ctrl_c_leaves_after_whatever_a_terminal_sends() {
    let lab = Lab::new();
    let _actor = Actor::of(&lab, "otter");
    for hostile in HOSTILE {
        let mut terminal = attach(&lab);
        terminal.types(hostile);
        terminal.presses_until_it_ends("\x03");
        terminal.is_as_before();
    }
}

#[test]
fn sigquit_gives_the_terminal_back() {
    let lab = Lab::new();
    let _actor = Actor::of(&lab, "otter");
    let mut terminal = attach(&lab);
    terminal.signal(Signal::QUIT);
    assert_eq!(terminal.ends().code(), Some(131));
    terminal.is_as_before();
}

#[test]
fn a_terminal_that_claims_to_be_huge_is_drawn_on_as_far_as_makes_sense() {
    let lab = Lab::new();
    let _actor = Actor::of(&lab, "otter");
    let mut terminal = attach(&lab);
    terminal.claims_to_have(u16::MAX, u16::MAX);
    terminal.types("q");
    assert_eq!(terminal.ends().code(), Some(0));
}

#[test]
fn a_terminal_that_takes_no_more_bytes_keeps_nobody_from_leaving() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    let mut terminal = attach(&lab);
    terminal.is_full();
    actor.tells(Event::Note {
        step: 120,
        text: "nobody sees this".to_owned(),
    });
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.ends_unread().code(), Some(143));
}
