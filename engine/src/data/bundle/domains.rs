//! Two domains of pictures between which pictures are translated without pairs: two classes of a data set, or two data
//! sets. Of what is made here, the class of a picture is its domain, 0 or 1.

use std::iter;
use std::path::{Path, PathBuf};

use sparring_contract::config::{Channels, DataSource};

use super::{DataBundle, Loaded};
use crate::data::{DataError, Images, Part};

impl DataBundle {
    /// Loads two domains, of which one is translated into the other.
    pub(super) fn load_domains(
        source: &DataSource,
        names: [&str; 2],
        load: &mut dyn FnMut(&DataSource) -> Result<Self, DataError>,
    ) -> Result<Self, DataError> {
        let whole = DataSource {
            domains: Vec::new(),
            ..source.clone()
        };
        // Class names are hardly ever absolute paths.
        if names.iter().all(|name| Path::new(name).is_absolute()) {
            let [mut first, mut second] = names.map(|folder| DataSource {
                data: folder.to_owned(),
                ..whole.clone()
            });
            let mut bundles = [load(&first)?, load(&second)?];
            let shapes = |bundles: &[Self; 2]| bundles.each_ref().map(|one| one.train.shape());
            let [one, other] = shapes(&bundles);
            if one != other {
                // The smaller side, and colour if either has colours.
                let channels = match one[0].max(other[0]) {
                    1 => Channels::Grey,
                    _ => Channels::Rgb,
                };
                let side = u32::try_from(one[1].min(other[1])).unwrap_or(u32::MAX);
                for source in [&mut first, &mut second] {
                    (source.channels, source.image_size) = (channels, side);
                }
                bundles = [load(&first)?, load(&second)?];
            }
            let [one, other] = shapes(&bundles);
            if one != other {
                let [one, other] = [one, other].map(|[channels, height, width]| {
                    format!("{height}x{width} with {channels} channels")
                });
                return Err(DataError::unusable(
                    Path::new(names[1]),
                    format!(
                        "its pictures are {other}, and those of {} are {one}",
                        names[0]
                    ),
                ));
            }
            return Ok(Self::joined(bundles, names));
        }
        load(&whole)?.classes_as_domains(names)
    }

    /// Two data sets of pictures of one shape.
    fn joined([first, second]: [Self; 2], folders: [&str; 2]) -> Self {
        let mut names = folders.map(|folder| {
            let name = Path::new(folder).file_name();
            name.map_or_else(
                || folder.to_owned(),
                |name| name.to_string_lossy().into_owned(),
            )
        });
        if names[0] == names[1] {
            names = folders.map(str::to_owned);
        }
        let test = first.test.as_ref().zip(second.test.as_ref());
        let mut about = first.about;
        about.skipped += second.about.skipped;
        about.skipped_files.extend(second.about.skipped_files);
        about.warnings.extend(second.about.warnings);
        about.notes.extend(second.about.notes);
        let lonely = first.test.as_ref().xor(second.test.as_ref());
        about.warnings.extend(lonely.map(|test| {
            format!(
                "{} pictures to test with are not used: the other folder has none",
                test.images.count
            )
        }));
        let loaded = Loaded {
            train: joined([&first.train.images, &second.train.images]),
            test: test.map(|(one, other)| joined([&one.images, &other.images])),
            class_names: names.to_vec(),
            about,
        };
        Self {
            held_out: first.held_out,
            cached: first.cached && second.cached,
            ..Self::of(
                format!("{} and {}", first.origin, second.origin),
                loaded,
                None,
            )
        }
    }

    /// The pictures of two classes.
    pub(crate) fn classes_as_domains(self, names: [&str; 2]) -> Result<Self, DataError> {
        let unusable = |why: String| DataError::unusable(&PathBuf::from(&self.origin), why);
        if self.class_names.is_empty() {
            return Err(unusable(format!(
                "its pictures have no labels, so {} and {} are no classes of it: give two folders instead",
                names[0], names[1]
            )));
        }
        let mut classes = [0; 2];
        for (class, name) in classes.iter_mut().zip(names) {
            let place = self.class_names.iter().position(|known| known == name);
            *class = place
                .and_then(|place| u16::try_from(place).ok())
                .ok_or_else(|| {
                    unusable(format!(
                        "it has no class {name}, and no folder of that name was given: its classes are {}",
                        self.class_names.join(", ")
                    ))
                })?;
        }
        let train = of_classes(&self.train, classes);
        for (domain, name) in [0, 1].into_iter().zip(names) {
            if only(&train, domain).images.count == 0 {
                return Err(unusable(format!("its class {name} has no pictures")));
            }
        }
        let loaded = Loaded {
            train,
            test: self
                .test
                .as_ref()
                .map(|test| of_classes(test, classes))
                .filter(|test| {
                    [0, 1]
                        .iter()
                        .all(|domain| only(test, *domain).images.count > 0)
                }),
            class_names: names.map(str::to_owned).to_vec(),
            about: self.about,
        };
        Ok(Self {
            judged_by: self.fingerprint,
            held_out: self.held_out,
            cached: self.cached,
            ..Self::of(self.origin, loaded, None)
        })
    }

    /// The same with as many pictures to train on of both domains, and how many of the first are all different: behind those
    /// the smaller domain is repeated.
    #[must_use]
    pub fn balanced(self) -> (Self, usize) {
        let (train, distinct) = balanced(&self.train);
        (Self { train, ..self }, distinct)
    }

    /// The pictures of one of two domains, 0 or 1, without classes.
    #[must_use]
    pub fn domain(&self, domain: u16) -> Self {
        let only = |part: &Part| only(part, domain);
        let loaded = Loaded {
            train: only(&self.train),
            test: self.test.as_ref().map(only),
            class_names: Vec::new(),
            about: self.about.clone(),
        };
        Self {
            judged_by: self.judged_by.clone(),
            held_out: self.held_out,
            cached: self.cached,
            ..Self::of(self.origin.clone(), loaded, None)
        }
    }
}

/// The pictures of two classes.
fn of_classes(part: &Part, classes: [u16; 2]) -> Part {
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
fn joined([first, second]: [&Images; 2]) -> Part {
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
fn balanced(part: &Part) -> (Part, usize) {
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
fn only(part: &Part, domain: u16) -> Part {
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
