//! NumPy's array format, versions 1 to 3
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).
//!
//! The crates that read it bring a parser of Python literals with them; a header has three keys of known kinds, and
//! arrays are streamed here picture by picture.

use std::io::{self, Read};

const MAGIC: &[u8] = b"\x93NUMPY";

/// Bytes of a header at most: numpy itself refuses longer ones.
const LONGEST: usize = 10_000;

/// The numbers of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Unsigned,
    Signed,
    Float,
}

/// What an array holds, in C order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Bytes of a number: 1, 2, 4 or 8.
    pub(super) bytes: usize,
    pub(super) is_big_endian: bool,
    pub(super) shape: Vec<usize>,
}

impl Header {
    /// Reads a header. The error is a reason in words.
    pub(super) fn read(from: &mut impl Read) -> Result<Self, String> {
        let broken = |error: io::Error| format!("its header is cut short: {error}");
        let mut start = [0; 8];
        from.read_exact(&mut start).map_err(broken)?;
        if !start.starts_with(MAGIC) {
            return Err("it is no NumPy array".to_owned());
        }
        let length = if start[6] == 1 {
            let mut length = [0; 2];
            from.read_exact(&mut length).map_err(broken)?;
            usize::from(u16::from_le_bytes(length))
        } else {
            let mut length = [0; 4];
            from.read_exact(&mut length).map_err(broken)?;
            u32::from_le_bytes(length) as usize
        };
        if length > LONGEST {
            return Err(format!(
                "its header has {length} bytes, and the limit is {LONGEST}"
            ));
        }
        let mut text = vec![0; length];
        from.read_exact(&mut text).map_err(broken)?;
        let text = String::from_utf8(text).map_err(|_| "its header is no text".to_owned())?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let odd = || "its header is of no form that is known".to_owned();
        let after = |key: &str| {
            let (_, rest) = text.split_once(&format!("'{key}':"))?;
            Some(rest.trim_start())
        };
        let descr = after("descr")
            .and_then(|rest| rest.strip_prefix('\'')?.split_once('\''))
            .ok_or_else(odd)?
            .0;
        if after("fortran_order").ok_or_else(odd)?.starts_with("True") {
            return Err("it is in Fortran order: save it with numpy.ascontiguousarray".to_owned());
        }
        let sizes = after("shape")
            .and_then(|rest| rest.strip_prefix('(')?.split_once(')'))
            .ok_or_else(odd)?
            .0;
        let shape = sizes
            .split(',')
            .map(str::trim)
            .filter(|size| !size.is_empty())
            .map(|size| size.parse().map_err(|_| odd()))
            .collect::<Result<Vec<usize>, _>>()?;
        let unknown = || format!("its numbers are of the type {descr}, which is not read");
        let order = descr.chars().next().ok_or_else(unknown)?;
        let (kind, bytes) = match descr.get(1..).ok_or_else(unknown)? {
            "u1" => (Kind::Unsigned, 1),
            "u2" => (Kind::Unsigned, 2),
            "u4" => (Kind::Unsigned, 4),
            "u8" => (Kind::Unsigned, 8),
            "i1" => (Kind::Signed, 1),
            "i2" => (Kind::Signed, 2),
            "i4" => (Kind::Signed, 4),
            "i8" => (Kind::Signed, 8),
            "f4" => (Kind::Float, 4),
            "f8" => (Kind::Float, 8),
            _ => return Err(unknown()),
        };
        let is_big_endian = match order {
            '<' | '|' | '=' => false,
            '>' => true,
            _ => return Err(unknown()),
        };
        Ok(Self {
            kind,
            bytes,
            is_big_endian,
            shape,
        })
    }

    /// The numbers in these bytes as whole numbers; `None` for negative ones and floats.
    pub(super) fn integers(&self, bytes: &[u8]) -> Option<Vec<u64>> {
        let signed = self.kind == Kind::Signed;
        let number = |bytes: &[u8]| {
            let word = self.word(bytes);
            let sign = 1 << (8 * self.bytes - 1);
            (!signed || word & sign == 0).then_some(word)
        };
        if self.kind == Kind::Float {
            return None;
        }
        bytes.chunks_exact(self.bytes).map(number).collect()
    }

