use sparring_contract::protocol::{
    Command, Ended, Event, Health, Phase, Purpose, Reason, Stats, ToFace, Verdict,
};

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

use super::run::{
    Face, NOW, checkpoint, collapsing, ink, loading_run, metrics, pictures, record, report,
    settings, started, training_run,
};
use crate::dashboard::view::{Ink, view};
use crate::dashboard::{Effect, Keymap, Leave, Message, Settings, Standing, State};
use crate::terminal::Colors;

fn watching() -> Face {
    let mut face = Face::of(State::new(Settings {
        read_only: true,
        ..settings()
    }));
    face.hears(ToFace::Snapshot(Box::new(training_run().snapshot)));
    face
}

fn ended(reason: Reason) -> Event {
    Event::Ended(Box::new(Ended {
        reason,
        exit_code: 0,
        message: None,
        checkpoint: None,
        stats: Stats::none_at(11_300, 13, 723_200),
    }))
}

#[test]
fn a_pause_is_shown_as_requested_until_the_worker_confirms_it() {
    let mut face = Face::attached_to(training_run().at_step(120));
    face.press("space");
    assert_eq!(face.sent(), [Command::Pause]);
    assert!(face.screen().contains("pausing…"));
    face.hears_done_at(121);
    assert!(face.screen().contains("paused at step 121"));
}

#[test]
fn a_second_press_takes_the_first_back() {
    let mut face = Face::attached_to(training_run());
    face.press("space space");
    assert_eq!(face.sent(), [Command::Pause, Command::Resume]);
    assert_eq!(face.state.standing(), Standing::Training);
}

#[test]
fn a_refused_pause_goes_on_training_and_says_why() {
    let mut face = Face::attached_to(training_run());
    face.press("p");
    face.hears_refused("another face is stopping the run");
    let screen = face.screen();
    assert!(screen.contains("● training"), "{screen}");
    assert!(
        screen.contains("pausing was refused: another face"),
        "{screen}"
    );
}

#[test]
fn a_pause_of_another_face_is_a_pause() {
    let mut face = Face::attached_to(training_run());
    face.hears_of(Event::Phase {
        phase: Phase::Paused,
        step: 11_260,
    });
    assert!(face.screen().contains("◌ paused at step 11,260"));
    face.press("space");
    assert_eq!(face.sent(), [Command::Resume]);
    assert!(face.screen().contains("going on…"));
    face.hears_done_at(11_260);
    assert_eq!(face.state.standing(), Standing::Training);
}

#[test]
fn the_log_tells_when_a_run_was_paused_and_when_it_went_on() {
    let mut face = Face::attached_to(training_run());
    for (phase, step) in [(Phase::Paused, 11_260), (Phase::Training, 11_260)] {
        face.hears_of(Event::Phase { phase, step });
    }
    let screen = face.screen();
    assert!(
        screen.contains("12:33:20 paused at step 11,260"),
        "{screen}"
    );
    assert!(
        screen.contains("12:33:20 went on at step 11,260"),
        "{screen}"
    );
}

#[test]
fn pictures_with_fewer_colours_than_the_terminal_say_so() {
    let face = Face::attached_to(training_run());
    let area = Rect::new(0, 0, 120, 34);
    let coarse = Ink {
        pictures: Colors::Ansi16,
        ..ink(false)
    };
    let mut buffer = Buffer::empty(area);
    view(&face.state, coarse, area, &mut buffer);
    let text: String = buffer.content.iter().map(Cell::symbol).collect();
    assert!(text.contains("few colours"));
}

#[test]
fn nothing_is_blank_before_the_first_step() {
    let mut face = Face::attached_to(loading_run());
    assert!(face.screen().contains("loading libtorch"));
    face.hears_of(Event::Started(Box::new(started())));
    face.hears_of(Event::Phase {
        phase: Phase::WarmingUp,
        step: 0,
    });
    assert!(face.screen().contains("warming up"));
    face.hears_of(Event::Phase {
        phase: Phase::Training,
        step: 0,
    });
    assert!(
        face.screen()
            .contains("the first pictures are on their way")
    );
}

