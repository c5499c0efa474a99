//! Where panels go.

use ratatui::layout::Rect;

use super::{balance, chart, machine};
use crate::dashboard::state::{Panel, State};

/// The smallest screen with panels.
pub(super) const LEAST: (u16, u16) = (72, 20);
/// From this height on, the curves have a chart.
const CHART: u16 = 27;
/// From this height on, health has one more row.
const ROOMY: u16 = 30;
/// From this height on, balance and health have charts too.
const TALL: u16 = 45;
/// The least height of a panel with a chart, and of the log below such panels.
const CHARTED: u16 = 12;
const LOG: u16 = 5;

/// The panels and their areas.
pub(super) fn panels(state: &State, body: Rect) -> Vec<(Panel, Rect)> {
    if state.look.enlarged {
        return vec![(state.look.focus, body)];
    }
    let right = gallery_width(body);
    let left = Rect {
        width: body.width.saturating_sub(right),
        ..body
    };
    let gallery = Rect {
        x: left.right(),
        width: body.width - left.width,
        ..body
    };
    let mut panels = stacked(left, &heights(state, body.height));
    panels.push((Panel::Gallery, gallery));
    panels
}

/// Columns for the pictures and their frame: four of 28 pixels side by side at full scale, at half scale, then three,
/// then two.
fn gallery_width(body: Rect) -> u16 {
    match body.width {
        180.. if body.height >= TALL => 117,
        110.. => 61,
        80.. => 46,
        _ => 31,
    }
}

/// The column of panels and their heights, from the top.
fn heights(state: &State, height: u16) -> [(Panel, u16); 5] {
    let machine = machine::rows(state) + 2;
    let (curves, balance, health, machine) = if height >= TALL {
        let spare = height.saturating_sub(machine + 3 * CHARTED + LOG);
        (
            CHARTED + spare / 4,
            CHARTED + spare / 6,
            CHARTED + spare / 4,
            machine,
        )
    } else if height >= CHART {
        let balance = balance::ROWS + 2;
        let health = if height >= ROOMY { 5 } else { 4 };
        let spare = height.saturating_sub(balance + health + machine);
        let curves = (spare * 3 / 4).max(chart::LEAST_HEIGHT + 4);
        (curves, balance, health, machine)
    } else {
        low(height, machine)
    };
    let log = height.saturating_sub(curves + balance + health + machine);
    [
        (Panel::Curves, curves),
        (Panel::Balance, balance),
        (Panel::Health, health),
        (Panel::Machine, machine),
        (Panel::Log, log),
    ]
}

/// The heights of curves, balance, health and machine on a low screen: each shows its first line or two, and then
/// more of itself in the order of what is missed most. The rest is the log's.
fn low(height: u16, machine: u16) -> (u16, u16, u16, u16) {
    const CURVES: u16 = 4;
    const LEAST_LOG: u16 = 3;
    let mut parts = [balance::ROWS + 1, 3, 3];
    let most = [balance::ROWS + 2, 4, machine];
    let mut spare = height.saturating_sub(CURVES + parts.iter().sum::<u16>() + LEAST_LOG);
    for (part, most) in parts.iter_mut().zip(most) {
        let more = spare.min(most.saturating_sub(*part));
        *part += more;
        spare -= more;
    }
    let [balance, health, machine] = parts;
    (CURVES, balance, health, machine)
}

fn stacked(column: Rect, heights: &[(Panel, u16)]) -> Vec<(Panel, Rect)> {
    let mut y = column.y;
    heights
        .iter()
        .map(|(panel, height)| {
            let height = (*height).min(column.bottom() - y);
            let area = Rect {
                y,
                height,
                ..column
            };
            y += height;
            (*panel, area)
        })
        .collect()
}
