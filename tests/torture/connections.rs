//! Real connections to a run that break, block and come in crowds: ssh, tmux and screen; and how much of the training's
//! speed a crowd of faces costs.

use std::cell::Cell;
use std::fs::{self, read_dir};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sparring_contract::protocol::{Event, FaceHello, PROTOCOL, ToWorker, encode_hello};
use sparring_contract::run::{Run, read_tail};

use crate::check;
use crate::lab::tensors;
use crate::part::{Miss, Outcome, Part};
use crate::rig::{NAME, Rig, Site, run_to_the_end};
use crate::terminal::Terminal;

/// Steps and epochs of a run that does not end by itself.
const ENDLESS: u64 = 100_000_000;

/// Faces that watch at a time, besides those that come and go.
const FACES: usize = 50;

/// Attachments a second.
const ATTACHES: u64 = 20;

/// The most of the training's speed that a crowd may cost, with the noise of a machine that does other things.
const MOST_LOST: f64 = 0.05;

/// Connections.
pub struct Connections;

impl Part for Connections {
    fn name(&self) -> &'static str {
        "connections"
    }

    fn about(&self) -> &'static str {
        "ssh, tmux and screen that break and block, sizes that change all the time, crowds of faces"
    }

    fn weight(&self) -> u32 {
        15
    }

    fn at_once(&self) -> usize {
        // One of them measures.
        1
    }

    fn cases(&self, _rig: &Rig, _seed: u64, round: u64) -> Vec<String> {
        let words = [
            "crowd:60",
            "ssh-dropped",
            "ssh-blocked",
            "tmux",
            "screen",
            "resizes",
        ];
        let words = words.iter().filter(|_| round == 0);
        words.map(|&word| word.to_owned()).collect()
    }

    fn run(&self, rig: &Rig, case: &str) -> Outcome {
        let site = rig.site();
        match case {
            "ssh-dropped" => ssh_dropped(rig, &site),
            "ssh-blocked" => ssh_blocked(rig, &site),
            "tmux" => multiplexer(rig, &site, &Tmux::at(&site)),
            "screen" => multiplexer(rig, &site, &Screen::at(&site)),
            "resizes" => resizes(&site),
            _ => match case.strip_prefix("crowd:").map(str::parse) {
                Some(Ok(seconds)) => crowd(&site, Duration::from_secs(seconds)),
                _ => Err(Miss::Wrong(format!("there is no case `{case}`"))),
            },
        }
    }
}

/// The job without an end, behind a dashboard.
fn endless(site: &Site) -> Command {
    let mut job = site.watched_job(ENDLESS);
    job.args(["--epochs", &ENDLESS.to_string()]);
    job
}

/// A command for another program to run: its words, and what it needs in its environment.
fn words(command: &Command) -> Vec<String> {
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_str()?, value?.to_str()?)));
    let arguments = command
        .get_args()
        .map(|word| word.to_str().unwrap().to_owned());
    let program = command.get_program().to_str().unwrap().to_owned();
    std::iter::once("env".to_owned())
        .chain(variables)
        .chain([program])
        .chain(arguments)
        .collect()
}

/// The same as a line for a shell.
fn line(command: &Command) -> String {
    let quoted: Vec<_> = words(command)
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', "'\\''")))
        .collect();
    quoted.join(" ")
}

