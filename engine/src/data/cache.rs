//! Decoded data sets in the user's cache directory.
//!
//! A file holds a line with a digest of the rest, a line of JSON that describes the pictures, and then their bytes and
//! labels. It is written whole or not at all, and checked when it is read: one that is not as it should be is as good
//! as none.

use std::fs::{DirBuilder, File};
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use blake3::Hasher;
use serde::{Deserialize, Serialize};
use sparring_contract::cache::DataCache;
use sparring_contract::config::DataSource;
use sparring_contract::run::write_whole;

use super::sources::{About, Loaded, MOST_BYTES, Stamp};
use super::{DataError, Images, Part};

/// What a file begins with. The version of the program tells how pictures are decoded.
const MAGIC: &str = concat!("sparring pictures 1, ", env!("CARGO_PKG_VERSION"));

/// Bytes of a line at most: 1000 names of classes are well below.
const LONGEST_LINE: u64 = 16 << 20;

/// What the bytes of a file are.
#[derive(Debug, Serialize, Deserialize)]
struct Described {
    train: Shape,
    test: Option<Shape>,
    class_names: Vec<String>,
    about: About,
}

/// Sizes of a part, whose pixels and labels follow each other.
#[derive(Debug, Serialize, Deserialize)]
struct Shape {
    /// Count, channels, height and width.
    sizes: [usize; 4],
    labelled: bool,
}

/// Takes a data set from the cache, or loads it and puts it there. Returns whether it came from the cache. A cache that
/// cannot be written costs nothing but a note.
pub(super) fn through(
    cache: &DataCache,
    source: &DataSource,
    stamps: &[Stamp],
    load: impl FnOnce() -> Result<Loaded, DataError>,
) -> Result<(Loaded, bool), DataError> {
    let file = cache.file(&key(source, stamps));
    if let Some(loaded) = read(&file) {
        // That it was used is worth knowing; not that this could not be noted.
        let _ = DataCache::mark_used(&file);
        return Ok((loaded, true));
    }
    let mut loaded = load()?;
    if let Err(error) = store(cache, &file, &loaded) {
        loaded.about.notes.push(format!(
            "the pictures could not be kept in the cache {}: {error}",
            cache.folder().display()
        ));
    }
    Ok((loaded, false))
}

