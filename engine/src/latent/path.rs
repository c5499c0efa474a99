//! The way from one place to another.

use tch::{Kind, Tensor};

/// A place on a way.
#[derive(Debug)]
pub struct Stop {
    /// `[latent_dim]`
    pub noise: Tensor,
    /// Weights of the classes, `[classes]`, f32; none for an unconditional generator.
    pub classes: Option<Tensor>,
}

/// `frames` places from the first stop to the last, about as many between every two stops: noise `[frames, latent_dim]`, and
/// weights of classes `[frames, classes]`. With `cyclic` the way goes on to the first stop, and ends one place before it.
///
/// Between two stops, noise goes along the great circle through both, and its length changes evenly (White 2016, «Sampling
/// Generative Networks», section 2.1). Straight lines would pass places nearer to the origin than noise ever is.
pub fn path(stops: &[Stop], frames: u32, cyclic: bool) -> (Tensor, Option<Tensor>) {
    let legs = if cyclic { stops.len() } else { stops.len() - 1 };
    let last = if cyclic { frames } else { frames.max(2) - 1 };
    let places = (0..frames).map(|frame| {
        // The beginning is at 0, the end at the number of legs.
        let leg = (frame as usize * legs / last as usize).min(legs - 1);
        let along = f64::from(frame) / f64::from(last) * legs as f64;
        let [from, to] = [leg, leg + 1].map(|stop| &stops[stop % stops.len()]);
        between(from, to, along - leg as f64)
    });
    let (noise, classes): (Vec<_>, Vec<_>) = places.unzip();
    let classes: Option<Vec<_>> = classes.into_iter().collect();
    (
        Tensor::stack(&noise, 0),
        classes.map(|classes| Tensor::stack(&classes, 0)),
    )
}

/// The place at a share of the way, 0 to 1.
fn between(from: &Stop, to: &Stop, share: f64) -> (Tensor, Option<Tensor>) {
    let classes = match (&from.classes, &to.classes) {
        (Some(from), Some(to)) => Some(from * (1.0 - share) + to * share),
        _ => None,
    };
    (slerp(&from.noise, &to.noise, share), classes)
}

/// Spherical linear interpolation (Shoemake 1985) of two vectors; the length of the result changes evenly from one's to the
/// other's.
fn slerp(from: &Tensor, to: &Tensor, share: f64) -> Tensor {
    let length = |of: &Tensor| of.square().sum(Kind::Double).sqrt().double_value(&[]);
    let [a, b] = [length(from), length(to)];
    let cosine = (from * to).sum(Kind::Double).double_value(&[]) / (a * b);
    let angle = cosine.clamp(-1.0, 1.0).acos();
    // In one line or without a direction there is no circle between them.
    if !(1e-4..std::f64::consts::PI - 1e-4).contains(&angle) {
        return from * (1.0 - share) + to * share;
    }
    let [of_from, of_to] = [1.0 - share, share].map(|part| (part * angle).sin() / angle.sin());
    let now = a + (b - a) * share;
    from * (of_from * now / a) + to * (of_to * now / b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop(noise: [f32; 3], class: usize) -> Stop {
        let mut weights = [0_f32; 2];
        weights[class] = 1.0;
        Stop {
            noise: Tensor::from_slice(&noise),
            classes: Some(Tensor::from_slice(&weights)),
        }
    }

    fn row(of: &Tensor, row: i64) -> Vec<f32> {
        of.get(row).try_into().unwrap()
    }

    #[test]
    fn the_way_keeps_the_distance_from_the_origin_and_passes_every_stop() {
        let stops = [
            stop([1.0, 0.0, 0.0], 0),
            stop([0.0, 1.0, 0.0], 1),
            stop([0.0, 0.0, 3.0], 1),
        ];
        let (noise, classes) = path(&stops, 5, false);
        let half = 0.5_f32.sqrt();
        let near = |found: Vec<f32>, expected: [f32; 3]| {
            let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
            assert!(apart.fold(0.0, f32::max) < 1e-5, "{found:?} {expected:?}");
        };
        near(row(&noise, 0), [1.0, 0.0, 0.0]);
        near(row(&noise, 1), [half, half, 0.0]);
        near(row(&noise, 2), [0.0, 1.0, 0.0]);
        near(row(&noise, 3), [0.0, 2.0 * half, 2.0 * half]);
        near(row(&noise, 4), [0.0, 0.0, 3.0]);
        let classes = classes.unwrap();
        assert_eq!(row(&classes, 0), [1.0, 0.0]);
        assert_eq!(row(&classes, 1), [0.5, 0.5]);
        assert_eq!(row(&classes, 4), [0.0, 1.0]);
    }

    #[test]
    fn a_cycle_ends_one_place_before_its_beginning() {
        let stops = [stop([1.0, 0.0, 0.0], 0), stop([-1.0, 0.0, 0.0], 1)];
        let (noise, _) = path(&stops, 4, true);
        // Opposite noise has no one great circle between it: the way is straight.
        assert_eq!(row(&noise, 1), [0.0, 0.0, 0.0]);
        assert_eq!(row(&noise, 2), [-1.0, 0.0, 0.0]);
        assert_eq!(row(&noise, 3), [0.0, 0.0, 0.0]);
    }
}
