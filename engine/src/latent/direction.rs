//! Directions of the latent space in which pictures change in one way.

use tch::{Kind, Tensor};

use super::property::Property;
use crate::data::from_bytes;
use crate::native::no_grad;

/// Principal directions, where properties were found and where none was but brightness.
const FEW: i64 = 2;
const MANY: i64 = 4;

/// Side of the pictures whose pixels principal directions explain.
const SIDE: i64 = 16;

/// What a direction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectionKind {
    /// A linear function of the noise predicts this property best along it.
    Measured(Property),
    /// A linear function of the noise that predicts pixels changes them by the most along the first, by the next most
    /// along the second, and so on from 1.
    Principal(u32),
}

/// A direction of the latent space.
#[derive(Debug)]
pub struct Direction {
    /// What it is.
    pub kind: DirectionKind,
    /// Of length 1, `[latent_dim]`, f32, on the CPU.
    pub vector: Tensor,
    /// Standard deviation of the property among the samples; NaN for principal directions.
    pub deviation: f64,
}

impl Direction {
    /// A name for programs, such as `slant` or `principal-1`.
    pub fn name(&self) -> String {
        match self.kind {
            DirectionKind::Measured(property) => property.name().to_owned(),
            DirectionKind::Principal(number) => format!("principal-{number}"),
        }
    }
}

/// The directions of noise `[n, latent_dim]` and the pictures `[n, channels, h, w]`, u8, that were made from it, both on the
/// CPU, found by least squares. Where logits of a judge are given, `[n, classes]`, those directions are taken out of the
/// measured ones that change the class.
pub fn directions(noise: &Tensor, pictures: &Tensor, logits: Option<&Tensor>) -> Vec<Direction> {
    no_grad(|| {
        let properties = Property::of(pictures);
        let scaled = from_bytes(pictures);
        let classes = logits.map(|logits| class_directions(noise, logits));
        let measured = properties.iter().map(|property| {
            let values = property.measure(&scaled);
            let slope = slopes(noise, &values.unsqueeze(1)).squeeze_dim(1);
            let slope = match &classes {
                Some(classes) => &slope - classes.mv(&classes.tr().mv(&slope)),
                None => slope,
            };
            Direction {
                kind: DirectionKind::Measured(*property),
                vector: unit(&slope),
                deviation: values.std(true).double_value(&[]),
            }
        });
        let mut all: Vec<_> = measured.collect();
        let count = if properties.contains(&Property::Slant) {
            FEW
        } else {
            MANY
        };
        all.extend(principal(noise, &scaled, count));
        all
    })
}

/// `w` of the least squares fit `noise · w + b` to `values` `[n, k]`: `[latent_dim, k]`.
fn slopes(noise: &Tensor, values: &Tensor) -> Tensor {
    let centred = |of: &Tensor| of - of.mean_dim([0].as_slice(), true, Kind::Float);
    let (noise, values) = (centred(noise), centred(values));
    let squares = noise.tr().mm(&noise);
    // Fewer samples than numbers of noise leave the fit undetermined: a little is added to the diagonal.
    let ridge = 1e-3 * noise.size()[0] as f64;
    let squares =
        &squares + Tensor::eye(squares.size()[0], (Kind::Float, squares.device())) * ridge;
    Tensor::linalg_solve(&squares, &noise.tr().mm(&values), true)
}

/// An orthonormal basis, `[latent_dim, classes - 1]`, of the directions in which logits change beside one another.
fn class_directions(noise: &Tensor, logits: &Tensor) -> Tensor {
    let beside = logits - logits.mean_dim([1].as_slice(), true, Kind::Float);
    let (basis, _, _) = slopes(noise, &beside).svd(true, true);
    let rank = (logits.size()[1] - 1).min(basis.size()[1]);
    basis.narrow(1, 0, rank)
}

fn principal(noise: &Tensor, pictures: &Tensor, count: i64) -> Vec<Direction> {
    let size = pictures.size();
    let small = if size[2].max(size[3]) > SIDE {
        pictures.adaptive_avg_pool2d([SIDE, SIDE])
    } else {
        pictures.shallow_clone()
    };
    let (basis, _, _) = slopes(noise, &small.flatten(1, -1)).svd(true, true);
    let count = count.min(basis.size()[1]);
    let numbers = 1_u32..;
    numbers
        .zip(0..count)
        .map(|(number, column)| Direction {
            kind: DirectionKind::Principal(number),
            vector: unit(&basis.select(1, column)),
            deviation: f64::NAN,
        })
        .collect()
}

fn unit(vector: &Tensor) -> Tensor {
    vector / (vector.norm() + 1e-12)
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    /// Pictures of 8×8 whose brightness is the second number of the noise.
    #[test]
    fn the_direction_of_brightness_is_the_number_that_makes_it() {
        let noise = Tensor::randn([2000, 5], (Kind::Float, Device::Cpu));
        let level = (noise.select(1, 1) * 30.0 + 128.0).clamp(0.0, 255.0);
        let pictures = level.view([-1, 1, 1, 1]).expand([-1, 1, 8, 8], false);
        let pictures = pictures.to_kind(Kind::Uint8).contiguous();
        let found = directions(&noise, &pictures, None);
        assert_eq!(found[0].name(), "brightness");
        assert!(found[0].vector.double_value(&[1]) > 0.99);
        assert!((found[0].deviation - 30.0 / 255.0).abs() < 0.01);
        assert_eq!(found[1].name(), "principal-1");
        assert!(found[1].vector.double_value(&[1]).abs() > 0.99);
    }

    #[test]
    fn directions_of_classes_are_taken_out() {
        let noise = Tensor::randn([2000, 5], (Kind::Float, Device::Cpu));
        let [a, b] = [noise.select(1, 1), noise.select(1, 2)];
        let level = ((&a + &b) * 30.0 + 128.0).clamp(0.0, 255.0);
        let pictures = level.view([-1, 1, 1, 1]).expand([-1, 1, 8, 8], false);
        let pictures = pictures.to_kind(Kind::Uint8).contiguous();
        let logits = Tensor::stack(&[&a, &(-&a)], 1);
        let found = directions(&noise, &pictures, Some(&logits));
        assert!(found[0].vector.double_value(&[1]).abs() < 0.05);
        assert!(found[0].vector.double_value(&[2]) > 0.99);
    }
}
