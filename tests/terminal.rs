//! A terminal for a program under test: a real PTY, and what a user would see on it.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};

/// A test that waits for longer has failed.
pub const DEADLINE: Duration = Duration::from_secs(15);

/// A terminal with a program in it.
pub struct Terminal {
    master: OwnedFd,
    child: Option<Child>,
    screen: vt100::Parser,
    /// Everything the program wrote.
    pub written: Vec<u8>,
    before: String,
    /// What it answers when it is asked about itself, once each time.
    answers: Option<String>,
    answered: usize,
}

/// The last of a face's questions, which every terminal answers.
const LAST_QUESTION: &[u8] = b"\x1b[c";

impl Terminal {
    /// A terminal of 120×34 cells with a program that leads its session, as a shell or `xterm -e` would.
    pub fn with(mut command: Command) -> Self {
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OpenptFlags::NOCTTY.bits().cast_signed())
            .open(name.to_str().unwrap())
            .unwrap();
        resize(&master, 120, 34);
        let before = modes(&master);
        command
            .env("TERM", "xterm-256color")
            .stdin(slave.try_clone().unwrap())
            .stdout(slave.try_clone().unwrap())
            .stderr(slave.try_clone().unwrap());
        let terminal = slave.as_raw_fd();
        // SAFETY: setsid and ioctl are async-signal-safe, and the descriptor is open until the child has replaced
        // itself.
        unsafe {
            command.pre_exec(move || {
                rustix::process::setsid()?;
                let slave = std::os::fd::BorrowedFd::borrow_raw(terminal);
                rustix::process::ioctl_tiocsctty(slave)?;
                Ok(())
            });
        }
        let child = command.spawn().unwrap();
        Self {
            master,
            child: Some(child),
            screen: vt100::Parser::new(34, 120, 0),
            written: Vec::new(),
            before,
            answers: None,
            answered: 0,
        }
    }

    /// The same, and the terminal answers so when it is asked about itself. One that is not told to does not answer.
    pub fn answering(command: Command, answers: &str) -> Self {
        let mut terminal = Self::with(command);
        terminal.answers = Some(answers.to_owned());
        terminal
    }

    /// Types.
    pub fn types(&mut self, keys: &str) {
        let mut left = keys.as_bytes();
        while !left.is_empty() {
            let written = rustix::io::write(&self.master, left).unwrap();
            left = &left[written..];
        }
    }

    /// Gives the terminal another size, of which the program is told.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        resize(&self.master, columns, rows);
        self.screen.screen_mut().set_size(rows, columns);
    }

    /// Reads what the program writes until something has happened.
    #[track_caller]
    pub fn until_there_is<T>(&mut self, look: impl Fn() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(seen) = look() {
                return seen;
            }
            self.go_on(begun, "what is waited for");
        }
    }

    /// Reads what the program writes until the screen is as wanted.
    #[track_caller]
    pub fn until(&mut self, wanted: impl Fn(&vt100::Screen) -> bool) {
        let begun = Instant::now();
        while !wanted(self.screen.screen()) {
            self.go_on(begun, "the screen that is wanted");
        }
    }

    /// Reads what the program writes until some text is on the screen.
    #[track_caller]
    pub fn shows(&mut self, text: &str) {
        let begun = Instant::now();
        while !self.contents().contains(text) {
            self.go_on(begun, text);
        }
    }

    #[track_caller]
    fn go_on(&mut self, begun: Instant, awaited: &str) {
        let open = self.read(Duration::from_millis(20));
        assert!(
            begun.elapsed() < DEADLINE && open,
            "never came: {awaited}; the screen is:\n{}",
            self.contents()
        );
    }

    pub fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    pub fn screen(&self) -> &vt100::Screen {
        self.screen.screen()
    }

    /// Reads what the program writes until it has asked so often.
    #[track_caller]
    pub fn is_asked(&mut self, times: usize) {
        let begun = Instant::now();
        while self.questions() < times {
            self.go_on(begun, "another question");
        }
    }

    /// Reads once, if something comes in time. False when the program's side is closed.
    fn read(&mut self, patience: Duration) -> bool {
        let mut question = [PollFd::new(&self.master, PollFlags::IN)];
        let patience = Timespec::try_from(patience).unwrap();
        if poll(&mut question, Some(&patience)).unwrap() == 0 {
            return true;
        }
        let mut bytes = [0; 1 << 14];
        match rustix::io::read(&self.master, &mut bytes) {
            Ok(0) | Err(rustix::io::Errno::IO) => false,
            Ok(read) => {
                self.screen.process(&bytes[..read]);
                self.written.extend(&bytes[..read]);
                self.answer();
                true
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn answer(&mut self) {
        let asked = self.questions();
        for _ in self.answered..asked {
            if let Some(answers) = self.answers.clone() {
                self.types(&answers);
            }
        }
        self.answered = asked;
    }

    /// How often it was asked about itself.
    pub fn questions(&self) -> usize {
        let windows = self.written.windows(LAST_QUESTION.len());
        windows.filter(|bytes| *bytes == LAST_QUESTION).count()
    }

    /// Waits for the end of the program.
    #[track_caller]
    pub fn ends(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            let open = self.read(Duration::from_millis(20));
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                while open && self.read(Duration::ZERO) && self.has_more() {}
                return status;
            }
            assert!(
                begun.elapsed() < DEADLINE,
                "the program does not end, the screen is:\n{}",
                self.contents()
            );
        }
    }

    /// Presses keys, and once more if that was no more than the end of something, until the program ends, which it is
    /// expected to do well.
    #[track_caller]
    pub fn presses_until_it_ends(&mut self, keys: &str) {
        // Longer than the silence that ends anything.
        const PATIENCE: Duration = Duration::from_secs(2);
        for _ in 0..3 {
            self.types(keys);
            let begun = Instant::now();
            while begun.elapsed() < PATIENCE {
                self.read(Duration::from_millis(20));
                if self.child.as_mut().unwrap().try_wait().unwrap().is_some() {
                    assert_eq!(self.ends().code(), Some(0));
                    return;
                }
            }
        }
        panic!(
            "the program does not end, the screen is:\n{}",
            self.contents()
        );
    }

    /// Tells the program of a size that no screen has.
    pub fn claims_to_have(&mut self, columns: u16, rows: u16) {
        resize(&self.master, columns, rows);
    }

    /// Fills the terminal with bytes that nobody reads, until it takes no more.
    pub fn is_full(&self) {
        let name = ptsname(&self.master, Vec::new()).unwrap();
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let slave = rustix::fs::open(&name, flags, Mode::empty()).unwrap();
        // The kernel takes more as it moves bytes on towards the reader, until there is no more room on the way either.
        let mut question = [PollFd::new(&slave, PollFlags::OUT)];
        let quiet = Timespec::try_from(Duration::from_millis(200)).unwrap();
        while poll(&mut question, Some(&quiet)).unwrap() > 0 {
            while rustix::io::write(&slave, b" ").is_ok() {}
        }
    }

    /// Waits for the end of the program without reading what it writes.
    #[track_caller]
    pub fn ends_unread(&mut self) -> ExitStatus {
        ends_within(self.child.as_mut().unwrap(), DEADLINE)
    }

    fn has_more(&self) -> bool {
        let mut question = [PollFd::new(&self.master, PollFlags::IN)];
        poll(&mut question, Some(&Timespec::default())).unwrap() > 0
            && question[0].revents().contains(PollFlags::IN)
    }

    /// Takes the terminal away from the program.
    pub fn vanishes(mut self) -> Child {
        self.child.take().unwrap()
    }

    /// Asserts that the terminal is as it was before the program.
    #[track_caller]
    pub fn is_as_before(&self) {
        assert_eq!(modes(&self.master), self.before);
        let screen = self.screen();
        assert!(!screen.alternate_screen(), "still on the alternate screen");
        assert!(!screen.hide_cursor(), "the cursor is hidden");
        assert!(!screen.bracketed_paste(), "pastes are still marked");
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.process(), signal).unwrap();
    }

    /// The program.
    pub fn process(&self) -> Pid {
        Pid::from_child(self.child.as_ref().unwrap())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A program that a failed test leaves behind.
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn resize(master: &OwnedFd, columns: u16, rows: u16) {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(master.as_fd(), size).unwrap();
}

/// What `stty -g` tells.
fn modes(terminal: &OwnedFd) -> String {
    let mut text = String::new();
    write!(text, "{:?}", tcgetattr(terminal).unwrap()).unwrap();
    text
}

/// Waits for a process that is expected to end.
#[track_caller]
pub fn ends_within(child: &mut Child, patience: Duration) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(begun.elapsed() < patience, "the program does not end");
        // The end of a process is no event that could be waited for with a deadline.
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits for something that another process does to a file.
#[track_caller]
pub fn eventually<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < DEADLINE, "{what} never came");
        std::thread::sleep(Duration::from_millis(10));
    }
}
