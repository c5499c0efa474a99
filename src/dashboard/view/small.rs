//! Screens that have no room for panels.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::ink::{Ink, Piece, fit, inset, joined, put, row, shortened, wrapped};
use super::{curves, footer, gallery, header};
use crate::dashboard::state::{Chart, Series, State, Tone};
use crate::dashboard::words::{figure, grouped, probability};

/// Columns of the picture.
const PICTURE: u16 = 14;

/// State, progress, figures and a picture.
pub(super) fn draw(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    header::identity(state, ink, row(area, 0), buffer);
    header::progress(state, ink, row(area, 1), buffer);
    footer::draw(state, ink, row(area, area.height.saturating_sub(1)), buffer);
    let body = inset(
        Rect {
            y: row(area, 3).y,
            height: area.height.saturating_sub(5),
            ..area
        },
        1,
    );
    let beside = body.width.min(PICTURE);
    let left = Rect {
        width: body.width.saturating_sub(beside + 2),
        ..body
    };
    let right = Rect {
        x: body.right() - beside,
        width: beside,
        ..body
    };
    figures(state, ink, left, buffer);
    picture(state, ink, right, buffer);
}

fn figures(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    curves::lines(state, Chart::Losses, ink, area, buffer);
    let of = |series: Series| state.stats.map_or(f64::NAN, |stats| series.of(&stats));
    let pair = Line::from(vec![
        Span::styled("D(x) ", ink.theme.discriminator()),
        ink.bold(probability(of(Series::DReal))),
        Span::styled(" D(G) ", ink.theme.generator()),
        ink.bold(probability(of(Series::DFake))),
    ]);
    put(buffer, row(area, 2), pair);
    if let Some(verdict) = state.verdict() {
        let words = Span::styled(verdict.words, ink.health(verdict.health));
        put(buffer, row(area, 3), words);
    }
    if let Some(next) = state.next() {
        let lines = wrapped(&next, usize::from(area.width));
        for (index, line) in (4..).zip(lines) {
            put(buffer, row(area, index), ink.bold(line));
        }
        return;
    }
    let speed = format!(
        "{:>6} img/s",
        header::speed_words(header::throughput(state))
    );
    put(buffer, row(area, 4), ink.dim(speed));
    put(
        buffer,
        row(area, 5),
        ink.dim(format!("step {}", grouped(state.step()))),
    );
}

fn picture(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    if let Some(shown) = state.gallery.shown() {
        let one = gallery::laid_out(&shown.pictures, ink, area, true);
        gallery::pictures(&shown.pictures, &one, buffer);
    }
}

/// All that a line can say.
pub(super) fn line(state: &State, ink: Ink, area: Rect, buffer: &mut Buffer) {
    let standing = state.standing();
    let width = usize::from(area.width);
    let of = |series: Series| state.stats.map_or(f64::NAN, |stats| series.of(&stats));
    let percent = state
        .progress()
        .map_or_else(String::new, |part| format!("{:.1}%", part * 100.0));
    let word = shortened(&standing.words(), width.saturating_sub(2));
    let alarm = header::alarm(state, ink);
    // Where there is room for one of the two, an alarm says more than that the run goes on.
    let goes_on = !matches!(standing.tone(), Tone::Over | Tone::Alarm);
    let (word_rank, alarm_rank) = if alarm.is_some() && goes_on {
        (1, 0)
    } else {
        (0, 1)
    };
    let loss = |letter: &'static str, series: Series| {
        Line::from(vec![
            Span::styled(letter, ink.series(series)),
            Span::raw(format!(" {}", figure(of(series)))),
        ])
    };
    let mut pieces = vec![
        Piece::new(
            word_rank,
            Span::styled(
                format!("{} {word}", header::dot(standing)),
                ink.tone(standing.tone()),
            ),
        ),
        Piece::new(2, percent),
        Piece::new(3, loss("D", Series::DLoss)),
        Piece::new(4, loss("G", Series::GLoss)),
    ];
    pieces.splice(1..1, alarm.map(|alarm| Piece::new(alarm_rank, alarm)));
    fit(&mut pieces, width, 1);
    put(buffer, area, joined(pieces, &Span::raw(" ")));
}
