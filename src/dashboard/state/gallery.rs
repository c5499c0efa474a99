//! The newest pictures of each purpose.

use sparring_contract::protocol::{Pictures, Purpose};

/// Seconds for which fresh pictures stay on show, before the fixed ones show again how training goes.
const LINGER: f64 = 8.0;

/// Pictures on show.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The pictures.
    pub pictures: Pictures,
    /// When they arrived, if they arrived while this face was looking; those of a snapshot may be of any age.
    pub arrived: Option<f64>,
}

/// What the gallery holds.
#[derive(Clone, Debug)]
pub struct Gallery {
    fixed: Option<Shown>,
    fresh: Option<Shown>,
    /// Which of the two is on show.
    pub showing: Purpose,
}

impl Default for Gallery {
    fn default() -> Self {
        Self {
            fixed: None,
            fresh: None,
            showing: Purpose::Fixed,
        }
    }
}

impl Gallery {
    /// Takes newer pictures. Ignores malformed ones, and those of an unknown purpose.
    pub fn receive(&mut self, pictures: Pictures, arrived: Option<f64>) {
        if !pictures.is_whole() {
            return;
        }
        let place = match pictures.purpose {
            Purpose::Fixed => {
                let seen = self.fresh.as_ref().and_then(|fresh| fresh.arrived);
                if seen
                    .zip(arrived)
                    .is_some_and(|(seen, now)| now - seen >= LINGER)
                {
                    self.showing = Purpose::Fixed;
                }
                &mut self.fixed
            }
            Purpose::Fresh => &mut self.fresh,
            Purpose::Explored | Purpose::Real | Purpose::Unknown => return,
        };
        *place = Some(Shown { pictures, arrived });
    }

    /// Shows the next fresh pictures, and none until they come.
    pub fn await_fresh(&mut self) {
        self.fresh = None;
        self.showing = Purpose::Fresh;
    }

    /// Whether fresh pictures are to be shown and have not come yet.
    pub fn awaits_fresh(&self) -> bool {
        self.showing == Purpose::Fresh && self.fresh.is_none()
    }

    /// The pictures on show, once there are some.
    pub fn shown(&self) -> Option<&Shown> {
        match self.showing {
            Purpose::Fresh => self.fresh.as_ref(),
            Purpose::Fixed | Purpose::Explored | Purpose::Real | Purpose::Unknown => {
                self.fixed.as_ref()
            }
        }
    }
}
