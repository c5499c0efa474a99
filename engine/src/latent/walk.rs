//! A way on which one property changes and the class, if possible, does not.

use tch::{Kind, Tensor};

use super::property::Property;
use super::space::LatentSpace;
use crate::eval::Judge;
use crate::native::no_grad;

/// The longest step. Farther away a gradient says nothing.
const LONGEST: f64 = 0.6;

/// Steps from one picture to the next.
const BETWEEN: u32 = 2;

/// Keeps lengths from zero.
const TINY: f64 = 1e-9;

/// The places from noise `[n, latent_dim]` on which a property grows by `change` from one to the next, `count` of them, or
/// fewer pixels where the steps would be too long; negative changes make it less. Each step goes along the property's
/// gradient, without what of it makes the judge less sure of the class.
pub fn walk(
    space: &LatentSpace,
    judge: Option<&Judge>,
    property: Property,
    (noise, classes): (&Tensor, Option<&Tensor>),
    change: f64,
    count: u32,
) -> Vec<Tensor> {
    let believed = judge.map(|judge| {
        judge
            .logits(&space.generate(noise, classes))
            .argmax(1, false)
    });
    let mut place = noise.shallow_clone();
    (0..count)
        .map(|_| {
            for _ in 0..BETWEEN {
                let step = change / f64::from(BETWEEN);
                let guard = judge.zip(believed.as_ref());
                place = stepped(space, guard, property, (&place, classes), step);
            }
            place.shallow_clone()
        })
        .collect()
}

fn stepped(
    space: &LatentSpace,
    guard: Option<(&Judge, &Tensor)>,
    property: Property,
    (place, classes): (&Tensor, Option<&Tensor>),
    change: f64,
) -> Tensor {
    let place = place.detach().set_requires_grad(true);
    let pictures = space.generate(&place, classes);
    let slope = gradient(&property.measure(&pictures), &place);
    let slope = if change < 0.0 { -slope } else { slope };
    let direction = match guard {
        Some((judge, believed)) => {
            let margin = margin(&judge.logits(&pictures), believed);
            let surer = gradient(&margin, &place);
            let surer = &surer / (length(&surer) + TINY);
            // Only what leads away from the class is taken out.
            &slope - &surer * dot(&slope, &surer).clamp_max(0.0)
        }
        None => slope.shallow_clone(),
    };
    no_grad(|| {
        let gain = dot(&direction, &slope) + TINY;
        let step = &direction * (change.abs() / gain);
        let shortened = (length(&step) + TINY).reciprocal() * LONGEST;
        (place + step * shortened.clamp_max(1.0)).detach()
    })
}

/// How much more the judge believes in a class than in all others together, `[n]`.
fn margin(logits: &Tensor, class: &Tensor) -> Tensor {
    let class = class.unsqueeze(1);
    let believed = logits.gather(1, &class, false).squeeze_dim(1);
    let others = logits.scatter_value(1, &class, -1e9);
    believed - others.logsumexp([1].as_slice(), false)
}

/// The gradient of a sum with respect to a place, whose graph is kept.
fn gradient(of: &Tensor, place: &Tensor) -> Tensor {
    let sum = of.sum(Kind::Float);
    let gradients = Tensor::run_backward(&[sum], &[place], true, false);
    gradients
        .into_iter()
        .next()
        .unwrap_or_else(|| place.zeros_like())
}

fn dot(a: &Tensor, b: &Tensor) -> Tensor {
    (a * b).sum_dim_intlist([1].as_slice(), true, Kind::Float)
}

fn length(of: &Tensor) -> Tensor {
    dot(of, of).sqrt()
}
