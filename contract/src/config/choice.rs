//! Which preset suits a data set.

use super::data::IMAGE_SIZES;
use super::task::TaskKind;

/// What the choice of a preset depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataFacts {
    /// Whether the pictures are MNIST's.
    pub is_mnist: bool,
    /// 1 for grey, 3 for RGB.
    pub channels: u32,
    /// Pixels down.
    pub height: u32,
    /// Pixels across.
    pub width: u32,
    /// Number of classes; 0 if the pictures have no labels.
    pub classes: usize,
    /// Number of pictures.
    pub images: u64,
}

impl DataFacts {
    /// Those of MNIST.
    pub const MNIST: Self = Self {
        is_mnist: true,
        channels: 1,
        height: 28,
        width: 28,
        classes: 10,
        images: 60_000,
    };
}

/// With fewer pictures the discriminator learns them by heart before the generator draws well, so they need
/// augmentation.
const FEW: u64 = 5_000;

/// Up to this side, dense networks learn grey pictures best per second on a CPU.
const SMALL: u32 = 28;

/// From this side on, a U-Net learns at a lower rate.
const LARGE: u32 = 48;

/// The preset that suits these pictures and a task, and why it was chosen, to follow "chosen because".
pub fn choose_preset(facts: &DataFacts, task: TaskKind) -> (&'static str, String) {
    if facts.is_mnist && !task.is_image_to_image() {
        return ("r3", "it learns MNIST best per second on a CPU".to_owned());
    }
    let DataFacts { height, width, .. } = *facts;
    let colour = if facts.channels == 3 {
        "colour"
    } else {
        "grey"
    };
    let labels = match facts.classes {
        0 | 1 => "without labels".to_owned(),
        classes => format!("of {classes} classes"),
    };
    if task.is_image_to_image() {
        let preset = if height.max(width) < LARGE {
            "pix2pix"
        } else {
            "pix2pix-large"
        };
        let reason = format!("pictures of {width}x{height} are made from pictures");
        return (preset, reason);
    }
    let pictures = format!("the pictures are {width}x{height} in {colour}, {labels}");
    let convolves = height == width && IMAGE_SIZES.contains(&height);
    if convolves && facts.images < FEW {
        let images = facts.images;
        return ("few", format!("{pictures}, and there are only {images}"));
    }
    let small = facts.channels == 1 && height <= SMALL && width <= SMALL;
    let preset = match (convolves && !small, facts.classes > 1) {
        (true, false) => "resnet",
        (true, true) => "cdcgan",
        (false, false) => "r3",
        (false, true) => "cgan",
    };
    if convolves || small {
        (preset, pictures)
    } else {
        (
            preset,
            format!("{pictures}, a size that only dense networks take"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::PRESETS;
    use super::*;

    fn chosen(channels: u32, height: u32, width: u32, classes: usize) -> &'static str {
        chosen_for(50_000, channels, height, width, classes)
    }

    fn chosen_for(
        images: u64,
        channels: u32,
        height: u32,
        width: u32,
        classes: usize,
    ) -> &'static str {
        let facts = DataFacts {
            is_mnist: false,
            channels,
            height,
            width,
            classes,
            images,
        };
        let (preset, _) = choose_preset(&facts, TaskKind::Generate);
        assert!(PRESETS.iter().any(|known| known.name == preset));
        preset
    }

    #[test]
    fn small_grey_pictures_get_dense_networks_and_others_convolutions() {
        assert_eq!(chosen(1, 28, 28, 0), "r3");
        assert_eq!(chosen(1, 28, 28, 10), "cgan");
        assert_eq!(chosen(1, 8, 8, 0), "r3");
        assert_eq!(chosen(3, 28, 28, 0), "resnet");
        assert_eq!(chosen(1, 64, 64, 0), "resnet");
        assert_eq!(chosen(3, 32, 32, 9), "cdcgan");
    }

    #[test]
    fn a_size_that_convolutions_cannot_halve_gets_dense_networks() {
        assert_eq!(chosen(3, 37, 37, 0), "r3");
        assert_eq!(chosen(1, 64, 48, 3), "cgan");
    }

    #[test]
    fn few_pictures_get_augmentation() {
        assert_eq!(chosen_for(200, 1, 28, 28, 0), "few");
        assert_eq!(chosen_for(4_999, 3, 64, 64, 9), "few");
        assert_eq!(chosen_for(5_000, 3, 64, 64, 9), "cdcgan");
        assert_eq!(chosen_for(200, 1, 8, 8, 0), "r3");
    }

    #[test]
    fn one_class_is_no_label() {
        assert_eq!(chosen(3, 32, 32, 1), "resnet");
    }

    #[test]
    fn the_reason_says_what_was_seen() {
        let facts = DataFacts {
            is_mnist: false,
            channels: 3,
            height: 64,
            width: 64,
            classes: 4,
            images: 5_000,
        };
        assert_eq!(
            choose_preset(&facts, TaskKind::Generate).1,
            "the pictures are 64x64 in colour, of 4 classes"
        );
        let few = DataFacts {
            images: 200,
            ..facts
        };
        assert_eq!(
            choose_preset(&few, TaskKind::Generate).1,
            "the pictures are 64x64 in colour, of 4 classes, and there are only 200"
        );
        assert_eq!(choose_preset(&DataFacts::MNIST, TaskKind::Generate).0, "r3");
    }

    #[test]
    fn large_pictures_are_made_from_pictures_at_a_lower_rate() {
        let of = |side, task| {
            let facts = DataFacts {
                is_mnist: false,
                height: side,
                width: side,
                ..DataFacts::MNIST
            };
            choose_preset(&facts, task)
        };
        assert_eq!(
            choose_preset(&DataFacts::MNIST, TaskKind::Repair).0,
            "pix2pix"
        );
        assert_eq!(of(32, TaskKind::Enlarge).0, "pix2pix");
        let (preset, reason) = of(64, TaskKind::Translate);
        assert_eq!(preset, "pix2pix-large");
        assert_eq!(reason, "pictures of 64x64 are made from pictures");
        assert_eq!(of(64, TaskKind::Generate).0, "cdcgan");
    }
}
