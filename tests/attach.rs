//! A dashboard in a real terminal, in front of a scripted worker.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command as Program;
use std::time::Duration;

use rustix::process::Signal;
use sparring_contract::exit;
use sparring_contract::protocol::{
    Command, Ended, Event, PROTOCOL, Phase, Pictures, Purpose, Reason, ToFace, Verdict,
};
use sparring_contract::run::EventLog;

use crate::actor::{Actor, STEP, health, new_run, now, pictures, started, stats};
use crate::lab::Lab;
use crate::terminal::{Terminal, ends_within, eventually};

fn attach(lab: &Lab, arguments: &[&str]) -> Terminal {
    Terminal::with(lab.command(&[&["attach"], arguments].concat()))
}

fn training(terminal: &mut Terminal) {
    terminal.shows("● training");
}

/// The next command that comes from a face. Its terminal is read meanwhile: a face that nobody reads cannot go on.
#[track_caller]
fn asked(terminal: &mut Terminal, actor: &Actor) -> Command {
    terminal.until_there_is(|| actor.was_asked())
}

#[test]
fn attaching_shows_the_run_and_leaving_gives_the_terminal_back() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    let mut terminal = attach(&lab, &[]);
    training(&mut terminal);
    let screen = terminal.screen();
    assert!(screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste());
    terminal.types("d");
    let status = terminal.ends();
    assert_eq!(status.code(), Some(0));
    terminal.shows("come back: sparring attach otter");
    terminal.shows("end it:    sparring stop otter");
    terminal.is_as_before();
    assert_eq!(actor.was_asked(), None);
}

#[test]
fn a_pause_is_shown_as_asked_for_until_the_worker_confirms_it() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    let mut terminal = attach(&lab, &["otter"]);
    training(&mut terminal);
    actor.falls_silent();
    terminal.types(" ");
    assert_eq!(asked(&mut terminal, &actor), Command::Pause);
    terminal.shows("pausing…");
    actor.tells(Event::Phase {
        phase: Phase::Paused,
        step: STEP,
    });
    terminal.shows("paused at step 120");
}

#[test]
fn keys_are_commands_and_what_follows_is_on_the_screen() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    let mut terminal = attach(&lab, &[]);
    training(&mut terminal);
    terminal.types("p");
    assert_eq!(asked(&mut terminal, &actor), Command::Pause);
    terminal.shows("paused at step 120");
    terminal.types("p");
    assert_eq!(asked(&mut terminal, &actor), Command::Resume);
    training(&mut terminal);
    terminal.types("s");
    assert!(matches!(
        asked(&mut terminal, &actor),
        Command::Sample { .. }
    ));
    terminal.shows("fresh noise");
    terminal.types("c");
    assert_eq!(asked(&mut terminal, &actor), Command::Checkpoint);
    terminal.types("nlooks fine\r");
    let text = "looks fine".to_owned();
    assert_eq!(asked(&mut terminal, &actor), Command::Note { text });
    terminal.shows("note: looks fine");
    terminal.types("x");
    terminal.types("s");
    assert_eq!(asked(&mut terminal, &actor), Command::Stop { save: true });
}

#[test]
fn pasted_text_never_acts_as_keys() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    let mut terminal = attach(&lab, &[]);
    training(&mut terminal);
    terminal.types("\x1b[200~xk p c q d\r\x1b[201~");
    // The key after the paste is the first that acts.
    terminal.types(".");
    assert_eq!(asked(&mut terminal, &actor), Command::Step { steps: 1 });
    assert_eq!(actor.was_asked(), None);
}

#[test]
fn several_faces_see_the_same_and_a_read_only_one_gives_no_commands() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    let mut one = attach(&lab, &[]);
    let mut other = attach(&lab, &["--read-only"]);
    training(&mut one);
    training(&mut other);
    other.types("p");
    other.shows("--read-only");
    one.types("p");
    assert_eq!(asked(&mut one, &actor), Command::Pause);
    one.shows("paused at step 120");
    other.shows("paused at step 120");
    assert_eq!(actor.was_asked(), None);
    assert_eq!(actor.watchers(), 2);
}

