//! Made-up runs and a face that watches one.

use std::f64::consts::LN_2;

use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use sparring_contract::config;
use sparring_contract::protocol::{
    Ack, Best, Checkpointed, Command, Event, FeatureKind, Health, Machine, MetricSpec, Metrics,
    Outcome, Parameters, Phase, Pictures, Purpose, Record, Sampled, Snapshot, Started, Stats,
    ToFace, Verdict,
};

use crate::dashboard::view::{Ink, view};
use crate::dashboard::{Effect, KeyPress, Message, Settings, State, update};
use crate::terminal::{Colors, Render, Shade, Theme};

/// 12:33:20 on some day, UTC.
pub const NOW: f64 = 1_700_051_600.0;
const STEPS_PER_EPOCH: u64 = 938;
/// Steps between two reports.
const REPORT: u64 = 42;
/// Steps between two looks at how the run does.
const LOOK: u64 = 850;
/// Steps a second.
const SPEED: f64 = 84.6;

/// A run as a worker would tell it.
pub struct Run {
    pub snapshot: Snapshot,
}

/// A run of the tutorial that trains since a while.
pub fn training_run() -> Run {
    Run {
        snapshot: Snapshot {
            sequence: 10,
            phase: Phase::Training,
            started: Some(Box::new(started())),
            config: config_text(),
            machine: Some(Machine {
                cpu_percent: Some(96.4),
                worker_bytes: Some(412_000_000),
                memory_used: Some(1_400_000_000),
                memory_total: Some(23_000_000_000),
                ..Machine::default()
            }),
            ..Snapshot::default()
        },
    }
    .at_step(11_256)
}

/// A worker that has only just begun.
pub fn loading_run() -> Run {
    Run {
        snapshot: Snapshot::default(),
    }
}

impl Run {
    pub fn at_step(mut self, step: u64) -> Self {
        let steps = (1..)
            .map(|report| report * REPORT)
            .take_while(|at| *at < step);
        self.snapshot.history = steps.chain([step]).map(report).collect();
        let saved = step / STEPS_PER_EPOCH * STEPS_PER_EPOCH;
        let ago = (step - saved) as f64 / SPEED;
        self.snapshot.log = vec![record(
            Event::Started(Box::new(started())),
            NOW - step as f64 / SPEED,
        )];
        if saved > 0 {
            self.snapshot
                .log
                .push(record(sampled(saved), NOW - ago - 0.4));
            self.snapshot.log.push(record(checkpoint(saved), NOW - ago));
        }
        self.snapshot.pictures = vec![pictures(Purpose::Fixed, step)];
        let looks: Vec<_> = (1..=step / LOOK)
            .map(|look| learning(look * LOOK))
            .collect();
        self.snapshot.quality = looks.iter().map(Health::quality).collect();
        self.snapshot.health = looks.into_iter().next_back().map(|health| {
            let ago = (step - health.step) as f64 / SPEED;
            Box::new(record(Event::Health(Box::new(health)), NOW - ago))
        });
        self
    }
}

pub fn record(event: Event, time: f64) -> Record {
    Record { event, time }
}

pub fn checkpoint(step: u64) -> Event {
    Event::Checkpoint(Checkpointed {
        step,
        epoch: step / STEPS_PER_EPOCH,
        path: format!("checkpoints/{step}.safetensors").into(),
        bytes: 24_300_000,
        best: false,
    })
}

fn sampled(step: u64) -> Event {
    Event::Samples(Sampled {
        step,
        epoch: step / STEPS_PER_EPOCH,
        path: format!("samples/{step:08}.png").into(),
        purpose: Purpose::Fixed,
        count: 16,
        columns: 4,
        parts: Vec::new(),
    })
}

pub fn started() -> Started {
    Started {
        run: "quiet-otter".to_owned(),
        directory: "/home/ada/.local/share/sparring/runs/quiet-otter".into(),
        task: config::TaskKind::Generate,
        preset: "tutorial".to_owned(),
        data: "mnist".to_owned(),
        images: 60_000,
        device: "cpu".to_owned(),
        threads: 2,
        parameters: Parameters {
            generator: 1_486_352,
            discriminator: 533_505,
        },
        batch_size: 64,
        steps_per_epoch: STEPS_PER_EPOCH,
        epochs: 1000,
        last_step: 1000 * STEPS_PER_EPOCH,
        step: 0,
        from: None,
        metrics: specs(),
        class_names: (0..10).map(|digit| digit.to_string()).collect(),
        conditional: true,
        shape: [1, 28, 28],
    }
}

