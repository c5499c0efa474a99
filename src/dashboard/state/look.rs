//! What the user looks at, and how.

/// A panel of the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// The pictures.
    Gallery,
    /// The course of the losses, or of another series.
    Curves,
    /// How the duel stands.
    Balance,
    /// How the run does, by its health checks.
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
            Self::Curves => "curves",
            Self::Balance => "balance",
            Self::Health => "health",
            Self::Machine => "machine",
            Self::Log => "log",
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
    /// The place of the chart that is looked at among those of the run.
    pub chart: usize,
    /// Whether the chart's axis is logarithmic.
    pub log_axis: bool,
    /// How many lines the log is scrolled back.
    pub scrolled: usize,
    /// What was looked for in the log last.
    pub sought: String,
    /// Whether the mouse chooses panels and scrolls. Then the terminal cannot select text with it.
    pub mouse: bool,
    window: usize,
    smoothing: usize,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            focus: Panel::Gallery,
            enlarged: false,
            chart: 0,
            log_axis: false,
            scrolled: 0,
            sought: String::new(),
            mouse: false,
            window: 3,
            smoothing: 2,
        }
    }
}

impl Look {
    /// The time that is looked at, in a run of this age in seconds: its seconds and its name.
    ///
    /// While a run is younger than the time chosen, the shortest step that holds it is enough, so that a chart is
    /// never mostly empty.
    pub fn window(&self, age: f64) -> (f64, &'static str) {
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
    pub fn zoom_in(&mut self, age: f64) {
        let (_, name) = self.window(age);
        let shown = WINDOWS
            .iter()
            .position(|(_, known)| *known == name)
            .unwrap_or(0);
        self.window = shown.saturating_sub(1);
    }

    /// Looks at a longer time than is shown now, as far as the run is old enough to have one.
    pub fn zoom_out(&mut self, age: f64) {
        let (_, name) = self.window(age);
        if name == WINDOWS[self.window].1 {
            self.window = (self.window + 1).min(WINDOWS.len() - 1);
        }
    }

    /// The weight of the past in a smoothed curve, and its label.
    pub fn smoothing(&self) -> (f64, &'static str) {
        SMOOTHING[self.smoothing]
    }

    /// Goes to the next amount of smoothing, and from the last to none.
    pub fn smooth_next(&mut self) {
        self.smoothing = (self.smoothing + 1) % SMOOTHING.len();
    }
}
