//! A data set, loaded.

mod domains;

use blake3::Hasher;
use sparring_contract::cache::DataCache;
use sparring_contract::config::DataSource;
use sparring_contract::protocol::{ClassCount, DataReport};
use sparring_contract::text::printable;

use super::parallel::Progress;
use super::sources::{About, Loaded};
use super::split::hold_out;
use super::{DataError, Images, Part, cache, sources};

/// A data set in memory: pictures of one size, to train on and to test with.
#[derive(Debug)]
pub struct DataBundle {
    /// Where it was read from.
    pub origin: String,
    /// Identifies pictures, labels, class names and split, in hexadecimal digits.
    pub fingerprint: String,
    /// The fingerprint of the data set whose judge can judge these pictures: their own, or that of all classes where they
    /// are two of them.
    pub judged_by: String,
    /// The pictures to train on.
    pub train: Part,
    /// The pictures to test with; `None` if there are too few to hold some out, or if `test_fraction` is 0.
    pub test: Option<Part>,
    /// Names of the classes, in the order of the labels; empty if the data has no labels. They may hold any character:
    /// see [`printable`].
    pub class_names: Vec<String>,
    /// Whether the test pictures were held out by `test_fraction`, rather than being a part of the data.
    pub held_out: bool,
    /// Whether the pictures came from the cache, decoded before.
    pub cached: bool,
    about: About,
}

/// The fingerprint of MNIST, read from the program or from its files.
pub const MNIST_FINGERPRINT: &str =
    "c0ccc0c6022846c937818a2ccec2d3bc8fda50806227e91b1e2463a027562e60";

