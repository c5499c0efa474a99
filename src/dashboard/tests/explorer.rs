//! A walk through the latent space, as a user takes it.

use sparring_contract::protocol::{
    Command, Coordinate, Exploration, Outcome, Pictures, Purpose, ToFace,
};

use super::run::{Face, Run, pictures, training_run};

/// A face whose explorer knows its directions and shows something.
pub(super) fn exploring() -> Face {
    exploring_in(training_run())
}

fn exploring_in(run: Run) -> Face {
    let mut face = Face::attached_to(run);
    face.press("e");
    answers(&mut face);
    face.hears(ToFace::Pictures(around(0)));
    face
}

fn answers(face: &mut Face) {
    let detail = Some("slant,thickness,size".to_owned());
    face.hears_outcome(11_256, Outcome::Done { detail });
}

/// Nine pictures of a seed.
fn around(seed: u64) -> Pictures {
    let many = pictures(Purpose::Explored, 11_256);
    let bytes = many.picture_bytes();
    Pictures {
        seed,
        count: 9,
        pixels: many.pixels[..9 * bytes].to_vec(),
        ..many
    }
}

fn places(face: &Face) -> Vec<Exploration> {
    let sent = face.sent().into_iter();
    sent.filter_map(|command| match command {
        Command::Explore(place) => Some(place),
        _ => None,
    })
    .collect()
}

#[test]
fn arrow_keys_go_to_neighbours_and_back_to_where_it_began() {
    let mut face = exploring();
    face.press("right right up left left");
    let places = places(&face);
    let at = |direction: &str, amount| Coordinate {
        direction: direction.to_owned(),
        amount,
    };
    assert_eq!(places[0], Exploration::default());
    assert_eq!(places[2].coordinates, [at("slant", 1.0)]);
    assert_eq!(
        places[3].coordinates,
        [at("slant", 1.0), at("thickness", 0.5)]
    );
    assert_eq!(places[5].coordinates, [at("thickness", 0.5)]);
    assert!(face.screen().contains("seed 0 · thickness +0.5"));
}

#[test]
fn directions_turn_so_that_both_axes_differ() {
    let mut face = exploring();
    face.press("a");
    let axes = |face: &Face| places(face).last().unwrap().axes.clone().unwrap();
    assert_eq!(axes(&face), ["size", "thickness"]);
    face.press("b");
    assert_eq!(axes(&face), ["size", "slant"]);
}

#[test]
fn another_seed_begins_at_its_own_place_and_its_pictures_are_waited_for() {
    let mut face = exploring();
    let before = face.screen();
    face.press("right s");
    let last = places(&face).pop().unwrap();
    assert_eq!((last.seed, last.coordinates.len()), (1, 0));
    // Pictures of the seed before come too late.
    let shown = face.screen();
    face.hears(ToFace::Pictures(around(0)));
    assert_eq!(face.screen(), shown);
    assert_ne!(face.screen(), before);
}

#[test]
fn a_point_that_was_kept_is_told_by_its_name() {
    let mut face = exploring();
    face.press("enter");
    assert!(matches!(face.sent().last(), Some(Command::Keep(_))));
    let detail = Some("point-1".to_owned());
    face.hears_outcome(11_300, Outcome::Done { detail });
    assert!(face.screen().contains("kept as point-1"));
    face.press("esc");
    assert!(!face.screen().contains("latent space"));
}

#[test]
fn a_class_that_the_run_does_not_have_is_refused_where_it_was_asked_for() {
    let mut face = exploring();
    face.press("4");
    assert_eq!(places(&face).last().unwrap().class, Some(4));
    face.hears_refused("this model is unconditional");
    let screen = face.screen();
    assert!(screen.contains("this model is unconditional"), "{screen}");
    // The next place is one that it has.
    face.press("right");
    assert_eq!(places(&face).last().unwrap().class, None);
}

#[test]
fn classes_are_offered_by_runs_that_have_them_only() {
    assert!(exploring().screen().contains("0–9"));
    let mut run = training_run();
    let started = run.snapshot.started.as_mut().expect("a run");
    started.conditional = false;
    assert!(!exploring_in(run).screen().contains("0–9"));
}
