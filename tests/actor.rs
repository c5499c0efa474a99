//! A scripted worker: it has a run, speaks the real protocol on the run's socket, and does as the test says.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use sparring_contract::config::{Request, TaskKind, resolve};
use sparring_contract::protocol::{
    Ack, Command, Event, FaceHello, FeatureKind, Frame, Health, Message, MetricSpec, Outcome,
    PROTOCOL, Parameters, Phase, Pictures, Purpose, Record, Snapshot, Started, Stats, ToFace,
    ToWorker, Verdict, WorkerHello, encode_hello, read_frame, write_frame,
};
use sparring_contract::run::{EventLog, Home, Lock, Presence, Run, boot, host, secure_socket_dir};

use crate::lab::Lab;
use crate::terminal::DEADLINE;

/// The step at which the scripted run stands.
pub const STEP: u64 = 120;

/// A worker that does as it is told.
pub struct Actor {
    pub run: Run,
    lock: Option<Lock>,
    stage: Arc<Mutex<Stage>>,
    hear: Sender<Command>,
    asked: Receiver<Command>,
}

struct Stage {
    faces: Vec<UnixStream>,
    snapshot: Snapshot,
    sequence: u64,
    protocol: u32,
    deaf: bool,
}

impl Actor {
    /// Takes up a new run and listens.
    pub fn of(lab: &Lab, name: &str) -> Self {
        let run = new_run(lab, name);
        let lock = run.lock().unwrap();
        let record = started(&run);
        EventLog::open(&run.events_file())
            .unwrap()
            .append(&record)
            .unwrap();
        let Event::Started(started) = record.event.clone() else {
            unreachable!()
        };
        let snapshot = Snapshot {
            sequence: 1,
            phase: Phase::Training,
            started: Some(started),
            config: run.config().unwrap().to_toml().unwrap(),
            history: (1..=STEP / 10).map(|report| stats(report * 10)).collect(),
            log: vec![record],
            pictures: vec![pictures(Purpose::Fixed, 30)],
            ..Snapshot::default()
        };
        let stage = Arc::new(Mutex::new(Stage {
            faces: Vec::new(),
            snapshot,
            sequence: 1,
            protocol: PROTOCOL,
            deaf: false,
        }));
        let (hear, asked) = channel();
        let actor = Self {
            run,
            lock: Some(lock),
            stage,
            hear,
            asked,
        };
        actor.listens();
        actor
    }

    /// Binds its socket, where there is none.
    pub fn listens(&self) {
        let listener = listen(&self.run);
        let (stage, hear, run) = (Arc::clone(&self.stage), self.hear.clone(), self.run.clone());
        thread::spawn(move || {
            for face in listener.incoming() {
                let (stage, hear, run) = (Arc::clone(&stage), hear.clone(), run.clone());
                thread::spawn(move || attend(&run, face.unwrap(), &stage, &hear));
            }
        });
    }

    /// The next command that a face gives.
    #[track_caller]
    pub fn is_asked(&self) -> Command {
        self.asked
            .recv_timeout(DEADLINE)
            .expect("no command came from the face")
    }

    /// A command that a face gave and nobody looked at yet.
    pub fn was_asked(&self) -> Option<Command> {
        self.asked.try_recv().ok()
    }

    /// From now on commands are heard and not answered.
    pub fn falls_silent(&self) {
        self.stage.lock().unwrap().deaf = true;
    }

    /// From now on it says that it speaks this version of the protocol.
    pub fn speaks(&self, protocol: u32) {
        self.stage.lock().unwrap().protocol = protocol;
    }

    /// Tells every face.
    pub fn says(&self, message: &ToFace) {
        self.stage.lock().unwrap().say(message);
    }

    /// Tells every face, on a thread of its own: a message of megabytes fills the socket, and a face takes no more of it
    /// while its own terminal is full. So the test must read the terminal meanwhile.
    pub fn says_at_length(&self, message: ToFace) {
        let stage = Arc::clone(&self.stage);
        thread::spawn(move || stage.lock().unwrap().say(&message));
    }

