//! The IDX format of the MNIST files: a big-endian magic number and sizes, then bytes; often gzipped.
//!
//! Described by its authors at <http://yann.lecun.com/exdb/mnist/>.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use sparring_contract::config::{Channels, DataSource};

use super::classes::index;
use super::shrink::{Flat, Square, collate};
use super::{About, DataError, Loaded, check_bytes, mnist};
use crate::data::{Images, Part};

const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Bytes after the end of a file that are counted for the error that names them.
const SURPLUS: u64 = 1 << 20;

/// Reads the training images of a file or a folder, and the labels and test images that lie beside them.
pub(super) fn load(path: &Path, source: &DataSource) -> Result<Loaded, DataError> {
    let train = if path.is_dir() {
        find_images(path)?
    } else {
        path.to_owned()
    };
    let mut about = About::of("IDX");
    let (mut images, mut labels) = read_part(&train)?;
    let mut test = match test_of(&train) {
        Some(test) => Some(read_part(&test)?),
        None => None,
    };
    if test.is_none() || labels.is_none() {
        complete_mnist(&images, &mut labels, &mut test)?;
    }
    if let Some((of_test, _)) = &test {
        let size = |images: &Images| [images.height, images.width];
        if size(of_test) != size(&images) {
            return Err(DataError::TestDiffers {
                path: train,
                train: size(&images),
                test: size(of_test),
            });
        }
    }
    if is_emnist(&train) {
        about
            .notes
            .push("EMNIST's files hold each picture transposed; it was turned upright".to_owned());
        transpose(&mut images);
        if let Some((images, _)) = &mut test {
            transpose(images);
        }
    }
    // Labels are of use only if every part has them.
    let test_labels = test.as_mut().map(|(_, labels)| labels.take());
    let labels = match (labels, test_labels) {
        (Some(train), None) => index(&train, &[]),
        (Some(train), Some(Some(test))) => index(&train, &test),
        (None, None | Some(None)) => None,
        (_, Some(_)) => {
            about.warnings.push(
                "only one of the training and test images has labels: both are taken without"
                    .to_owned(),
            );
            None
        }
    };
    let (train_labels, test_labels, class_names) = match labels {
        Some(labels) => (
            Some(labels.train),
            Some(labels.test),
            labels.labels.iter().map(u8::to_string).collect(),
        ),
        None => (None, None, Vec::new()),
    };
    Ok(Loaded {
        train: Part {
            images: fitted(images, source),
            labels: train_labels,
        },
        test: test.map(|(images, _)| Part {
            images: fitted(images, source),
            labels: test_labels,
        }),
        class_names,
        about,
    })
}

/// Whether a folder has files of images in this format.
pub(super) fn has_idx_files(folder: &Path) -> Result<bool, DataError> {
    Ok(!image_names(folder)?.is_empty())
}

/// Whether the name of a file is that of images in this format.
fn is_idx(name: &str) -> bool {
    name.ends_with("idx3-ubyte") || name.ends_with("idx3-ubyte.gz")
}

/// Reads a file of images, plain or gzipped.
pub(in crate::data) fn read_images(path: &Path) -> Result<Images, DataError> {
    parse_images(open(path)?, path)
}

/// The bytes of a file, unpacked if it is gzipped; the CRC-32 of gzip is checked.
fn open(path: &Path) -> Result<impl Read, DataError> {
    let unreadable = |error| DataError::unreadable(path, error);
    let file = File::open(path).map_err(unreadable)?;
    unpacked(BufReader::new(file)).map_err(unreadable)
}

/// Undoes gzip; bytes of another kind stay as they are.
pub(super) fn unpacked<'a>(mut bytes: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
    if bytes.fill_buf()?.starts_with(&GZIP) {
        Ok(Box::new(MultiGzDecoder::new(bytes)))
    } else {
        Ok(Box::new(bytes))
    }
}

/// Parses a file of images; `path` is named in errors.
pub(super) fn parse_images(bytes: impl Read, path: &Path) -> Result<Images, DataError> {
    let ([count, height, width], pixels) = parse(bytes, IMAGES, "images", path)?;
    if count == 0 || height == 0 || width == 0 {
        return Err(DataError::Nothing {
            path: path.to_owned(),
            count,
            height,
            width,
        });
    }
    Ok(Images {
        count,
        channels: 1,
        height,
        width,
        pixels,
    })
}

/// Parses a file of labels; `path` is named in errors.
pub(super) fn parse_labels(bytes: impl Read, path: &Path) -> Result<Vec<u8>, DataError> {
    let ([_], labels) = parse(bytes, LABELS, "labels", path)?;
    Ok(labels)
}

