//! What is made of flags, variables and answers.

use super::super::query::Answers;
use super::*;

const XTERM: [(&str, &str); 2] = [("TERM", "xterm-256color"), ("LANG", "en_US.UTF-8")];

fn environment(is_terminal: bool, variables: &[(&str, &str)]) -> Environment {
    Environment {
        is_terminal,
        size: is_terminal.then_some(Size::new(120, 34)),
        variables: variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Environment::default()
    }
}

/// A terminal that has told this.
fn told(variables: &[(&str, &str)], sequences: &[&str]) -> Environment {
    let mut answers = Answers::default();
    for sequence in sequences {
        answers.take(sequence.as_bytes());
    }
    Environment {
        answers,
        ..environment(true, variables)
    }
}

/// What a terminal can show that has told this.
fn answering(variables: &[(&str, &str)], sequences: &[&str]) -> Capabilities {
    let environment = told(variables, sequences);
    Capabilities::new(&environment, ColorChoice::Auto, RenderChoice::Auto)
}

const ONE_LETTER: [&str; 3] = ["\x1b[1;1R", "\x1b[1;2R", "\x1b[1;2R"];
const KEEPS_COLOUR: &str = "\x1bP1$r0;48:2:1:2:3m\x1b\\";
const CELL: &str = "\x1b[6;20;10t";
const KITTY: &str = "\x1b_Gi=1;OK\x1b\\";
const SIXEL: &str = "\x1b[?62;4c";

fn terminal(variables: &[(&str, &str)]) -> Capabilities {
    Capabilities::new(
        &environment(true, variables),
        ColorChoice::Auto,
        RenderChoice::Auto,
    )
}

fn colors_of(term: &str) -> Colors {
    terminal(&[("TERM", term), ("LANG", "C.UTF-8")]).colors
}

#[test]
fn a_terminal_of_today_gets_half_blocks_in_colour() {
    let told = terminal(&[XTERM[0], XTERM[1], ("COLORTERM", "truecolor")]);
    assert_eq!(
        told,
        Capabilities {
            is_terminal: true,
            colors: Colors::True,
            unicode: true,
            render: Render::Half,
            graphics: None,
            size: Size::new(120, 34),
        }
    );
    assert_eq!(terminal(&XTERM).colors, Colors::Ansi256);
}

#[test]
fn the_name_of_a_terminal_tells_its_colours_where_ssh_lost_colorterm() {
    for term in [
        "xterm-kitty",
        "alacritty",
        "foot-extra",
        "xterm-ghostty",
        "wezterm",
        "xterm-direct",
    ] {
        assert_eq!(colors_of(term), Colors::True, "{term}");
    }
    assert_eq!(colors_of("putty-256color"), Colors::Ansi256);
    assert_eq!(colors_of("xterm"), Colors::Ansi16);
    assert_eq!(colors_of("linux"), Colors::Ansi16);
    assert_eq!(colors_of("vt100"), Colors::None);
}

#[test]
fn screen_gets_no_24_bit_colours_and_tmux_does() {
    let truecolor = ("COLORTERM", "truecolor");
    let screen = ("TERM", "screen-256color");
    assert_eq!(terminal(&[screen, truecolor]).colors, Colors::Ansi256);
    let tmux = ("TMUX", "/tmp/tmux-0/default,1,0");
    assert_eq!(terminal(&[screen, truecolor, tmux]).colors, Colors::True);
    assert_eq!(
        terminal(&[("TERM", "screen"), tmux]).colors,
        Colors::Ansi256
    );
    assert_eq!(
        terminal(&[("TERM", "tmux-256color")]).colors,
        Colors::Ansi256
    );
    assert_eq!(terminal(&[("TERM", "screen")]).colors, Colors::Ansi16);
}

#[test]
fn no_color_gives_braille_unless_color_is_always() {
    let mut variables = XTERM.to_vec();
    variables.push(("NO_COLOR", "1"));
    let told = terminal(&variables);
    assert_eq!((told.colors, told.render), (Colors::None, Render::Braille));
    let always = Capabilities::new(
        &environment(true, &variables),
        ColorChoice::Always,
        RenderChoice::Auto,
    );
    assert_eq!(
        (always.colors, always.render),
        (Colors::Ansi256, Render::Half)
    );
    assert_eq!(
        terminal(&[XTERM[0], XTERM[1], ("NO_COLOR", "")]).colors,
        Colors::Ansi256
    );
}

