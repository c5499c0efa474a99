//! A U-Net: picture to picture over several resolutions (Ronneberger, Fischer and Brox 2015, «U-Net: Convolutional Networks
//! for Biomedical Image Segmentation», figure 1).

use tch::Tensor;

use super::conv::Conv2d;
use super::module::{Mode, Module, NamedTensors};
use super::sequential::Sequential;

/// Pictures `[n, in, h, w]` to pictures `[n, out, h, w]`, in [-1, 1] or a little beyond: on the way down each level halves the sides, on the way up it
/// doubles them and takes in what it had before it halved them.
#[derive(Debug)]
pub struct UNet {
    /// From the picture's channels to those of the first level.
    pub stem: Conv2d,
    /// The largest resolution first.
    pub levels: Vec<UNetLevel>,
    /// At the smallest resolution.
    pub bottom: Sequential,
    /// From the first level's channels to the picture's.
    pub head: Conv2d,
}

/// One resolution of a [`UNet`], above the smallest.
#[derive(Debug)]
pub struct UNetLevel {
    /// On the way down.
    pub down: Sequential,
    /// To half the side, with the channels of the next level.
    pub shrink: Conv2d,
    /// Back from there.
    pub grow: Conv2d,
    /// From twice the channels, those from below first, to the level's own.
    pub merge: Conv2d,
    /// On the way up.
    pub up: Sequential,
}

impl UNet {
    fn forward_from(&self, levels: &[UNetLevel], input: &Tensor, mode: Mode) -> Tensor {
        let Some((level, smaller)) = levels.split_first() else {
            return self.bottom.forward(input, mode);
        };
        let kept = level.down.forward(input, mode);
        let below = self.forward_from(smaller, &level.shrink.forward(&kept, mode), mode);
        let grown = level.grow.forward(&below, mode);
        level
            .up
            .forward(&level.merge.merge(&grown, &kept, mode), mode)
    }

    fn named<'a>(&'a self, of: impl Fn(&'a dyn Module) -> NamedTensors<'a>) -> NamedTensors<'a> {
        let mut parts: Vec<(String, &'a dyn Module)> = vec![("stem".to_owned(), &self.stem)];
        for (index, level) in self.levels.iter().enumerate() {
            let modules: [(&str, &'a dyn Module); 5] = [
                ("down", &level.down),
                ("shrink", &level.shrink),
                ("grow", &level.grow),
                ("merge", &level.merge),
                ("up", &level.up),
            ];
            parts.extend(modules.map(|(name, module)| (format!("levels.{index}.{name}"), module)));
        }
        parts.push(("bottom".to_owned(), &self.bottom));
        parts.push(("head".to_owned(), &self.head));
        let parts = parts.into_iter();
        parts
            .flat_map(|(part, module)| {
                let tensors = of(module).into_iter();
                tensors.map(move |(name, tensor)| (format!("{part}.{name}"), tensor))
            })
            .collect()
    }
}

impl Module for UNet {
    fn forward(&self, input: &Tensor, mode: Mode) -> Tensor {
        let first = self.stem.forward(input, mode);
        let last = self.forward_from(&self.levels, &first, mode);
        leaky_tanh(&self.head.forward(&last, mode))
    }

    fn parameters(&self) -> NamedTensors<'_> {
        self.named(Module::parameters)
    }

    fn buffers(&self) -> NamedTensors<'_> {
        self.named(Module::buffers)
    }
}

/// tanh(x) + x/100: most pixels that are missing from a picture are as black as the rest, so a generator soon makes all of
/// them black; a plain tanh would have no gradient there to come back by.
fn leaky_tanh(x: &Tensor) -> Tensor {
    x.tanh() + x * 0.01
}

/// A module that only fills holes: its input's first channels are a picture with zeros where pixels are missing, the next
/// one is the mask, 1 where they are. Known pixels come out as they went in, to the bit.
#[derive(Debug)]
pub struct FillHoles<M> {
    /// What makes pictures of the same size.
    pub inner: M,
    /// Channels of a picture.
    pub channels: i64,
}

impl<M: Module> Module for FillHoles<M> {
    fn forward(&self, input: &Tensor, mode: Mode) -> Tensor {
        let filling = self.inner.forward(input, mode);
        let known = input.narrow(1, 0, self.channels);
        let mask = input.narrow(1, self.channels, 1);
        known + filling * mask
    }

    fn parameters(&self) -> NamedTensors<'_> {
        self.inner.parameters()
    }

    fn buffers(&self) -> NamedTensors<'_> {
        self.inner.buffers()
    }
}