/// Reads images and, if a file of them lies beside, their labels.
fn read_part(path: &Path) -> Result<(Images, Option<Vec<u8>>), DataError> {
    let images = read_images(path)?;
    let Some(beside) = labels_of(path) else {
        return Ok((images, None));
    };
    let labels = parse_labels(open(&beside)?, &beside)?;
    if labels.len() != images.count {
        return Err(DataError::CountsDiffer {
            path: beside,
            labels: labels.len(),
            of: path.to_owned(),
            images: images.count,
        });
    }
    Ok((images, Some(labels)))
}

/// Gives MNIST's training images what a folder lacks of the rest.
fn complete_mnist(
    images: &Images,
    labels: &mut Option<Vec<u8>>,
    test: &mut Option<(Images, Option<Vec<u8>>)>,
) -> Result<(), DataError> {
    if (images.count, images.height, images.width) != (60_000, 28, 28) {
        return Ok(());
    }
    let [(training, digits), (test_images, test_digits)] = mnist::parts()?;
    if training.pixels == images.pixels {
        labels.get_or_insert(digits);
        test.get_or_insert((test_images, None))
            .1
            .get_or_insert(test_digits);
    }
    Ok(())
}

/// Images of this size and these channels if the keys ask for others than the files have.
pub(super) fn fitted(images: Images, source: &DataSource) -> Images {
    let side = source.image_size;
    if side == 0 && source.channels != Channels::Rgb {
        return images;
    }
    let (height, width) = (images.height, images.width);
    let squares = images.pixels.chunks(images.picture_bytes()).map(|pixels| {
        if side == 0 {
            return Square {
                channels: 1,
                pixels: pixels.to_vec(),
            };
        }
        let flat = Flat {
            channels: 1,
            // A side of an IDX file is a u32.
            width: width as u32,
            height: height as u32,
            pixels: pixels.to_vec(),
        };
        flat.square(side)
    });
    let size = if side == 0 {
        [height, width]
    } else {
        [side as usize; 2]
    };
    collate(squares.collect(), source.channels, size)
}

fn is_emnist(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with("emnist-"))
}

/// Swaps rows and columns of every picture.
fn transpose(images: &mut Images) {
    let (height, width) = (images.height, images.width);
    images.pixels = images
        .pixels
        .chunks(height * width)
        .flat_map(|picture| {
            (0..width).flat_map(move |x| picture.iter().skip(x).step_by(width).copied())
        })
        .collect();
    (images.height, images.width) = (width, height);
}

/// The labels that lie beside these images.
fn labels_of(images: &Path) -> Option<PathBuf> {
    beside(images, |name| {
        name.replace("images", "labels").replace("idx3", "idx1")
    })
}

/// The test images that lie beside these training images: MNIST calls them t10k, EMNIST test.
fn test_of(images: &Path) -> Option<PathBuf> {
    ["t10k-images", "test-images"]
        .iter()
        .find_map(|test| beside(images, |name| name.replace("train-images", test)))
}

/// The file beside another with another name, plain or gzipped.
fn beside(path: &Path, rename: impl Fn(&str) -> String) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let other = rename(name);
    (other != name)
        .then(|| [other.clone(), format!("{other}.gz")])?
        .map(|name| path.with_file_name(name))
        .into_iter()
        .find(|path| path.exists())
}

/// The names of a folder's files of images, sorted.
fn image_names(folder: &Path) -> Result<Vec<String>, DataError> {
    let entries = fs::read_dir(folder).map_err(|error| DataError::unreadable(folder, error))?;
    let mut names: Vec<_> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| is_idx(name))
        .collect();
    names.sort();
    Ok(names)
}

fn find_images(folder: &Path) -> Result<PathBuf, DataError> {
    let names = image_names(folder)?;
    let mut candidates: Vec<_> = names
        .iter()
        .filter(|name| name.contains("train-images"))
        .cloned()
        .collect();
    if candidates.is_empty() {
        candidates.clone_from(&names);
    }
    // Plain and gzipped copies of one file hold the same; the plain one sorts first and is quicker to read.
    candidates.dedup_by(|later, first| later.strip_suffix(".gz") == Some(first));
    match candidates.as_slice() {
        [name] => Ok(folder.join(name)),
        [] => Err(DataError::NoImages {
            path: folder.to_owned(),
        }),
        _ => Err(DataError::Ambiguous {
            path: folder.to_owned(),
            names: candidates,
        }),
    }
}

