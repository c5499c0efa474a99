//! What there is to see at a point of the latent space.

use sparring_contract::protocol::{Exploration, Pictures, Purpose};
use tch::{Device, Kind, Tensor};

use crate::latent::Direction;
use crate::trainer::{GeneratorCopy, known_class, pictures};

/// How far a point may be moved, and along how many directions.
const FARTHEST: f64 = 100.0;
const MOST_COORDINATES: usize = 16;

/// What there is to see at a point.
pub(super) struct View {
    /// The point in the middle of its neighbours, row by row from the upper left.
    pub(super) around: Pictures,
    /// The point alone.
    pub(super) point: Pictures,
    /// Its noise.
    pub(super) z: Vec<f32>,
}

/// Draws a point and its neighbours, or says why that is not possible.
pub(super) fn view(
    copy: &GeneratorCopy,
    directions: &[Direction],
    place: &Exploration,
) -> Result<View, String> {
    let space = &copy.space;
    let classes = class(place, space.num_classes())?;
    let (own, _) = space.sample(place.seed, 1);
    let moved = moved(&own, directions, place)?;
    let axes = axes(directions, place)?;
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
    let drawn = space.pixels(&around, repeated.as_ref());
    let middle = drawn.size()[0] / 2;
    let message = |drawn: &Tensor| {
        let purpose = Purpose::Explored;
        pictures(purpose, place.seed, copy.step, drawn, Vec::new(), &[])
    };
    Ok(View {
        point: message(&drawn.narrow(0, middle, 1)),
        around: message(&drawn),
        z: Vec::try_from(moved.flatten(0, -1)).unwrap_or_default(),
    })
}

fn moved(own: &Tensor, directions: &[Direction], place: &Exploration) -> Result<Tensor, String> {
    if place.coordinates.len() > MOST_COORDINATES {
        return Err(format!("more than {MOST_COORDINATES} coordinates"));
    }
    let mut noise = own.shallow_clone();
    for coordinate in &place.coordinates {
        let amount = coordinate.amount;
        if amount.is_nan() || amount.abs() > FARTHEST {
            return Err(format!("a coordinate of {amount}: go up to {FARTHEST}"));
        }
        noise += &direction(directions, &coordinate.direction)?.vector * amount;
    }
    Ok(noise)
}

fn axes<'a>(
    directions: &'a [Direction],
    place: &Exploration,
) -> Result<[&'a Direction; 2], String> {
    match &place.axes {
        Some([across, up]) => Ok([direction(directions, across)?, direction(directions, up)?]),
        None => match directions {
            [across, up, ..] => Ok([across, up]),
            _ => Err("the run has fewer than two directions: its noise is too short".to_owned()),
        },
    }
}

fn direction<'a>(directions: &'a [Direction], name: &str) -> Result<&'a Direction, String> {
    let mut all = directions.iter();
    all.find(|direction| direction.name() == name)
        .ok_or_else(|| {
            let names: Vec<_> = directions.iter().map(Direction::name).collect();
            format!("there is no direction {name:?}, only {}", names.join(", "))
        })
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
