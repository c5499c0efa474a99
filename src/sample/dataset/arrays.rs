//! Arrays of pictures and labels in files that can be continued.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// A file that has a header and then records of one size.
pub struct Records {
    file: BufWriter<File>,
    header: u64,
    record: u64,
    count: u64,
}

/// One array of pictures, and one of their labels where there are labels.
pub struct Arrays {
    /// The pictures.
    pub images: Records,
    /// A byte for each picture.
    pub labels: Option<Records>,
}

impl Records {
    /// Opens a file with this header and records of this many bytes, or makes it. What does not begin with the header is
    /// written anew.
    pub fn open(path: &Path, header: &[u8], record: u64) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut begun = Vec::new();
        (&mut file)
            .take(header.len() as u64)
            .read_to_end(&mut begun)?;
        if begun != header {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(header)?;
        }
        let bytes = file.metadata()?.len() - header.len() as u64;
        Ok(Self {
            file: BufWriter::new(file),
            header: header.len() as u64,
            record,
            count: bytes / record.max(1),
        })
    }

    /// Keeps this many whole records and goes on behind them.
    fn keep(&mut self, count: u64) -> io::Result<()> {
        let end = self.header + count * self.record;
        self.file.get_ref().set_len(end)?;
        self.file.seek(SeekFrom::Start(end))?;
        self.count = count;
        Ok(())
    }

    fn add(&mut self, record: &[u8]) -> io::Result<()> {
        self.count += 1;
        self.file.write_all(record)
    }

    fn finish(self) -> io::Result<()> {
        self.file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()
    }
}

impl Arrays {
    /// Keeps the pictures that both arrays have whole, and returns how many.
    pub fn settle(&mut self) -> io::Result<u64> {
        let labels = self.labels.as_ref().map_or(u64::MAX, |labels| labels.count);
        let both = self.images.count.min(labels);
        self.images.keep(both)?;
        if let Some(labels) = &mut self.labels {
            labels.keep(both)?;
        }
        Ok(both)
    }

    /// Adds a picture, and its label where there are labels.
    pub fn add(&mut self, picture: &[u8], label: Option<u32>) -> io::Result<()> {
        self.images.add(picture)?;
        match (&mut self.labels, label) {
            (Some(labels), Some(label)) => {
                labels.add(&[u8::try_from(label).map_err(io::Error::other)?])
            }
            _ => Ok(()),
        }
    }

    /// Hands what was added to the operating system.
    pub fn flush(&mut self) -> io::Result<()> {
        self.images.file.flush()?;
        self.labels
            .as_mut()
            .map_or(Ok(()), |labels| labels.file.flush())
    }

    /// Writes everything to disk.
    pub fn finish(self) -> io::Result<()> {
        self.images.finish()?;
        self.labels.map_or(Ok(()), Records::finish)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;

    fn open(folder: &Path) -> (Arrays, u64) {
        let records = |name: &str, size| Records::open(&folder.join(name), b"head", size).unwrap();
        let mut arrays = Arrays {
            images: records("images", 3),
            labels: Some(records("labels", 1)),
        };
        let first = arrays.settle().unwrap();
        (arrays, first)
    }

    #[test]
    fn what_a_killed_writer_left_is_cut_to_whole_pictures_with_labels() {
        let home = tempdir().unwrap();
        let (images, labels) = (home.path().join("images"), home.path().join("labels"));
        for (left, kept) in [
            (("head111222", "head\x01\x02"), 2),
            (("head11122", "head\x01\x02"), 1),
            (("head111222333", "head\x01"), 1),
            (("head111", "head"), 0),
            (("he", ""), 0),
            (("", "hea"), 0),
        ] {
            fs::write(&images, left.0).unwrap();
            fs::write(&labels, left.1).unwrap();
            let (mut arrays, first) = open(home.path());
            assert_eq!(first, kept, "{left:?}");
            for (picture, label) in [(b"111", 1), (b"222", 2), (b"333", 3)]
                .into_iter()
                .skip(usize::try_from(first).unwrap())
            {
                arrays.add(picture, Some(label)).unwrap();
            }
            arrays.finish().unwrap();
            assert_eq!(fs::read(&images).unwrap(), b"head111222333", "{left:?}");
            assert_eq!(fs::read(&labels).unwrap(), b"head\x01\x02\x03", "{left:?}");
        }
    }
}
