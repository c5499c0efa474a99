//! A chart in a word.

/// Numbers as a row of bars, from the least to the greatest of them; a gap for what is not finite.
pub(crate) fn sparkline(values: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (low, high) = (
        finite().fold(f64::INFINITY, f64::min),
        finite().fold(f64::NEG_INFINITY, f64::max),
    );
    let bar = |value: f64| {
        if !value.is_finite() {
            return ' ';
        }
        let share = if high > low {
            (value - low) / (high - low)
        } else {
            0.5
        };
        BARS.into_iter()
            .find(|bar| share * 8.0 < f64::from(*bar as u32 - BARS[0] as u32 + 1))
            .unwrap_or(BARS[7])
    };
    values.iter().map(|value| bar(*value)).collect()
}
