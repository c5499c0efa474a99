//! A run and those who watch and steer it, over the worker's socket.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use sparring_contract::protocol::{
    Ack, Command, Event, FaceHello, Outcome, PROTOCOL, Phase, Purpose, Reason, ToFace, ToWorker,
    encode_hello, read_frame, write_frame,
};
use sparring_contract::run::Run;

use crate::actor::read_hello;
use crate::lab::{Lab, Live};

/// A face of the test's own.
struct Face {
    wire: UnixStream,
    requests: u64,
}

impl Face {
    fn attach(run: &Run) -> Self {
        Self::with(
            run,
            &FaceHello {
                protocol: PROTOCOL,
                watch: true,
                read_only: false,
            },
        )
    }

    fn with(run: &Run, hello: &FaceHello) -> Self {
        let wire = UnixStream::connect(run.presence().unwrap().socket).unwrap();
        wire.set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let mut face = Self { wire, requests: 0 };
        let hello = encode_hello(&ToWorker::Hello(hello.clone())).unwrap();
        face.wire.write_all(&hello).unwrap();
        assert!(
            matches!(read_hello(&mut face.wire).unwrap(), ToFace::Hello(worker) if worker.run == run.name() && worker.protocol == PROTOCOL)
        );
        face
    }

    fn send(&mut self, message: &ToWorker) {
        write_frame(&mut self.wire, message).unwrap();
    }

    fn hear(&mut self) -> ToFace {
        read_frame(&mut self.wire)
            .unwrap()
            .expect("the worker closed the connection")
    }

    fn until(&mut self, wanted: impl Fn(&ToFace) -> bool) -> ToFace {
        loop {
            let message = self.hear();
            if wanted(&message) {
                return message;
            }
        }
    }

    fn event(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        let found = self.until(
            |message| matches!(message, ToFace::Event { record, .. } if wanted(&record.event)),
        );
        let ToFace::Event { record, .. } = found else {
            unreachable!()
        };
        record.event
    }

    /// Gives a command and waits for its answer.
    fn command(&mut self, command: Command) -> Ack {
        self.requests += 1;
        let id = self.requests;
        self.send(&ToWorker::Request { id, command });
        let found = self.until(|message| matches!(message, ToFace::Ack(ack) if ack.id == id));
        let ToFace::Ack(ack) = found else {
            unreachable!()
        };
        ack
    }

    /// Gives a command that is carried out, and returns the step and what is said about it.
    fn done(&mut self, command: Command) -> (u64, Option<String>) {
        match self.command(command) {
            Ack {
                step,
                outcome: Outcome::Done { detail },
                ..
            } => (step, detail),
            other => panic!("{other:?}"),
        }
    }

    fn refused(&mut self, command: Command) -> String {
        match self.command(command).outcome {
            Outcome::Refused { reason } => reason,
            other => panic!("{other:?}"),
        }
    }
}

fn stop(mut face: Face, live: Live) -> Vec<Event> {
    face.done(Command::Stop { save: true });
    let (code, events) = live.end();
    assert_eq!(code, 0);
    events
}

#[test]
fn a_face_gets_everything_there_is_and_then_what_happens() {
    let lab = Lab::new();
    let (live, run) = lab.endless("endless");
    let mut face = Face::attach(&run);
    let ToFace::Snapshot(snapshot) = face.hear() else {
        panic!("no snapshot")
    };
    assert_eq!(snapshot.phase, Phase::Training);
    assert_eq!(snapshot.started.as_ref().unwrap().run, "endless");
    assert!(!snapshot.history.is_empty() && snapshot.config.contains("latent_dim = 100"));
    assert!(
        snapshot
            .pictures
            .iter()
            .any(|pictures| pictures.purpose == Purpose::Fixed && pictures.is_whole())
    );

    let mut next = snapshot.sequence + 1;
    for _ in 0..20 {
        if let ToFace::Event { sequence, .. } =
            face.until(|message| matches!(message, ToFace::Event { .. }))
        {
            assert_eq!(sequence, next);
            next += 1;
        }
    }
    stop(face, live);
}

#[test]
fn a_paused_run_stands_still_makes_single_steps_and_goes_on() {
    let lab = Lab::new();
    let (live, run) = lab.endless("endless");
    let mut face = Face::attach(&run);
    let (paused_at, _) = face.done(Command::Pause);
    assert!(lab.sparring(&["runs"]).out.contains("paused"));
    assert_eq!(
        face.done(Command::Note {
            text: "here".to_owned()
        })
        .0,
        paused_at
    );

    // The steps may be over before the answer to the command is told: either comes first.
    face.requests += 1;
    let id = face.requests;
    face.send(&ToWorker::Request {
        id,
        command: Command::Step { steps: 3 },
    });
    let (mut answer, mut paused) = (None, None);
    while answer.is_none() || paused.is_none() {
        match face.hear() {
            ToFace::Ack(ack) if ack.id == id => answer = Some(ack.outcome),
            ToFace::Event { record, .. } => match record.event {
                Event::Phase {
                    phase: Phase::Paused,
                    step,
                } if step != paused_at => paused = Some(step),
                _ => {}
            },
            _ => {}
        }
    }
    assert!(matches!(answer, Some(Outcome::Done { .. })), "{answer:?}");
    assert_eq!(paused, Some(paused_at + 3));
    assert_eq!(face.done(Command::Resume).0, paused_at + 3);
    face.event(|event| matches!(event, Event::Stats(stats) if stats.step > paused_at + 3));
    stop(face, live);
}

