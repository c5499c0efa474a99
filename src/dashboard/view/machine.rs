//! The panel of the machine that trains.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use sparring_contract::protocol::Machine;

use super::frame::Frame;
use super::ink::{Ink, Piece, fit, joined, put, row};
use crate::dashboard::state::{Panel, State};
use crate::dashboard::words::{UNKNOWN, ago, bytes, grouped, share};

/// Below this the words are short.
const NARROW: u16 = 36;

/// Rows of figures, of which the GPU's is there where one trains.
pub(super) fn rows(state: &State) -> u16 {
    let gpu = state
        .machine
        .as_ref()
        .is_some_and(|machine| machine.gpu.is_some());
    2 + u16::from(gpu)
}

/// Draws the panel.
pub(super) fn draw(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let focused = state.look.focus == Panel::Machine;
    let inner = Frame::new(title(state, ink), focused).draw(ink, area, buffer);
    let unknown = Machine::default();
    let machine = state.machine.as_ref().unwrap_or(&unknown);
    let narrow = inner.width < NARROW;
    let mut lines = vec![processor(state, machine, ink, narrow)];
    if machine.gpu.is_some() {
        lines.push(gpu(machine, ink));
    }
    lines.push(if narrow {
        checkpoint_in_short(state, ink)
    } else {
        checkpoint(state, ink)
    });
    if inner.height > rows(state) + 2 {
        lines.push(Vec::new());
        lines.extend(details(state, machine, ink));
    }
    for (index, mut pieces) in (0..).zip(lines) {
        let gap = if narrow { 2 } else { 3 };
        fit(&mut pieces, usize::from(inner.width), gap);
        let line = joined(pieces, &Span::raw(" ".repeat(gap)));
        put(buffer, row(inner, index), line);
    }
}

fn title<'a>(state: &State, ink: Ink) -> Vec<Line<'a>> {
    let mut title = vec![Line::from(ink.bold("machine"))];
    if let Some(gpu) = state
        .machine
        .as_ref()
        .and_then(|machine| machine.gpu.clone())
    {
        title.push(Line::from(gpu));
    }
    title
}

fn item(ink: Ink, rank: u8, name: &str, value: String) -> Piece<'_> {
    Piece::new(
        rank,
        Line::from(vec![ink.dim(format!("{name} ")), Span::raw(value)]),
    )
}

fn percent(value: Option<f32>) -> String {
    let text = match value {
        Some(value) if value.is_finite() => format!("{value:.0}%"),
        _ => UNKNOWN.to_owned(),
    };
    format!("{text:>4}")
}

fn used(part: Option<u64>, whole: Option<u64>) -> String {
    match (part, whole) {
        (Some(part), Some(whole)) => share(part, whole),
        (Some(part), None) => bytes(part as f64),
        _ => UNKNOWN.to_owned(),
    }
}

fn processor<'a>(state: &State, machine: &Machine, ink: Ink, narrow: bool) -> Vec<Piece<'a>> {
    let mut pieces = vec![
        item(ink, 0, "cpu", percent(machine.cpu_percent)),
        item(
            ink,
            1,
            if narrow { "mem" } else { "memory" },
            used(machine.memory_used, machine.memory_total),
        ),
    ];
    if machine.gpu.is_none() {
        pieces.push(item(ink, 2, "gpu", UNKNOWN.to_owned()));
    }
    if !narrow {
        pieces.push(item(ink, 3, "tty", link(state)));
    }
    pieces
}

/// What this face writes to its terminal, in one width.
fn link(state: &State) -> String {
    let text = state
        .traffic
        .map_or_else(|| UNKNOWN.to_owned(), |rate| format!("{}/s", bytes(rate)));
    format!("{text:<8}")
}

fn gpu<'a>(machine: &Machine, ink: Ink) -> Vec<Piece<'a>> {
    let with_unit = |value: Option<f32>, unit: &str| {
        value.filter(|value| value.is_finite()).map_or_else(
            || format!("{UNKNOWN} {unit}"),
            |value| format!("{value:.0} {unit}"),
        )
    };
    vec![
        item(ink, 0, "gpu", percent(machine.gpu_percent)),
        item(
            ink,
            1,
            "memory",
            used(machine.gpu_memory_used, machine.gpu_memory_total),
        ),
        Piece::new(2, with_unit(machine.gpu_celsius, "°C")),
        Piece::new(3, with_unit(machine.gpu_watts, "W")),
    ]
}

fn checkpoint<'a>(state: &State, ink: Ink) -> Vec<Piece<'a>> {
    let mut pieces = vec![item(
        ink,
        0,
        "checkpoint",
        match state.timeline.saved() {
            Some(saved) => format!("step {}", grouped(saved.step)),
            None => "none yet".to_owned(),
        },
    )];
    if state.is_saving() {
        pieces.push(Piece::new(1, "saving…"));
    } else if let Some(time) = state.timeline.saved().and_then(|saved| saved.time) {
        pieces.push(Piece::new(1, ago(state.now - time)));
    }
    pieces
}

/// The age of the newest checkpoint, and what this face writes, in one line.
fn checkpoint_in_short<'a>(state: &State, ink: Ink) -> Vec<Piece<'a>> {
    let saved = match state.timeline.saved() {
        _ if state.is_saving() => "saving…".to_owned(),
        None => "nothing yet".to_owned(),
        Some(saved) => saved.time.map_or_else(
            || format!("step {}", grouped(saved.step)),
            |time| ago(state.now - time),
        ),
    };
    vec![
        item(ink, 0, "saved", saved),
        item(ink, 1, "tty", link(state)),
    ]
}

/// What is worth a look when the panel is enlarged.
fn details<'a>(state: &State, machine: &Machine, ink: Ink) -> Vec<Vec<Piece<'a>>> {
    let line = |name: &str, value| {
        let name = ink.dim(format!("{name:<14}"));
        vec![Piece::new(0, Line::from(vec![name, Span::raw(value)]))]
    };
    let mut lines = vec![line("worker", used(machine.worker_bytes, None))];
    let Some(started) = &state.timeline.started else {
        return lines;
    };
    lines.push(line(
        "device",
        format!("{}, {} threads", started.device, started.threads),
    ));
    lines.push(line(
        "generator",
        format!("{} parameters", grouped(started.parameters.generator)),
    ));
    lines.push(line(
        "discriminator",
        format!("{} parameters", grouped(started.parameters.discriminator)),
    ));
    lines.push(line(
        "batch",
        format!(
            "{} of {} images, {} steps an epoch",
            started.batch_size,
            grouped(started.images),
            grouped(started.steps_per_epoch)
        ),
    ));
    lines.push(line("directory", started.directory.display().to_string()));
    lines
}
