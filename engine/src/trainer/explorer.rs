//! Pictures around a point of the latent space, drawn between two steps.

use sparring_contract::protocol::{Exploration, Pictures, Purpose};
use tch::{Device, Kind, Tensor};

use super::commands::known_class;
use super::pictures::pictures;
use crate::gan::{PictureSpec, Session};
use crate::latent::{Direction, directions};

/// Samples by which directions are measured, and their seed.
const MEASURED: i64 = 1000;
const SEED: u64 = 0;

/// Steps after which directions are measured again where a walk begins.
const STALE: u64 = 500;

/// How far a point may be moved, and along how many directions.
const FARTHEST: f64 = 100.0;
const MOST_COORDINATES: usize = 16;

/// The directions of a run, as they were measured last.
#[derive(Debug, Default)]
pub(super) struct Explorer {
    directions: Vec<Direction>,
    measured_at: u64,
}

/// What there is to see at a point.
pub(super) struct View {
    /// The point in the middle of its neighbours, row by row from the upper left.
    pub(super) around: Pictures,
    /// The point alone.
    pub(super) point: Pictures,
    /// Its noise.
    pub(super) z: Vec<f32>,
}

impl Explorer {
    /// Names of the directions.
    pub(super) fn names(&self) -> Vec<String> {
        self.directions.iter().map(Direction::name).collect()
    }

    /// Draws what there is to see at a point, or says why that is not possible. Measures the directions first, if it has none
    /// or old ones and the walk begins.
    pub(super) fn view(
        &mut self,
        session: &Session,
        spec: PictureSpec,
        place: &Exploration,
    ) -> Result<View, String> {
        if spec.degradation.is_some() {
            return Err(
                "this run makes pictures from pictures: it has no latent space to explore"
                    .to_owned(),
            );
        }
        let classes = class(place, spec.num_classes)?;
        self.measure(session, place);
        let own = session.preview(place.seed, 1).input.to_device(Device::Cpu);
        let moved = self.moved(&own, place)?;
        let axes = self.axes(place)?;
        let side = i32::try_from(Exploration::SIDE / 2).unwrap_or(1);
        let around: Vec<_> = (-side..=side)
            .rev()
            .flat_map(|up| (-side..=side).map(move |across| [across, up]))
            .map(|steps| {
                let ways = axes.iter().zip(steps);
                ways.fold(moved.shallow_clone(), |noise, (axis, steps)| {
                    noise + &axis.vector * (Exploration::STEP * f64::from(steps))
                })
            })
            .collect();
        let around = Tensor::cat(&around, 0);
        let repeated = classes
            .as_ref()
            .map(|classes| classes.expand([around.size()[0]], false).contiguous());
        let drawn = session.sample_from(&around, repeated.as_ref());
        let middle = drawn.size()[0] / 2;
        let message = |drawn: &Tensor| {
            let (purpose, step) = (Purpose::Explored, session.steps());
            pictures(purpose, place.seed, step, drawn, Vec::new(), &[])
        };
        Ok(View {
            point: message(&drawn.narrow(0, middle, 1)),
            around: message(&drawn),
            z: Vec::try_from(moved.flatten(0, -1)).unwrap_or_default(),
        })
    }

    fn measure(&mut self, session: &Session, place: &Exploration) {
        let begins = place.coordinates.is_empty();
        let is_stale = session.steps() > self.measured_at.saturating_add(STALE);
        if self.directions.is_empty() || (begins && is_stale) {
            let preview = session.preview(SEED, MEASURED);
            let drawn = session.sample_from(&preview.input, preview.classes.as_ref());
            let [noise, drawn] = [preview.input, drawn].map(|of| of.to_device(Device::Cpu));
            self.directions = directions(&noise, &drawn, None);
            self.measured_at = session.steps();
        }
    }

    fn direction(&self, name: &str) -> Result<&Direction, String> {
        let found = self
            .directions
            .iter()
            .find(|direction| direction.name() == name);
        found.ok_or_else(|| {
            let names = self.names().join(", ");
            format!("there is no direction {name:?}, only {names}")
        })
    }

    fn moved(&self, own: &Tensor, place: &Exploration) -> Result<Tensor, String> {
        if place.coordinates.len() > MOST_COORDINATES {
            return Err(format!("more than {MOST_COORDINATES} coordinates"));
        }
        let mut noise = own.shallow_clone();
        for coordinate in &place.coordinates {
            let amount = coordinate.amount;
            if amount.is_nan() || amount.abs() > FARTHEST {
                return Err(format!("a coordinate of {amount}: go up to {FARTHEST}"));
            }
            noise += &self.direction(&coordinate.direction)?.vector * amount;
        }
        Ok(noise)
    }

    fn axes(&self, place: &Exploration) -> Result<[&Direction; 2], String> {
        match &place.axes {
            Some([across, up]) => Ok([self.direction(across)?, self.direction(up)?]),
            None => match self.directions.as_slice() {
                [across, up, ..] => Ok([across, up]),
                _ => {
                    Err("the run has fewer than two directions: its noise is too short".to_owned())
                }
            },
        }
    }
}

/// The class of a point, `[1]`, i64; `None` for a generator without classes.
fn class(place: &Exploration, count: i64) -> Result<Option<Tensor>, String> {
    let asked = place
        .class
        .map(|class| known_class(class, count))
        .transpose()?;
    Ok((count > 0).then(|| {
        let class = i64::from(asked.unwrap_or(0));
        Tensor::full([1], class, (Kind::Int64, Device::Cpu))
    }))
}