#[test]
fn fresh_noise_is_shown_once_it_is_drawn_and_fixed_noise_comes_back() {
    let mut face = Face::attached_to(training_run());
    face.press("s");
    assert!(matches!(
        face.sent()[..],
        [Command::Sample { seed: None, .. }]
    ));
    assert!(face.screen().contains("drawing fresh pictures"));
    face.hears(ToFace::Pictures(pictures(Purpose::Fresh, 11_270)));
    face.waits(3.0);
    let screen = face.screen();
    assert!(
        screen.contains("fresh noise ── step 11,270 ── 3 s ago"),
        "{screen}"
    );
    face.press("f");
    assert!(face.screen().contains("fixed noise ── step 11,256"));
}

#[test]
fn stopping_asks_first_and_says_what_each_answer_does() {
    let mut face = Face::attached_to(training_run());
    face.hears_of(checkpoint(11_042));
    face.press("x");
    assert!(
        face.screen()
            .contains("stop without saving: loses 214 steps")
    );
    face.press("y");
    assert!(face.screen().contains("save and stop"));
    face.press("esc");
    assert!(!face.screen().contains("save and stop"));
    assert_eq!(face.sent(), []);
    face.press("x s");
    assert_eq!(face.sent(), [Command::Stop { save: true }]);
    assert!(face.screen().contains("stopping…"));
}

#[test]
fn leaving_out_of_the_stop_dialogue_keeps_training() {
    let mut face = Face::attached_to(training_run());
    face.press("x d");
    assert_eq!(face.effects, [Effect::Quit(Leave::Training)]);
}

#[test]
fn a_run_that_ended_stays_open_and_says_what_is_next() {
    let mut face = Face::attached_to(training_run());
    face.hears_of(ended(Reason::Stopped));
    face.gets(Message::LinkLost {
        why: "closed".to_owned(),
    });
    let screen = face.screen();
    assert!(screen.contains("■ stopped"), "{screen}");
    assert!(
        screen.contains("sparring train --resume quiet-otter"),
        "{screen}"
    );
    assert!(matches!(face.effects[..], [Effect::Notify(_)]));
    face.press("space");
    assert_eq!(face.sent(), []);
    face.press("q");
    assert_eq!(face.effects.last(), Some(&Effect::Quit(Leave::Over)));
}

#[test]
fn a_worker_that_dies_is_told_at_once_with_its_last_words() {
    let mut face = Face::attached_to(training_run());
    face.press("space");
    face.gets(Message::WorkerDied {
        status: "killed by signal 9".to_owned(),
        log: vec!["out of \u{1b}[31mmemory".to_owned()],
    });
    let screen = face.screen();
    assert!(
        screen.contains("✖ crashed   killed by signal 9"),
        "{screen}"
    );
    assert!(screen.contains("out of  [31mmemory"), "{screen}");
    assert!(
        screen.contains("sparring train --resume quiet-otter"),
        "{screen}"
    );
    face.press("esc");
    assert_eq!(face.state.standing(), Standing::Crashed);
    assert!(!face.screen().contains("memory 31m"));
}

#[test]
fn a_lost_connection_comes_back_with_the_next_snapshot() {
    let mut face = Face::attached_to(training_run());
    face.press("tab");
    face.gets(Message::LinkLost {
        why: "the socket closed".to_owned(),
    });
    assert!(face.screen().contains("connection lost"));
    face.press("c");
    assert_eq!(face.sent(), []);
    face.hears(ToFace::Snapshot(Box::new(
        training_run().at_step(12_000).snapshot,
    )));
    let screen = face.screen();
    assert!(screen.contains("● training"), "{screen}");
    assert!(screen.contains("▸losses"), "{screen}");
}

#[test]
fn an_event_that_the_snapshot_reflects_is_not_told_twice() {
    let mut face = Face::attached_to(training_run());
    let said = ToFace::Event {
        sequence: 10,
        record: record(checkpoint(99), NOW),
    };
    face.hears(said);
    assert!(!face.screen().contains("checkpoint step 99 "));
}

