//! The IDX format of the MNIST files: a big-endian magic number and sizes, then bytes; often gzipped.
//!
//! Described by its authors at <http://yann.lecun.com/exdb/mnist/>.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::{DataError, Images};

const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads the training images of a folder.
pub(super) fn load_folder(folder: &Path) -> Result<Images, DataError> {
    let path = find_images(folder)?;
    let images = read_images(&path)?;
    check_labels(&path, images.count)?;
    Ok(images)
}

/// Reads the test images of a folder, if it has any.
pub(super) fn load_test(folder: &Path) -> Result<Option<Images>, DataError> {
    let Some(path) = test_images(folder) else {
        return Ok(None);
    };
    let images = read_images(&path)?;
    check_labels(&path, images.count)?;
    Ok(Some(images))
}

/// Reads the labels of a folder's test images, if it has any.
pub(super) fn load_test_classes(folder: &Path) -> Result<Option<Vec<u8>>, DataError> {
    test_images(folder).map_or(Ok(None), |path| read_classes(&path))
}

fn test_images(folder: &Path) -> Option<PathBuf> {
    ["t10k-images-idx3-ubyte", "t10k-images-idx3-ubyte.gz"]
        .into_iter()
        .map(|name| folder.join(name))
        .find(|path| path.exists())
}

/// Reads a file of images, plain or gzipped.
pub(super) fn read_images(path: &Path) -> Result<Images, DataError> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, error))?;
    parse_images(&unpack(bytes, path)?, path)
}

/// Undoes gzip, checking its CRC-32; bytes of another kind stay as they are.
pub(super) fn unpack(bytes: Vec<u8>, path: &Path) -> Result<Vec<u8>, DataError> {
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(bytes.as_slice())
        .read_to_end(&mut unpacked)
        .map_err(|error| unreadable(path, error))?;
    Ok(unpacked)
}

pub(super) fn parse_images(bytes: &[u8], path: &Path) -> Result<Images, DataError> {
    let [count, height, width] = header(bytes, IMAGES, "images", path)?;
    check_length(bytes, 16, [count, height, width], path)?;
    if count == 0 || height == 0 || width == 0 {
        return Err(DataError::Nothing {
            path: path.to_owned(),
            count,
            height,
            width,
        });
    }
    let origin = path.display().to_string();
    Ok(Images {
        origin,
        count,
        height,
        width,
        pixels: bytes[16..].to_vec(),
    })
}

pub(super) fn parse_labels(bytes: &[u8], path: &Path) -> Result<Vec<u8>, DataError> {
    let [count] = header(bytes, LABELS, "labels", path)?;
    check_length(bytes, 8, [count], path)?;
    Ok(bytes[8..].to_vec())
}

/// Reads the labels of a folder's training images, if it has any.
pub(super) fn load_classes(folder: &Path) -> Result<Option<Vec<u8>>, DataError> {
    read_classes(&find_images(folder)?)
}

/// Labels that are fewer or more than the images tell that the wrong files came together.
fn check_labels(images: &Path, count: usize) -> Result<(), DataError> {
    let Some(labels) = read_classes(images)?.map(|labels| labels.len()) else {
        return Ok(());
    };
    if labels == count {
        return Ok(());
    }
    Err(DataError::CountsDiffer {
        path: labels_of(images).unwrap_or_default(),
        labels,
        of: images.to_owned(),
        images: count,
    })
}

fn read_classes(images: &Path) -> Result<Option<Vec<u8>>, DataError> {
    let Some(path) = labels_of(images).filter(|path| path.exists()) else {
        return Ok(None);
    };
    let bytes = fs::read(&path).map_err(|error| unreadable(&path, error))?;
    parse_labels(&unpack(bytes, &path)?, &path).map(Some)
}

/// Where the labels of these images are, if anywhere.
fn labels_of(images: &Path) -> Option<PathBuf> {
    let name = images.file_name()?.to_str()?;
    let path = images.with_file_name(name.replace("images-idx3", "labels-idx1"));
    (path != images).then_some(path)
}

fn find_images(folder: &Path) -> Result<PathBuf, DataError> {
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
    let mut names: Vec<_> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with("idx3-ubyte") || name.ends_with("idx3-ubyte.gz"))
        .collect();
    names.sort();
    let training: Vec<_> = names
        .iter()
        .filter(|name| name.starts_with("train-images"))
        .cloned()
        .collect();
    match (training.as_slice(), names.as_slice()) {
        // Plain and gzipped copies of one file hold the same; the plain one sorts first and is quicker to read.
        ([name, ..], _) | ([], [name]) => Ok(folder.join(name)),
        ([], []) => Err(DataError::NoImages {
            path: folder.to_owned(),
        }),
        ([], _) => Err(DataError::Ambiguous {
            path: folder.to_owned(),
            names,
        }),
    }
}

/// The sizes that stand after the magic number.
fn header<const SIZES: usize>(
    bytes: &[u8],
    magic: u32,
    what: &'static str,
    path: &Path,
) -> Result<[usize; SIZES], DataError> {
    let length = 4 * (1 + SIZES);
    let cut_short = || DataError::WrongLength {
        path: path.to_owned(),
        expected: length as u64,
        found: bytes.len() as u64,
    };
    let word = |at: usize| -> Option<u32> {
        Some(u32::from_be_bytes(
            bytes.get(4 * at..4 * at + 4)?.try_into().ok()?,
        ))
    };
    let found = word(0).ok_or_else(cut_short)?;
    if found != magic {
        return Err(DataError::WrongMagic {
            path: path.to_owned(),
            found,
            expected: magic,
            what,
        });
    }
    let mut sizes = [0; SIZES];
    for (at, size) in sizes.iter_mut().enumerate() {
        *size = word(at + 1).ok_or_else(cut_short)? as usize;
    }
    Ok(sizes)
}

fn check_length<const SIZES: usize>(
    bytes: &[u8],
    header: u64,
    sizes: [usize; SIZES],
    path: &Path,
) -> Result<(), DataError> {
    let body = sizes
        .iter()
        .try_fold(1_u64, |product, size| product.checked_mul(*size as u64));
    let expected = body.unwrap_or(u64::MAX).saturating_add(header);
    let found = bytes.len() as u64;
    if found == expected {
        Ok(())
    } else {
        Err(DataError::WrongLength {
            path: path.to_owned(),
            expected,
            found,
        })
    }
}

pub(super) fn unreadable(path: &Path, error: io::Error) -> DataError {
    DataError::Unreadable {
        path: path.to_owned(),
        error,
    }
}
