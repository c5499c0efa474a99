//! Getting the attention of a user who looks elsewhere.

use std::io;
use std::process::{Command, Stdio};
use std::thread;

/// Has `sh` run the user's command, with the run and the message in its environment. Its output is discarded: the
/// screen belongs to the dashboard.
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
