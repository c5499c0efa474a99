//! What a terminal shows that is asked about itself, where the environment tells nothing: over ssh and in containers.

use std::process::Command;

use crate::lab::Lab;
use crate::terminal::Terminal;

/// Where the cursor is before and after a letter and a block: each takes one column.
const UNICODE: &str = "\x1b[1;1R\x1b[1;2R\x1b[1;2R";
/// The colour is still the one that was set.
const TRUE_COLOR: &str = "\x1bP1$r0;48:2:1:2:3m\x1b\\";
/// The size of a cell, and two ways to take pictures.
const CELL: &str = "\x1b[6;20;10t";
const KITTY: &str = "\x1b_Gi=1;OK\x1b\\";
/// The answer to the last question, without sixels and with them.
const LAST: &str = "\x1b[?62;22c";
const LAST_WITH_SIXELS: &str = "\x1b[?62;4;22c";

fn trained() -> Lab {
    let lab = Lab::new();
    assert_eq!(lab.train(&["--name", "otter", "--epochs", "1"]).code, 0);
    lab
}

/// A command as it arrives over ssh: without a locale, and with nothing said about colours.
fn over_ssh(lab: &Lab, arguments: &[&str]) -> Command {
    let mut command = lab.command(arguments);
    for name in ["LC_ALL", "LC_CTYPE", "LANG", "COLORTERM", "TMUX"] {
        command.env_remove(name);
    }
    command
}

fn has(terminal: &Terminal, sequence: &str) -> bool {
    let windows = terminal.written.windows(sequence.len());
    windows
        .into_iter()
        .any(|bytes| bytes == sequence.as_bytes())
}

#[test]
fn a_dashboard_shows_what_the_terminal_says_it_can_show() {
    let lab = trained();
    let attach = || over_ssh(&lab, &["attach", "otter"]);
    let answers = [UNICODE, TRUE_COLOR, CELL, KITTY, LAST].concat();
    let mut kitty = Terminal::answering(attach(), &answers);
    kitty.shows("╭▸fixed noise");
    kitty.shows("leave");
    assert!(has(&kitty, "38;2;") && has(&kitty, "\x1b_Ga=T,f=100"));
    kitty.types("q");
    assert_eq!(kitty.ends().code(), Some(0));
    kitty.is_as_before();

    let mut silent = Terminal::with(attach());
    silent.shows("+>fixed noise");
    assert!(!has(&silent, "38;2;") && !has(&silent, "\x1b_Ga=T"));
    silent.types("q");
    assert_eq!(silent.ends().code(), Some(0));
}

#[test]
fn answers_that_come_late_count_and_are_never_keys() {
    let lab = trained();
    let mut terminal = Terminal::with(over_ssh(&lab, &["attach", "otter"]));
    terminal.shows("+>fixed noise");
    terminal.types(&[UNICODE, TRUE_COLOR].concat());
    // A key between two answers.
    terminal.types("?");
    terminal.types(LAST);
    terminal.shows("╭▸keys");
    assert!(has(&terminal, "38;2;"));
    terminal.types("\x1b");
    terminal.until(|screen| !screen.contents().contains("▸keys"));
    terminal.types("q");
    assert_eq!(terminal.ends().code(), Some(0));
}

#[test]
fn a_light_background_gets_dark_letters() {
    let lab = trained();
    let attach = |arguments: &[&str]| {
        let arguments = [&["attach", "otter"], arguments].concat();
        let light = ["\x1b]11;rgb:ffff/ffff/f0f0\x07", TRUE_COLOR, LAST].concat();
        let mut terminal = Terminal::answering(over_ssh(&lab, &arguments), &light);
        terminal.shows("fixed noise");
        terminal.types("q");
        assert_eq!(terminal.ends().code(), Some(0));
        terminal
    };
    // The generator's blue, on light and on dark.
    let (light, dark) = ("38;2;0;98;155", "38;2;86;180;233");
    assert!(has(&attach(&[]), light));
    assert!(has(&attach(&["--theme", "dark"]), dark));
}

#[test]
fn a_terminal_is_asked_again_when_its_program_comes_back_from_the_shell() {
    let lab = trained();
    let answers = [UNICODE, LAST].concat();
    let mut terminal = Terminal::answering(over_ssh(&lab, &["attach", "otter"]), &answers);
    terminal.shows("╭▸fixed noise");
    assert_eq!(terminal.questions(), 1);
    terminal.signal(rustix::process::Signal::CONT);
    terminal.is_asked(2);
    terminal.types("q");
    assert_eq!(terminal.ends().code(), Some(0));
}

#[test]
fn samples_ask_a_terminal_and_never_a_pipe() {
    let lab = trained();
    let sample = ["sample", "otter", "-n", "2", "--device", "cpu"];
    let answers = [UNICODE, TRUE_COLOR, CELL, LAST_WITH_SIXELS].concat();
    let mut terminal = Terminal::answering(over_ssh(&lab, &sample), &answers);
    terminal.shows("safetensors, seed");
    assert_eq!(terminal.ends().code(), Some(0));
    assert!(has(&terminal, "\x1bP0;1;0q"));
    terminal.is_as_before();

    let said = lab.sparring(&sample);
    assert_eq!(said.code, 0);
    assert!(
        !said.out.contains('\x1b') && !said.err.contains('\x1b'),
        "{said:?}"
    );
}

#[test]
fn what_was_typed_ahead_is_kept_for_the_next_program() {
    let lab = trained();
    let programs = std::path::Path::new(env!("CARGO_BIN_EXE_sparring"));
    let line = format!(
        "read first; {} sample otter -n 1 --device cpu; read second; echo got $second",
        programs.display()
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]).env("TERM", "xterm-256color");
    for (name, value) in over_ssh(&lab, &[]).get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let mut terminal = Terminal::with(shell);
    terminal.types("first\nsecond\n");
    terminal.shows("got second");
    assert_eq!(terminal.ends().code(), Some(0));
    assert_eq!(terminal.questions(), 0);
}

#[test]
fn letters_of_another_size_change_the_pictures() {
    let lab = trained();
    let answers = [UNICODE, TRUE_COLOR, CELL, KITTY, LAST].concat();
    let attach = over_ssh(&lab, &["attach", "otter"]);
    let mut terminal = Terminal::answering(attach, &answers);
    terminal.shows("╭▸fixed noise");
    terminal.resize(100, 30);
    terminal.is_asked(2);
    terminal.types("q");
    assert_eq!(terminal.ends().code(), Some(0));
}

#[test]
fn a_way_to_draw_that_the_terminal_does_not_know_is_refused_in_a_line() {
    let lab = trained();
    let sample = [
        "sample", "otter", "-n", "1", "--device", "cpu", "--render", "kitty",
    ];
    let mut terminal = Terminal::answering(over_ssh(&lab, &sample), &[UNICODE, LAST].concat());
    terminal
        .shows("no pictures by --render kitty: the terminal does not say how large its cells are");
    assert_eq!(terminal.ends().code(), Some(0));
}
