//! What can be measured of a picture without a judge.

use tch::{Kind, Tensor};

use crate::data::luma;

/// Keeps denominators from zero.
const TINY: f64 = 1e-6;

/// Brightness of the border, 0 to 1, up to which pictures are bright figures on a dark ground, and of the whole.
const DARK_BORDER: f64 = 0.1;
const DARK_WHOLE: f64 = 0.4;

/// Something that can be measured of a picture; differentiable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// How far a figure leans to the right: pixels across per pixel up.
    Slant,
    /// Width of its strokes: twice the area over the length of its outline, in pixels.
    Thickness,
    /// Root mean square distance of its brightness from its middle, in pixels.
    Size,
    /// Mean brightness, 0 to 1.
    Brightness,
    /// Mean of red less mean of blue, -1 to 1.
    Warmth,
}

impl Property {
    /// Those that pictures `[n, channels, h, w]`, u8, have: the first three need bright figures on a dark ground, warmth
    /// needs colours.
    pub fn of(pictures: &Tensor) -> Vec<Self> {
        let brightness = luma(&(pictures.to_kind(Kind::Float) / 255.0));
        let mean = |of: Tensor| of.mean(Kind::Double).double_value(&[]);
        let size = brightness.size();
        let lines = [(2, 0), (2, size[2] - 1), (3, 0), (3, size[3] - 1)];
        let border = lines.map(|(side, place)| mean(brightness.narrow(side, place, 1)));
        let border = border.iter().sum::<f64>() / 4.0;
        let figures = border <= DARK_BORDER && mean(brightness.shallow_clone()) <= DARK_WHOLE;
        let mut found = Vec::new();
        if figures {
            found.extend([Self::Slant, Self::Thickness, Self::Size]);
        }
        found.push(Self::Brightness);
        if pictures.size()[1] == 3 {
            found.push(Self::Warmth);
        }
        found
    }

    /// A name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slant => "slant",
            Self::Thickness => "thickness",
            Self::Size => "size",
            Self::Brightness => "brightness",
            Self::Warmth => "warmth",
        }
    }

    /// The same in words, with its unit.
    pub fn words(self) -> &'static str {
        match self {
            Self::Slant => "slant, pixels to the right per pixel up",
            Self::Thickness => "thickness of strokes, pixels",
            Self::Size => "size, root mean square distance from the middle, pixels",
            Self::Brightness => "brightness, 0 to 1",
            Self::Warmth => "warmth, red less blue, -1 to 1",
        }
    }

    /// The property of each of some pictures `[n, channels, h, w]` in [-1, 1]: `[n]`, f32.
    pub fn measure(self, pictures: &Tensor) -> Tensor {
        let pictures = (pictures + 1.0) / 2.0;
        let brightness = luma(&pictures);
        match self {
            Self::Warmth => {
                let channel = |index: i64| mean(&pictures.narrow(1, index, 1));
                channel(0) - channel(2)
            }
            Self::Brightness => mean(&brightness),
            Self::Thickness => mean(&brightness) * 2.0 / (mean(&outline(&brightness)) + TINY),
            Self::Slant => {
                let moments = Moments::of(&brightness);
                -moments.across_down / (moments.down + TINY)
            }
            Self::Size => {
                let moments = Moments::of(&brightness);
                (moments.across + moments.down + TINY).sqrt()
            }
        }
    }
}

/// Second central moments of the brightness, `[n]`, in squared pixels.
struct Moments {
    across: Tensor,
    down: Tensor,
    across_down: Tensor,
}

impl Moments {
    fn of(brightness: &Tensor) -> Self {
        let size = brightness.size();
        let options = (Kind::Float, brightness.device());
        let across = Tensor::arange(size[3], options).view([1, 1, 1, size[3]]);
        let down = Tensor::arange(size[2], options).view([1, 1, size[2], 1]);
        let all = sum(brightness) + TINY;
        let mean = |of: &Tensor| sum(&(brightness * of)) / &all;
        let from_middle = |of: &Tensor| of - mean(of).view([-1, 1, 1, 1]);
        let [across, down] = [from_middle(&across), from_middle(&down)];
        Self {
            across_down: mean(&(&across * &down)),
            across: mean(&across.square()),
            down: mean(&down.square()),
        }
    }
}

/// The size of the gradient at every pixel, by central differences, black outside.
fn outline(brightness: &Tensor) -> Tensor {
    let padded = brightness.constant_pad_nd([1, 1, 1, 1]);
    let size = brightness.size();
    let at = |row: i64, column: i64| padded.narrow(2, row, size[2]).narrow(3, column, size[3]);
    let across = (at(1, 2) - at(1, 0)) / 2.0;
    let down = (at(2, 1) - at(0, 1)) / 2.0;
    (across.square() + down.square() + TINY * TINY).sqrt()
}

/// Over all pixels of each picture, `[n]`.
fn mean(of: &Tensor) -> Tensor {
    of.mean_dim([1, 2, 3].as_slice(), false, Kind::Float)
}

fn sum(of: &Tensor) -> Tensor {
    of.sum_dim_intlist([1, 2, 3].as_slice(), false, Kind::Float)
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    /// A white bar on black, 28×28, leaning by a pixel to the right for every `rise` pixels up.
    fn bar(width: i64, rise: Option<i64>) -> Tensor {
        let picture = Tensor::full([1, 1, 28, 28], -1.0, (Kind::Float, Device::Cpu));
        for row in 4..24 {
            let lean = rise.map_or(0, |rise| (24 - row) / rise);
            let _ = picture
                .narrow(2, row, 1)
                .narrow(3, 8 + lean, width)
                .fill_(1.0);
        }
        picture
    }

    fn measured(property: Property, picture: &Tensor) -> f64 {
        property.measure(picture).double_value(&[0])
    }

    #[test]
    fn a_bar_leans_as_far_as_it_was_drawn() {
        assert!(measured(Property::Slant, &bar(3, None)).abs() < 1e-3);
        assert!((measured(Property::Slant, &bar(3, Some(2))) - 0.5).abs() < 0.02);
    }

    #[test]
    fn a_wider_bar_has_thicker_strokes() {
        let [thin, thick] = [2, 4].map(|width| measured(Property::Thickness, &bar(width, None)));
        assert!((1.5..2.5).contains(&thin), "{thin}");
        assert!((3.2..4.8).contains(&thick), "{thick}");
    }

    #[test]
    fn digits_have_strokes_and_photographs_colours() {
        let digits = ((bar(3, None) + 1.0) * 127.5).to_kind(Kind::Uint8);
        assert_eq!(
            Property::of(&digits),
            [
                Property::Slant,
                Property::Thickness,
                Property::Size,
                Property::Brightness
            ]
        );
        let photo = Tensor::full([2, 3, 8, 8], 128, (Kind::Uint8, Device::Cpu));
        assert_eq!(
            Property::of(&photo),
            [Property::Brightness, Property::Warmth]
        );
    }
}
