//! An explorer between a face that asks and a trainer that has no time.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use sparring_contract::protocol::{Event, Exploration, Outcome, Pictures};

use super::{Explorer, Question};
use crate::gan::Session;
use crate::trainer::testing::{config, session_of};
use crate::trainer::{EventSink, GeneratorCopy, Instruction, Responder};

/// Passes on the pictures that are shown.
struct Shown(Sender<Pictures>);

impl EventSink for Shown {
    fn emit(&self, _event: Event) {}

    fn record(&self, _event: Event) -> std::io::Result<()> {
        Ok(())
    }

    fn show(&self, pictures: Pictures) {
        self.0.send(pictures).unwrap();
    }

    fn configure(&self, _config: String) {}

    fn is_watched(&self) -> bool {
        true
    }
}

/// The ends that a face, a screen and a trainer hold.
struct Lab {
    ask: SyncSender<Question>,
    shown: Receiver<Pictures>,
    instructions: Receiver<Instruction>,
}

impl Lab {
    fn new() -> Self {
        let (ask, questions) = sync_channel(64);
        let (instruct, instructions) = sync_channel(64);
        let (show, shown) = channel();
        let mut explorer = Explorer::new(questions, instruct);
        explorer.fresh_for = Duration::ZERO;
        thread::spawn(move || explorer.serve(&Shown(show)));
        Self {
            ask,
            shown,
            instructions,
        }
    }

    /// Looks at a seed's own place, or next to it.
    fn look(&self, seed: u64, amount: f64) -> Receiver<(u64, Outcome)> {
        let (tell, told) = channel();
        let responder = Responder::new(move |step, outcome| tell.send((step, outcome)).unwrap());
        let coordinates = (amount != 0.0).then(|| sparring_contract::protocol::Coordinate {
            direction: "brightness".to_owned(),
            amount,
        });
        let place = Exploration {
            seed,
            coordinates: coordinates.into_iter().collect(),
            ..Exploration::default()
        };
        self.ask.send(Question::Look(place, responder)).unwrap();
        told
    }

    /// What a trainer does when it has time: lends a copy. Returns the copy that was given back for it.
    fn lend(&self, session: &Session) -> Option<u64> {
        let Instruction::Copy(request) = self.instructions.recv().unwrap() else {
            panic!("nothing else is asked of the trainer")
        };
        let spare: Option<&GeneratorCopy> = request.spare.as_ref();
        let spare = spare.map(|copy| copy.step);
        request.answer(session, &config(&[]));
        spare
    }
}

#[test]
fn a_walk_goes_on_while_the_trainer_has_no_time_and_sees_newer_weights_when_it_has() {
    let lab = Lab::new();
    let mut session = session_of(&config(&[]));
    let first = lab.look(3, 0.0);
    lab.lend(&session);
    let (step, outcome) = first.recv().unwrap();
    let Outcome::Done { detail } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(step, 0);
    assert!(detail.unwrap().contains("brightness"));
    let drawn = lab.shown.recv().unwrap();
    assert_eq!((drawn.count, drawn.step), (9, 0));
    let middle = |pictures: &Pictures| {
        let size = pictures.pixels.len() / 9;
        pictures.pixels[4 * size..5 * size].to_vec()
    };
    let own: Vec<u8> = Vec::try_from(session.sample(3, 1).flatten(0, -1)).unwrap();
    assert_eq!(middle(&drawn), own);

    // A newer copy is asked for and does not come.
    for step in 1..=3 {
        session.step();
        lab.look(3, f64::from(step)).recv().unwrap();
        assert_eq!(lab.shown.recv().unwrap().step, 0, "nobody lent a newer one");
    }
    assert_eq!(lab.lend(&session), None);
    // Where a walk begins, the copy that was asked for is waited for.
    lab.look(3, 0.0).recv().unwrap();
    let newer = lab.shown.recv().unwrap();
    assert_eq!(newer.step, 3);
    let own: Vec<u8> = Vec::try_from(session.sample(3, 1).flatten(0, -1)).unwrap();
    assert_eq!(middle(&newer), own);

    // Two copies take turns from here on.
    let looked = lab.look(3, 0.0);
    assert_eq!(lab.lend(&session), Some(0));
    looked.recv().unwrap();
    lab.ask.send(Question::End).unwrap();
}

#[test]
fn of_many_places_on_a_way_only_the_last_is_drawn() {
    let lab = Lab::new();
    let session = session_of(&config(&[]));
    let answers: Vec<_> = (0..5).map(|step| lab.look(3, f64::from(step))).collect();
    lab.lend(&session);
    for answer in answers {
        assert!(matches!(answer.recv().unwrap().1, Outcome::Done { .. }));
    }
    // The first, because directions were measured at it, and the last.
    assert_eq!(lab.shown.try_iter().count(), 2);
}

#[test]
fn a_walk_ends_with_the_run() {
    let lab = Lab::new();
    drop(lab.instructions);
    let place = Exploration::default();
    let (tell, told) = channel();
    let responder = Responder::new(move |_, outcome| tell.send(outcome).unwrap());
    lab.ask.send(Question::Look(place, responder)).unwrap();
    let Outcome::Refused { reason } = told.recv().unwrap() else {
        panic!("a run that has ended is not explored")
    };
    assert_eq!(reason, "the run is ending");
}
