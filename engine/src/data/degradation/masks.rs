//! Which pixels of pictures are missing.

use sparring_contract::config::Mask;
use tch::{Kind, Tensor};

/// Strokes or rectangles of a mask, at most.
const MOST_SHAPES: i64 = 4;

/// Sides of rectangles, and radii of strokes, as shares of the picture's side: from, to.
const RECTANGLE: [f64; 2] = [0.2, 0.5];
const STROKE: [f64; 2] = [0.05, 0.1];

/// Masks `[n, 1, h, w]`, f32, for pictures `[n, c, h, w]`: 1 where a pixel is missing, 0 where it is known. Draws from
/// libtorch's generator, on the device of the pictures; centre and half draw nothing.
pub fn draw_masks(mask: Mask, pictures: &Tensor) -> Tensor {
    let grid = Grid::of(pictures);
    match mask {
        Mask::Centre => grid.centre(),
        Mask::Half => grid.lower_half(),
        Mask::Strokes => grid.strokes(),
        Mask::Random => grid.rectangles(),
        Mask::Mixed => grid.mixed(),
    }
}

/// The pixels of a batch, by their places: 0 to 1 from the first row or column to the last.
struct Grid {
    count: i64,
    /// `[1, 1, h, 1]` and `[1, 1, 1, w]`.
    y: Tensor,
    x: Tensor,
}

impl Grid {
    fn of(pictures: &Tensor) -> Self {
        let size = pictures.size();
        let places = |side: i64| {
            let places = Tensor::arange(side, (Kind::Float, pictures.device()));
            (places + 0.5) / side as f64
        };
        Self {
            count: size[0],
            y: places(size[2]).view([1, 1, -1, 1]),
            x: places(size[3]).view([1, 1, 1, -1]),
        }
    }

    /// 1 where a condition holds, for each picture of the batch.
    fn mask(&self, holds: &Tensor) -> Tensor {
        let size = [self.count, 1, self.y.size()[2], self.x.size()[3]];
        holds.to_kind(Kind::Float).expand(size, false)
    }

    fn centre(&self) -> Tensor {
        let near = |places: &Tensor| (places - 0.5).abs().less(0.25);
        self.mask(&near(&self.y).logical_and(&near(&self.x)))
    }

    fn lower_half(&self) -> Tensor {
        let below = self.y.greater(0.5);
        self.mask(&below.logical_and(&self.x.greater(0.0)))
    }

    /// Uniform numbers from a range, for each shape of each picture: `[n, shapes, 1, 1]`.
    fn uniform(&self, [from, to]: [f64; 2]) -> Tensor {
        let size = [self.count, MOST_SHAPES, 1, 1];
        Tensor::rand(size, (Kind::Float, self.y.device())) * (to - from) + from
    }

    /// 1 where any of the shapes is, `[n, shapes, h, w]`: of each picture the first one, and by chance up to all.
    fn any(&self, shapes: &Tensor) -> Tensor {
        let options = (Kind::Float, self.y.device());
        let numbers = Tensor::arange(MOST_SHAPES, options).view([1, -1, 1, 1]);
        let count = Tensor::rand([self.count, 1, 1, 1], options) * MOST_SHAPES as f64;
        let is_there = shapes.logical_and(&numbers.less_equal_tensor(&count));
        self.mask(&is_there.any_dim(1, true))
    }

    fn rectangles(&self) -> Tensor {
        let within = |places: &Tensor| {
            let side = self.uniform(RECTANGLE);
            let first = self.uniform([0.0, 1.0]) * (1.0 - &side);
            let last = &first + side;
            places
                .greater_equal_tensor(&first)
                .logical_and(&places.less_tensor(&last))
        };
        self.any(&within(&self.y).logical_and(&within(&self.x)))
    }

    /// Pixels near a straight line between two random points.
    fn strokes(&self) -> Tensor {
        let point = || [0, 1].map(|_| self.uniform([0.1, 0.9]));
        let [[from_y, from_x], [to_y, to_x]] = [point(), point()];
        let (along_y, along_x) = (to_y - &from_y, to_x - &from_x);
        let (y, x) = (&self.y - from_y, &self.x - from_x);
        let squared = along_y.square() + along_x.square() + 1e-6;
        // The nearest point of the line, as a share of its length.
        let nearest = ((&y * &along_y + &x * &along_x) / squared).clamp(0.0, 1.0);
        let distance = (y - &nearest * along_y).square() + (x - nearest * along_x).square();
        self.any(&distance.less_tensor(&self.uniform(STROKE).square()))
    }

    fn mixed(&self) -> Tensor {
        let kinds = [
            self.centre(),
            self.lower_half(),
            self.strokes(),
            self.rectangles(),
        ];
        let options = (Kind::Int64, self.y.device());
        let chosen = Tensor::randint(kinds.len() as i64, [self.count, 1, 1, 1], options);
        let [first, rest @ ..] = kinds;
        (1..).zip(rest).fold(first, |mask, (number, kind)| {
            kind.where_self(&chosen.eq(number), &mask)
        })
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    fn share(mask: Mask, count: i64) -> Tensor {
        tch::manual_seed(3);
        let pictures = Tensor::zeros([count, 3, 28, 28], (Kind::Float, Device::Cpu));
        let masks = draw_masks(mask, &pictures);
        assert_eq!(masks.size(), [count, 1, 28, 28]);
        masks.mean_dim([1, 2, 3].as_slice(), false, Kind::Float)
    }

    #[test]
    fn the_centre_is_a_quarter_and_the_half_a_half() {
        for (mask, expected) in [(Mask::Centre, 0.25), (Mask::Half, 0.5)] {
            let found = share(mask, 2);
            assert_eq!(found.min().double_value(&[]), expected);
            assert_eq!(found.max().double_value(&[]), expected);
        }
    }

    #[test]
    fn every_drawn_mask_hides_something_and_never_all() {
        for mask in [Mask::Strokes, Mask::Random, Mask::Mixed] {
            let shares = share(mask, 2000);
            let [least, most] = [shares.min(), shares.max()].map(|share| share.double_value(&[]));
            assert!(least > 0.005 && most < 0.95, "{mask:?}: {least} to {most}");
        }
    }

    #[test]
    fn mixed_masks_are_of_all_kinds() {
        let shares = share(Mask::Mixed, 400);
        for exact in [0.25, 0.5] {
            let same = (&shares - exact).abs().less(1e-6).sum(Kind::Int64);
            assert!(
                (60..=140).contains(&same.int64_value(&[])),
                "{exact}: {same}"
            );
        }
    }
}
