//! Libraries that are preloaded into the programs: written in C, compiled when they are first needed.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The compiled library: compiled once for each version of its source.
pub fn compiled(name: &str, source: &str) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    source.hash(&mut hasher);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(folder).unwrap();
    let library = folder.join(format!("{name}-{:016x}.so", hasher.finish()));
    if !library.exists() {
        compile(source, folder, &library);
    }
    library
}

fn compile(text: &str, folder: &Path, library: &Path) {
    let work = tempfile::tempdir_in(folder).unwrap();
    let (source, made) = (work.path().join("source.c"), work.path().join("made.so"));
    fs::write(&source, text).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let said = Command::new(&compiler)
        .args(["-O1", "-g", "-Wall", "-shared", "-fPIC", "-o"])
        .arg(&made)
        .arg(&source)
        .args(["-ldl", "-lpthread"])
        .output()
        .unwrap_or_else(|error| panic!("cannot run the C compiler {compiler}: {error}"));
    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    // Another test may do the same right now.
    fs::rename(made, library).unwrap();
}
