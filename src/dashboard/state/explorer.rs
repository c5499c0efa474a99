//! A walk through the latent space.

use sparring_contract::protocol::{Coordinate, Exploration, Pictures, Purpose};

/// Seeds that are tried one after the other; any number will do.
const FIRST_SEED: u64 = 0;

/// Where the user is in the latent space, and what is seen there.
#[derive(Clone, Debug, PartialEq)]
pub struct Explorer {
    /// Where.
    pub place: Exploration,
    /// The directions of the run; empty until the worker has told them.
    pub directions: Vec<String>,
    /// What lies around.
    pub around: Option<Pictures>,
    /// What was kept last.
    pub kept: Option<String>,
    /// Why there is nothing new to see.
    pub problem: Option<String>,
    /// Which directions the keys go along, across and up: places in the list.
    axes: [usize; 2],
}

/// Across or up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// ← and →
    Across,
    /// ↓ and ↑
    Up,
}

impl Explorer {
    /// Begins at the noise of the first seed.
    pub fn new() -> Self {
        Self {
            place: Exploration {
                seed: FIRST_SEED,
                ..Exploration::default()
            },
            directions: Vec::new(),
            around: None,
            kept: None,
            problem: None,
            axes: [0, 1],
        }
    }

    /// The name of the direction along an axis, once it is known.
    pub fn direction(&self, axis: Axis) -> Option<&str> {
        let place = self.axes[axis as usize];
        self.directions.get(place).map(String::as_str)
    }

    /// How far the point is moved along a direction.
    pub fn amount(&self, direction: &str) -> f64 {
        let found = |coordinate: &&Coordinate| coordinate.direction == direction;
        self.place
            .coordinates
            .iter()
            .find(found)
            .map_or(0.0, |coordinate| coordinate.amount)
    }

    /// Goes to the neighbour, forwards or backwards. Returns false while no directions are known.
    pub fn go(&mut self, axis: Axis, forwards: bool) -> bool {
        let Some(direction) = self.direction(axis).map(str::to_owned) else {
            return false;
        };
        let step = if forwards {
            Exploration::STEP
        } else {
            -Exploration::STEP
        };
        let amount = self.amount(&direction) + step;
        self.place
            .coordinates
            .retain(|coordinate| coordinate.direction != direction);
        // Steps are halves: going back ends at zero exactly.
        if amount != 0.0 {
            self.place
                .coordinates
                .push(Coordinate { direction, amount });
        }
        true
    }

    /// Gives an axis the next direction that the other has not.
    pub fn turn(&mut self, axis: Axis) {
        let count = self.directions.len();
        if count < 2 {
            return;
        }
        let [own, other] = match axis {
            Axis::Across => [0, 1],
            Axis::Up => [1, 0],
        };
        self.axes[own] = (self.axes[own] + 1) % count;
        if self.axes[own] == self.axes[other] {
            self.axes[own] = (self.axes[own] + 1) % count;
        }
        self.name_axes();
    }

    /// Goes to the noise of the next seed, or of the one before.
    pub fn reseed(&mut self, forwards: bool) {
        let seed = self.place.seed;
        self.place.seed = if forwards {
            seed.saturating_add(1)
        } else {
            seed.saturating_sub(1)
        };
        self.place.coordinates.clear();
    }

    /// Takes the names of the run's directions.
    pub fn learn(&mut self, directions: Vec<String>) {
        let same = self.directions == directions;
        self.problem = None;
        if !same && directions.len() >= 2 {
            self.axes = [0, 1];
            self.directions = directions;
            self.name_axes();
        }
    }

    /// Takes pictures, if they are of the noise that is looked at.
    pub fn see(&mut self, pictures: &Pictures) {
        let fits = pictures.purpose == Purpose::Explored && pictures.seed == self.place.seed;
        if fits && pictures.is_whole() {
            self.around = Some(pictures.clone());
        }
    }

    fn name_axes(&mut self) {
        let names = [Axis::Across, Axis::Up].map(|axis| self.direction(axis).map(str::to_owned));
        if let [Some(across), Some(up)] = names {
            self.place.axes = Some([across, up]);
        }
    }
}
