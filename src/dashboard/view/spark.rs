//! The course of a figure in one row.

use ratatui::text::Span;
use sparring_contract::protocol::Quality;

use super::ink::Ink;
use crate::dashboard::state::{self, Series, Slice, State, seconds};
use crate::dashboard::words::whole;

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The window that is looked at, a slice a cell.
pub(super) fn slices(state: &State, series: Series, width: u16) -> Vec<Slice> {
    let reports = &state.timeline.reports;
    let (window, _) = state.look.window(seconds(reports));
    let (smoothing, _) = state.look.smoothing();
    state::slices(
        reports,
        |stats| state.charts.value(series, stats),
        window,
        usize::from(width),
        smoothing,
    )
}

/// The quality curve since the run began, a slice a cell.
pub(super) fn quality(state: &State, width: u16) -> Vec<Slice> {
    let quality = &state.timeline.quality;
    let distance = |point: &Quality| point.quick_distance.clamp(LEAST_DISTANCE, f64::INFINITY);
    state::slices(quality, distance, whole_run(state), usize::from(width), 0.0)
}

/// Seconds from the first point of the quality curve to the last.
pub(super) fn whole_run(state: &State) -> f64 {
    seconds(&state.timeline.quality).max(1.0)
}

/// Quick distances of real images scatter from −0.2 to 1: smaller ones are drawn at this, for logarithms.
const LEAST_DISTANCE: f64 = 0.5;

/// A sparkline spans at least this share of its largest value, so that small changes look small.
const LEAST_SPAN: f64 = 0.3;

/// A bar for each slice, scaled to the lowest and highest of them; blank before the first report and where a value
/// was not finite.
pub(super) fn text(slices: &[Slice]) -> String {
    bars(slices, |high| LEAST_SPAN * high.abs())
}

/// The same on a logarithmic scale, for figures above 0.
pub(super) fn logarithmic(slices: &[Slice]) -> String {
    let logarithms: Vec<_> = slices
        .iter()
        .map(|slice| match slice {
            Slice::Mean(value) => Slice::Mean(value.ln()),
            other => *other,
        })
        .collect();
    bars(&logarithms, |_| -(1.0 - LEAST_SPAN).ln())
}

fn bars(slices: &[Slice], least_span: impl Fn(f64) -> f64) -> String {
    let means = || slices.iter().filter_map(|slice| slice.mean());
    let low = means().fold(f64::INFINITY, f64::min);
    let high = means().fold(f64::NEG_INFINITY, f64::max);
    let span = (high - low).max(least_span(high));
    let foot = f64::midpoint(low, high) - span / 2.0;
    let mut last = ' ';
    slices
        .iter()
        .map(|slice| {
            last = match slice {
                Slice::Empty => last,
                Slice::Gap => ' ',
                Slice::Mean(value) => level((value - foot) / span),
            };
            last
        })
        .collect()
}

/// A bar of this part of the whole height.
pub(super) fn level(part: f64) -> char {
    let index = usize::try_from(whole(part.clamp(0.0, 1.0) * 7.0)).unwrap_or(0);
    LEVELS[index.min(7)]
}

/// Images a second in one row.
pub(super) fn throughput(state: &State, ink: Ink, width: u16) -> Span<'static> {
    let slices = slices(state, Series::Throughput, width);
    Span::styled(text(&slices), ink.theme.dim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_span_their_own_course_and_gaps_stay_blank() {
        let slices = [
            Slice::Empty,
            Slice::Mean(0.0),
            Slice::Mean(1.0),
            Slice::Gap,
            Slice::Mean(2.0),
            Slice::Empty,
        ];
        assert_eq!(text(&slices), " ▁▅ ██");
    }

    #[test]
    fn what_hardly_changes_looks_as_if() {
        let slices = [5400.0, 5410.0, 5390.0].map(Slice::Mean);
        assert_eq!(text(&slices), "▅▅▄");
        assert_eq!(text(&[Slice::Mean(0.0); 3]), "▁▁▁");
        assert_eq!(logarithmic(&[100.0, 99.0].map(Slice::Mean)), "▅▄");
    }

    #[test]
    fn on_a_logarithmic_scale_every_halving_is_as_high() {
        let slices = [64.0, 32.0, 16.0, 8.0].map(Slice::Mean);
        assert_eq!(logarithmic(&slices), "█▆▃▁");
        assert_eq!(text(&slices), "█▄▂▁");
    }
}
