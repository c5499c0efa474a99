//! The axis of a chart: its range, and where its marks are.

use crate::dashboard::words::whole;

/// What a chart's height stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    step: f64,
}

/// What is shown on an axis, before its ends are rounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub low: f64,
    pub high: f64,
}

impl Range {
    /// The range of the finite among some values.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        values
            .filter(|value| value.is_finite())
            .fold(None, |range, value| {
                Some(range.map_or(
                    Self {
                        low: value,
                        high: value,
                    },
                    |range: Self| Self {
                        low: range.low.min(value),
                        high: range.high.max(value),
                    },
                ))
            })
    }
}

impl Axis {
    /// A linear axis so many rows high, with marks at round numbers that are equally many rows apart: two, or three where
    /// there is room for more than three marks so. It begins at 0 unless the values are far from it, and may reach
    /// beyond the highest mark.
    pub(super) fn linear(range: Range, rows: u16) -> Self {
        let low = if range.low >= 0.0 && range.low < 0.6 * range.high {
            0.0
        } else {
            range.low
        };
        let span = (range.high - low).max(range.high.abs() * 1e-3).max(1e-9);
        let gaps = f64::from(rows.saturating_sub(1).max(1));
        let wanted = if rows > 9 { 3_u8 } else { 2 };
        (1..=wanted)
            .rev()
            .find_map(|apart| Self::marked(low, low + span, gaps, f64::from(apart)))
            .unwrap_or(Self {
                low,
                high: low + span,
                logarithmic: false,
                step: span,
            })
    }

    /// An axis from the round number below `low` to `high` or above, which has so many gaps between rows, and marks that
    /// many rows apart or more; none if only a much coarser step would do that.
    fn marked(low: f64, high: f64, gaps: f64, apart: f64) -> Option<Self> {
        let finest = round_step((high - low) * apart / gaps);
        std::iter::successors(Some(finest), |step| Some(round_step(step * 1.01)))
            .take(3)
            .find_map(|step| {
                let foot = (low / step).floor() * step;
                // Rounded down: what is left over is above the highest mark.
                let rows_apart = (gaps * step / (high - foot) + 1e-9).floor();
                (rows_apart >= apart).then(|| Self {
                    low: foot,
                    high: foot + step * gaps / rows_apart,
                    logarithmic: false,
                    step,
                })
            })
    }

    /// A logarithmic axis; none if no value is above 0.
    pub(super) fn logarithmic(range: Range) -> Option<Self> {
        if range.high <= 0.0 {
            return None;
        }
        let low = if range.low > 0.0 {
            range.low
        } else {
            range.high * 1e-3
        };
        Some(Self {
            low: low.min(range.high / 2.0),
            high: range.high,
            logarithmic: true,
            step: 0.0,
        })
    }

    /// Whether a value lies between the ends.
    pub(super) fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Where a value is, 0 at the foot and 1 at the top; none for what a logarithmic axis has no place for.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let place = if self.logarithmic {
            if value <= 0.0 {
                return None;
            }
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        place.is_finite().then(|| place.clamp(0.0, 1.0))
    }

    /// The row of cells of a value, from the top, where the axis is so many rows high.
    pub(super) fn row(&self, value: f64, rows: u16) -> Option<u16> {
        let from_top = (1.0 - self.place(value)?) * f64::from(rows.checked_sub(1)?);
        u16::try_from(whole(from_top)).ok()
    }

