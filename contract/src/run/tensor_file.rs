//! Safetensors files: what their headers promise, and the digest by which a checkpoint shows that it is intact.
//! Format: <https://github.com/huggingface/safetensors#format>.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::Path;

use serde::Deserialize;

/// The metadata entry that holds the digest of the file: BLAKE3 of all its bytes, with zeros in place of the digest.
const DIGEST: &str = "digest";

/// A digest that is not known yet, and what stands for one while it is computed.
const BLANK: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The longest header that is read: names and shapes of tensors and a configuration need far less.
const MAX_HEADER: u64 = 16 << 20;

/// Bytes of the length of the header.
const PREFIX: usize = 8;

/// Why a file cannot be used.
#[derive(Debug)]
pub(super) enum Unusable {
    /// It could not be read.
    Io(io::Error),
    /// It is not what it should be.
    Broken(String),
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn broken<T>(why: &str) -> Result<T, Unusable> {
    Err(Unusable::Broken(why.to_owned()))
}

/// A file whose tensors are where its header says.
#[derive(Debug)]
pub(super) struct TensorFile {
    file: File,
    /// Length and text of the header.
    header: Vec<u8>,
    metadata: HashMap<String, String>,
    /// Numbers in all tensors.
    elements: u64,
}

/// An entry of a header.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Tensor(TensorEntry),
    Metadata(HashMap<String, String>),
}

#[derive(Deserialize)]
struct TensorEntry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

impl TensorEntry {
    /// How many numbers it has, if its place in the file is as long as that many take.
    fn elements(&self) -> Option<u64> {
        let size = match self.dtype.as_str() {
            "F64" | "I64" | "U64" => 8,
            "F32" | "I32" | "U32" => 4,
            "F16" | "BF16" | "I16" | "U16" => 2,
            "I8" | "U8" | "BOOL" => 1,
            _ => return None,
        };
        let [begin, end] = self.data_offsets;
        let elements = self
            .shape
            .iter()
            .try_fold(1_u64, |product, size| product.checked_mul(*size))?;
        (end.checked_sub(begin)? == elements.checked_mul(size)?).then_some(elements)
    }
}

impl TensorFile {
    /// Opens a file and checks that it is as long as its header says, and that its tensors fill it without a gap.
    pub(super) fn open(path: &Path) -> Result<Self, Unusable> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut header = vec![0; PREFIX];
        match file.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return broken("it is cut short");
            }
            read => read?,
        }
        let header_length = u64::from_le_bytes(header[..].try_into().unwrap_or_default());
        let data = length.checked_sub(PREFIX as u64 + header_length.min(MAX_HEADER));
        let Some(data) = data.filter(|_| header_length <= MAX_HEADER) else {
            return broken("it is cut short or no safetensors file");
        };
        Read::by_ref(&mut file)
            .take(header_length)
            .read_to_end(&mut header)?;
        let Ok(mut entries) = serde_json::from_slice::<HashMap<String, Entry>>(&header[PREFIX..])
        else {
            return broken("it is no safetensors file");
        };
        let Some(Entry::Metadata(metadata)) = entries.remove("__metadata__") else {
            return broken("it is a safetensors file without the metadata of a checkpoint");
        };
        Ok(Self {
            file,
            header,
            metadata,
            elements: elements(entries.into_values(), data)?,
        })
    }

    /// The metadata.
    pub(super) fn metadata(&self) -> &HashMap<String, String> {
        &self.metadata
    }

    /// Numbers in all tensors.
    pub(super) fn elements(&self) -> u64 {
        self.elements
    }

    /// Reads the whole file and compares it with its digest. Files of older builds have none.
    pub(super) fn verify(&mut self) -> Result<(), Unusable> {
        let Some(digest) = self.metadata.get(DIGEST) else {
            return Ok(());
        };
        let mut header = self.header.clone();
        let Some(place) = place_of(digest, &header) else {
            return broken("another program has changed it");
        };
        header[place].copy_from_slice(BLANK.as_bytes());
        let mut hasher = blake3::Hasher::new();
        hasher.update(&header);
        self.file.seek(SeekFrom::Start(header.len() as u64))?;
        hasher.update_reader(&mut self.file)?;
        if hasher.finalize().to_hex().as_str() == digest {
            Ok(())
        } else {
            broken("its checksum does not match: some of its bytes have changed")
        }
    }
}

/// Numbers in all tensors, if they fill so many bytes without a gap.
fn elements(entries: impl Iterator<Item = Entry>, data: u64) -> Result<u64, Unusable> {
    let mut places = Vec::new();
    let mut elements = 0_u64;
    for entry in entries {
        let Entry::Tensor(tensor) = entry else {
            return broken("it is no safetensors file");
        };
        let Some(own) = tensor.elements() else {
            return broken("a tensor in it is not as long as its shape says");
        };
        // A sum of at most as many numbers as bytes.
        elements = elements.saturating_add(own);
        places.push(tensor.data_offsets);
    }
    places.sort_unstable();
    let mut end = 0;
    for [begin, next] in places {
        if begin != end {
            return broken("its tensors overlap, or there is a gap between them");
        }
        end = next;
    }
    if end == data {
        Ok(elements)
    } else {
        broken(if end > data {
            "it is cut short"
        } else {
            "it is longer than its header says"
        })
    }
}

/// Where the digest stands in a header.
fn place_of(digest: &str, header: &[u8]) -> Option<std::ops::Range<usize>> {
    if digest.len() != BLANK.len() {
        return None;
    }
    let entry = format!("\"{DIGEST}\":\"{digest}\"");
    let at = header
        .windows(entry.len())
        .position(|window| window == entry.as_bytes())?;
    let begin = at + entry.len() - digest.len() - 1;
    Some(begin..begin + digest.len())
}

/// The metadata entry for the digest of a file that is yet to be made.
pub(super) fn blank_digest() -> (String, String) {
    (DIGEST.to_owned(), BLANK.to_owned())
}

/// Writes the digest into a checkpoint that was made with the metadata of its header, in which the digest is blank.
pub fn seal(file: &mut [u8]) {
    let header_length = file.first_chunk().copied().map_or(0, u64::from_le_bytes);
    let header_length = usize::try_from(header_length).unwrap_or(usize::MAX);
    let end = header_length.saturating_add(PREFIX).min(file.len());
    if let Some(place) = place_of(BLANK, &file[..end]) {
        let digest = blake3::hash(file).to_hex();
        file[place].copy_from_slice(digest.as_bytes());
    }
}