#[test]
fn a_pipe_gets_no_escapes_and_its_width_from_columns() {
    let pipe = |variables: &[_], color| {
        Capabilities::new(&environment(false, variables), color, RenderChoice::Auto)
    };
    let told = pipe(&XTERM, ColorChoice::Auto);
    assert_eq!((told.colors, told.render), (Colors::None, Render::Braille));
    assert_eq!(told.size, Size::new(80, 24));
    assert_eq!(
        pipe(&[("COLUMNS", "132")], ColorChoice::Auto).size.width,
        132
    );
    assert_eq!(pipe(&[("COLUMNS", "0")], ColorChoice::Auto).size.width, 80);
    assert_eq!(pipe(&XTERM, ColorChoice::Always).colors, Colors::Ansi256);
    assert_eq!(pipe(&[], ColorChoice::Always).colors, Colors::Ansi16);
}

#[test]
fn a_dumb_terminal_gets_ascii() {
    for term in ["dumb", ""] {
        let told = terminal(&[
            ("TERM", term),
            ("LANG", "C.UTF-8"),
            ("COLORTERM", "truecolor"),
        ]);
        assert_eq!(
            (told.colors, told.render),
            (Colors::None, Render::Ascii),
            "{term:?}"
        );
    }
}

#[test]
fn the_first_locale_that_is_set_decides_about_unicode() {
    let term = ("TERM", "xterm");
    let unicode =
        |locale: &[(&'static str, &'static str)]| terminal(&[&[term], locale].concat()).unicode;
    assert!(unicode(&[("LANG", "de_DE.utf8")]));
    assert!(unicode(&[
        ("LC_ALL", ""),
        ("LC_CTYPE", "C.UTF-8"),
        ("LANG", "C")
    ]));
    assert!(!unicode(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]));
    assert!(!unicode(&[]));
}

#[test]
fn what_decided_can_be_told() {
    let reasons = |is_terminal, variables: &[_], color, render| {
        let told = Capabilities::reasons(&environment(is_terminal, variables), color, render);
        (told.colors, told.unicode)
    };
    let told = |colors: &str, unicode: &str| (colors.to_owned(), unicode.to_owned());
    let auto = |variables: &[_]| reasons(true, variables, ColorChoice::Auto, RenderChoice::Auto);
    let truecolor = ("COLORTERM", "truecolor");
    assert_eq!(
        auto(&[XTERM[0], XTERM[1], truecolor]),
        told("COLORTERM=truecolor", "LANG=en_US.UTF-8")
    );
    assert_eq!(
        auto(&[("TERM", "xterm-kitty"), ("LC_ALL", "C"), XTERM[1]]),
        told("TERM=xterm-kitty", "LC_ALL=C")
    );
    let tmux = ("TMUX", "/tmp/tmux-0/default,1,0");
    assert_eq!(
        auto(&[("TERM", "screen"), tmux]),
        told("TMUX=/tmp/tmux-0/default,1,0", "LANG is not set")
    );
    assert_eq!(
        auto(&[("TERM", "dumb"), truecolor]),
        told("TERM=dumb", "TERM=dumb")
    );
    assert_eq!(auto(&[]), told("TERM is not set", "TERM is not set"));
    assert_eq!(
        auto(&[XTERM[0], XTERM[1], ("NO_COLOR", "1")]).0,
        "NO_COLOR=1"
    );
    assert_eq!(
        reasons(false, &XTERM, ColorChoice::Auto, RenderChoice::Half),
        told("no terminal", "--render")
    );
    assert_eq!(
        reasons(false, &XTERM, ColorChoice::Always, RenderChoice::Auto).0,
        "TERM=xterm-256color"
    );
}

#[test]
fn an_explicit_render_says_what_the_terminal_shows() {
    let bare = environment(true, &[("TERM", "xterm")]);
    let half = Capabilities::new(&bare, ColorChoice::Auto, RenderChoice::Half);
    assert_eq!((half.unicode, half.render), (true, Render::Half));
    let rich = environment(true, &XTERM);
    let ascii = Capabilities::new(&rich, ColorChoice::Auto, RenderChoice::Ascii);
    assert_eq!((ascii.unicode, ascii.render), (false, Render::Ascii));
}