#[test]
fn learning_rates_are_typed_doubled_and_sent_where_they_changed() {
    let mut face = Face::attached_to(training_run());
    face.press("l");
    face.types("1e-4");
    face.press("down / enter");
    let set = |key: &str, value: f64| Command::Set {
        key: key.to_owned(),
        value: value.into(),
    };
    assert_eq!(
        face.sent(),
        [
            set("discriminator.learning_rate", 1e-4),
            set("generator.learning_rate", 1e-4)
        ]
    );
    face.hears_done_at(11_300);
    face.press("l");
    let screen = face.screen();
    assert!(screen.contains("now 2e-4"), "{screen}");
    assert!(screen.contains("generator     1e-4"), "{screen}");
}

#[test]
fn a_learning_rate_that_cannot_be_is_said_and_not_sent() {
    let mut face = Face::attached_to(training_run());
    face.press("l");
    face.types("20");
    face.press("enter");
    let screen = face.screen();
    assert!(
        screen.contains("discriminator: a number above 0"),
        "{screen}"
    );
    assert_eq!(face.sent(), []);
    face.press("backspace backspace");
    face.types("1e-3");
    face.press("enter");
    assert_eq!(face.sent().len(), 1);
}

#[test]
fn a_note_takes_every_letter_and_pasted_text_never_acts_as_keys() {
    let mut face = Face::attached_to(training_run());
    face.gets(Message::Paste("x s q".to_owned()));
    assert_eq!(face.effects, []);
    face.press("n");
    face.types("quick: ");
    face.gets(Message::Paste("two\nlines".to_owned()));
    face.press("enter");
    let text = "quick: two lines".to_owned();
    assert_eq!(face.sent(), [Command::Note { text }]);
}

#[test]
fn ctrl_c_leaves_from_every_dialogue_and_esc_from_none() {
    for open in ["?", "x", "l", "n", "z"] {
        let mut face = Face::attached_to(training_run());
        face.press(open);
        face.press("esc esc esc");
        assert_eq!(face.effects, [], "{open}");
        face.press(open);
        face.press("ctrl-c");
        assert_eq!(face.effects, [Effect::Quit(Leave::Training)], "{open}");
    }
}

#[test]
fn a_face_that_only_watches_sends_nothing_and_says_why() {
    let mut face = watching();
    face.press("space c s l n x .");
    assert_eq!(face.sent(), []);
    let screen = face.screen();
    assert!(screen.contains("this face only watches"), "{screen}");
    assert!(!screen.contains("x stop"), "{screen}");
    face.press("d");
    assert_eq!(face.effects, [Effect::Quit(Leave::Training)]);
}

#[test]
fn figures_that_are_not_finite_are_gaps_and_never_numbers() {
    let mut face = Face::attached_to(training_run());
    face.hears_of(Event::Stats(Stats {
        metrics: metrics([f64::NAN, 1.2, f64::INFINITY, 0.3, 0.8, 1.9]),
        ..report(11_300)
    }));
    let screen = face.screen();
    assert!(screen.contains("D      –"), "{screen}");
    assert!(
        !screen.contains("NaN") && !screen.contains("inf"),
        "{screen}"
    );
}

#[test]
fn a_key_of_the_users_own_is_the_one_that_works_and_is_shown() {
    let changes = [("pause".to_owned(), vec!["f5".to_owned()])].into();
    let mut face = Face::of(State::new(Settings {
        keymap: Keymap::with(&changes).unwrap(),
        ..settings()
    }));
    face.hears(ToFace::Snapshot(Box::new(training_run().snapshot)));
    face.press("space");
    assert_eq!(face.sent(), []);
    face.press("f5");
    assert_eq!(face.sent(), [Command::Pause]);
    assert!(face.screen().contains("F5 go on"));
}

#[test]
fn the_help_tells_about_the_panel_in_focus() {
    let mut face = Face::attached_to(training_run());
    face.press("?");
    assert!(face.screen().contains("collapse"));
    face.press("tab");
    let screen = face.screen();
    assert!(
        screen.contains(
            "D loss (nats): How badly D tells real from fake. At the equilibrium: 1.386."
        ),
        "{screen}"
    );
    face.press("?");
    assert!(!face.screen().contains("equilibrium"));
}

