//! Reading files that somebody named: what is there may be anything.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a regular file, links followed, to read it. Anything else is refused at once: a pipe would wait for a writer,
/// and a device may never end.
pub fn open_regular(path: &Path) -> io::Result<File> {
    // To open a pipe does not wait, and a terminal does not become that of this process.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    let what = if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else {
        "a device"
    };
    Err(io::Error::new(
        ErrorKind::InvalidInput,
        format!("it is {what} and no regular file"),
    ))
}

/// Reads a file of text of at most so many bytes.
pub(crate) fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let mut text = String::new();
    let file = open_regular(path)?;
    if file.take(most + 1).read_to_string(&mut text)? as u64 > most {
        return Err(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("it has more than {most} bytes"),
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    fn refusal(path: &Path) -> String {
        open_regular(path).unwrap_err().to_string()
    }

    #[test]
    fn only_regular_files_are_opened_and_nothing_is_waited_for() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::write(at("file"), "text").unwrap();
        symlink(at("file"), at("link")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), 0o600.into()).unwrap();
        symlink(at("pipe"), at("link-to-pipe")).unwrap();
        symlink(at("loop"), at("loop")).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        assert!(open_regular(&at("file")).is_ok() && open_regular(&at("link")).is_ok());
        assert_eq!(refusal(&at("pipe")), "it is a pipe and no regular file");
        assert_eq!(
            refusal(&at("link-to-pipe")),
            "it is a pipe and no regular file"
        );
        assert_eq!(
            refusal(Path::new("/dev/zero")),
            "it is a device and no regular file"
        );
        assert_eq!(refusal(home.path()), "it is a folder and no regular file");
        for name in ["loop", "socket", "missing"] {
            assert!(open_regular(&at(name)).is_err(), "{name}");
        }
    }

    #[test]
    fn text_that_is_too_long_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("text");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read_text(&path, 5).unwrap(), "12345");
        assert_eq!(
            read_text(&path, 4).unwrap_err().to_string(),
            "it has more than 4 bytes"
        );
    }
}