#[test]
fn messages_of_a_newer_build_are_passed_over() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    let mut terminal = attach(&lab, &[]);
    training(&mut terminal);
    actor.says_raw(r#"{"message":"smell","of":"coffee"}"#);
    actor
        .says_raw(r#"{"message":"event","sequence":2,"record":{"event":"teleported","time":1.0}}"#);
    actor.says_raw(
        r#"{"message":"event","sequence":3,"record":{"event":"note","step":"many","time":1.0}}"#,
    );
    actor.tells(Event::Note {
        step: STEP,
        text: "still here".to_owned(),
    });
    actor.tells(Event::Note {
        step: STEP,
        text: "and here".to_owned(),
    });
    terminal.shows("and here");
}

#[test]
fn a_worker_of_another_protocol_is_refused_with_what_to_do() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    for (protocol, advice) in [
        (PROTOCOL - 1, "go on with `sparring train --resume`"),
        (PROTOCOL + 1, "use the newer sparring"),
    ] {
        actor.speaks(protocol);
        let mut terminal = attach(&lab, &[]);
        terminal.shows(&format!("the worker speaks version {protocol}"));
        terminal.until(|screen| screen.contents().replace('\n', "").contains(advice));
        assert_eq!(terminal.ends().code(), Some(1));
        let said = lab.sparring(&["pause"]);
        assert_eq!(said.code, 1);
        assert!(said.err.contains(advice), "{said:?}");
    }
}

#[test]
fn what_was_left_out_of_a_message_is_told_in_the_log() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    let mut terminal = attach(&lab, &[]);
    training(&mut terminal);
    actor.says(&ToFace::Omitted {
        what: "pictures left out".to_owned(),
    });
    terminal.shows("pictures left out");
}

#[test]
fn many_large_pictures_in_colour_are_shown_as_far_as_there_is_room() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    let mut terminal = attach(&lab, &[]);
    training(&mut terminal);
    let pixel = |index: u32| index.wrapping_mul(2_654_435_761).to_be_bytes()[1];
    let many = Pictures {
        step: 150,
        count: 256,
        channels: 3,
        height: 64,
        width: 64,
        pixels: (0..256 * 3 * 64 * 64).map(pixel).collect(),
        ..pictures(Purpose::Fixed, 0)
    };
    actor.says_at_length(ToFace::Pictures(many.clone()));
    terminal.shows("step 150");
    terminal.shows("of 256");
    terminal.types("s");
    assert!(matches!(
        asked(&mut terminal, &actor),
        Command::Sample { .. }
    ));
    terminal.shows("fresh noise ── step 120");
    actor.says_at_length(ToFace::Pictures(Pictures {
        purpose: Purpose::Fresh,
        step: 151,
        ..many
    }));
    terminal.shows("fresh noise ── step 151");
}

#[test]
fn newer_pictures_replace_older_ones() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    let mut terminal = attach(&lab, &[]);
    training(&mut terminal);
    for step in [130, 140, 150] {
        let mut newer = pictures(Purpose::Fixed, 90);
        newer.step = step;
        actor.says(&ToFace::Pictures(newer));
    }
    terminal.shows("step 150");
}

#[test]
fn a_broken_connection_is_made_again() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    let mut terminal = attach(&lab, &[]);
    training(&mut terminal);
    actor.cannot_be_reached();
    terminal.shows("connection lost");
    actor.listens();
    training(&mut terminal);
    terminal.types("p");
    assert_eq!(asked(&mut terminal, &actor), Command::Pause);
}

#[test]
fn a_worker_that_dies_is_told_of_with_its_last_words() {
    let lab = Lab::new();
    let mut actor = Actor::of(&lab, "otter");
    std::fs::write(actor.run.worker_log(), "terminate called after throwing\n").unwrap();
    let mut terminal = attach(&lab, &[]);
    training(&mut terminal);
    actor.is_killed();
    terminal.shows("terminate called after throwing");
    terminal.shows("sparring train --resume otter");
    terminal.types("q");
    assert_eq!(terminal.ends().code(), Some(0));
    terminal.is_as_before();
}