#[test]
fn pictures_checkpoints_and_rates_on_demand() {
    let lab = Lab::new();
    let (live, run) = lab.endless("endless");
    let mut face = Face::attach(&run);

    let (_, picture) = face.done(Command::Sample {
        count: 5,
        seed: Some(9),
    });
    assert!(fs::read(picture.unwrap()).unwrap().starts_with(b"\x89PNG"));
    let (step, checkpoint) = face.done(Command::Checkpoint);
    assert_eq!(
        checkpoint.unwrap(),
        run.checkpoint_file(step).to_str().unwrap()
    );

    face.done(Command::Set {
        key: "discriminator.learning_rate".to_owned(),
        value: json!(0.002),
    });
    assert_eq!(run.config().unwrap().discriminator.learning_rate, 0.002);
    assert!(
        face.refused(Command::Set {
            key: "batch_size".to_owned(),
            value: json!(3)
        })
        .starts_with("batch_size cannot change during training; keys that can: ")
    );
    assert_eq!(
        face.refused(Command::Set {
            key: "generator.learning_rate".to_owned(),
            value: json!("fast")
        }),
        "generator.learning_rate = \"fast\" (from set): expected a number above 0 and at most 10"
    );
    assert_eq!(
        face.refused(Command::Sample {
            count: 0,
            seed: None
        }),
        "0 pictures: ask for 1 to 256"
    );
    assert_eq!(
        face.refused(Command::SampleClass {
            class: 0,
            count: 1,
            seed: None
        }),
        "this model is unconditional"
    );
    assert!(face.refused(Command::Unknown).contains("older build"));

    let events = stop(face, live);
    let Some(Event::Ended(ended)) = events.last() else {
        panic!("{events:?}")
    };
    assert_eq!((ended.reason, ended.exit_code), (Reason::Stopped, 0));
    assert_eq!(
        ended.checkpoint,
        Some(run.checkpoint_file(ended.stats.step))
    );
}

#[test]
fn fresh_pictures_reach_every_face() {
    let lab = Lab::new();
    let (live, run) = lab.endless("endless");
    let (mut one, mut other) = (Face::attach(&run), Face::attach(&run));
    one.send(&ToWorker::Request {
        id: 1,
        command: Command::Sample {
            count: 4,
            seed: Some(1),
        },
    });
    for face in [&mut one, &mut other] {
        let found = face.until(|message| {
            matches!(message, ToFace::Pictures(pictures) if pictures.purpose == Purpose::Fresh && pictures.seed == 1)
        });
        assert!(
            matches!(found, ToFace::Pictures(pictures) if pictures.count == 4 && pictures.is_whole())
        );
    }
    stop(other, live);
}