/// The sizes in the header, and what follows it: as many bytes as their product.
fn parse<const SIZES: usize>(
    mut bytes: impl Read,
    magic: u32,
    what: &'static str,
    path: &Path,
) -> Result<([usize; SIZES], Vec<u8>), DataError> {
    let unreadable = |error| DataError::unreadable(path, error);
    let wrong_length = |expected, found| DataError::WrongLength {
        path: path.to_owned(),
        expected,
        found,
    };
    let header = 4 * (1 + SIZES as u64);
    let mut head = Vec::new();
    bytes
        .by_ref()
        .take(header)
        .read_to_end(&mut head)
        .map_err(unreadable)?;
    let mut words = head.chunks_exact(4).map(|word| {
        let word = word.try_into().unwrap_or_default();
        u32::from_be_bytes(word)
    });
    let cut_short = || wrong_length(header, head.len() as u64);
    let found = words.next().ok_or_else(cut_short)?;
    if found != magic {
        return Err(DataError::WrongMagic {
            path: path.to_owned(),
            found,
            expected: magic,
            what,
        });
    }
    let mut sizes = [0; SIZES];
    for size in &mut sizes {
        *size = words.next().ok_or_else(cut_short)? as usize;
    }
    let length = sizes
        .iter()
        .try_fold(1_u64, |product, size| product.checked_mul(*size as u64))
        .unwrap_or(u64::MAX);
    // What is there is counted before a promise of more than fits is believed.
    let mut body = Vec::new();
    let most = length.min(super::MOST_BYTES.saturating_add(1));
    bytes
        .by_ref()
        .take(most)
        .read_to_end(&mut body)
        .map_err(unreadable)?;
    let has = body.len() as u64;
    if has > super::MOST_BYTES {
        let side = |index: usize| sizes.get(index).copied().unwrap_or(1);
        check_bytes(path, side(0), [1, side(1), side(2)])?;
    }
    let surplus = io::copy(&mut bytes.take(SURPLUS), &mut io::sink()).map_err(unreadable)?;
    if has != length || surplus > 0 {
        return Err(wrong_length(
            length.saturating_add(header),
            header + has + surplus,
        ));
    }
    Ok((sizes, body))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(sizes: [u32; 3], pixels: &[u8]) -> Vec<u8> {
        let words = [IMAGES, sizes[0], sizes[1], sizes[2]];
        [words.map(u32::to_be_bytes).concat(), pixels.to_vec()].concat()
    }

    #[test]
    fn a_header_that_promises_more_than_memory_costs_none() {
        let error = parse_images(file([u32::MAX; 3], &[1]).as_slice(), Path::new("x")).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "x is cut short: its header promises {} bytes and it holds 17; fetch it again",
                u64::MAX
            )
        );
    }

    #[test]
    fn the_pictures_of_emnist_are_turned_upright() {
        let mut images = parse_images(
            file([2, 2, 3], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]).as_slice(),
            Path::new("x"),
        )
        .unwrap();
        transpose(&mut images);
        assert_eq!((images.height, images.width), (3, 2));
        assert_eq!(images.pixels, [1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12]);
    }

    #[test]
    fn files_that_belong_together_are_found_plain_or_gzipped() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let train = at("emnist-letters-train-images-idx3-ubyte.gz");
        for name in [
            "emnist-letters-train-labels-idx1-ubyte",
            "emnist-letters-test-images-idx3-ubyte.gz",
        ] {
            fs::write(at(name), []).unwrap();
        }
        assert_eq!(
            labels_of(&train),
            Some(at("emnist-letters-train-labels-idx1-ubyte"))
        );
        assert_eq!(
            test_of(&train),
            Some(at("emnist-letters-test-images-idx3-ubyte.gz"))
        );
        assert_eq!(test_of(&at("pictures-idx3-ubyte")), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_images_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse_images(bytes.as_slice(), Path::new("x"));
            let _ = parse_labels(bytes.as_slice(), Path::new("x"));
        }

        #[test]
        fn a_whole_file_reads_back_and_any_other_length_is_refused(
            sizes in [1..4_u32, 1..5, 1..6],
            length in 0..200_usize,
        ) {
            let body: Vec<u8> = (0..length).map(|at| u8::try_from(at).unwrap()).collect();
            let read = parse_images(file(sizes, &body).as_slice(), Path::new("x"));
            let expected = sizes.iter().product::<u32>() as usize;
            match read {
                Ok(images) => prop_assert_eq!(images.pixels, body),
                Err(error) => {
                    prop_assert!(length != expected);
                    let is_length = matches!(error, DataError::WrongLength { .. });
                    prop_assert!(is_length, "{error}");
                }
            }
        }
    }
}