impl DataBundle {
    /// Loads what a source names. Decoded pictures are kept in the user's cache and taken from there the next time.
    /// `progress` hears what takes time.
    pub fn load(
        source: &DataSource,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, DataError> {
        Self::load_with(source, DataCache::of_user().as_ref(), progress)
    }

    /// MNIST, whose test pictures are by other writers than those to train on.
    pub fn mnist() -> Result<Self, DataError> {
        Ok(Self::of("mnist".to_owned(), sources::load_mnist()?, None))
    }

    /// The same without a cache.
    #[cfg(test)]
    pub(crate) fn uncached(source: &DataSource) -> Result<Self, DataError> {
        Self::load_with(source, None, &mut |_| {})
    }

    fn load_with(
        source: &DataSource,
        cache: Option<&DataCache>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, DataError> {
        match source.domains.as_slice() {
            [first, second] => Self::load_domains(source, [first, second], &mut |source| {
                Self::load_whole(source, cache, progress)
            }),
            _ => Self::load_whole(source, cache, progress),
        }
    }

    /// Loads all that `data` names.
    fn load_whole(
        source: &DataSource,
        cache: Option<&DataCache>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, DataError> {
        if source.is_embedded() {
            return sources::embedded(source)
                .map(|loaded| Self::of("mnist".to_owned(), loaded, None));
        }
        let found = sources::find(source)?;
        // Pairs are not kept in the cache, which has no place for partners.
        let cache = cache.filter(|_| !source.pairs);
        let (loaded, cached) = match found.stamps()?.zip(cache) {
            None => (found.load(source, progress)?, false),
            Some((stamps, cache)) => {
                cache::through(cache, source, &stamps, || found.load(source, progress))?
            }
        };
        let split = (source.test_fraction, source.test_seed);
        Ok(Self {
            cached,
            ..Self::of(printable(&source.data), loaded, Some(split))
        })
    }

    /// A data set as it was read; where it has no test pictures, a fraction is held out by a seed.
    fn of(origin: String, loaded: Loaded, split: Option<(f64, u64)>) -> Self {
        let digest = digest(&loaded);
        let Loaded {
            train,
            test,
            class_names,
            about,
        } = loaded;
        let parted = split
            .filter(|_| test.is_none())
            .and_then(|(fraction, seed)| {
                Some(((fraction, seed), hold_out(&train, fraction, seed)?))
            });
        let (fingerprint, train, test, held_out) = match parted {
            None => (digest, train, test, false),
            Some(((fraction, seed), (train, test))) => {
                let mut hasher = Hasher::new();
                hasher.update(digest.as_bytes());
                hasher.update(&fraction.to_le_bytes());
                hasher.update(&seed.to_le_bytes());
                (hex(&hasher), train, Some(test), true)
            }
        };
        Self {
            origin,
            judged_by: fingerprint.clone(),
            fingerprint,
            train,
            test,
            class_names,
            held_out,
            cached: false,
            about,
        }
    }

    /// Whether this is MNIST, all of it and unchanged, wherever it was read from.
    pub fn is_mnist(&self) -> bool {
        self.fingerprint == MNIST_FINGERPRINT
    }

    /// What was left out of the data, or understood in another way than might be meant: a line each, fit for a terminal.
    pub fn warnings(&self) -> Vec<String> {
        let skipped = self.about.skipped_files.first().map(|first| {
            let files = if self.about.skipped == 1 { "file" } else { "files" };
            format!(
                "{} {files} of the data cannot be used and {} skipped, first {}: {}; `sparring data info` names more",
                self.about.skipped,
                if self.about.skipped == 1 { "was" } else { "were" },
                first.name,
                first.reason
            )
        });
        let lines = skipped
            .into_iter()
            .chain(self.about.warnings.iter().cloned());
        lines.map(|line| printable(&line)).collect()
    }

    /// Where the pictures are from and how many are held out, in words.
    pub fn described(&self) -> String {
        match &self.test {
            Some(test) if self.held_out => {
                format!("{}, {} held out", self.origin, test.images.count)
            }
            _ => self.origin.clone(),
        }
    }

    /// What the data set holds.
    pub fn report(&self) -> DataReport {
        let parts = || {
            [Some(&self.train), self.test.as_ref()]
                .into_iter()
                .flatten()
        };
        let mut counts = vec![0; self.class_names.len()];
        for label in parts().flat_map(|part| part.labels.iter().flatten()) {
            if let Some(count) = counts.get_mut(usize::from(*label)) {
                *count += 1;
            }
        }
        let classes = self.class_names.iter().zip(counts);
        // Sides come from files that say them in 32 bits.
        let small = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        let test_images = self
            .test
            .as_ref()
            .map_or(0, |test| test.images.count as u64);
        let images = &self.train.images;
        let notes = self.about.warnings.iter().chain(&self.about.notes);
        DataReport {
            origin: self.origin.clone(),
            kind: self.about.kind.clone(),
            images: images.count as u64 + test_images,
            test_images,
            held_out: self.held_out,
            channels: small(images.channels),
            height: small(images.height),
            width: small(images.width),
            classes: classes
                .map(|(name, count)| ClassCount {
                    name: name.clone(),
                    count,
                })
                .collect(),
            source_sizes: self.about.source_sizes,
            skipped: self.about.skipped,
            skipped_files: self.about.skipped_files.clone(),
            notes: notes.map(|note| printable(note)).collect(),
            fingerprint: self.fingerprint.clone(),
            is_mnist: self.is_mnist(),
            cached: self.cached,
        }
    }

    /// Some training pictures to look at, and their labels: the classes in turn, or spread over all of them if there
    /// are none.
    pub fn sample(&self, count: usize) -> (Images, Vec<u16>) {
        let all = self.train.images.count;
        let count = count.min(all);
        let indices: Vec<usize> = match &self.train.labels {
            None => (0..count).map(|place| place * all / count).collect(),
            Some(labels) => in_turns(labels, self.class_names.len(), count),
        };
        let labels = self.train.labels.iter();
        let labels =
            labels.flat_map(|labels| indices.iter().filter_map(|at| labels.get(*at).copied()));
        (self.train.images.select(&indices), labels.collect())
    }
}

/// The first picture of each class, then the second of each, up to so many.
fn in_turns(labels: &[u16], classes: usize, count: usize) -> Vec<usize> {
    let mut of_class = vec![Vec::new(); classes];
    for (index, label) in labels.iter().enumerate() {
        if let Some(class) = of_class.get_mut(usize::from(*label)) {
            class.push(index);
        }
    }
    let longest = of_class.iter().map(Vec::len).max().unwrap_or_default();
    (0..longest)
        .flat_map(|turn| {
            of_class
                .iter()
                .filter_map(move |class| class.get(turn).copied())
        })
        .take(count)
        .collect()
}

/// A digest of pictures, labels and class names.
fn digest(loaded: &Loaded) -> String {
    let mut hasher = Hasher::new();
    hasher.update(b"sparring data 1");
    let length = |hasher: &mut Hasher, length: usize| {
        hasher.update(&(length as u64).to_le_bytes());
    };
    length(&mut hasher, loaded.class_names.len());
    for name in &loaded.class_names {
        length(&mut hasher, name.len());
        hasher.update(name.as_bytes());
    }
    for part in [Some(&loaded.train), loaded.test.as_ref()]
        .into_iter()
        .flatten()
    {
        let images = &part.images;
        for size in [images.count, images.channels, images.height, images.width] {
            length(&mut hasher, size);
        }
        hasher.update(&images.pixels);
        if let Some(partners) = &part.partners {
            hasher.update(b"partners");
            hasher.update(&partners.pixels);
        }
        let labels: Vec<u8> = part
            .labels
            .iter()
            .flatten()
            .flat_map(|label| label.to_le_bytes())
            .collect();
        length(&mut hasher, labels.len());
        hasher.update(&labels);
    }
    hex(&hasher)
}

fn hex(hasher: &Hasher) -> String {
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mnist_is_known_by_its_fingerprint() {
        let mnist = DataBundle::mnist().unwrap();
        assert_eq!(mnist.fingerprint, MNIST_FINGERPRINT);
        assert!(mnist.is_mnist());
        assert_eq!(mnist.train.images.count, 60_000);
        assert_eq!(mnist.report().classes[1].count, 6742 + 1135);
    }
}
