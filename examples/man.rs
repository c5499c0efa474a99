//! Writes the manual pages of `sparring` into a folder: `cargo run --example man -- DIR`.

use std::path::PathBuf;
use std::{env, fs, io};

use clap::CommandFactory as _;

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or_else(|| io::Error::other("give the folder for the pages"))?;
    fs::create_dir_all(&folder)?;
    clap_mangen::generate_to(sparring::cli::Cli::command(), folder)
}
