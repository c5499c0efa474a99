//! The IDX format of the MNIST files: a big-endian magic number and sizes, then bytes; often gzipped.
//!
//! Described by its authors at <http://yann.lecun.com/exdb/mnist/>.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use sparring_contract::regular::open_regular;

use super::loaded::{MOST_PIXELS, check_bytes, unpacked_at_most};
use crate::data::{DataError, Images};

const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Bytes after the end of a file that are counted for the error that names them.
const SURPLUS: u64 = 1 << 20;

/// Reads a file of images, plain or gzipped.
pub(in crate::data) fn read_images(path: &Path) -> Result<Images, DataError> {
    parse_images(Idx::open(path)?, path)
}

/// Bytes in this format.
pub(super) struct Idx<'a> {
    bytes: Box<dyn Read + 'a>,
    /// How many there are, or if they are packed, how many there can be.
    length: u64,
    is_packed: bool,
}

impl<'a> Idx<'a> {
    /// A file, unpacked if it is gzipped; the CRC-32 of gzip is checked.
    pub(super) fn open(path: &Path) -> Result<Idx<'static>, DataError> {
        let unreadable = |error| DataError::unreadable(path, error);
        let file = open_regular(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        Idx::of(BufReader::new(file), length).map_err(unreadable)
    }

    /// So many bytes. Undoes gzip; bytes of another kind stay as they are.
    pub(super) fn of(mut bytes: impl BufRead + 'a, length: u64) -> io::Result<Self> {
        let is_packed = bytes.fill_buf()?.starts_with(&GZIP);
        Ok(if is_packed {
            Self {
                bytes: Box::new(MultiGzDecoder::new(bytes)),
                length: unpacked_at_most(length),
                is_packed,
            }
        } else {
            Self {
                bytes: Box::new(bytes),
                length,
                is_packed,
            }
        })
    }

    /// Refuses sizes that cannot be those of what follows, before any of it is read.
    fn check(&self, promised: u64, path: &Path) -> Result<(), DataError> {
        if self.is_packed && promised > self.length {
            return Err(DataError::unusable(
                path,
                format!("its header promises {promised} bytes, more than its gzip can hold"),
            ));
        }
        if !self.is_packed && promised != self.length {
            return Err(DataError::WrongLength {
                path: path.to_owned(),
                expected: promised,
                found: self.length,
            });
        }
        Ok(())
    }
}

/// Parses a file of images; `path` is named in errors.
pub(super) fn parse_images(idx: Idx, path: &Path) -> Result<Images, DataError> {
    let check = |[count, height, width]: [usize; 3]| {
        if count == 0 || height == 0 || width == 0 {
            return Err(DataError::Nothing {
                path: path.to_owned(),
                count,
                height,
                width,
            });
        }
        if height.saturating_mul(width) as u64 > MOST_PIXELS {
            let limit = MOST_PIXELS / 1_000_000;
            let why =
                format!("they are {width}x{height}, and the limit is {limit} million pixels each");
            return Err(DataError::unusable(path, why));
        }
        check_bytes(path, count, [1, height, width])
    };
    let ([count, height, width], pixels) = parse(idx, IMAGES, "images", path, check)?;
    Ok(Images {
        count,
        channels: 1,
        height,
        width,
        pixels,
    })
}

/// Parses a file of labels; `path` is named in errors.
pub(super) fn parse_labels(idx: Idx, path: &Path) -> Result<Vec<u8>, DataError> {
    let check = |[count]: [usize; 1]| check_bytes(path, count, [1; 3]);
    let ([_], labels) = parse(idx, LABELS, "labels", path, check)?;
    Ok(labels)
}

/// The sizes in the header, if they pass the check, and what follows it: as many bytes as their product.
fn parse<const SIZES: usize>(
    mut idx: Idx,
    magic: u32,
    what: &'static str,
    path: &Path,
    check: impl FnOnce([usize; SIZES]) -> Result<(), DataError>,
) -> Result<([usize; SIZES], Vec<u8>), DataError> {
    let unreadable = |error| DataError::unreadable(path, error);
    let wrong_length = |expected, found| DataError::WrongLength {
        path: path.to_owned(),
        expected,
        found,
    };
    let header = 4 * (1 + SIZES as u64);
    let mut head = Vec::new();
    idx.bytes
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
    let promised = length.saturating_add(header);
    idx.check(promised, path)?;
    check(sizes)?;
    let mut body = Vec::new();
    body.try_reserve_exact(usize::try_from(length).unwrap_or(usize::MAX))
        .map_err(|_| unreadable(io::ErrorKind::OutOfMemory.into()))?;
    idx.bytes
        .by_ref()
        .take(length)
        .read_to_end(&mut body)
        .map_err(unreadable)?;
    let has = body.len() as u64;
    let surplus = io::copy(&mut idx.bytes.take(SURPLUS), &mut io::sink()).map_err(unreadable)?;
    if has != length || surplus > 0 {
        return Err(wrong_length(promised, header + has + surplus));
    }
    Ok((sizes, body))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn images(bytes: &[u8]) -> Result<Images, DataError> {
        let idx = Idx::of(bytes, bytes.len() as u64).unwrap();
        parse_images(idx, Path::new("x"))
    }

    fn file(sizes: [u32; 3], pixels: &[u8]) -> Vec<u8> {
        let words = [IMAGES, sizes[0], sizes[1], sizes[2]];
        [words.map(u32::to_be_bytes).concat(), pixels.to_vec()].concat()
    }

    #[test]
    fn a_header_that_promises_more_than_memory_costs_none() {
        let error = images(&file([u32::MAX; 3], &[1])).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "x is cut short: its header promises {} bytes and it holds 17; fetch it again",
                u64::MAX
            )
        );
    }

    /// Counts what is read.
    struct Counted<'a>(&'a [u8], &'a Cell<usize>);

    impl Read for Counted<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(to)?;
            self.1.set(self.1.get() + read);
            Ok(read)
        }
    }

    #[test]
    fn what_gzip_cannot_hold_or_memory_cannot_take_is_not_unpacked() {
        for (sizes, refusal) in [
            (
                [u32::MAX; 3],
                "cannot take pictures from x: its header promises 18446744073709551615 bytes, more than its gzip can \
                 hold",
            ),
            (
                [1, 5000, 5000],
                "cannot take pictures from x: they are 5000x5000, and the limit is 16 million pixels each",
            ),
        ] {
            let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
            let pixels = vec![0; 25_000_000];
            zip.write_all(&file(sizes, &pixels)).unwrap();
            let packed = zip.finish().unwrap();
            let read = Cell::new(0);
            let idx = Idx::of(BufReader::new(Counted(&packed, &read)), packed.len() as u64);
            let error = parse_images(idx.unwrap(), Path::new("x")).unwrap_err();
            assert_eq!(error.to_string(), refusal);
            assert!(read.get() < 20_000, "{} bytes were read", read.get());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_images_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let idx = || Idx::of(bytes.as_slice(), bytes.len() as u64).unwrap();
            let _ = parse_images(idx(), Path::new("x"));
            let _ = parse_labels(idx(), Path::new("x"));
        }

        #[test]
        fn a_whole_file_reads_back_and_any_other_length_is_refused(
            sizes in [1..4_u32, 1..5, 1..6],
            length in 0..200_usize,
        ) {
            let body: Vec<u8> = (0..length).map(|at| u8::try_from(at).unwrap()).collect();
            let read = images(&file(sizes, &body));
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
