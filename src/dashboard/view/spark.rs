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

/// The highest mean.
pub(super) fn peak(slices: &[Slice]) -> f64 {
    slices
        .iter()
        .filter_map(|slice| slice.mean())
        .fold(0.0, f64::max)
}

/// A bar a slice from 0 to `peak`; blank before the first report and where a figure was not finite.
pub(super) fn text(slices: &[Slice], peak: f64) -> String {
    let mut last = ' ';
    slices
        .iter()
        .map(|slice| {
            last = match slice {
                Slice::Empty => last,
                Slice::Gap => ' ',
                Slice::Mean(value) => level(*value, peak),
            };
            last
        })
        .collect()
}

fn level(value: f64, peak: f64) -> char {
    let part = if peak > 0.0 {
        (value / peak).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let index = usize::try_from(whole(part * 7.0)).unwrap_or(0);
    LEVELS[index.min(7)]
}

/// Images a second in one row.
pub(super) fn throughput(state: &State, ink: Ink, width: u16) -> Span<'static> {
    let slices = slices(state, Series::Throughput, width);
    Span::styled(text(&slices, peak(&slices)), ink.theme.dim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_rise_from_zero_and_gaps_stay_blank() {
        let slices = [
            Slice::Empty,
            Slice::Mean(0.0),
            Slice::Mean(1.0),
            Slice::Gap,
            Slice::Mean(2.0),
            Slice::Empty,
        ];
        assert_eq!(text(&slices, peak(&slices)), " ▁▅ ██");
    }

    #[test]
    fn figures_that_are_all_zero_are_flat() {
        let slices = [Slice::Mean(0.0); 3];
        assert_eq!(text(&slices, peak(&slices)), "▁▁▁");
    }
}