/// What a run with binary cross-entropy reports.
pub fn specs() -> Vec<MetricSpec> {
    let mut specs = MetricSpec::of_older_runs();
    specs[0].ideal = Some(2.0 * LN_2);
    specs[1].ideal = Some(LN_2);
    for loss in &mut specs[..2] {
        loss.unit = Some("nats".to_owned());
    }
    specs
}

fn config_text() -> String {
    let request = config::Request {
        preset: Some("tutorial".to_owned()),
        ..config::Request::default()
    };
    config::resolve(&request).unwrap().config.to_toml().unwrap()
}

/// Figures of a duel that wanders, the same at every call.
pub fn report(step: u64) -> Stats {
    let at = step as f64 / 1000.0;
    let wander = |speed: f64, shift: f64| {
        let slow = (at * speed + shift).sin();
        let fast = (at * speed * 7.3 + shift * 3.0).sin();
        let noise = ((step.wrapping_mul(2_654_435_761) >> 7) % 1000) as f64 / 1000.0 - 0.5;
        0.6 * slow + 0.25 * fast + 0.3 * noise
    };
    Stats {
        step,
        epoch: step.div_ceil(STEPS_PER_EPOCH),
        images_seen: step * 64,
        images_per_second: 5412.0 + 180.0 * wander(4.0, 1.0),
        training_seconds: step as f64 / SPEED,
        metrics: metrics([
            0.62 + 0.18 * wander(1.7, 0.3),
            1.2 + 0.3 * wander(1.1, 2.0) + (-at).exp(),
            0.71 + 0.06 * wander(2.1, 1.0),
            0.31 + 0.07 * wander(1.9, 4.0),
            0.82 + 0.3 * wander(2.7, 2.0).abs(),
            1.9 + 0.5 * wander(2.3, 5.0),
        ]),
    }
}

/// Values of the metrics, in the order of [`specs`].
pub fn metrics(values: [f64; 6]) -> Metrics {
    let keys = specs().into_iter().map(|spec| spec.key);
    keys.zip(values).collect()
}

/// The quick distance of a run that learns and wanders a little.
fn quick_distance(step: u64) -> f64 {
    let wander = (step as f64 / 700.0).sin();
    (310.0 * (-(step as f64) / 2400.0).exp() + 17.0) * (1.0 + 0.06 * wander)
}

/// How a run does that learns, with few fives.
pub fn learning(step: u64) -> Health {
    let found = quick_distance(step);
    let best = (1..=step / LOOK)
        .map(|look| look * LOOK)
        .chain([step])
        .map(|step| Best {
            step,
            quick_distance: quick_distance(step),
        })
        .min_by(|a, b| a.quick_distance.total_cmp(&b.quick_distance));
    Health {
        step,
        epoch: step.div_ceil(STEPS_PER_EPOCH),
        training_seconds: step as f64 / SPEED,
        verdict: Verdict::Learning,
        words: format!("learning: quick distance {found:.1}, was 31.0 two minutes ago"),
        reason: format!("quick distance {found:.1}, was 31.0 two minutes ago"),
        quick_distance: found,
        features: Some(FeatureKind::Judge),
        histogram: vec![0.11, 0.14, 0.09, 0.1, 0.12, 0.04, 0.1, 0.12, 0.08, 0.1],
        histogram_real: vec![0.1; 10],
        diversity: 0.83,
        confidence: 0.93,
        accuracy_real: 0.86,
        accuracy_fake: 0.91,
        saturated: 0.58,
        saturated_real: 0.62,
        best,
    }
}

/// How a run does whose pictures are nearly all eights.
pub fn collapsing(step: u64) -> Health {
    Health {
        verdict: Verdict::Collapsing {
            missing: vec![0, 2, 3, 5, 6],
        },
        words: "collapsing: 86% of the pictures are 8; 0, 2, 3, 5, 6 are gone".to_owned(),
        reason: "86% of the pictures are 8; 0, 2, 3, 5, 6 are gone".to_owned(),
        quick_distance: 412.3,
        histogram: vec![0.0, 0.04, 0.001, 0.0, 0.02, 0.0, 0.002, 0.03, 0.86, 0.047],
        diversity: 0.06,
        ..learning(step)
    }
}

/// How a run does that learns from data without labels.
pub fn unlabelled(step: u64) -> Health {
    Health {
        features: Some(FeatureKind::Unlabelled),
        histogram: Vec::new(),
        histogram_real: Vec::new(),
        confidence: f64::NAN,
        ..learning(step)
    }
}

