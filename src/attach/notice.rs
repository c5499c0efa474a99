//! Telling a user who looks elsewhere.

use std::io;
use std::process::{Command, Stdio};
use std::thread;

/// Has `sh` run a command of the user's, with the run and the words in its environment. Its output goes nowhere: the
/// screen is the dashboard's.
pub(super) fn run(command: &str, run: &str, words: &str) -> io::Result<()> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .env("SPARRING_RUN", run)
        .env("SPARRING_MESSAGE", words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    thread::Builder::new()
        .name("notice".to_owned())
        .spawn(move || child.wait())?;
    Ok(())
}
