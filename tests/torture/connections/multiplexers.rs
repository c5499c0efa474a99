//! Sessions of tmux and screen.

use std::fs;
use std::process::Command;

use super::elsewhere::{is_there, line, words};
use super::endless::{endless, goes_on, last_step, run_of, stop, undisturbed};
use crate::part::{Miss, Outcome};
use crate::rig::{Rig, Site};
use crate::terminal::Terminal;

/// A terminal multiplexer.
pub trait Multiplexer {
    fn is_there(&self) -> Result<(), Miss>;
    /// Starts its server, without a client, with a command.
    fn start(&self, command: &Command);
    /// A client for that session.
    fn client(&self) -> Command;
    /// What lets a client go.
    fn detach(&self) -> &'static str;
    /// Ends the server with everything in it.
    fn kill(&self);
}

pub struct Tmux {
    socket: String,
}

impl Tmux {
    pub fn at(site: &Site) -> Self {
        Self {
            socket: site.beside("tmux").to_str().unwrap().to_owned(),
        }
    }

    fn command(&self) -> Command {
        let mut tmux = Command::new("tmux");
        tmux.args(["-f", "/dev/null", "-S", &self.socket])
            .env_remove("TMUX")
            .env("TERM", "xterm-256color");
        tmux
    }
}

impl Multiplexer for Tmux {
    fn is_there(&self) -> Result<(), Miss> {
        is_there("tmux")
    }

    fn start(&self, command: &Command) {
        let size = ["-x", "120", "-y", "34"];
        let started = self
            .command()
            .args(["new-session", "-d", "-s", "lab"])
            .args(size)
            .arg(line(command))
            .status();
        assert!(started.unwrap().success());
    }

    fn client(&self) -> Command {
        let mut client = self.command();
        client.args(["attach", "-t", "lab"]);
        client
    }

    fn detach(&self) -> &'static str {
        "\x02d"
    }

    fn kill(&self) {
        let _ = self.command().arg("kill-server").output();
    }
}

pub struct Screen {
    folder: String,
}

impl Screen {
    pub fn at(site: &Site) -> Self {
        // Its sockets have the longest names, so their folder is elsewhere.
        let name = site
            .beside("")
            .components()
            .rev()
            .nth(0)
            .map(|part| part.as_os_str().to_string_lossy().into_owned());
        Self {
            folder: format!("/tmp/screen-{}", name.unwrap_or_default().trim_matches('.')),
        }
    }

    fn command(&self) -> Command {
        let mut screen = Command::new("screen");
        screen
            .args(["-c", "/dev/null", "-U"])
            .env("SCREENDIR", &self.folder)
            .env_remove("STY")
            .env("TERM", "xterm-256color");
        screen
    }
}

impl Multiplexer for Screen {
    fn is_there(&self) -> Result<(), Miss> {
        is_there("screen")
    }

    fn start(&self, command: &Command) {
        let _ = fs::create_dir(&self.folder);
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(&self.folder, private).unwrap();
        let started = self
            .command()
            .args(["-dmS", "lab"])
            .args(words(command))
            .status();
        assert!(started.unwrap().success());
    }

    fn client(&self) -> Command {
        let mut client = self.command();
        client.args(["-r", "lab"]);
        client
    }

    fn detach(&self) -> &'static str {
        "\x01d"
    }

    fn kill(&self) {
        let _ = self.command().args(["-S", "lab", "-X", "quit"]).output();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A dashboard in a session of a multiplexer: clients come and go, and then the session is killed. The run goes on.
pub fn broken(rig: &Rig, site: &Site, multiplexer: &impl Multiplexer) -> Outcome {
    multiplexer.is_there()?;
    multiplexer.start(&endless(site));
    let outcome = in_session(site, multiplexer);
    multiplexer.kill();
    outcome?;
    let run = run_of(site)?;
    goes_on(&run, last_step(&run))?;
    stop(site)?;
    undisturbed(rig, site)
}

fn in_session(site: &Site, multiplexer: &impl Multiplexer) -> Outcome {
    for size in [(120, 34), (80, 24), (200, 60)] {
        let mut client = Terminal::with(multiplexer.client());
        client.resize(size.0, size.1);
        client.shows("training");
        client.types(multiplexer.detach());
        client.ends();
    }
    let run = run_of(site)?;
    goes_on(&run, last_step(&run))
}