    /// Tells every face that something happened.
    pub fn tells(&self, event: Event) {
        self.stage.lock().unwrap().tell(event);
    }

    /// Breaks every connection and takes no new one; the run stays held.
    pub fn cannot_be_reached(&self) {
        let _ = std::fs::remove_file(self.run.socket_path());
        self.stage.lock().unwrap().hang_up();
    }

    /// Is gone as a killed process is: connections and lock at once.
    pub fn is_killed(&mut self) {
        self.lock = None;
        self.cannot_be_reached();
    }

    /// Bytes that no worker of this build would send.
    pub fn says_raw(&self, json: &str) {
        let mut stage = self.stage.lock().unwrap();
        for face in &mut stage.faces {
            let length = u32::try_from(json.len()).unwrap();
            face.write_all(&length.to_be_bytes()).unwrap();
            face.write_all(&0_u32.to_be_bytes()).unwrap();
            face.write_all(json.as_bytes()).unwrap();
        }
    }

    /// Faces that watch.
    pub fn watchers(&self) -> usize {
        self.stage.lock().unwrap().faces.len()
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.run.socket_path());
    }
}

impl Stage {
    fn say(&mut self, message: &ToFace) {
        self.faces
            .retain_mut(|face| write_frame(face, message).is_ok());
    }

    fn tell(&mut self, event: Event) {
        self.sequence += 1;
        let message = ToFace::Event {
            sequence: self.sequence,
            record: Record { event, time: now() },
        };
        self.say(&message);
    }

    fn hang_up(&mut self) {
        for face in self.faces.drain(..) {
            let _ = face.shutdown(std::net::Shutdown::Both);
        }
    }
}

/// Serves one face.
fn attend(run: &Run, mut face: UnixStream, stage: &Mutex<Stage>, hear: &Sender<Command>) {
    let Ok(ToWorker::Hello(FaceHello { watch, .. })) = read_hello(&mut face) else {
        return;
    };
    let hello = ToFace::Hello(WorkerHello {
        protocol: stage.lock().unwrap().protocol,
        build: "0123456789abcdef".to_owned(),
        run: run.name().to_owned(),
        pid: std::process::id(),
        full: false,
    });
    {
        let mut stage = stage.lock().unwrap();
        let mut to_face = face.try_clone().unwrap();
        let _ = to_face.write_all(&encode_hello(&hello).unwrap());
        if watch {
            let mut snapshot = stage.snapshot.clone();
            snapshot.sequence = stage.sequence;
            let _ = write_frame(&mut to_face, &ToFace::Snapshot(Box::new(snapshot)));
            stage.faces.push(to_face);
        }
    }
    let mut to_face = face.try_clone().unwrap();
    while let Ok(Some(said)) = read_frame(&mut face) {
        let ToWorker::Request { id, command } = said else {
            continue;
        };
        let mut stage = stage.lock().unwrap();
        if !stage.deaf {
            let outcome = perform(&mut stage, run, &command);
            let ack = Ack {
                id,
                step: STEP,
                outcome,
            };
            let _ = write_frame(&mut to_face, &ToFace::Ack(ack));
        }
        let _ = hear.send(command);
    }
}

/// Reads the hello of the other side.
pub fn read_hello<M: Message>(wire: &mut UnixStream) -> io::Result<M> {
    let mut bytes = vec![0; 4];
    wire.read_exact(&mut bytes)?;
    let length = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    bytes.resize(4 + length as usize, 0);
    wire.read_exact(&mut bytes[4..])?;
    let hello = Frame::hello(&bytes).map_err(io::Error::other)?;
    hello.unwrap().message().map_err(io::Error::other)
}

