//! IDX files that belong together: images, their labels, and those to test with.

use std::fs;
use std::path::{Path, PathBuf};

use sparring_contract::config::{Channels, DataSource};

use super::classes::index;
use super::idx_format::{Idx, parse_labels, read_images};
use super::loaded::{About, Loaded};
use super::mnist;
use super::shrink::{Flat, Square, collate};
use crate::data::{DataError, Images, Part};

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
            partners: None,
            images: fitted(images, source),
            labels: train_labels,
        },
        test: test.map(|(images, _)| Part {
            partners: None,
            images: fitted(images, source),
            labels: test_labels,
        }),
        class_names,
        about,
    })
}

/// Whether a folder has files of images in this format.
pub(in crate::data) fn has_idx_files(folder: &Path) -> Result<bool, DataError> {
    Ok(!image_names(folder)?.is_empty())
}

/// Whether the name of a file is that of images in this format.
fn is_idx(name: &str) -> bool {
    name.ends_with("idx3-ubyte") || name.ends_with("idx3-ubyte.gz")
}

/// Reads images and, if a file of them lies beside, their labels.
fn read_part(path: &Path) -> Result<(Images, Option<Vec<u8>>), DataError> {
    let images = read_images(path)?;
    let Some(beside) = labels_of(path) else {
        return Ok((images, None));
    };
    let labels = parse_labels(Idx::open(&beside)?, &beside)?;
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
            width: narrow(width),
            height: narrow(height),
            pixels: pixels.to_vec(),
        };
        flat.square(side)
    });
    let shape = if side == 0 {
        [height, width]
    } else {
        [side as usize; 2]
    };
    collate(squares.collect(), source.channels, shape)
}

/// A side, which in the header was a u32.
fn narrow(side: usize) -> u32 {
    u32::try_from(side).unwrap_or(u32::MAX)
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

/// The file of training images in a folder, or the only one of images.
pub(in crate::data) fn find_images(folder: &Path) -> Result<PathBuf, DataError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pictures_of_emnist_are_turned_upright() {
        let mut images = Images {
            count: 2,
            channels: 1,
            height: 2,
            width: 3,
            pixels: (1..=12).collect(),
        };
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
}