/// How a run does on so few images that pictures cannot be compared with them.
pub fn unmeasured(step: u64) -> Health {
    Health {
        verdict: Verdict::Unclear,
        words: "nothing to tell it by but D: right on 86% of real images and 91% of fakes"
            .to_owned(),
        reason: String::new(),
        quick_distance: f64::NAN,
        features: None,
        best: None,
        ..unlabelled(step)
    }
}

/// Sixteen rings, no two alike.
pub fn pictures(purpose: Purpose, step: u64) -> Pictures {
    let pixel = |index: u32, x: u32, y: u32| {
        let (dx, dy) = (f64::from(x) - 13.5, f64::from(y) - 13.5);
        let radius = 3.0 + f64::from(index) * 0.5;
        let away = (dx.hypot(dy) - radius).abs();
        if away < 1.5 { 255 } else { 0 }
    };
    Pictures {
        purpose,
        seed: 0,
        step,
        count: 16,
        channels: 1,
        height: 28,
        width: 28,
        pixels: (0..16)
            .flat_map(|index| (0..28).flat_map(move |y| (0..28).map(move |x| pixel(index, x, y))))
            .collect(),
        labels: Vec::new(),
        parts: Vec::new(),
    }
}

pub fn settings() -> Settings {
    Settings {
        run: "quiet-otter".to_owned(),
        now: NOW,
        ..Settings::default()
    }
}

/// Truecolor and UTF-8, or neither.
pub fn ink(plain: bool) -> Ink {
    let colors = if plain { Colors::None } else { Colors::True };
    Ink {
        theme: Theme::new(Shade::Dark, colors),
        unicode: !plain,
        pictures: colors,
        render: if plain { Render::Ascii } else { Render::Half },
    }
}

/// A face, its screen, and what it did.
pub struct Face {
    pub state: State,
    pub effects: Vec<Effect>,
    pub plain: bool,
    sequence: u64,
}

impl Face {
    pub fn attached_to(run: Run) -> Self {
        let mut face = Self::of(State::new(settings()));
        face.sequence = run.snapshot.sequence;
        face.hears(ToFace::Snapshot(Box::new(run.snapshot)));
        face
    }

    pub fn of(state: State) -> Self {
        Self {
            state,
            effects: Vec::new(),
            plain: false,
            sequence: 0,
        }
    }

    pub fn gets(&mut self, message: Message) {
        let effects = update(&mut self.state, message);
        self.effects.extend(effects);
    }

    pub fn hears(&mut self, said: ToFace) {
        self.gets(Message::FromWorker(said));
    }

    pub fn hears_of(&mut self, event: Event) {
        self.sequence += 1;
        let said = ToFace::Event {
            sequence: self.sequence,
            record: record(event, self.state.now),
        };
        self.hears(said);
    }

    /// Presses keys one after the other, as a configuration writes them.
    pub fn press(&mut self, keys: &str) {
        for key in keys.split(' ') {
            self.gets(Message::Key(key.parse().unwrap()));
        }
    }

    pub fn types(&mut self, text: &str) {
        for letter in text.chars() {
            let key = KeyPress::plain(KeyCode::Char(letter));
            self.gets(Message::Key(key));
        }
    }

    pub fn waits(&mut self, seconds: f64) {
        let then = self.state.now + seconds;
        self.gets(Message::Tick(then));
    }

    /// The commands that were sent, oldest first.
    pub fn sent(&self) -> Vec<Command> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Send { command, .. } => Some(command.clone()),
                _ => None,
            })
            .collect()
    }

    /// The worker answers the last command.
    pub fn hears_done_at(&mut self, step: u64) {
        self.hears_outcome(step, Outcome::Done { detail: None });
    }

    pub fn hears_refused(&mut self, reason: &str) {
        let reason = reason.to_owned();
        self.hears_outcome(0, Outcome::Refused { reason });
    }

    pub fn hears_outcome(&mut self, step: u64, outcome: Outcome) {
        let last = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Send { id, .. } => Some(*id),
            _ => None,
        });
        let id = last.expect("a command was sent");
        self.hears(ToFace::Ack(Ack { id, step, outcome }));
    }

    pub fn drawn(&self, width: u16, height: u16) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        view(&self.state, ink(self.plain), area, &mut buffer);
        buffer
    }

    /// What stands on a screen of 120×34.
    pub fn screen(&self) -> String {
        self.screen_of(120, 34)
    }

    pub fn screen_of(&self, width: u16, height: u16) -> String {
        let buffer = self.drawn(width, height);
        let mut text = String::new();
        for y in 0..height {
            let line: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}
