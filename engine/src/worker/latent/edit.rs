//! Pictures in which one property changes.

use std::io::Write;

use anyhow::bail;
use sparring_contract::protocol::{EditTrials, Edited, LatentPoint, TaskReply, write_frame};
use tch::{Kind, Tensor};

use super::model::{Model, numbers};
use crate::data::from_bytes;
use crate::eval::Judge;
use crate::latent::{Direction, DirectionKind, LatentSpace, directions, walk};
use crate::native::no_grad;

/// Samples by which directions are measured, and their seed.
const MEASURED: i64 = 5000;
const SEED: u64 = 0;

/// The seed of the starts from which edits are tried.
const TRIAL_SEED: u64 = 1;

/// How far and how often.
pub(super) struct Extent {
    /// Standard deviations of the property, to each side.
    pub(super) amount: f64,
    /// Pictures to each side.
    pub(super) to_each_side: u32,
    /// Other starts.
    pub(super) trials: u32,
}

/// Edits from a place, one reply for each property.
pub(super) fn edit(
    model: &Model,
    out: &mut impl Write,
    from: &LatentPoint,
    properties: &[String],
    extent: &Extent,
) -> anyhow::Result<()> {
    let (noise, class) = model.place(from)?;
    // The judge keeps the class in place; a generator that is told the class needs none for that, but is judged too.
    let judge = model.judge();
    let known = model.directions.get_or_init(|| measured(model));
    if let Some(unknown) = properties
        .iter()
        .find(|name| known.iter().all(|direction| direction.name() != **name))
    {
        let names: Vec<_> = known.iter().map(Direction::name).collect();
        bail!(
            "the run's pictures have no property {unknown:?}; they have {}",
            names.join(", ")
        );
    }
    let trials = model.space.sample(TRIAL_SEED, i64::from(extent.trials));
    let wanted = known
        .iter()
        .filter(|direction| properties.is_empty() || properties.contains(&direction.name()));
    for direction in wanted {
        let place = (&noise, class.as_ref());
        let way = Way::along(&model.space, judge, direction, place, extent);
        let tried = Way::along(
            &model.space,
            judge,
            direction,
            (&trials.0, trials.1.as_ref()),
            extent,
        );
        let property = match direction.kind {
            DirectionKind::Measured(property) => Some(property),
            DirectionKind::Principal(_) => None,
        };
        let edited = Edited {
            property: direction.name(),
            words: match direction.kind {
                DirectionKind::Measured(property) => property.words().to_owned(),
                DirectionKind::Principal(number) => format!("principal direction {number}"),
            },
            is_principal: property.is_none(),
            values: property.map_or_else(Vec::new, |_| {
                numbers(&way.values).into_iter().map(f64::from).collect()
            }),
            deviation: direction.deviation,
            trials: tried.summary(extent, judge),
            pictures: model.message(&way.pictures.squeeze_dim(1), &[]),
        };
        write_frame(out, &TaskReply::Edited(Box::new(edited)))?;
        out.flush()?;
    }
    Ok(())
}

fn measured(model: &Model) -> Vec<Direction> {
    let (noise, classes) = model.space.sample(SEED, MEASURED);
    let pixels = model.space.pixels(&noise, classes.as_ref());
    // A generator that is told the class keeps it by itself.
    let logits = model
        .judge()
        .filter(|_| model.space.num_classes() == 0)
        .map(|judge| no_grad(|| judge.logits(&from_bytes(&pixels))));
    directions(&noise, &pixels, logits.as_ref())
}

/// Pictures along a direction, from several starts at once.
struct Way {
    /// `[places, starts, channels, h, w]`, u8, on the CPU.
    pictures: Tensor,
    /// The property at each place, `[places, starts]`; empty for principal directions.
    values: Tensor,
}

impl Way {
    fn along(
        space: &LatentSpace,
        judge: Option<&Judge>,
        direction: &Direction,
        (noise, classes): (&Tensor, Option<&Tensor>),
        extent: &Extent,
    ) -> Self {
        let device = space.device();
        let noise = noise.to_device(device);
        let classes = classes.map(|classes| classes.to_device(device));
        let count = extent.to_each_side;
        let change = extent.amount / f64::from(count.max(1));
        let side = |sign: f64| match direction.kind {
            DirectionKind::Measured(property) => walk(
                space,
                judge,
                property,
                (&noise, classes.as_ref()),
                sign * change * direction.deviation,
                count,
            ),
            DirectionKind::Principal(_) => (1..=count)
                .map(|step| {
                    let vector = direction.vector.to_device(device);
                    &noise + vector * (sign * change * f64::from(step))
                })
                .collect(),
        };
        let mut places: Vec<_> = side(-1.0).into_iter().rev().collect();
        places.push(noise.shallow_clone());
        places.extend(side(1.0));
        let drawn: Vec<_> = places
            .iter()
            .map(|place| space.pixels(place, classes.as_ref()))
            .collect();
        let values: Vec<_> = match direction.kind {
            DirectionKind::Measured(property) => drawn
                .iter()
                .map(|pixels| no_grad(|| property.measure(&from_bytes(pixels))))
                .collect(),
            DirectionKind::Principal(_) => vec![Tensor::from_slice::<f32>(&[])],
        };
        Self {
            pictures: Tensor::stack(&drawn, 0),
            values: Tensor::stack(&values, 0),
        }
    }

    /// How it went from all starts.
    fn summary(&self, extent: &Extent, judge: Option<&Judge>) -> EditTrials {
        let places = self.pictures.size()[0];
        let share = |of: Tensor| {
            of.to_kind(Kind::Double)
                .mean(Kind::Double)
                .double_value(&[])
        };
        let steps = self.values.size();
        let monotone = if steps[0] == places {
            let later = self.values.narrow(0, 1, places - 1);
            let grows = later.gt_tensor(&self.values.narrow(0, 0, places - 1));
            share(grows.all_dim(0, false))
        } else {
            f64::NAN
        };
        let kept = |place: i64| {
            let at = |place: i64| self.pictures.get(place);
            judge.map(|judge| judge.agreement(&at(place), &at(i64::from(extent.to_each_side))))
        };
        EditTrials {
            count: extent.trials,
            monotone,
            label_kept_least: kept(0),
            label_kept_most: kept(places - 1),
        }
    }
}
