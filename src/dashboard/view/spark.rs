//! The course of a figure in one row.

use ratatui::text::Span;

use super::ink::Ink;
use crate::dashboard::state::{Series, Slice, State};
use crate::dashboard::words::whole;

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The window that is looked at, a slice a cell.
pub(super) fn slices(state: &State, series: Series, width: u16) -> Vec<Slice> {
    let (window, _) = state.look.window(&state.history);
    let (smoothing, _) = state.look.smoothing();
    state
        .history
        .slices(series, window, usize::from(width), smoothing)
}

/// Of the largest figure, a course covers at least this part: what hardly changes shall look as if.
const LEAST_SPAN: f64 = 0.3;

/// A bar a slice, the lowest and the highest of their own course; blank before the first report and where a figure
/// was not finite.
pub(super) fn text(slices: &[Slice]) -> String {
    let means = || slices.iter().filter_map(|slice| slice.mean());
    let low = means().fold(f64::INFINITY, f64::min);
    let high = means().fold(f64::NEG_INFINITY, f64::max);
    let span = (high - low).max(LEAST_SPAN * high.abs());
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

fn level(part: f64) -> char {
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
    }
}