#[test]
fn a_run_without_a_worker_is_read_from_its_log() {
    let snapshot = training_run().snapshot;
    let mut records = snapshot.log;
    records.extend(
        snapshot
            .history
            .iter()
            .map(|stats| record(Event::Stats(stats.clone()), NOW)),
    );
    let read = |records| State::from_log(settings(), records, &snapshot.config);
    assert_eq!(read(records.clone()).standing(), Standing::Crashed);
    records.push(record(ended(Reason::Finished), NOW));
    let face = Face::of(read(records));
    let screen = face.screen();
    assert!(screen.contains("■ finished"), "{screen}");
    assert!(screen.contains("step  11,300"), "{screen}");
    assert!(
        screen.contains("0.7"),
        "the last figures are kept: {screen}"
    );
}

#[test]
fn a_resumed_run_forgets_what_was_after_its_checkpoint() {
    let mut face = Face::attached_to(training_run());
    let mut again = started();
    again.step = 9380;
    face.hears_of(Event::Started(Box::new(again)));
    assert_eq!(face.state.step(), 9380);
    assert!(face.screen().contains("resumed at step 9,380"));
    assert_eq!(face.state.unsaved(), 0);
}

#[test]
fn the_time_left_is_the_nearest_limit() {
    let mut run = training_run();
    let by_steps = Face::attached_to(training_run())
        .state
        .seconds_left()
        .unwrap();
    assert!((10_000.0..11_500.0).contains(&by_steps), "{by_steps}");
    run.snapshot.config = run
        .snapshot
        .config
        .replace("minutes = 0.0", "minutes = 5.0");
    let state = Face::attached_to(run).state;
    let by_time = state.seconds_left().unwrap();
    assert!((160.0..170.0).contains(&by_time), "{by_time}");
    assert!((state.progress().unwrap() - 0.443).abs() < 0.01);
}

#[test]
fn stopping_without_saving_takes_a_second_yes() {
    let mut face = Face::attached_to(training_run());
    face.press("x k");
    assert!(face.sent().is_empty());
    face.press("w");
    assert!(face.screen().contains("stop without saving?"));
    face.press("s enter");
    assert!(face.sent().is_empty());
    face.press("esc");
    assert!(!face.screen().contains("stop without saving?"));
    face.press("x w y");
    assert_eq!(face.sent(), [Command::Stop { save: false }]);
}

#[test]
fn fresh_pictures_give_way_to_the_fixed_ones_after_a_while() {
    let mut face = Face::attached_to(training_run());
    let arrives = |face: &mut Face, purpose, step| {
        face.hears(ToFace::Pictures(pictures(purpose, step)));
    };
    face.press("s");
    assert!(face.screen().contains("drawing fresh pictures"));
    // The fixed ones that come meanwhile do not take their place.
    arrives(&mut face, Purpose::Fixed, 11_300);
    arrives(&mut face, Purpose::Fresh, 11_310);
    assert!(face.screen().contains("fresh noise ── step 11,310"));
    face.waits(3.0);
    arrives(&mut face, Purpose::Fixed, 11_500);
    assert!(face.screen().contains("fresh noise"));
    face.waits(6.0);
    arrives(&mut face, Purpose::Fixed, 12_000);
    assert!(face.screen().contains("fixed noise ── step 12,000"));
}

#[test]
fn arrows_act_on_the_curves_and_show_that_they_do() {
    let mut face = Face::attached_to(training_run());
    let before = face.screen();
    assert!(before.contains("▸fixed noise") && before.contains(" losses "));
    face.press("down");
    let after = face.screen();
    assert!(
        !after.contains("▸fixed noise") && !after.contains(" losses "),
        "{after}"
    );
    // An enlarged panel stays what it is.
    face.press("tab shift-tab shift-tab z");
    let gallery = face.screen();
    face.press("down");
    assert_eq!(face.screen(), gallery);
}