#[test]
fn a_rate_that_was_set_outlives_a_kill_if_it_was_saved() {
    let lab = Lab::new();
    let (live, run) = lab.endless("endless");
    let mut face = Face::attach(&run);
    face.done(Command::Pause);
    face.done(Command::Set {
        key: "learning_rate".to_owned(),
        value: json!(0.003),
    });
    face.done(Command::Checkpoint);
    live.signal(Signal::KILL);
    live.end();
    let resumed = lab.sparring(&["train", "--resume", "endless", "--epochs", "1", "--json"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert_eq!(run.config().unwrap().generator.learning_rate, 0.003);
}

#[test]
fn a_read_only_face_watches_and_cannot_steer() {
    let lab = Lab::new();
    let (live, run) = lab.endless("endless");
    let mut face = Face::with(
        &run,
        &FaceHello {
            protocol: PROTOCOL,
            watch: true,
            read_only: true,
        },
    );
    assert_eq!(
        face.refused(Command::Pause),
        "this face is read-only; attach without --read-only to steer"
    );
    face.event(|event| matches!(event, Event::Stats(_)));
    stop(Face::attach(&run), live);
}

#[test]
fn a_face_that_never_reads_slows_nothing_and_gets_a_new_snapshot() {
    let lab = Lab::new();
    let (live, run) = lab.endless("endless");
    let mut deaf = Face::attach(&run);
    assert!(matches!(deaf.hear(), ToFace::Snapshot(_)));
    let mut other = Face::attach(&run);
    let first = other.event(|event| matches!(event, Event::Stats(_)));
    let Event::Stats(first) = first else {
        unreachable!()
    };
    // Notes fill the deaf face's socket, and then more than the hub remembers.
    let text = "x".repeat(2000);
    for _ in 0..5 {
        for _ in 0..300 {
            other.done(Command::Note { text: text.clone() });
        }
        // Reports come half a second apart: a face that sends more than a thousand messages a second is sent away.
        other.event(|event| matches!(event, Event::Stats(_)));
    }
    other.event(|event| matches!(event, Event::Stats(stats) if stats.step > first.step + 100));
    deaf.until(|message| matches!(message, ToFace::Snapshot(_)));
    stop(other, live);
}

#[test]
fn what_a_face_says_amiss_costs_it_its_connection_and_nobody_else() {
    let lab = Lab::new();
    let (live, run) = lab.endless("endless");
    for rubbish in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0, 0, 0, 2, b'{', b'}'],
        &[0xff; 64],
    ] {
        let mut wire = UnixStream::connect(run.presence().unwrap().socket).unwrap();
        wire.set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        wire.write_all(rubbish).unwrap();
        assert!(read_hello::<ToFace>(&mut wire).is_err());
    }
    let mut face = Face::attach(&run);
    face.event(|event| matches!(event, Event::Stats(_)));
    stop(face, live);
}

#[test]
fn a_face_of_protocol_2_hears_which_protocol_the_worker_speaks() {
    let lab = Lab::new();
    let (live, run) = lab.endless("endless");
    let mut wire = UnixStream::connect(run.presence().unwrap().socket).unwrap();
    wire.set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let hello = br#"{"message":"hello","protocol":2,"watch":true,"read_only":false}"#;
    wire.write_all(&[&[0, 0, 0, 63], &hello[..]].concat())
        .unwrap();
    let mut answer = Vec::new();
    wire.read_to_end(&mut answer).unwrap();
    // All that comes is one frame in the layout of protocol 2.
    let (length, json) = answer.split_at(4);
    assert_eq!(length, u32::try_from(json.len()).unwrap().to_be_bytes());
    let answer: serde_json::Value = serde_json::from_slice(json).unwrap();
    assert_eq!(answer["message"], "hello");
    assert_eq!(answer["protocol"], PROTOCOL);
    stop(Face::attach(&run), live);
}

#[test]
fn the_largest_pictures_that_are_asked_for_arrive() {
    let lab = Lab::new();
    let (live, run) = lab.endless("endless");
    let mut face = Face::attach(&run);
    face.requests += 1;
    face.send(&ToWorker::Request {
        id: face.requests,
        command: Command::Sample {
            count: 256,
            seed: Some(3),
        },
    });
    let drawn = face.until(
        |message| matches!(message, ToFace::Pictures(drawn) if drawn.purpose == Purpose::Fresh),
    );
    let ToFace::Pictures(drawn) = drawn else {
        unreachable!()
    };
    assert_eq!((drawn.count, drawn.is_whole()), (256, true));
    stop(face, live);
}

#[test]
fn the_socket_is_the_users_alone_and_comes_back_when_it_is_removed() {
    let lab = Lab::new();
    let (live, run) = lab.endless("endless");
    let presence = run.presence().unwrap();
    assert!(presence.is_here());
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&presence.socket), 0o600);
    assert_eq!(mode(presence.socket.parent().unwrap()), 0o700);

    fs::remove_file(&presence.socket).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while UnixStream::connect(&presence.socket).is_err() {
        assert!(Instant::now() < deadline, "the worker never listened again");
        std::thread::yield_now();
    }
    stop(Face::attach(&run), live);
    assert!(!presence.socket.exists(), "a socket was left behind");
}

#[test]
fn a_worker_takes_over_the_socket_of_one_that_was_killed() {
    let lab = Lab::new();
    let (live, run) = lab.endless("endless");
    live.signal(Signal::KILL);
    live.end();
    assert!(run.presence().unwrap().socket.exists());
    let mut resumed = Live::start(lab.command(&["train", "--resume", "endless", "--json"]));
    resumed.until(|event| matches!(event, Event::Stats(_)));
    stop(Face::attach(&run), resumed);
}

#[test]
fn a_worker_whose_run_was_removed_ends_and_leaves_a_new_run_of_the_name_alone() {
    let lab = Lab::new();
    let (old, run) = lab.endless("endless");
    // Paused, so that it writes nothing into what is being removed.
    Face::attach(&run).done(Command::Pause);
    fs::remove_dir_all(run.dir()).unwrap();
    let (new, run) = lab.endless("endless");
    assert_ne!(old.end().0, 0);
    stop(Face::attach(&run), new);
}
