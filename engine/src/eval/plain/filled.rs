//! Fills what edges enclose.

use tch::{Device, Kind, Tensor};

/// Pictures `[n, 1, h, w]` in which all pixels are white that cannot be reached from the border without crossing an edge,
/// the edges themselves included; from edges as [`crate::data::edges`] draws them.
pub(super) fn filled(edges: &Tensor) -> Tensor {
    let size = edges.size();
    let (height, width) = (size[2], size[3]);
    let flat = edges
        .greater(0.0)
        .to_kind(Kind::Uint8)
        .to_device(Device::Cpu)
        .contiguous();
    let mut is_edge = vec![0_u8; flat.numel()];
    flat.copy_data_u8(&mut is_edge, flat.numel());
    let [rows, columns] = [height, width].map(|side| usize::try_from(side).unwrap_or_default());
    for picture in is_edge.chunks_mut((rows * columns).max(1)) {
        fill(picture, columns);
    }
    let white = Tensor::from_data_size(&is_edge, &[size[0], 1, height, width], Kind::Uint8);
    (white.to_kind(Kind::Float) * 2.0 - 1.0).to_device(edges.device())
}

/// Sets to 1 all pixels of a picture that the border does not reach.
fn fill(picture: &mut [u8], columns: usize) {
    const OUTSIDE: u8 = 2;
    let rows = picture.len() / columns.max(1);
    let at_border = |at: usize| {
        let (row, column) = (at / columns, at % columns);
        row == 0 || column == 0 || row + 1 == rows || column + 1 == columns
    };
    let mut reached: Vec<usize> = (0..picture.len()).filter(|at| at_border(*at)).collect();
    while let Some(at) = reached.pop() {
        match picture.get_mut(at) {
            Some(pixel) if *pixel == 0 => *pixel = OUTSIDE,
            _ => continue,
        }
        let column = at % columns;
        reached.extend(at.checked_sub(columns));
        reached.push(at + columns);
        reached.extend((column > 0).then(|| at - 1));
        reached.extend((column + 1 < columns).then_some(at + 1));
    }
    for pixel in picture {
        *pixel = u8::from(*pixel != OUTSIDE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_enclosed_is_filled_and_nothing_else() {
        let drawn = "......
                     .###..
                     .#.#.#
                     .###.#
                     ......";
        let marks: Vec<f32> = drawn
            .chars()
            .filter(|mark| !mark.is_whitespace())
            .map(|mark| if mark == '#' { 1.0 } else { -1.0 })
            .collect();
        let edges = Tensor::from_slice(&marks).view([1, 1, 5, 6]);
        let found = filled(&edges);
        assert_eq!(found.double_value(&[0, 0, 2, 2]), 1.0);
        let white = found.greater(0.0).sum(Kind::Int64).int64_value(&[]);
        assert_eq!(white, 9 + 2);
    }
}
