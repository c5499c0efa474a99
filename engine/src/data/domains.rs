//! Two domains of pictures between which pictures are translated without pairs: two classes of a data set, or two data
//! sets. Of what is made here, the class of a picture is its domain, 0 or 1.

use std::iter;

use super::{Images, Part};

/// The pictures of two classes.
pub(super) fn of_classes(part: &Part, classes: [u16; 2]) -> Part {
    let labels = part.labels.as_deref().unwrap_or_default();
    let domain_of = |label: u16| (0..).zip(classes).find(|(_, class)| *class == label);
    let (places, domains): (Vec<_>, Vec<u16>) = labels
        .iter()
        .enumerate()
        .filter_map(|(place, label)| Some((place, domain_of(*label)?.0)))
        .unzip();
    Part {
        labels: Some(domains),
        ..part.select(&places)
    }
}

/// The pictures of two data sets, which must have the same shape.
pub(super) fn joined([first, second]: [&Images; 2]) -> Part {
    let domains = iter::repeat_n(0, first.count).chain(iter::repeat_n(1, second.count));
    Part {
        images: Images {
            count: first.count + second.count,
            pixels: [first.pixels.as_slice(), second.pixels.as_slice()].concat(),
            ..*first
        },
        labels: Some(domains.collect()),
        partners: None,
    }
}

/// As many pictures of both domains, by turns, and how many of the first are all different: behind those the smaller domain
/// is repeated.
pub(super) fn balanced(part: &Part) -> (Part, usize) {
    let [first, second] = [0, 1].map(|domain| places_of(part, domain));
    let longest = first.len().max(second.len());
    let distinct = 2 * first.len().min(second.len());
    let turns = first.iter().cycle().zip(second.iter().cycle());
    let places: Vec<_> = turns
        .take(longest)
        .flat_map(|(first, second)| [*first, *second])
        .collect();
    (part.select(&places), distinct)
}

/// The pictures of one domain, without labels, which would be the same for all.
pub(super) fn only(part: &Part, domain: u16) -> Part {
    Part {
        labels: None,
        ..part.select(&places_of(part, domain))
    }
}

fn places_of(part: &Part, domain: u16) -> Vec<usize> {
    let labels = part.labels.as_deref().unwrap_or_default();
    let all = labels.iter().enumerate();
    all.filter_map(|(place, label)| (*label == domain).then_some(place))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pictures of a pixel each, of these values.
    fn images(pixels: &[u8]) -> Images {
        Images {
            count: pixels.len(),
            channels: 1,
            height: 1,
            width: 1,
            pixels: pixels.to_vec(),
        }
    }

    fn labelled(part: &Part) -> Vec<(u8, u16)> {
        let labels = part.labels.clone().unwrap();
        part.images.pixels.iter().copied().zip(labels).collect()
    }

    #[test]
    fn two_classes_of_a_data_set_become_two_domains() {
        let part = Part {
            images: images(&[10, 60, 61, 30, 11, 62]),
            labels: Some(vec![1, 6, 6, 3, 1, 6]),
            partners: None,
        };
        let domains = of_classes(&part, [6, 1]);
        let found = labelled(&domains);
        assert_eq!(found, [(10, 1), (60, 0), (61, 0), (11, 1), (62, 0)]);
        assert_eq!(only(&domains, 1).images.pixels, [10, 11]);
    }

    #[test]
    fn two_data_sets_become_two_domains_and_the_smaller_one_is_repeated() {
        let domains = joined([&images(&[1, 2, 3]), &images(&[7, 8])]);
        assert_eq!(labelled(&domains), [(1, 0), (2, 0), (3, 0), (7, 1), (8, 1)]);
        let (balanced, distinct) = balanced(&domains);
        assert_eq!(
            (labelled(&balanced).as_slice(), distinct),
            (
                [(1, 0), (7, 1), (2, 0), (8, 1), (3, 0), (7, 1)].as_slice(),
                4
            )
        );
    }
}
