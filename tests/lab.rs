//! A home directory of its own for each test, and the programs in it.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use sparring_contract::protocol::{Ended, Event, Record, Started};
use sparring_contract::run::{Home, Run};

/// The user who owns nothing.
pub const NOBODY: u32 = 65_534;

/// How long a program may take that a test waits for.
const PATIENCE: Duration = Duration::from_mins(3);

/// Flags of networks from picture to picture that learn in a moment.
pub const SMALL_UNET: [&str; 12] = [
    "--set",
    "batch_size=8",
    "--threads",
    "1",
    "--set",
    "generator.hidden=[8, 16]",
    "--set",
    "generator.group_width=8",
    "--set",
    "discriminator.hidden=[4, 8]",
    "--set",
    "output.report_every_seconds=0.05",
];

/// A temporary home with a small data set in it.
pub struct Lab {
    home: tempfile::TempDir,
}

/// What a program printed, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Networks that learn thousands of steps a second.
const SMALL: [&str; 8] = [
    "--set",
    "preset=tutorial",
    "--set",
    "generator.hidden=[16]",
    "--set",
    "discriminator.hidden=[16]",
    "--set",
    "output.report_every_seconds=0.05",
];

/// The length of a run that trains until it is told otherwise.
pub const ENDLESS: [&str; 2] = ["--epochs", "100000000"];

impl Lab {
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let lab = Self { home };
        write_images(&lab.data(), 200, 8);
        lab
    }

    pub fn path(&self) -> &Path {
        self.home.path()
    }

    /// A folder with 200 images of 8×8 pixels.
    pub fn data(&self) -> PathBuf {
        self.home.path().join("images")
    }

    /// A command of the face, without anything from the caller's environment that could change what it does.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_sparring")), arguments)
    }

    /// The same of a face at another place, or of another program.
    pub fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("SPARRING_HOME", self.home.path())
            .env("HOME", self.home.path())
            .env("XDG_CONFIG_HOME", self.home.path().join("config"))
            .env("XDG_CACHE_HOME", self.home.path().join("cache"))
            .env_remove("NO_COLOR")
            .env_remove("COLORTERM")
            .env_remove("COLUMNS")
            .env("LC_ALL", "C.UTF-8")
            // Tests run side by side, so the cores are taken; a run has threads of its own, which can do with that.
            .env("OMP_NUM_THREADS", "1")
            .stdin(Stdio::null());
        command
    }

    pub fn sparring(&self, arguments: &[&str]) -> Said {
        Said::by(&mut self.command(arguments))
    }

    /// A command that trains small networks on the small data set.
    pub fn training(&self, arguments: &[&str]) -> Command {
        // All 200 images are trained on: four steps an epoch.
        let whole = [&["--set", "test_fraction=0"], arguments].concat();
        self.training_on(&self.data(), &whole)
    }

    /// A command that trains small networks on some data.
    pub fn training_on(&self, data: &Path, arguments: &[&str]) -> Command {
        let mut all = vec!["train", "--json", "--data", data.to_str().unwrap()];
        all.extend(SMALL);
        all.extend(arguments);
        self.command(&all)
    }

    pub fn train(&self, arguments: &[&str]) -> Said {
        Said::by(&mut self.training(arguments))
    }

    pub fn train_on(&self, data: &Path, arguments: &[&str]) -> Said {
        Said::by(&mut self.training_on(data, arguments))
    }

    /// A run that trains until it is told otherwise, and has reported already.
    pub fn endless(&self, name: &str) -> (Live, Run) {
        let mut live = Live::start(self.training(&[&["--name", name], &ENDLESS[..]].concat()));
        live.until(|event| matches!(event, Event::Stats(_)));
        // Nobody reads its stdout from here on, and it does not wait for that before its end.
        (live, self.run(name))
    }

    pub fn run(&self, name: &str) -> Run {
        Home::locate(Some(&self.home.path().join("runs")))
            .unwrap()
            .find(Some(name))
            .unwrap()
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

impl Said {
    /// Runs a command to its end.
    pub fn by(command: &mut Command) -> Self {
        Self::from(output(command))
    }

    /// The events on stdout.
    pub fn events(&self) -> Vec<Event> {
        self.out
            .lines()
            .map(|line| serde_json::from_str::<Record>(line).unwrap().event)
            .collect()
    }

    /// The facts of the run that it trained.
    pub fn started(&self) -> Box<Started> {
        let started = self.events().into_iter().find_map(|event| match event {
            Event::Started(started) => Some(started),
            _ => None,
        });
        started.unwrap_or_else(|| panic!("{self:?}"))
    }

    /// The end of the run that it trained, which is its last event.
    pub fn ended(&self) -> Box<Ended> {
        match self.events().pop() {
            Some(Event::Ended(ended)) => ended,
            _ => panic!("{self:?}"),
        }
    }

    /// Asserts that it failed with this code and said this, in one line.
    pub fn refused(&self, code: i32, message: &str) {
        assert_eq!(
            (self.code, self.err.trim_end()),
            (code, message),
            "{self:?}"
        );
    }
}

/// Runs a command to its end.
pub fn output(command: &mut Command) -> Output {
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let (child, _watchdog) = spawn(command);
    child.wait_with_output().unwrap()
}

/// The same command in a process that a shell has prepared.
pub fn after(preparation: &str, command: &Command) -> Command {
    let mut prepared = Command::new("bash");
    prepared
        .arg("-c")
        .arg(format!("{preparation} && exec \"$0\" \"$@\""))
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => prepared.env(name, value),
            None => prepared.env_remove(name),
        };
    }
    prepared
}