/// Does what a command asks for, as far as a face can see.
fn perform(stage: &mut Stage, run: &Run, command: &Command) -> Outcome {
    let phase = |phase| Event::Phase { phase, step: STEP };
    let mut detail = None;
    match command {
        Command::Pause => stage.tell(phase(Phase::Paused)),
        Command::Resume => stage.tell(phase(Phase::Training)),
        Command::Note { text } => stage.tell(Event::Note {
            step: STEP,
            text: text.clone(),
        }),
        Command::Set { key, .. } if key == "seed" => {
            return Outcome::Refused {
                reason: "seed cannot change while a run trains".to_owned(),
            };
        }
        Command::Set { key, value } => stage.tell(Event::Set {
            step: STEP,
            key: key.clone(),
            value: value.clone(),
        }),
        Command::Sample { .. } | Command::SampleClass { .. } => {
            stage.say(&ToFace::Pictures(pictures(Purpose::Fresh, 250)));
            let file = run.samples_dir().join("fresh.png");
            detail = Some(file.display().to_string());
        }
        _ => {}
    }
    Outcome::Done { detail }
}

fn listen(run: &Run) -> UnixListener {
    secure_socket_dir().unwrap();
    let socket = run.socket_path();
    let listener = UnixListener::bind(&socket).unwrap();
    run.write_presence(&Presence {
        host: host(),
        boot: boot(),
        pid: std::process::id(),
        since: now(),
        socket,
        build: "0123456789abcdef".to_owned(),
    })
    .unwrap();
    listener
}

/// A run that nobody has taken up.
pub fn new_run(lab: &Lab, name: &str) -> Run {
    let request = Request {
        preset: Some("tutorial".to_owned()),
        ..Request::default()
    };
    let config = resolve(&request).unwrap().config;
    Home::locate(Some(&lab.path().join("runs")))
        .unwrap()
        .create(Some(name), &config)
        .unwrap()
}

/// The first record of a run.
pub fn started(run: &Run) -> Record {
    Record {
        event: Event::Started(Box::new(Started {
            run: run.name().to_owned(),
            directory: run.dir().to_owned(),
            task: TaskKind::Generate,
            preset: "tutorial".to_owned(),
            data: "mnist".to_owned(),
            images: 60_000,
            device: "cpu".to_owned(),
            threads: 2,
            parameters: Parameters {
                generator: 1_500_000,
                discriminator: 1_400_000,
            },
            batch_size: 64,
            steps_per_epoch: 938,
            epochs: 10,
            last_step: 9380,
            step: 0,
            from: None,
            metrics: MetricSpec::of_older_runs(),
            class_names: Vec::new(),
            conditional: false,
            shape: [1, 28, 28],
        })),
        time: now(),
    }
}

/// Figures of a duel that goes well.
pub fn stats(step: u64) -> Stats {
    Stats {
        metrics: [
            ("d_loss", 1.25),
            ("g_loss", 0.75),
            ("d_real", 0.6),
            ("d_fake", 0.4),
            ("d_grad_norm", 1.0),
            ("g_grad_norm", 1.0),
        ]
        .into_iter()
        .collect(),
        images_per_second: 4000.0,
        training_seconds: step as f64 / 60.0,
        ..Stats::none_at(step, 1, step * 64)
    }
}

/// A look at the run with this verdict.
pub fn health(step: u64, verdict: Verdict) -> Health {
    Health {
        step,
        epoch: 1,
        training_seconds: step as f64 / 60.0,
        words: format!("{}: quick distance 412.5", verdict.word()),
        reason: "quick distance 412.5".to_owned(),
        verdict,
        quick_distance: 412.5,
        features: Some(FeatureKind::Judge),
        histogram: vec![0.1; 10],
        histogram_real: vec![0.1; 10],
        diversity: 0.25,
        confidence: 0.9,
        accuracy_real: 0.8,
        accuracy_fake: 0.7,
        saturated: 0.5,
        saturated_real: 0.6,
        best: None,
    }
}

/// Sixteen pictures of one grey.
pub fn pictures(purpose: Purpose, grey: u8) -> Pictures {
    Pictures {
        purpose,
        seed: 7,
        step: STEP,
        count: 16,
        channels: 1,
        height: 28,
        width: 28,
        pixels: vec![grey; 16 * 28 * 28],
        labels: Vec::new(),
        parts: Vec::new(),
    }
}

pub fn now() -> f64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
}
