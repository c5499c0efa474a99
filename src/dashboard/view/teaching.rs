//! What the focused panel shows and what is healthy, for the help.

use sparring_contract::protocol::MetricKind;

use crate::dashboard::state::{Panel, State, plain};

/// Sentences about the focused panel.
pub(super) fn of(state: &State) -> Vec<String> {
    let sentences = match state.look.focus {
        Panel::Curves => return curves(state),
        Panel::Balance => return balance(state),
        Panel::Gallery if parts(state).len() > 1 => return answers(&parts(state)),
        Panel::Gallery => [
            "What the generator makes of noise. Fixed noise stays the same, so you watch each picture being learnt.",
            "Healthy: all different, sharper by the epoch. Many alike are a mode collapse: look at the balance.",
        ],
        Panel::Health => [
            "What a check finds in 2,000 fresh pictures: a bar for each class (half high: its fair share, ×: gone) and \
             the quick distance.",
            "Healthy: no bar is missing, diversity is near 1, the distance falls; real images are at 0. eval measures \
             something else.",
        ],
        Panel::Machine => [
            "The machine that trains, how old the newest checkpoint is, and what this screen costs to send.",
            "Healthy: the device busy, memory steady. Whatever reads – cannot be measured here.",
        ],
        Panel::Log => [
            "What happened: checkpoints, pictures, changes, notes, warnings. The whole of it is in events.jsonl.",
            "Healthy: no warnings. Arrows scroll; your own notes (n) stand here beside what they explain.",
        ],
    };
    sentences.map(str::to_owned).to_vec()
}

/// What the pictures on show that belong together are, a word each.
fn parts(state: &State) -> Vec<String> {
    let shown = state.gallery.shown();
    shown.map_or_else(Vec::new, |shown| shown.pictures.parts.clone())
}

/// About pictures that stand beside what they were made from.
fn answers(parts: &[String]) -> Vec<String> {
    vec![
        format!(
            "Examples, held out unless there are too few pictures, and always the same; of each in turn: {}.",
            plain(&parts.join(", "))
        ),
        "Healthy: what is made looks more real by the epoch. Where much is missing, another answer can be as good."
            .to_owned(),
    ]
}

/// What the chart that is looked at shows, by the specs of its metrics.
fn curves(state: &State) -> Vec<String> {
    let chart = state.chart();
    let mut lines = state.charts.explain(chart);
    if chart.kind == MetricKind::Loss {
        lines.push("Healthy: losses wander, and none of them runs away.".to_owned());
    }
    lines
}

fn balance(state: &State) -> Vec<String> {
    let probabilities = state.charts.of_kind(MetricKind::Probability);
    let mut lines = probabilities.map_or_else(Vec::new, |chart| state.charts.explain(chart));
    lines.push(
        "Healthy: D a little ahead. With D near 1 and 0, G learns little: lower D's learning rate or raise G's."
            .to_owned(),
    );
    lines
}
