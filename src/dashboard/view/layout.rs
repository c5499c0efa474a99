//! Where panels go.

use ratatui::layout::Rect;

use super::{balance, machine};
use crate::dashboard::state::{Panel, State};

/// Below this there is no room for panels.
pub(super) const LEAST: (u16, u16) = (72, 20);
/// From this height on the curves have a chart.
const CHART: u16 = 27;
/// From this height on the balance has charts as well.
const TALL: u16 = 45;

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

/// Columns for the pictures: four digits side by side at full scale, at half scale, then three, then two, with what
/// a frame takes.
fn gallery_width(body: Rect) -> u16 {
    match body.width {
        180.. if body.height >= TALL => 117,
        110.. => 61,
        80.. => 46,
        _ => 31,
    }
}

/// The column of panels and their heights, from the top. The panel of health, once there is one, has its place
/// between the balance and the machine.
fn heights(state: &State, height: u16) -> [(Panel, u16); 4] {
    let machine = machine::rows(state) + 2;
    let rest = height.saturating_sub(machine);
    let (curves, balance) = if height >= TALL {
        (rest * 2 / 5, rest * 2 / 5)
    } else if height >= CHART {
        (
            rest.saturating_sub(balance::ROWS + 2) * 2 / 3,
            balance::ROWS + 2,
        )
    } else {
        (4, balance::ROWS + 2)
    };
    [
        (Panel::Curves, curves),
        (Panel::Balance, balance),
        (Panel::Machine, machine),
        (Panel::Log, rest.saturating_sub(curves + balance)),
    ]
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