fn the_end() -> Event {
    Event::Ended(Box::new(Ended {
        reason: Reason::Finished,
        exit_code: 0,
        message: None,
        checkpoint: None,
        stats: stats(9380),
    }))
}

#[test]
fn the_end_of_a_run_rings_and_stays_on_the_screen_until_it_is_left() {
    let lab = Lab::new();
    let mut actor = Actor::of(&lab, "otter");
    let told = lab.path().join("told");
    let notify = format!(
        "echo \"$SPARRING_RUN: $SPARRING_MESSAGE\" > {0}.new && mv {0}.new {0}",
        told.display()
    );
    let mut terminal = attach(&lab, &["--notify", &notify]);
    training(&mut terminal);
    actor.tells(the_end());
    actor.is_killed();
    terminal.shows("finished");
    terminal.until(|screen| screen.contents().contains("finished"));
    assert!(terminal.written.contains(&0x07), "no bell");
    let words = eventually("the notice", || std::fs::read_to_string(&told).ok());
    assert_eq!(words, "otter: otter: finished\n");
    terminal.types("q");
    assert_eq!(terminal.ends().code(), Some(0));
}

#[test]
fn a_notice_runs_nothing_of_what_it_is_told() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    let (told, trap) = (lab.path().join("told"), lab.path().join("trap"));
    let notify = format!(
        "printf %s \"$SPARRING_MESSAGE\" > {0}.new && mv {0}.new {0}",
        told.display()
    );
    let mut terminal = attach(&lab, &["--notify", &notify]);
    training(&mut terminal);
    // Labels of a data set become words of an alarm.
    let hostile = format!(
        "\"; touch {0}; $(touch {0}) `touch {0}` \x1b[2J\n&& touch {0} are gone",
        trap.display()
    );
    actor.tells(Event::Alarm {
        step: STEP,
        message: hostile,
    });
    let words = eventually("the notice", || std::fs::read_to_string(&told).ok());
    assert!(words.contains("; $(touch "), "{words:?}");
    assert!(!words.contains(char::is_control), "{words:?}");
    assert!(!trap.exists());
    terminal.types("q");
    assert_eq!(terminal.ends().code(), Some(0));
}

#[test]
fn an_alarm_rings_and_stands_on_the_screen_until_the_verdict_is_another() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    let mut terminal = attach(&lab, &[]);
    terminal.shows("the first check comes soon");
    let missing = vec![0, 2];
    let collapsing = health(STEP, Verdict::Collapsing { missing });
    actor.tells(Event::Health(Box::new(collapsing)));
    terminal.shows("collapsing!");
    actor.tells(Event::Alarm {
        step: STEP,
        message: "0 and 2 are gone".to_owned(),
    });
    terminal.shows("ALARM 0 and 2 are gone");
    assert!(terminal.written.contains(&0x07), "no bell");
    actor.tells(Event::Health(Box::new(health(STEP + 9, Verdict::Learning))));
    terminal.until(|screen| !screen.contents().contains("collapsing!"));
    terminal.shows("health ── learning");
}

#[test]
fn an_ended_run_is_opened_from_its_log() {
    let lab = Lab::new();
    let run = new_run(&lab, "otter");
    let mut log = EventLog::open(&run.events_file()).unwrap();
    log.append(&started(&run)).unwrap();
    let looked = Event::Health(Box::new(health(9000, Verdict::GeneratorWins)));
    for event in [Event::Stats(stats(9380)), looked, the_end()] {
        let record = sparring_contract::protocol::Record { event, time: now() };
        log.append(&record).unwrap();
    }
    let mut terminal = attach(&lab, &["otter"]);
    terminal.shows("finished");
    terminal.shows("9,380");
    terminal.shows("health ── G wins");
    terminal.types("q");
    assert_eq!(terminal.ends().code(), Some(0));
    terminal.shows("sparring train --resume otter");
    terminal.is_as_before();
}

#[test]
fn signals_give_the_terminal_back() {
    for (signal, code) in [
        (Signal::TERM, exit::TERMINATED),
        (Signal::HUP, exit::HUNG_UP),
    ] {
        let lab = Lab::new();
        let _actor = Actor::of(&lab, "otter");
        let mut terminal = attach(&lab, &[]);
        training(&mut terminal);
        terminal.signal(signal);
        assert_eq!(terminal.ends().code(), Some(i32::from(code)));
        terminal.is_as_before();
    }
}

