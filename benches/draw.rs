//! The time to draw a dashboard of 200×60 with a long history and sixteen pictures: `cargo bench --profile dev`.

use std::time::Instant;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use sparring::dashboard::view::{Ink, view};
use sparring::dashboard::{Keymap, Message, Settings, State, update};
use sparring::terminal::{Capabilities, ColorChoice, Environment, RenderChoice, Shade, Theme};
use sparring_contract::protocol::{Phase, Pictures, Purpose, Snapshot, Stats, ToFace};

/// Frames that are drawn and timed.
const FRAMES: usize = 300;
/// Reports in the history: as many as a snapshot tells.
const REPORTS: u32 = 1200;

fn main() {
    let environment = Environment {
        is_terminal: true,
        size: Some(ratatui::layout::Size::new(200, 60)),
        ..Environment::of(&std::io::stdout())
    };
    let capabilities = Capabilities::new(&environment, ColorChoice::Always, RenderChoice::Half);
    let ink = Ink::new(Theme::new(Shade::Dark, capabilities.colors), &capabilities);
    let state = long_run();
    let area = Rect::new(0, 0, 200, 60);

    let mut times: Vec<_> = (0..FRAMES)
        .map(|_| {
            let mut buffer = Buffer::empty(area);
            let began = Instant::now();
            view(&state, ink, area, &mut buffer);
            began.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!(
        "{:.2} ms ({:.2})",
        times[FRAMES / 2],
        times[FRAMES * 95 / 100]
    );
}

/// A dashboard that has heard of a long run.
fn long_run() -> State {
    let history = (1..=REPORTS).map(|report| {
        let wave = f64::from(report) / 40.0;
        Stats {
            images_per_second: 6000.0,
            training_seconds: f64::from(report),
            metrics: [
                ("d_loss", 1.0 + 0.3 * wave.sin()),
                ("g_loss", 1.5 + 0.5 * wave.cos()),
                ("d_real", 0.6),
                ("d_fake", 0.4),
                ("d_grad_norm", 1.0),
                ("g_grad_norm", 2.0),
            ]
            .into_iter()
            .collect(),
            ..Stats::none_at(u64::from(report) * 90, 1, u64::from(report) * 5760)
        }
    });
    let pixels = (0..16 * 784_u32).map(|pixel| (pixel * 7 % 251) as u8);
    let pictures = Pictures {
        purpose: Purpose::Fixed,
        seed: 0,
        step: 90,
        count: 16,
        channels: 1,
        height: 28,
        width: 28,
        pixels: pixels.collect(),
        labels: Vec::new(),
        parts: Vec::new(),
    };
    let snapshot = Snapshot {
        phase: Phase::Training,
        history: history.collect(),
        pictures: vec![pictures],
        ..Snapshot::default()
    };
    let mut state = State::new(Settings {
        run: "bench".to_owned(),
        keymap: Keymap::default(),
        read_only: false,
        utc_offset: 0,
        now: f64::from(REPORTS),
    });
    update(
        &mut state,
        Message::FromWorker(ToFace::Snapshot(Box::new(snapshot))),
    );
    state
}