/// A name for the contents of these files under these keys.
fn key(source: &DataSource, stamps: &[Stamp]) -> String {
    let mut hasher = Hasher::new();
    let mut word = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    word(MAGIC.as_bytes());
    let options = serde_json::to_vec(&(
        source.image_size,
        source.channels,
        source.background,
        source.tile,
    ));
    word(&options.unwrap_or_default());
    // Only a path that is not there has no whole form.
    let place = Path::new(&source.data).canonicalize().unwrap_or_default();
    word(place.as_os_str().as_bytes());
    for stamp in stamps {
        word(stamp.relative.as_os_str().as_bytes());
        word(&stamp.bytes.to_le_bytes());
        word(&stamp.changed.map(i64::to_le_bytes).concat());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

fn store(cache: &DataCache, file: &Path, loaded: &Loaded) -> io::Result<()> {
    let described = serde_json::to_vec(&Described {
        train: Shape::of(&loaded.train),
        test: loaded.test.as_ref().map(Shape::of),
        class_names: loaded.class_names.clone(),
        about: loaded.about.clone(),
    })?;
    let labels = |part: &Part| -> Vec<u8> {
        let labels = part.labels.iter().flatten();
        labels.flat_map(|label| label.to_le_bytes()).collect()
    };
    let parts = [Some(&loaded.train), loaded.test.as_ref()];
    let labels: Vec<_> = parts.iter().flatten().map(|part| labels(part)).collect();
    let bodies = || {
        let parts = parts.iter().flatten().zip(&labels);
        parts.flat_map(|(part, labels)| [part.images.pixels.as_slice(), labels])
    };
    let bytes: usize = bodies().map(<[u8]>::len).sum();
    if bytes as u64 > DataCache::LIMIT {
        return Err(io::Error::other(format!(
            "they take {} MB, and the cache holds {}",
            bytes / 1_000_000,
            DataCache::LIMIT / 1_000_000
        )));
    }
    let mut hasher = Hasher::new();
    hasher.update(&described);
    for body in bodies() {
        hasher.update(body);
    }
    // Pictures may be private.
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(cache.folder())?;
    write_whole(file, |file| {
        writeln!(file, "{MAGIC}, {}", hasher.finalize().to_hex())?;
        file.write_all(&described)?;
        file.write_all(b"\n")?;
        bodies().try_for_each(|body| file.write_all(body))
    })?;
    cache.shrink(DataCache::LIMIT)
}

/// Reads a file of the cache; `None` if there is none, or if anything about it is not as it should be.
fn read(file: &Path) -> Option<Loaded> {
    let file = File::open(file).ok()?;
    let length = file.metadata().ok()?.len();
    let mut file = BufReader::new(file);
    let mut line = || {
        let mut line = Vec::new();
        (&mut file)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .ok()?;
        line.pop().filter(|end| *end == b'\n')?;
        Some(line)
    };
    let (first, described) = (line()?, line()?);
    let digest = str::from_utf8(&first)
        .ok()?
        .strip_prefix(MAGIC)?
        .strip_prefix(", ")?;
    let Described {
        train,
        test,
        class_names,
        about,
    } = serde_json::from_slice(&described).ok()?;
    // Nothing is allocated for sizes that the file does not have.
    let lines = (first.len() + described.len() + 2) as u64;
    let body = [Some(&train), test.as_ref()]
        .into_iter()
        .flatten()
        .try_fold(0_u64, |sum, shape| sum.checked_add(shape.bytes()?))?;
    if lines.checked_add(body)? != length || body > 2 * MOST_BYTES {
        return None;
    }
    let mut hasher = Hasher::new();
    hasher.update(&described);
    let mut part = |shape: &Shape| shape.read(&mut file, &mut hasher, class_names.len());
    let train = part(&train)?;
    let test = match test {
        Some(test) => Some(part(&test)?),
        None => None,
    };
    (hasher.finalize().to_hex().as_str() == digest).then_some(Loaded {
        train,
        test,
        class_names,
        about,
    })
}

impl Shape {
    fn of(part: &Part) -> Self {
        let images = &part.images;
        Self {
            sizes: [images.count, images.channels, images.height, images.width],
            labelled: part.labels.is_some(),
        }
    }

    /// Bytes of the pixels; `None` if they cannot be counted.
    fn pixels(&self) -> Option<usize> {
        self.sizes
            .iter()
            .try_fold(1_usize, |product, size| product.checked_mul(*size))
    }

    /// Bytes of the labels.
    fn labels(&self) -> Option<usize> {
        self.sizes[0].checked_mul(if self.labelled { 2 } else { 0 })
    }

    fn bytes(&self) -> Option<u64> {
        u64::try_from(self.pixels()?.checked_add(self.labels()?)?).ok()
    }

    fn read(&self, from: &mut impl Read, hasher: &mut Hasher, classes: usize) -> Option<Part> {
        let mut bytes = |length: usize| {
            let mut bytes = vec![0; length];
            from.read_exact(&mut bytes).ok()?;
            hasher.update(&bytes);
            Some(bytes)
        };
        let pixels = bytes(self.pixels()?)?;
        let labels = bytes(self.labels()?)?;
        let (labels, _) = labels.as_chunks::<2>();
        let labels: Vec<_> = labels.iter().copied().map(u16::from_le_bytes).collect();
        let [count, channels, height, width] = self.sizes;
        let is_sound = labels.iter().all(|label| usize::from(*label) < classes);
        is_sound.then_some(Part {
            partners: None,
            images: Images {
                count,
                channels,
                height,
                width,
                pixels,
            },
            labels: self.labelled.then_some(labels),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    fn loaded() -> Loaded {
        let part = |first: u8, count: usize| Part {
            partners: None,
            images: Images {
                count,
                channels: 3,
                height: 2,
                width: 1,
                pixels: (first..).take(count * 6).collect(),
            },
            labels: Some(
                (0..count)
                    .map(|index| u16::try_from(index % 2).unwrap())
                    .collect(),
            ),
        };
        Loaded {
            train: part(0, 5),
            test: Some(part(100, 2)),
            class_names: vec!["cat\n".to_owned(), "犬".to_owned()],
            about: About::default(),
        }
    }

    fn stamps() -> Vec<Stamp> {
        vec![Stamp {
            path: PathBuf::from("/pictures/a.png"),
            relative: PathBuf::from("a.png"),
            bytes: 9,
            changed: [1, 2, 3, 4],
        }]
    }

    fn cache() -> (tempfile::TempDir, DataCache) {
        let home = tempfile::tempdir().unwrap();
        let cache = DataCache::at(home.path().join("deep/data"));
        (home, cache)
    }

    fn through_again(cache: &DataCache, stamps: &[Stamp]) -> (Loaded, bool) {
        through(cache, &DataSource::named("pictures"), stamps, || {
            Ok(loaded())
        })
        .unwrap()
    }

    #[test]
    fn the_second_time_nothing_is_loaded() {
        let (_home, cache) = cache();
        assert_eq!(through_again(&cache, &stamps()), (loaded(), false));
        let again = through(&cache, &DataSource::named("pictures"), &stamps(), || {
            panic!("loaded although it is in the cache")
        });
        assert_eq!(again.unwrap(), (loaded(), true));
    }

    #[test]
    fn a_file_that_changed_or_another_key_is_loaded_anew() {
        let (_home, cache) = cache();
        through_again(&cache, &stamps());
        for change in [
            |stamp: &mut Stamp| stamp.bytes += 1,
            |stamp: &mut Stamp| stamp.changed[3] += 1,
            |stamp: &mut Stamp| stamp.relative = PathBuf::from("b.png"),
        ] {
            let mut other = stamps();
            change(&mut other[0]);
            assert!(!through_again(&cache, &other).1);
        }
        let larger = DataSource {
            image_size: 64,
            ..DataSource::named("pictures")
        };
        assert!(
            !through(&cache, &larger, &stamps(), || Ok(loaded()))
                .unwrap()
                .1
        );
        // A split is made anew of the same pictures.
        let other_split = DataSource {
            test_seed: 9,
            pairs: false,
            ..DataSource::named("pictures")
        };
        assert!(
            through(&cache, &other_split, &stamps(), || Ok(loaded()))
                .unwrap()
                .1
        );
    }

    #[test]
    fn a_file_with_any_byte_changed_missing_or_added_is_not_taken() {
        let (_home, cache) = cache();
        through_again(&cache, &stamps());
        let file = cache.entries().unwrap().remove(0).path;
        let whole = fs::read(&file).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 4;
            fs::write(&file, &bytes).unwrap();
            assert_eq!(read(&file), None, "byte {at}");
            fs::write(&file, &whole[..at]).unwrap();
            assert_eq!(read(&file), None, "cut at {at}");
        }
        fs::write(&file, [whole.as_slice(), b"x"].concat()).unwrap();
        assert_eq!(read(&file), None);
        fs::write(&file, &whole).unwrap();
        assert_eq!(read(&file), Some(loaded()));
    }

    #[test]
    fn a_cache_that_cannot_be_written_costs_a_note() {
        let (home, cache) = cache();
        fs::write(home.path().join("deep"), "a file where a folder should be").unwrap();
        let (loaded, cached) = through_again(&cache, &stamps());
        assert!(!cached);
        assert!(loaded.about.notes[0].starts_with("the pictures could not be kept in the cache "));
    }
}
