//! The nearest of the 256 colours, by distance in OKLab (Ottosson 2020, <https://bottosson.github.io/posts/oklab/>).
//!
//! Distances in RGB turn a red into a pink and a brown into a mauve, because the cube's steps are coarse and far apart
//! in the dark. In OKLab equal distances look about equally large, so hue and lightness survive.

use std::sync::LazyLock;

/// The steps of each side of the cube, which begins at index 16.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// Bits of each channel by which answers are looked up. Colours that share them differ by 7 at most, and the cube's
/// steps are 40 and more apart.
const BITS: u32 = 5;

/// The answer for every colour of [`BITS`] bits a channel. Looking for the nearest of 240 takes longer than a frame has
/// time for when a screen is full of pictures; filling the table takes some milliseconds, once.
static NEAREST: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let palette: Vec<_> = palette().map(|(index, rgb)| (index, oklab(rgb))).collect();
    (0..1_u32 << (3 * BITS))
        .map(|key| nearest(&palette, oklab(channels(key))))
        .collect()
});

/// The index of the nearest of the cube's colours and the ramp's greys. The first 16 are left out: themes change them.
pub(super) fn nearest_of_256(rgb: [u8; 3]) -> u8 {
    let key = rgb.into_iter().fold(0, |key, value| {
        (key << BITS) | usize::from(value) >> (8 - BITS)
    });
    NEAREST.get(key).copied().unwrap_or_default()
}

/// The cube and the ramp: index, and red, green and blue.
pub(super) fn palette() -> impl Iterator<Item = (u8, [u8; 3])> {
    let side = |index: u8| CUBE[usize::from(index % 6)];
    let cube = (0..216_u8)
        .map(move |place| (16 + place, [side(place / 36), side(place / 6), side(place)]));
    let ramp = (0..24_u8).map(|step| (232 + step, [8 + 10 * step; 3]));
    cube.chain(ramp)
}

/// The colour that stands for all with these leading bits. Zeros stand for 0, ones for 255.
fn channels(key: u32) -> [u8; 3] {
    [2 * BITS, BITS, 0].map(|shift| {
        let value = (key >> shift) & ((1 << BITS) - 1);
        u8::try_from(value << (8 - BITS) | value >> (2 * BITS - 8)).unwrap_or(u8::MAX)
    })
}

fn nearest(palette: &[(u8, [f32; 3])], [l, a, b]: [f32; 3]) -> u8 {
    let distance =
        |other: &[f32; 3]| (other[0] - l).powi(2) + (other[1] - a).powi(2) + (other[2] - b).powi(2);
    palette
        .iter()
        .min_by(|(_, one), (_, two)| distance(one).total_cmp(&distance(two)))
        .map_or(0, |(index, _)| *index)
}

/// Lightness, green to red, blue to yellow; the matrices are those of the page above.
fn oklab(rgb: [u8; 3]) -> [f32; 3] {
    const TO_CONES: [[f32; 3]; 3] = [
        [0.412_221_46, 0.536_332_55, 0.051_445_995],
        [0.211_903_5, 0.680_699_5, 0.107_396_96],
        [0.088_302_46, 0.281_718_85, 0.629_978_7],
    ];
    const TO_LAB: [[f32; 3]; 3] = [
        [0.210_454_26, 0.793_617_8, -0.004_072_047],
        [1.977_998_5, -2.428_592_2, 0.450_593_7],
        [0.025_904_037, 0.782_771_77, -0.808_675_77],
    ];
    let times =
        |matrix: [[f32; 3]; 3], [x, y, z]: [f32; 3]| matrix.map(|[a, b, c]| a * x + b * y + c * z);
    times(TO_LAB, times(TO_CONES, rgb.map(linear)).map(f32::cbrt))
}

/// Light from a gamma-encoded value (IEC 61966-2-1, sRGB), 0 to 1.
fn linear(value: u8) -> f32 {
    let value = f32::from(value) / 255.0;
    if value <= 0.040_45 {
        value / 12.92
    } else {
        ((value + 0.055) / 1.055).powf(2.4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_black_and_red_are_where_the_page_has_them() {
        let close = |found: [f32; 3], expected: [f32; 3]| {
            found
                .iter()
                .zip(expected)
                .all(|(found, expected)| (found - expected).abs() < 1e-3)
        };
        assert!(close(oklab([255; 3]), [1.0, 0.0, 0.0]));
        assert!(close(oklab([0; 3]), [0.0, 0.0, 0.0]));
        assert!(close(oklab([255, 0, 0]), [0.628, 0.225, 0.126]));
    }

    #[test]
    fn every_colour_of_the_cube_is_its_own_nearest() {
        for (index, rgb) in palette().take(216) {
            let [red, green, blue] = rgb;
            if red == green && green == blue {
                continue; // The ramp may have a nearer grey.
            }
            assert_eq!(nearest_of_256(rgb), index, "{rgb:?}");
        }
    }
}
