//! Columns of text.

/// Rows whose cells stand below each other: the first column begins on the left, the others end on the right.
pub(super) fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |place: usize| {
        let cells = rows.iter().filter_map(|row| row.get(place));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).enumerate();
            let line: Vec<_> = cells
                .map(|(place, (cell, width))| match place {
                    0 => format!("{cell:width$}"),
                    _ => format!("{cell:>width$}"),
                })
                .collect();
            line.join("  ").trim_end().to_owned()
        })
        .collect()
}

/// A figure as a cell; a dash where it is not known, or without end.
pub(super) fn cell(value: Option<f64>, written: fn(f64) -> String) -> String {
    value
        .filter(|value| value.is_finite())
        .map_or_else(|| "–".to_owned(), written)
}