fn is_there(program: &str) -> Result<(), Miss> {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .output()
        .is_ok_and(|said| said.status.success());
    if found {
        Ok(())
    } else {
        Err(Miss::Skipped(format!("there is no {program} here")))
    }
}

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
fn ssh_dropped(rig: &Rig, site: &Site) -> Outcome {
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
fn ssh_blocked(rig: &Rig, site: &Site) -> Outcome {
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

/// A terminal multiplexer.
trait Multiplexer {
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

struct Tmux {
    socket: String,
}

impl Tmux {
    fn at(site: &Site) -> Self {
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

struct Screen {
    folder: String,
}

impl Screen {
    fn at(site: &Site) -> Self {
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
fn multiplexer(rig: &Rig, site: &Site, multiplexer: &impl Multiplexer) -> Outcome {
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

/// The size of the terminal changes hundreds of times, also to sizes that no dashboard fits into.
fn resizes(site: &Site) -> Outcome {
    let mut terminal = Terminal::with(endless(site));
    terminal.shows("training");
    let run = run_of(site)?;
    let before = last_step(&run);
    for round in 0..600_u16 {
        let (columns, rows) = match round % 5 {
            0 => (1, 1),
            1 => (300, 100),
            2 => (80, 24),
            3 => (20 + round % 180, 5 + round % 60),
            _ => (u16::MAX, 1 + round % 3),
        };
        terminal.claims_to_have(columns, rows);
        // Something is drawn meanwhile.
        let looked = Cell::new(false);
        terminal.until_there_is(|| looked.replace(true).then_some(()));
    }
    terminal.resize(120, 34);
    terminal.shows("training");
    terminal.types("q");
    check!(
        terminal.ends().code() == Some(0),
        "the face did not end well"
    );
    terminal.is_as_before();
    goes_on(&run, before)?;
    stop(site)
}

/// What a process has open.
fn descriptors(process: u32) -> usize {
    read_dir(format!("/proc/{process}/fd")).map_or(0, Iterator::count)
}

/// Faces come and go, others watch: the training keeps its speed, and nothing stays open.
fn crowd(site: &Site, time: Duration) -> Outcome {
    const ROUNDS: u32 = 6;
    let mut job = endless(site);
    let mut job = job.arg("--json").stdout(Stdio::null()).spawn().unwrap();
    let outcome = (|| {
        let run = run_of(site)?;
        goes_on(&run, 0)?;
        let worker = run
            .holder()
            .ok_or_else(|| Miss::Wrong("nobody holds the run".to_owned()))?;
        let socket = run.presence().unwrap().socket;
        sleep(Duration::from_secs(2));
        let before = descriptors(worker);
        let (mut quiet, mut crowded) = (Vec::new(), Vec::new());
        let mut attached = 0;
        for _ in 0..ROUNDS {
            quiet.push(speed(&run, time / ROUNDS));
            let (measured, came) = with_crowd(&socket, || speed(&run, time / ROUNDS))?;
            crowded.push(measured);
            attached += came;
        }
        sleep(Duration::from_secs(1));
        let after = descriptors(worker);
        check!(
            after <= before,
            "{before} descriptors before the crowd, {after} after it"
        );
        let wanted = ATTACHES * time.as_secs() * 9 / 10;
        check!(
            attached >= wanted,
            "only {attached} attachments in {time:?}"
        );
        let (quiet, crowded) = (median(&mut quiet), median(&mut crowded));
        println!(
            "connections: {attached} attachments, {FACES} faces: {crowded:.0} steps/s, {quiet:.0} without them ({:+.1} %); \
             {before} descriptors before, {after} after",
            100.0 * (crowded / quiet - 1.0)
        );
        check!(
            crowded > quiet * (1.0 - MOST_LOST),
            "{crowded:.0} steps/s in a crowd, {quiet:.0} without"
        );
        Ok(())
    })();
    let _ = kill_process(Pid::from_child(&job), Signal::TERM);
    job.wait().unwrap();
    outcome
}

/// Does something among faces that watch and faces that come and go; returns how many came.
fn with_crowd<T>(socket: &Path, act: impl FnOnce() -> T) -> Result<(T, u64), Miss> {
    let hello = |watch| {
        let hello = FaceHello {
            protocol: PROTOCOL,
            watch,
            read_only: true,
        };
        encode_hello(&ToWorker::Hello(hello)).unwrap()
    };
    let is_over = AtomicBool::new(false);
    let came = AtomicU64::new(0);
    let failed = AtomicU64::new(0);
    let done = scope(|scope| {
        for _ in 0..FACES {
            scope.spawn(|| {
                let Ok(mut wire) = UnixStream::connect(socket) else {
                    return failed.fetch_add(1, Ordering::Relaxed);
                };
                wire.write_all(&hello(true)).unwrap();
                wire.set_read_timeout(Some(Duration::from_millis(200)))
                    .unwrap();
                let mut bytes = vec![0; 1 << 16];
                while !is_over.load(Ordering::Relaxed) {
                    match wire.read(&mut bytes) {
                        Ok(0) => return failed.fetch_add(1, Ordering::Relaxed),
                        Ok(_) => {}
                        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                        Err(_) => return failed.fetch_add(1, Ordering::Relaxed),
                    }
                }
                0
            });
        }
        scope.spawn(|| {
            let begun = Instant::now();
            let mut number = 0;
            let mut bytes = vec![0; 1 << 14];
            while !is_over.load(Ordering::Relaxed) {
                number += 1;
                let due = Duration::from_millis(1000 / ATTACHES) * number;
                sleep(due.saturating_sub(begun.elapsed()));
                let Ok(mut wire) = UnixStream::connect(socket) else {
                    failed.fetch_add(1, Ordering::Relaxed);
                    continue;
                };
                wire.write_all(&hello(true)).unwrap();
                // The hello, and the beginning of the snapshot; then it is gone.
                match wire.read(&mut bytes) {
                    Ok(1..) => came.fetch_add(1, Ordering::Relaxed),
                    _ => failed.fetch_add(1, Ordering::Relaxed),
                };
            }
        });
        let done = act();
        is_over.store(true, Ordering::Relaxed);
        done
    });
    let failed = failed.into_inner();
    check!(failed == 0, "{failed} faces were not served");
    Ok((done, came.into_inner()))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    (values[middle] + values[(values.len() - 1) / 2]) / 2.0
}

/// Steps a second over some time, as the log has them.
fn speed(run: &Run, time: Duration) -> f64 {
    let (first, begun) = latest(run);
    sleep(time);
    let (last, ended) = latest(run);
    (last - first) as f64 / (ended - begun)
}

/// The latest step that was reported, and when that was.
fn latest(run: &Run) -> (u64, f64) {
    read_tail(&run.events_file())
        .iter()
        .rev()
        .find_map(|record| match &record.event {
            Event::Stats(stats) => Some((stats.step, record.time)),
            _ => None,
        })
        .unwrap_or_default()
}

/// The latest step that was reported.
pub fn last_step(run: &Run) -> u64 {
    latest(run).0
}

/// The run, once there is one.
fn run_of(site: &Site) -> Result<Run, Miss> {
    let begun = Instant::now();
    loop {
        if let Some(run) = site.run().filter(|run| last_step(run) > 0) {
            return Ok(run);
        }
        check!(
            begun.elapsed() < Duration::from_secs(30),
            "the run never began"
        );
        sleep(Duration::from_millis(50));
    }
}

/// Waits until the run has made further steps.
fn goes_on(run: &Run, before: u64) -> Outcome {
    let begun = Instant::now();
    while last_step(run) <= before {
        check!(
            begun.elapsed() < Duration::from_secs(30),
            "the run stands still at step {before}"
        );
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn stop(site: &Site) -> Outcome {
    let stopped = site.sparring(&["stop", NAME]);
    check!(stopped.code == Some(0), "`stop`: {}", stopped.summary());
    site.becomes_quiet();
    Ok(())
}

/// All this changed no bit: a job that nobody looks at is the same at the step at which this one was stopped.
fn undisturbed(rig: &Rig, site: &Site) -> Outcome {
    let run = site
        .run()
        .ok_or_else(|| Miss::Lost("there is no run".to_owned()))?;
    let newest = run.newest_checkpoint().map(|newest| newest.step);
    let step = newest.map_err(|error| Miss::Lost(error.to_string()))?;
    let alone = rig.site();
    let mut job = alone.job_of(step);
    let ran = run_to_the_end({
        job.args(["--epochs", &ENDLESS.to_string()]);
        job
    });
    check!(ran.code == Some(0), "{}", ran.summary());
    let other = alone
        .run()
        .ok_or_else(|| Miss::Wrong("there is no run".to_owned()))?;
    if tensors(&run, step) == tensors(&other, step) {
        Ok(())
    } else {
        Err(Miss::NotIdentical(format!("step {step}")))
    }
}
