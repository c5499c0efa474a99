//! Connections of a real ssh.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::elsewhere::{is_there, line};
use super::endless::{endless, goes_on, last_step, run_of, stop, undisturbed};
use crate::check;
use crate::part::{Miss, Outcome};
use crate::rig::{NAME, Rig, Site};
use crate::terminal::Terminal;

/// An ssh server of the test's own, and a way to it. Needs no root: it serves the user who started it.
struct Sshd {
    server: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Sshd {
    fn start() -> Result<Self, Miss> {
        is_there("ssh")?;
        let program = ["/usr/sbin/sshd", "/usr/bin/sshd"]
            .into_iter()
            .find(|path| Path::new(path).exists())
            .ok_or_else(|| Miss::Skipped("there is no sshd here".to_owned()))?;
        if rustix::process::geteuid().is_root() {
            // Where root's sshd wants to be.
            let _ = fs::create_dir_all("/run/sshd");
        }
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["host", "user"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(at(name))
                .status();
            check!(made.is_ok_and(|made| made.success()), "no key was made");
        }
        fs::copy(at("user.pub"), at("authorized")).unwrap();
        // A port that was free a moment ago.
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|free| free.local_addr())
            .unwrap()
            .port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {0}/host\nAuthorizedKeysFile {0}/authorized\n\
             PidFile {0}/pid\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n",
            folder.path().display()
        );
        fs::write(at("config"), config).unwrap();
        let server = Command::new(program)
            .arg("-D")
            .arg("-f")
            .arg(at("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let sshd = Self {
            server,
            folder,
            port,
        };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begun.elapsed() > Duration::from_secs(20) {
                return Err(Miss::Skipped("sshd does not start here".to_owned()));
            }
            sleep(Duration::from_millis(20));
        }
        Ok(sshd)
    }

    /// `ssh` to it with a command in a terminal of its own there.
    fn to(&self, command: &Command) -> Command {
        let mut ssh = Command::new("ssh");
        ssh.args(["-tt", "-q", "-F", "/dev/null"])
            .args(["-o", "StrictHostKeyChecking=no"])
            .args(["-o", "UserKnownHostsFile=/dev/null"])
            .args(["-p", &self.port.to_string(), "-i"])
            .arg(self.folder.path().join("user"))
            .arg("127.0.0.1")
            .arg(line(command));
        ssh
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The connection breaks while a run trains behind a dashboard: the run goes on to its end.
pub fn dropped(rig: &Rig, site: &Site) -> Outcome {
    let sshd = Sshd::start()?;
    let mut terminal = Terminal::with(sshd.to(&endless(site)));
    terminal.shows("training");
    let run = run_of(site)?;
    let before = last_step(&run);
    // ssh is killed, and its terminal is gone; the server sees the end of the connection.
    drop(terminal);
    goes_on(&run, before)?;
    // Back from elsewhere, for a look.
    let mut terminal = Terminal::with(sshd.to(&site.command(&["attach", NAME])));
    terminal.shows("training");
    terminal.types("q");
    terminal.ends();
    goes_on(&run, last_step(&run))?;
    stop(site)?;
    undisturbed(rig, site)
}

/// The connection stays and nothing comes through for a while.
pub fn blocked(rig: &Rig, site: &Site) -> Outcome {
    let sshd = Sshd::start()?;
    let mut terminal = Terminal::with(sshd.to(&endless(site)));
    terminal.shows("training");
    let run = run_of(site)?;
    terminal.signal(Signal::STOP);
    let begun = Instant::now();
    let mut before = last_step(&run);
    while begun.elapsed() < Duration::from_secs(12) {
        goes_on(&run, before)?;
        before = last_step(&run);
    }
    terminal.signal(Signal::CONT);
    terminal.types("q");
    terminal.ends();
    goes_on(&run, before)?;
    stop(site)?;
    undisturbed(rig, site)
}