/// Starts a program that may not take for ever: a test that hangs says nothing.
fn spawn(command: &mut Command) -> (Child, Watchdog) {
    let child = command.process_group(0).spawn().unwrap();
    let group = Pid::from_child(&child);
    let (done, waiting) = channel();
    thread::spawn(move || {
        if waiting.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    });
    (child, Watchdog { _done: done })
}

/// Kills a program, and those it started, that is still there after [`PATIENCE`], unless it is dropped before.
struct Watchdog {
    _done: Sender<()>,
}

/// A run that trains while the test watches.
pub struct Live {
    child: Child,
    _watchdog: Watchdog,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Live {
    pub fn start(mut command: Command) -> Self {
        let (mut child, watchdog) = spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            child,
            _watchdog: watchdog,
            lines,
        }
    }

    /// Reads events until one is as wanted.
    pub fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        self.lines
            .by_ref()
            .map(|line| {
                serde_json::from_str::<Record>(&line.unwrap())
                    .unwrap()
                    .event
            })
            .find(wanted)
            .expect("the run ended before the event came")
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Has it save and end, and returns its exit code.
    pub fn terminated(self) -> i32 {
        self.signal(Signal::TERM);
        self.end().0
    }

    /// Waits for the end, and reads what is printed until then. A worker waits for whoever reads its last lines, so
    /// nobody must wait for the worker instead.
    pub fn end(mut self) -> (i32, Vec<Event>) {
        let events = self
            .lines
            .by_ref()
            .map(|line| {
                serde_json::from_str::<Record>(&line.unwrap())
                    .unwrap()
                    .event
            })
            .collect();
        (self.child.wait().unwrap().code().unwrap_or(-1), events)
    }
}

/// Writes `train-images-idx3-ubyte`: `count` images of `side`² pixels, each with a bright block in a place of its own.
pub fn write_images(folder: &Path, count: u32, side: u32) {
    std::fs::create_dir_all(folder).unwrap();
    let mut bytes = idx_header(0x803, &[count, side, side]);
    for image in 0..count {
        for pixel in 0..side * side {
            let (x, y) = (pixel % side, pixel / side);
            let inside = x >= image % 4 && x < image % 4 + 4 && y >= image % 3 && y < image % 3 + 4;
            bytes.push(if inside { 200 + (image % 50) as u8 } else { 0 });
        }
    }
    std::fs::write(folder.join("train-images-idx3-ubyte"), bytes).unwrap();
}

pub fn idx_header(magic: u32, sizes: &[u32]) -> Vec<u8> {
    std::iter::once(&magic)
        .chain(sizes)
        .flat_map(|word| word.to_be_bytes())
        .collect()
}

/// The tensors of a checkpoint, as bytes: all that comes after its header, which also holds the time.
pub fn tensors(run: &Run, step: u64) -> Vec<u8> {
    let bytes = std::fs::read(run.checkpoint_file(step)).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    bytes[8 + usize::try_from(header).unwrap()..].to_vec()
}
