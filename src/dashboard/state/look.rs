//! What the user looks at, and how.

use super::history::{History, Series};

/// A panel of the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// The pictures.
    Gallery,
    /// The course of the losses, or of another series.
    Curves,
    /// How the duel stands.
    Balance,
    /// How the run does, by the worker's looks at it.
    Health,
    /// The machine that trains.
    Machine,
    /// What happened.
    Log,
}

impl Panel {
    /// The panels in the order that Tab goes.
    pub const ORDER: [Self; 6] = [
        Self::Gallery,
        Self::Curves,
        Self::Balance,
        Self::Health,
        Self::Machine,
        Self::Log,
    ];

    /// The panel so many places on in the order, around its ends.
    #[must_use]
    pub fn after(self, places: usize) -> Self {
        let here = Self::ORDER
            .iter()
            .position(|panel| *panel == self)
            .unwrap_or(0);
        Self::ORDER[(here + places) % Self::ORDER.len()]
    }

    /// What it is called in the help.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gallery => "pictures",
            Self::Curves => "losses",
            Self::Balance => "balance",
            Self::Health => "health",
            Self::Machine => "machine",
            Self::Log => "log",
        }
    }

    /// Two lines for the help: what it shows, and what is healthy.
    pub fn teaching(self) -> [&'static str; 2] {
        match self {
            Self::Gallery => [
                "What the generator makes of noise. Fixed noise stays the same, so you watch each digit being learnt.",
                "Healthy: all different, sharper by the epoch. Many alike are a mode collapse: look at the balance.",
            ],
            Self::Curves => [
                "The loss of D (telling real from fake) and of G (fooling D), in nats. They pull against each other.",
                "Healthy: both wander, neither runs away. At the equilibrium D is at 1.386 = 2 ln 2 and G at 0.693 = ln 2.",
            ],
            Self::Balance => [
                "D(x) and D(G(z)): how real D thinks real images and fakes are. G wins where both meet at one half.",
                "Healthy: D a little ahead. With D near 1 and 0, G learns little: lower D's learning rate (or raise G's).",
            ],
            Self::Health => [
                "What the worker sees in 2,000 fresh pictures: a bar a digit (half high: a tenth, ×: gone), the quick distance.",
                "Healthy: ten bars, diversity near 1, a distance that falls; real digits are at 0. It is not the figure of eval.",
            ],
            Self::Machine => [
                "The machine that trains, how old the newest checkpoint is, and what this screen costs to send.",
                "Healthy: the device busy, memory steady. Whatever reads – cannot be measured here.",
            ],
            Self::Log => [
                "What happened: checkpoints, pictures, changes, notes, warnings. The whole of it is in events.jsonl.",
                "Healthy: no warnings. Arrows scroll; your own notes (n) stand here beside what they explain.",
            ],
        }
    }
}

/// A series in a chart, with the mark that tells it from the other where there are no colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Curve {
    /// The series.
    pub series: Series,
    /// The letter of the network it belongs to, or another short mark.
    pub mark: &'static str,
}

/// What the chart shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Chart {
    /// Both losses.
    #[default]
    Losses,
    /// D(x) and D(G(z)).
    Probabilities,
    /// Both gradient norms.
    Gradients,
    /// Images a second.
    Throughput,
}

const fn curve(series: Series, mark: &'static str) -> Curve {
    Curve { series, mark }
}

impl Chart {
    const ORDER: [Self; 4] = [
        Self::Losses,
        Self::Probabilities,
        Self::Gradients,
        Self::Throughput,
    ];

    /// The chart so many places on, around the ends.
    #[must_use]
    pub fn after(self, places: usize) -> Self {
        let here = Self::ORDER
            .iter()
            .position(|chart| *chart == self)
            .unwrap_or(0);
        Self::ORDER[(here + places) % Self::ORDER.len()]
    }

