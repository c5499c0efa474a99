//! Pictures held out for testing.

use super::Part;
use crate::seed::{Stream, derive};

/// Pictures that are held out at most.
const MOST: usize = 10_000;

/// Splits pictures into those to train on and those to test with, about `fraction` of each class, or of all pictures if
/// they have no labels, and at most 10,000. `None` if that comes to no picture, or would leave none to train on.
///
/// The choice is a function of the number of pictures, their labels, the fraction and the seed: each picture draws a
/// number by its index, and the lowest of each class are held out. Both parts keep the order.
pub(super) fn hold_out(all: &Part, fraction: f64, seed: u64) -> Option<(Part, Part)> {
    let held_out = choose(all.images.count, all.labels.as_deref(), fraction, seed);
    let (test, train): (Vec<_>, Vec<_>) =
        (0..all.images.count).partition(|index| held_out.binary_search(index).is_ok());
    (!test.is_empty() && !train.is_empty()).then(|| (all.select(&train), all.select(&test)))
}

/// The indices of the pictures to hold out, in order.
fn choose(count: usize, labels: Option<&[u16]>, fraction: f64, seed: u64) -> Vec<usize> {
    let fraction = fraction.min(MOST as f64 / count.max(1) as f64);
    let class_of = |index: usize| labels.and_then(|labels| labels.get(index).copied());
    let mut drawn: Vec<_> = (0..count)
        .map(|index| {
            let number = derive(seed, Stream::Split, index as u64);
            (class_of(index), number, index)
        })
        .collect();
    drawn.sort_unstable();
    let mut chosen: Vec<usize> = drawn
        .chunk_by(|(a, ..), (b, ..)| a == b)
        .flat_map(|class| {
            // Rounded, but a class keeps a picture to train on.
            let wanted = class.len() as f64 * fraction;
            let rest = class.iter().zip(0..class.len() - 1);
            let held_out = rest.take_while(move |(_, taken)| *taken as f64 + 0.5 <= wanted);
            held_out.map(|((.., index), _)| *index)
        })
        .collect();
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_choice_is_the_same_on_every_machine() {
        // The three lowest numbers, as a few lines of Python make them too. Another choice would change which pictures
        // every run with a split of its own is judged by.
        assert_eq!(choose(30, None, 0.1, 0), [15, 24, 26]);
        assert_ne!(choose(30, None, 0.1, 1), choose(30, None, 0.1, 0));
    }

    #[test]
    fn each_class_gives_its_share_and_keeps_a_picture() {
        let labels: Vec<u16> = [vec![0; 100], vec![1; 10], vec![2; 1]].concat();
        let chosen = choose(labels.len(), Some(&labels), 0.5, 7);
        let of = |class: u16| {
            chosen
                .iter()
                .filter(|index| labels[**index] == class)
                .count()
        };
        assert_eq!([of(0), of(1), of(2)], [50, 5, 0]);
    }

    #[test]
    fn no_more_than_ten_thousand_are_held_out() {
        assert_eq!(choose(200_000, None, 0.5, 0).len(), 10_000);
        assert_eq!(choose(70_000, None, 0.1, 0).len(), 7000);
    }

    proptest! {
        #[test]
        fn the_parts_are_the_whole_in_order(
            labels in proptest::collection::vec(0..4_u16, 0..60),
            fraction in 0.0..0.5_f64,
            seed in any::<u64>(),
        ) {
            let count = labels.len();
            let images = super::super::Images {
                count,
                channels: 1,
                height: 1,
                width: 1,
                pixels: (0..count).map(|index| u8::try_from(index).unwrap()).collect(),
            };
            let all = Part { partners: None,  images, labels: Some(labels.clone()) };
            if let Some((train, test)) = hold_out(&all, fraction, seed) {
                let mut pixels = [train.images.pixels.clone(), test.images.pixels.clone()].concat();
                prop_assert!(train.images.pixels.is_sorted() && test.images.pixels.is_sorted());
                pixels.sort_unstable();
                prop_assert_eq!(pixels, all.images.pixels);
                for part in [train, test] {
                    let of = |pixel: &u8| labels[usize::from(*pixel)];
                    let expected: Vec<_> = part.images.pixels.iter().map(of).collect();
                    prop_assert_eq!(part.labels.unwrap(), expected);
                }
            }
        }
    }
}
