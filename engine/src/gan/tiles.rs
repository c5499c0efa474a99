//! Larger pictures than a generator knows, made tile by tile.

use tch::{Kind, Tensor};

/// Makes pictures of `factor` times the side from pictures `[n, c, h, w]` of any size, by something that makes them from
/// tiles of one size, `[n, c, height, width]`: each half of a tile overlaps the next one, and where tiles overlap they are
/// mixed, each the less the nearer its edge is. Smaller pictures are continued by their edges.
pub fn in_tiles(
    pictures: &Tensor,
    [height, width]: [i64; 2],
    factor: i64,
    make: impl Fn(&Tensor) -> Tensor,
) -> Tensor {
    let size = pictures.size();
    let (own_height, own_width) = (size[2], size[3]);
    if [own_height, own_width] == [height, width] {
        return make(pictures);
    }
    let missing = |own: i64, tile: i64| (tile - own).max(0);
    let padding = [0, missing(own_width, width), 0, missing(own_height, height)];
    let padded = pictures.replication_pad2d(padding);
    let (rows, columns) = (
        starts(padded.size()[2], height),
        starts(padded.size()[3], width),
    );
    let options = (Kind::Float, pictures.device());
    let larger = [
        size[0],
        size[1],
        padded.size()[2] * factor,
        padded.size()[3] * factor,
    ];
    let (sum, weights) = (
        Tensor::zeros(larger, options),
        Tensor::zeros(larger, options),
    );
    let weight = tent(height * factor, options).view([1, 1, -1, 1])
        * tent(width * factor, options).view([1, 1, 1, -1]);
    for row in &rows {
        for column in &columns {
            let tile = padded.narrow(2, *row, height).narrow(3, *column, width);
            let enlarged = make(&tile.contiguous()).to_kind(Kind::Float);
            let place = |all: &Tensor| {
                all.narrow(2, row * factor, height * factor).narrow(
                    3,
                    column * factor,
                    width * factor,
                )
            };
            let _ = place(&sum).g_add_(&(enlarged * &weight));
            let _ = place(&weights).g_add_(&weight);
        }
    }
    (sum / weights)
        .narrow(2, 0, own_height * factor)
        .narrow(3, 0, own_width * factor)
}

/// Where tiles begin that cover a length, each half a tile after the one before.
fn starts(length: i64, tile: i64) -> Vec<i64> {
    let step = usize::try_from(tile / 2).unwrap_or(1).max(1);
    let last = length - tile;
    let mut starts: Vec<_> = (0..last).step_by(step).collect();
    starts.push(last);
    starts
}

/// Weights that rise from the edges to the middle, and are nowhere 0.
fn tent(length: i64, options: (Kind, tch::Device)) -> Tensor {
    let places = Tensor::arange(length, options);
    let from_end: Tensor = (length - 1) as f64 - &places;
    places.minimum(&from_end) + 1.0
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    /// Makes each pixel four.
    fn doubled(pictures: &Tensor) -> Tensor {
        pictures
            .repeat_interleave_self_int(2, 2, None)
            .repeat_interleave_self_int(2, 3, None)
    }

    #[test]
    fn tiles_of_any_number_make_the_picture_that_one_would() {
        tch::manual_seed(1);
        for [height, width] in [[7, 7], [8, 20], [15, 7], [3, 9], [2, 2]] {
            let picture = Tensor::rand([2, 3, height, width], (Kind::Float, Device::Cpu));
            let made = in_tiles(&picture, [7, 7], 2, doubled);
            assert_eq!(made.size(), [2, 3, 2 * height, 2 * width]);
            let apart = (made - doubled(&picture)).abs().max().double_value(&[]);
            assert!(apart < 1e-6, "{height}x{width}: {apart}");
        }
    }
}