#[test]
fn a_terminal_that_vanishes_ends_the_face() {
    let lab = Lab::new();
    let _actor = Actor::of(&lab, "otter");
    let mut terminal = attach(&lab, &[]);
    training(&mut terminal);
    let mut face = terminal.vanishes();
    let status = ends_within(&mut face, Duration::from_secs(2));
    assert_eq!(status.code(), Some(i32::from(exit::HUNG_UP)));
    assert_eq!(status.signal(), None);
}

#[test]
fn a_terminal_that_vanishes_without_a_signal_ends_the_face_too() {
    let lab = Lab::new();
    let _actor = Actor::of(&lab, "otter");
    let left = lab.path().join("left");
    // Only the leader of the session is signalled: here a shell that does not care.
    let mut shell = shell(
        &lab,
        &format!(
            "trap '' HUP; $SPARRING attach; echo $? > {}",
            left.display()
        ),
    );
    training(&mut shell);
    let mut shell = shell.vanishes();
    ends_within(&mut shell, Duration::from_secs(2));
    assert_eq!(std::fs::read_to_string(left).unwrap(), "129\n");
}

/// A shell in a terminal, with the program as `$SPARRING`.
fn shell(lab: &Lab, script: &str) -> Terminal {
    let like = lab.command(&[]);
    let mut command = Program::new("sh");
    command.args(["-c", script]);
    command.env("SPARRING", like.get_program());
    for (name, value) in like.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Terminal::with(command)
}

#[test]
fn ctrl_z_hands_the_terminal_to_the_shell_and_fg_brings_the_dashboard_back() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    let script = "set -m; $SPARRING attach; echo stopped with $?; read line; fg; echo left with $?";
    let mut terminal = shell(&lab, script);
    training(&mut terminal);
    terminal.types("\x1a");
    terminal.shows("stopped with 148");
    terminal.is_as_before();
    terminal.types("\n");
    terminal.until(vt100::Screen::alternate_screen);
    training(&mut terminal);
    terminal.types("p");
    assert_eq!(asked(&mut terminal, &actor), Command::Pause);
    terminal.types("q");
    terminal.shows("left with 0");
    terminal.ends();
    terminal.is_as_before();
}

#[test]
fn another_size_is_filled_at_once() {
    let lab = Lab::new();
    let _actor = Actor::of(&lab, "otter");
    let mut terminal = attach(&lab, &[]);
    training(&mut terminal);
    for (columns, rows) in [(80, 24), (40, 12), (1, 1), (200, 60)] {
        terminal.resize(columns, rows);
        terminal.types("\x0c");
    }
    terminal.until(|screen| screen.contents().lines().count() == 60);
    training(&mut terminal);
}

#[test]
fn without_a_terminal_attach_says_what_works_instead_and_writes_no_escapes() {
    let lab = Lab::new();
    let _actor = Actor::of(&lab, "otter");
    lab.sparring(&["attach"]).refused(
        1,
        "error: a dashboard needs a terminal on stdin and stdout; `sparring logs --follow otter` and `sparring runs` \
         work without one",
    );
}

#[test]
fn a_key_of_the_users_own_is_obeyed_and_a_wrong_one_is_named() {
    let lab = Lab::new();
    let actor = Actor::of(&lab, "otter");
    let folder = lab.path().join("config/sparring");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config.toml");
    std::fs::write(&file, "[keymap]\npause = \"f2\"\n").unwrap();
    let mut terminal = attach(&lab, &[]);
    training(&mut terminal);
    terminal.types("p\x1bOQ");
    assert_eq!(asked(&mut terminal, &actor), Command::Pause);
    assert_eq!(actor.was_asked(), None);

    std::fs::write(&file, "[keymap]\npaws = \"f2\"\n").unwrap();
    let mut terminal = attach(&lab, &[]);
    assert_eq!(terminal.ends().code(), Some(2));
    assert!(terminal.contents().contains("keymap.paws: no such action"));
}