#[test]
fn the_log_is_searched_from_its_end_backwards() {
    let mut face = Face::attached_to(training_run());
    let log = |face: &Face| {
        let screen = face.screen_of(120, 34);
        screen.lines().rev().nth(2).unwrap().to_owned()
    };
    for words in ["one two", "Three", "one again"] {
        face.gets(Message::Aside(words.to_owned()));
    }
    face.press("/ O N E enter");
    assert!(
        log(&face).contains("one again"),
        "{}",
        face.screen_of(120, 34)
    );
    face.press("/ enter");
    assert!(log(&face).contains("one two"));
    face.press("/ enter");
    assert!(log(&face).contains("one again"), "around the end");
    face.press("/ z z enter");
    assert!(face.screen_of(120, 34).contains("not in the log: zz"));
}

#[test]
fn a_key_goes_from_warning_to_warning() {
    let mut face = Face::attached_to(training_run());
    face.press("w");
    assert!(face.screen_of(120, 34).contains("no warning in the log"));
    face.gets(Message::Remark("the disk is nearly full".to_owned()));
    face.gets(Message::Aside("something else".to_owned()));
    face.press("w");
    let screen = face.screen_of(120, 34);
    let last = screen.lines().rev().nth(2).unwrap();
    assert!(last.contains("the disk is nearly full"), "{screen}");
    assert!(screen.contains("1 newer below"));
}

#[test]
fn the_mouse_chooses_panels_and_scrolls_if_it_is_asked_to() {
    use crate::dashboard::Panel;
    use crate::dashboard::view::panel_at;

    let mut face = Face::attached_to(training_run());
    face.press("M");
    assert_eq!(face.effects.last(), Some(&Effect::Mouse(true)));
    let area = Rect::new(0, 0, 120, 34);
    let at = |face: &Face, x, y| panel_at(&face.state, area, (x, y).into());
    assert_eq!(at(&face, 100, 10), Some(Panel::Gallery));
    assert_eq!(at(&face, 3, 31), Some(Panel::Log));
    assert_eq!(at(&face, 3, 0), None);
    face.gets(Message::Wheel {
        panel: Panel::Log,
        up: true,
    });
    assert!(face.screen_of(120, 34).contains("1 newer below"));
    face.gets(Message::Click(Panel::Balance));
    assert!(face.screen_of(120, 34).contains("▸balance"));
    face.press("?");
    assert_eq!(at(&face, 100, 10), None, "a dialogue lies over it");
}

#[test]
fn the_first_check_of_young_networks_misses_no_class() {
    let mut run = training_run().at_step(300);
    run.snapshot.health = None;
    run.snapshot.quality.clear();
    let mut face = Face::attached_to(run);
    let young = |step| {
        Event::Health(Box::new(Health {
            verdict: Verdict::Unclear,
            reason: String::new(),
            words: String::new(),
            ..collapsing(step)
        }))
    };
    face.hears_of(young(310));
    let screen = face.screen();
    assert!(
        !screen.contains("gone") && !screen.contains("0×"),
        "{screen}"
    );
    face.hears_of(young(900));
    assert!(face.screen().contains("gone"), "{}", face.screen());
}

#[test]
fn a_run_that_is_over_is_sampled_from_its_checkpoint() {
    let mut face = Face::attached_to(training_run());
    face.hears_of(ended(Reason::Finished));
    face.press("s s");
    assert_eq!(
        face.effects
            .iter()
            .filter(|effect| **effect == Effect::Draw)
            .count(),
        1
    );
    assert_eq!(face.sent(), []);
    assert!(
        face.screen()
            .contains("drawing fresh pictures from the newest")
    );
    face.gets(Message::Undrawn {
        why: "the run has no checkpoint to draw from".to_owned(),
    });
    assert!(
        face.screen_of(120, 34)
            .contains("no fresh pictures: the run has no checkpoint")
    );
    assert!(face.screen().contains("fixed noise"));
    face.press("s");
    face.hears(ToFace::Pictures(pictures(Purpose::Fresh, 11_300)));
    assert!(face.screen().contains("fresh noise ── step 11,300"));
}