    /// The numbers in these bytes as pixels: bytes as they are, floats in [0, 1] times 255. The error is a reason in
    /// words.
    pub(super) fn pixels(&self, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        match (self.kind, self.bytes) {
            (Kind::Unsigned, 1) => Ok(bytes),
            (Kind::Float, size) => bytes
                .chunks_exact(size)
                .map(|bytes| self.float_pixel(bytes))
                .collect(),
            _ => Err("its pixels are neither bytes nor floats".to_owned()),
        }
    }

    fn float_pixel(&self, bytes: &[u8]) -> Result<u8, String> {
        let word = self.word(bytes);
        let number = if self.bytes == 4 {
            f64::from(f32::from_bits(word as u32))
        } else {
            f64::from_bits(word)
        };
        if (0.0..=1.0).contains(&number) {
            Ok((number * 255.0).round() as u8)
        } else {
            Err(format!(
                "a pixel is {number}: floats must lie between 0 and 1"
            ))
        }
    }

    /// A number's bytes as a word, without its sign.
    fn word(&self, bytes: &[u8]) -> u64 {
        let put = |word: u64, byte: &u8| word << 8 | u64::from(*byte);
        if self.is_big_endian {
            bytes.iter().fold(0, put)
        } else {
            bytes.iter().rev().fold(0, put)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(text: &str) -> Vec<u8> {
        let length = u16::try_from(text.len()).unwrap().to_le_bytes();
        [MAGIC, &[1, 0], &length, text.as_bytes()].concat()
    }

    fn read(text: &str) -> Result<Header, String> {
        Header::read(&mut header(text).as_slice())
    }

    #[test]
    fn the_headers_that_numpy_writes_are_read() {
        let of = read("{'descr': '|u1', 'fortran_order': False, 'shape': (7, 28, 28, 3), }   \n")
            .unwrap();
        assert_eq!(
            (of.kind, of.bytes, of.shape.as_slice()),
            (Kind::Unsigned, 1, [7, 28, 28, 3].as_slice())
        );
        let of = read("{'descr': '>f8', 'fortran_order': False, 'shape': (5,), }\n").unwrap();
        assert!(of.is_big_endian && of.kind == Kind::Float);
        assert_eq!(of.shape, [5]);
        assert_eq!(
            read("{'descr': '<i8', 'fortran_order': False, 'shape': (), }\n")
                .unwrap()
                .shape,
            [0_usize; 0]
        );
    }

    #[test]
    fn what_is_not_read_is_said() {
        let error = |text| read(text).unwrap_err();
        assert_eq!(
            error("{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }"),
            "its numbers are of the type <c16, which is not read"
        );
        assert!(
            error("{'descr': '|u1', 'fortran_order': True, 'shape': (1,), }")
                .starts_with("it is in Fortran order")
        );
        assert!(
            error("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }")
                .contains("no form")
        );
        assert!(
            error("{'descr': '|u1', 'fortran_order': False, 'shape': (-1,), }").contains("no form")
        );
        let mut long = [MAGIC, &[2, 0], &u32::MAX.to_le_bytes()].concat();
        long.extend([0; 64]);
        assert!(
            Header::read(&mut long.as_slice())
                .unwrap_err()
                .contains("the limit is 10000")
        );
    }

    #[test]
    fn numbers_of_every_kind_are_read() {
        let of = |descr: &str| {
            read(&format!(
                "{{'descr': '{descr}', 'fortran_order': False, 'shape': (2,), }}"
            ))
            .unwrap()
        };
        assert_eq!(of(">u2").integers(&[1, 2, 0, 9]), Some(vec![0x102, 9]));
        assert_eq!(of("<i4").integers(&[5, 1, 0, 0]), Some(vec![0x105]));
        assert_eq!(of("|i1").integers(&[255]), None);
        assert_eq!(of("<f4").integers(&[0; 4]), None);
        let floats = [0.0_f32, 1.0, 0.5].map(f32::to_le_bytes).concat();
        assert_eq!(of("<f4").pixels(floats), Ok(vec![0, 255, 128]));
        for wrong in [f64::NAN, 1.5, -0.1] {
            assert!(
                of("<f8")
                    .pixels(wrong.to_le_bytes().to_vec())
                    .unwrap_err()
                    .contains("between 0 and 1")
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_header_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Header::read(&mut bytes.as_slice());
            let _ = Header::read(&mut [MAGIC, &bytes].concat().as_slice());
        }

        #[test]
        fn any_text_is_a_header_or_an_error(text in "[{}'()a-z_<>|:, 0-9-]{0,60}") {
            let _ = read(&text);
            let _ = read(&format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({text}), }}"));
        }
    }
}