    /// The values to mark, from the foot up.
    pub(super) fn marks(&self) -> Vec<f64> {
        if !self.logarithmic {
            let count = ((self.high - self.low) / self.step + 1e-9)
                .floor()
                .min(50.0);
            return (0..=whole(count))
                .map(|index| self.low + index as f64 * self.step)
                .collect();
        }
        let decades = (self.high / self.low).log10();
        let digits: &[f64] = match decades {
            _ if decades > 3.0 => &[1.0],
            _ if decades > 1.0 => &[1.0, 2.0, 5.0],
            _ => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0],
        };
        let mut marks = Vec::new();
        let mut decade = 10_f64.powf(self.low.log10().floor());
        while decade <= self.high && marks.len() < 50 {
            marks.extend(
                digits
                    .iter()
                    .map(|digit| digit * decade)
                    .filter(|mark| (self.low..=self.high).contains(mark)),
            );
            decade *= 10.0;
        }
        marks
    }

    /// A mark in words.
    pub(super) fn label(&self, mark: f64) -> String {
        let size = self.high.abs().max(self.low.abs());
        if size >= 10_000.0 {
            let thousands = format!("{:.1}", mark / 1000.0);
            return format!("{}k", thousands.trim_end_matches(".0"));
        }
        let fine = if self.logarithmic { mark } else { self.step };
        let text = match fine {
            _ if fine >= 1.0 && fine.fract() < 1e-9 => format!("{mark:.0}"),
            _ if fine >= 0.1 => format!("{mark:.1}"),
            _ if fine >= 0.01 => format!("{mark:.2}"),
            _ if fine >= 0.001 => format!("{mark:.3}"),
            _ => format!("{mark:.0e}"),
        };
        if !self.logarithmic && fine >= 0.01 && ((fine * 10.0).fract() * 10.0 - 5.0).abs() < 1e-6 {
            return format!("{mark:.2}");
        }
        text
    }
}

/// The round number at or above a step: 1, 2, 2.5 or 5 times a power of ten.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    [1.0, 2.0, 2.5, 5.0]
        .into_iter()
        .map(|digit| digit * power)
        .find(|round| *round >= step * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.marks().iter().map(|mark| axis.label(*mark)).collect()
    }

    #[test]
    fn marks_are_at_round_numbers_that_hold_the_range() {
        let axis = Axis::linear(
            Range {
                low: 0.3,
                high: 1.93,
            },
            13,
        );
        assert_eq!(labels(&axis), ["0.0", "0.5", "1.0", "1.5", "2.0"]);
        let axis = Axis::linear(
            Range {
                low: 5200.0,
                high: 5412.0,
            },
            10,
        );
        assert_eq!(labels(&axis), ["5200", "5300", "5400"]);
        let axis = Axis::linear(
            Range {
                low: 0.0,
                high: 1.0,
            },
            13,
        );
        assert_eq!(labels(&axis), ["0.00", "0.25", "0.50", "0.75", "1.00"]);
    }

    #[test]
    fn marks_are_equally_many_rows_apart_and_the_curve_fills_most_of_the_height() {
        for (low, high) in [
            (0.3, 1.93),
            (0.0, 2.07),
            (0.66, 1.1),
            (-3.0, 4.0),
            (0.0, 1.0),
            (12.0, 13.0),
        ] {
            for rows in 3..40 {
                let axis = Axis::linear(Range { low, high }, rows);
                let places: Vec<_> = axis
                    .marks()
                    .iter()
                    .map(|mark| axis.row(*mark, rows).unwrap())
                    .collect();
                let gaps: Vec<_> = places.windows(2).map(|pair| pair[0] - pair[1]).collect();
                assert!(
                    gaps.iter()
                        .all(|gap| *gap == gaps[0] && *gap >= if rows < 6 { 1 } else { 2 }),
                    "{low} {high} {rows}: {places:?}"
                );
                assert!(
                    axis.place(high).unwrap() > 0.4,
                    "{low} {high} {rows}: {axis:?}"
                );
                assert!(axis.holds(low) && axis.holds(high), "{axis:?}");
            }
        }
    }

    #[test]
    fn a_flat_course_has_an_axis_too() {
        for value in [0.0, 1.0, -3.0, 1e-12, 1e30] {
            let axis = Axis::linear(
                Range {
                    low: value,
                    high: value,
                },
                4,
            );
            assert!(axis.place(value).is_some(), "{value}");
            assert!(axis.marks().len() < 52);
        }
    }

    #[test]
    fn a_logarithmic_axis_has_no_place_for_zero() {
        let axis = Axis::logarithmic(Range {
            low: 0.05,
            high: 8.0,
        })
        .unwrap();
        assert_eq!(axis.place(0.0), None);
        assert_eq!(axis.place(8.0), Some(1.0));
        assert_eq!(labels(&axis), ["0.05", "0.1", "0.2", "0.5", "1", "2", "5"]);
        assert_eq!(
            Axis::logarithmic(Range {
                low: -1.0,
                high: 0.0
            }),
            None
        );
    }
}
