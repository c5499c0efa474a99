//! What survives a power cut: the content that files had, and the entries that folders had, when they were last synced.
//! shim.c notes it down as a program runs; here a folder is made again from the notes.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a file system keeps of what was not synced. POSIX promises no more than the first; most give the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survives {
    /// Neither names nor data.
    Nothing,
    /// Names, but no data: a file has the content of its last sync, or is empty.
    Names,
}

/// The notes on one folder.
#[derive(Debug)]
pub struct Shadow {
    notes: PathBuf,
}

impl Shadow {
    /// Begins with what is there, all of which counts as durable. The notes must be on the same file system.
    pub fn of(watched: &Path, notes: PathBuf) -> Self {
        for part in ["objects", "folders", "inodes"] {
            fs::create_dir_all(notes.join(part)).unwrap();
        }
        let shadow = Self { notes };
        shadow.note_folder(watched);
        shadow
    }

    /// Has it kept up to date by a command under watch.
    pub fn on(&self, command: &mut Command) {
        command.env("SHIM_SHADOW", &self.notes);
    }

    fn note_folder(&self, folder: &Path) {
        let mut list = String::new();
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let about = entry.metadata().unwrap();
            let kind = if about.is_dir() { 'd' } else { 'f' };
            let name = entry.file_name().into_string().unwrap();
            let _ = writeln!(list, "{kind} {} {name}", about.ino());
            if about.is_dir() {
                self.note_folder(&entry.path());
            } else {
                fs::copy(entry.path(), self.object(about.ino())).unwrap();
                let kept = self.notes.join("inodes").join(about.ino().to_string());
                fs::hard_link(entry.path(), kept).unwrap();
            }
        }
        let inode = fs::metadata(folder).unwrap().ino();
        fs::write(self.notes.join("folders").join(inode.to_string()), list).unwrap();
    }

    fn object(&self, inode: u64) -> PathBuf {
        self.notes.join("objects").join(inode.to_string())
    }

    /// Makes the watched folder, which may have another name by now, as the power cut left it at another place.
    pub fn rebuild(&self, watched: &Path, survives: Survives, at: &Path) {
        match survives {
            Survives::Nothing => self.rebuild_durable(fs::metadata(watched).unwrap().ino(), at),
            Survives::Names => self.rebuild_names(watched, at),
        }
    }

    fn rebuild_durable(&self, folder: u64, at: &Path) {
        fs::create_dir(at).unwrap();
        let list = fs::read_to_string(self.notes.join("folders").join(folder.to_string()));
        let entries: HashMap<String, (char, u64)> = list
            .unwrap_or_default()
            .lines()
            .map(|line| {
                let mut parts = line.splitn(3, ' ');
                let kind = parts.next().unwrap().chars().next().unwrap();
                let inode = parts.next().unwrap().parse().unwrap();
                (parts.next().unwrap().to_owned(), (kind, inode))
            })
            .collect();
        for (name, (kind, inode)) in entries {
            match kind {
                'd' => self.rebuild_durable(inode, &at.join(name)),
                _ => self.rebuild_file(inode, &at.join(name)),
            }
        }
        private(at);
    }

    fn rebuild_names(&self, folder: &Path, at: &Path) {
        fs::create_dir(at).unwrap();
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let about = entry.metadata().unwrap();
            let to = at.join(entry.file_name());
            if about.is_dir() {
                self.rebuild_names(&entry.path(), &to);
            } else {
                self.rebuild_file(about.ino(), &to);
            }
        }
        private(at);
    }

    fn rebuild_file(&self, inode: u64, at: &Path) {
        // Its content was never synced: it is empty.
        let content = fs::read(self.object(inode)).unwrap_or_default();
        fs::write(at, content).unwrap();
    }
}

fn private(folder: &Path) {
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
}
