//! The IDX format of the MNIST files: a big-endian magic number and sizes, then bytes; often gzipped.
//!
//! Described by its authors at <http://yann.lecun.com/exdb/mnist/>.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::loaded::{MOST_BYTES, check_bytes};
use crate::data::{DataError, Images};

const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Bytes after the end of a file that are counted for the error that names them.
const SURPLUS: u64 = 1 << 20;

/// Reads a file of images, plain or gzipped.
pub(in crate::data) fn read_images(path: &Path) -> Result<Images, DataError> {
    parse_images(open(path)?, path)
}

/// The bytes of a file, unpacked if it is gzipped; the CRC-32 of gzip is checked.
pub(super) fn open(path: &Path) -> Result<impl Read, DataError> {
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
    let most = length.min(MOST_BYTES.saturating_add(1));
    bytes
        .by_ref()
        .take(most)
        .read_to_end(&mut body)
        .map_err(unreadable)?;
    let has = body.len() as u64;
    if has > MOST_BYTES {
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
