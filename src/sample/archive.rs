//! Zip archives whose errors are told once.

use std::io::{self, Seek, SeekFrom, Write};

use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

/// A zip archive that is compressed as it is written.
pub struct Archive<W: Write + Seek> {
    zip: ZipWriter<Silenced<W>>,
}

impl<W: Write + Seek> Archive<W> {
    pub fn new(file: W) -> Self {
        Self {
            zip: ZipWriter::new(Silenced {
                file,
                has_failed: false,
                place: 0,
                length: 0,
            }),
        }
    }

    /// Begins an entry of about so many bytes.
    pub fn start(&mut self, name: &str, bytes: u64) -> io::Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .large_file(bytes > u64::from(u32::MAX));
        Ok(self.zip.start_file(name, options)?)
    }

    /// Writes the rest of the archive and returns its file.
    pub fn finish(self) -> io::Result<W> {
        let written = self.zip.finish()?;
        if written.has_failed {
            return Err(io::Error::other(
                "an earlier part of the archive is missing",
            ));
        }
        Ok(written.file)
    }
}

impl<W: Write + Seek> Write for Archive<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.zip.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.zip.flush()
    }
}

/// A file that swallows all that comes after its first error: a [`ZipWriter`] that is dropped tries to complete its
/// archive, and prints to stderr if it cannot.
struct Silenced<W> {
    file: W,
    has_failed: bool,
    /// Where the writer believes to be, and how long it believes the file to be.
    place: u64,
    length: u64,
}

impl<W> Silenced<W> {
    fn note<T>(&mut self, outcome: io::Result<T>) -> io::Result<T> {
        self.has_failed |= outcome
            .as_ref()
            .is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        outcome
    }
}

impl<W: Write> Write for Silenced<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = if self.has_failed {
            bytes.len()
        } else {
            let written = self.file.write(bytes);
            self.note(written)?
        };
        self.place += written as u64;
        self.length = self.length.max(self.place);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.has_failed {
            return Ok(());
        }
        let flushed = self.file.flush();
        self.note(flushed)
    }
}

impl<W: Seek> Seek for Silenced<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.place = if self.has_failed {
            match to {
                SeekFrom::Start(place) => place,
                SeekFrom::Current(by) => self.place.saturating_add_signed(by),
                SeekFrom::End(by) => self.length.saturating_add_signed(by),
            }
        } else {
            let place = self.file.seek(to);
            self.note(place)?
        };
        Ok(self.place)
    }
}