#[test]
fn a_terminal_knows_better_than_an_environment_that_ssh_emptied() {
    let lost = [("TERM", "xterm-256color")];
    let bare = answering(&lost, &[]);
    assert_eq!((bare.colors, bare.render), (Colors::Ansi256, Render::Ascii));
    let asked = answering(&lost, &[&ONE_LETTER[..], &[KEEPS_COLOUR]].concat());
    assert_eq!((asked.colors, asked.render), (Colors::True, Render::Half));
    let named = answering(&lost, &["\x1bP>|VTE(7006)\x1b\\"]);
    assert_eq!(named.colors, Colors::True);
    // Whoever sets LC_ALL means it.
    let meant = [("TERM", "xterm-256color"), ("LC_ALL", "C")];
    assert!(!answering(&meant, &ONE_LETTER).unicode);
    // Two letters instead of one: the terminal does not read UTF-8, whatever the locale says.
    let two = ["\x1b[1;1R", "\x1b[1;3R", "\x1b[1;4R"];
    assert!(!answering(&XTERM, &two).unicode);
}

#[test]
fn pixels_need_a_protocol_and_the_size_of_a_cell() {
    let graphics = |sequences: &[&str]| answering(&XTERM, sequences).graphics;
    let by = |protocol| {
        Some(Graphics {
            protocol,
            cell: (10, 20),
        })
    };
    assert_eq!(graphics(&[CELL, KITTY]), by(Protocol::Kitty));
    assert_eq!(graphics(&[CELL, SIXEL]), by(Protocol::Sixel));
    let iterm = "\x1bP>|iTerm2 3.5.0\x1b\\";
    assert_eq!(graphics(&[CELL, SIXEL, iterm]), by(Protocol::Iterm));
    let konsole = "\x1bP>|Konsole 23.08\x1b\\";
    assert_eq!(
        graphics(&[CELL, SIXEL, KITTY, konsole]),
        by(Protocol::Sixel)
    );
    assert_eq!(graphics(&[KITTY]), None);
    assert_eq!(graphics(&["\x1b[6;0;10t", KITTY]), None);
    assert_eq!(graphics(&[CELL]), None);
    let shown = answering(&XTERM, &[CELL, KITTY]);
    assert_eq!(shown.render, Render::Pixels((10, 20)));
    assert_eq!(shown.without_graphics().render, Render::Half);
}

#[test]
fn the_size_of_a_cell_may_come_from_the_system() {
    let environment = Environment {
        cell: Some((9, 18)),
        ..told(&XTERM, &[KITTY])
    };
    let found = Capabilities::new(&environment, ColorChoice::Auto, RenderChoice::Auto);
    assert_eq!(found.graphics.map(|graphics| graphics.cell), Some((9, 18)));
}

#[test]
fn who_wants_no_colours_or_a_way_in_cells_gets_no_pixels() {
    let kitty = told(&XTERM, &[CELL, KITTY]);
    for (color, render) in [
        (ColorChoice::Never, RenderChoice::Auto),
        (ColorChoice::Never, RenderChoice::Pixels(Protocol::Kitty)),
        (ColorChoice::Auto, RenderChoice::Half),
        (ColorChoice::Auto, RenderChoice::Braille),
    ] {
        assert_eq!(Capabilities::new(&kitty, color, render).graphics, None);
    }
}

#[test]
fn a_protocol_that_cannot_be_used_is_refused_with_the_reason() {
    let sixel = RenderChoice::Pixels(Protocol::Sixel);
    let refusal = |environment: &Environment, render| {
        Capabilities::refusal(environment, ColorChoice::Auto, render)
    };
    assert_eq!(
        refusal(&told(&XTERM, &[]), sixel).unwrap(),
        "no pictures by --render sixel: the terminal does not say how large its cells are"
    );
    assert_eq!(refusal(&told(&XTERM, &[CELL]), sixel), None);
    assert_eq!(refusal(&told(&XTERM, &[]), RenderChoice::Auto), None);
    let tmux = [("TERM", "tmux-256color"), XTERM[1]];
    let kitty = RenderChoice::Pixels(Protocol::Kitty);
    let refused = refusal(&told(&tmux, &[CELL]), kitty).unwrap();
    assert!(refused.contains("terminal-features"), "{refused}");
    // tmux that was built with sixels shows them.
    let shown = answering(&tmux, &[CELL, SIXEL]);
    assert_eq!(
        shown.graphics.map(|graphics| graphics.protocol),
        Some(Protocol::Sixel)
    );
}