    /// The chart before, around the ends.
    #[must_use]
    pub fn before(self) -> Self {
        self.after(Self::ORDER.len() - 1)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Losses => "losses",
            Self::Probabilities => "D(x), D(G(z))",
            Self::Gradients => "gradient norms",
            Self::Throughput => "images/s",
        }
    }

    /// Its curves, that of the discriminator first.
    pub fn curves(self) -> &'static [Curve] {
        const LOSSES: [Curve; 2] = [curve(Series::DLoss, "D"), curve(Series::GLoss, "G")];
        const PROBABILITIES: [Curve; 2] = [curve(Series::DReal, "x"), curve(Series::DFake, "G")];
        const GRADIENTS: [Curve; 2] =
            [curve(Series::DGradient, "D"), curve(Series::GGradient, "G")];
        const THROUGHPUT: [Curve; 1] = [curve(Series::Throughput, "")];
        match self {
            Self::Losses => &LOSSES,
            Self::Probabilities => &PROBABILITIES,
            Self::Gradients => &GRADIENTS,
            Self::Throughput => &THROUGHPUT,
        }
    }
}

/// Lengths of time to look at, in seconds, with their names. The last is the whole run.
const WINDOWS: [(f64, &str); 10] = [
    (15.0, "last 15 s"),
    (30.0, "last 30 s"),
    (60.0, "last min"),
    (120.0, "last 2 min"),
    (300.0, "last 5 min"),
    (900.0, "last 15 min"),
    (3600.0, "last hour"),
    (14_400.0, "last 4 h"),
    (86_400.0, "last day"),
    (f64::INFINITY, "whole run"),
];

/// Smoothing's steps: the weight of the past, and the label.
const SMOOTHING: [(f64, &str); 4] = [
    (0.0, "as measured"),
    (0.6, "smoothed .6"),
    (0.9, "smoothed .9"),
    (0.98, "smoothed .98"),
];

/// What the user looks at, and how.
#[derive(Clone, Debug)]
pub struct Look {
    /// The panel that `z` enlarges and that the help tells about.
    pub focus: Panel,
    /// Whether the focused panel fills the screen.
    pub enlarged: bool,
    /// What the chart shows.
    pub chart: Chart,
    /// Whether the chart's axis is logarithmic.
    pub log_axis: bool,
    /// Lines that the log is scrolled back.
    pub scrolled: usize,
    window: usize,
    smoothing: usize,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            focus: Panel::Gallery,
            enlarged: false,
            chart: Chart::default(),
            log_axis: false,
            scrolled: 0,
            window: 3,
            smoothing: 2,
        }
    }
}

impl Look {
    /// The time that is looked at: its seconds and its name.
    ///
    /// While a run is younger than the time chosen, the shortest step that holds it is enough, so that a chart is
    /// never mostly empty.
    pub fn window(&self, history: &History) -> (f64, &'static str) {
        let age = history.seconds();
        let enough = WINDOWS
            .iter()
            .position(|(seconds, _)| *seconds >= age)
            .unwrap_or(WINDOWS.len() - 1);
        let (seconds, name) = WINDOWS[self.window.min(enough)];
        if seconds.is_finite() {
            (seconds, name)
        } else {
            (age.max(1.0), name)
        }
    }

    /// Looks at a shorter time than is shown now.
    pub fn zoom_in(&mut self, history: &History) {
        let (_, name) = self.window(history);
        let shown = WINDOWS
            .iter()
            .position(|(_, known)| *known == name)
            .unwrap_or(0);
        self.window = shown.saturating_sub(1);
    }

    /// Looks at a longer time than is shown now, as far as the run is old enough to have one.
    pub fn zoom_out(&mut self, history: &History) {
        let (_, name) = self.window(history);
        if name == WINDOWS[self.window].1 {
            self.window = (self.window + 1).min(WINDOWS.len() - 1);
        }
    }

    /// The weight of the past in a smoothed curve, and its label.
    pub fn smoothing(&self) -> (f64, &'static str) {
        SMOOTHING[self.smoothing]
    }

    /// Smooths more, or after the most not at all.
    pub fn smooth_next(&mut self) {
        self.smoothing = (self.smoothing + 1) % SMOOTHING.len();
    }
}
