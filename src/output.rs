//! Lines on stdout.

use std::io::{self, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes a line. A reader that went away, as `| head` does, is no error.
pub(crate) fn say(line: &str) -> io::Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// How long ago a time (seconds since 1970) was, roughly.
pub(crate) fn ago(time: f64) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64();
    let seconds = (now - time).max(0.0);
    let (count, unit) = match seconds {
        s if s < 60.0 => (s, "s"),
        s if s < 3600.0 => (s / 60.0, "min"),
        s if s < 86400.0 => (s / 3600.0, "h"),
        s => (s / 86400.0, "days"),
    };
    format!("{count:.0} {unit} ago")
}

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
