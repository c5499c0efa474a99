//! What a disk without room, and a start that is refused, cost: nothing that was saved before, and no name.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use sparring_contract::protocol::Event;
use sparring_contract::run::read_records;

use crate::lab::{Lab, Live, NOBODY, Said, after};
use crate::terminal::Terminal;

/// What a program says to whom its files may not become longer.
const FULL: &str = "File too large (os error 27)";

/// The same command where no file may become longer than some KiB, as on a disk without room.
fn without_room(command: &Command, kibibytes: u32) -> Command {
    after(&format!("trap '' XFSZ; ulimit -S -f {kibibytes}"), command)
}

/// Limits the length of the files that a process writes.
fn limit_files(process: u32, bytes: Option<u64>) {
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    let process = Pid::from_raw(process.cast_signed());
    prlimit(process, Resource::Fsize, limit).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Asserts that each line of a log is a record, and returns them.
#[track_caller]
fn whole_records(log: &Path) -> Vec<Event> {
    let records = read_records(log);
    let lines = fs::read_to_string(log).unwrap();
    assert_eq!(records.len(), lines.lines().count(), "{lines}");
    records.into_iter().map(|record| record.event).collect()
}

#[test]
fn a_run_that_could_not_be_made_does_not_block_its_name() {
    let lab = Lab::new();
    let train = lab.training(&["--name", "otter", "--steps", "1"]);
    let said = Said::by(&mut without_room(&train, 0));
    assert_eq!(said.code, 1, "{said:?}");
    assert!(
        said.err.contains("config.toml: ") && said.err.ends_with(&format!("{FULL}\n")),
        "{said:?}"
    );
    assert_eq!(said.err.lines().count(), 1, "{said:?}");
    assert!(names(&lab.path().join("runs")).is_empty());
    assert_eq!(lab.train(&["--name", "otter", "--steps", "1"]).code, 0);
}

#[test]
fn a_requeued_job_goes_on_where_the_disk_was_full() {
    let lab = Lab::new();
    let job = ["--name", "otter", "--resume-if-exists", "--steps", "8"];
    // Room for the configuration, and for no checkpoint.
    let said = Said::by(&mut without_room(&lab.training(&job), 8));
    assert_eq!(said.code, 1, "{said:?}");
    assert_eq!(
        said.ended().message.as_deref(),
        Some("the last steps could not be saved")
    );
    let run = lab.run("otter");
    assert!(run.checkpoints().is_empty());
    assert!(names(&run.checkpoints_dir()).is_empty());
    whole_records(&run.events_file());
    let again = lab.train(&job);
    assert_eq!((again.code, again.ended().stats.step), (0, 8));
    assert_eq!(run.newest_checkpoint().unwrap().step, 8);
}

#[test]
fn pictures_that_found_no_room_are_told_of_in_a_line() {
    let lab = Lab::new();
    lab.train(&["--name", "otter", "--steps", "4"]);
    for name in ["many.npz", "many.png", "many-idx3-ubyte"] {
        let file = lab.path().join(name);
        let mut draw = lab.command(&["sample", "otter", "-n", "2000", "--out"]);
        let said = Said::by(&mut without_room(draw.arg(&file), 8));
        said.refused(
            1,
            &format!("error: cannot write {}: {FULL}", file.display()),
        );
        assert!(!file.exists());
    }
    let mut draw = lab.command(&["sample", "otter", "-n", "2000", "--format", "npz", "--out"]);
    let said = Said::by(&mut without_room(draw.arg(lab.path().join("many/")), 8));
    assert_eq!((said.code, said.err.lines().count()), (1, 1), "{said:?}");
}

#[test]
fn a_start_that_is_refused_leaves_no_run_behind() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can start a program as another user");
        return;
    }
    let lab = Lab::new();
    // Sockets of this user cannot be trusted: the folder is open to all.
    let sockets = Path::new("/tmp").join(format!("sparring-{NOBODY}"));
    let _ = fs::remove_dir_all(&sockets);
    fs::create_dir(&sockets).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(
        lab.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o777),
    )
    .unwrap();
    fs::set_permissions(&sockets, open).unwrap();
    let mut train = lab.training(&["--name", "otter", "--steps", "1"]);
    let said = Said::by(train.uid(NOBODY).gid(NOBODY));
    fs::remove_dir(&sockets).unwrap();
    said.refused(
        1,
        "error: /tmp/sparring-65534 is not yours alone, so no socket in it can be trusted; remove it, or have its owner do so",
    );
    assert!(names(&lab.path().join("runs")).is_empty());
}

#[test]
fn a_note_that_cannot_be_kept_is_refused_and_the_log_says_what_it_lacks() {
    let lab = Lab::new();
    let train = lab.training(&["--name", "otter", "--steps", "1000000"]);
    // The limit comes later. It would kill a process that does not ignore its signal.
    let mut worker = Live::start(without_room(&train, 1 << 30));
    worker.until(|event| matches!(event, Event::Stats(_)));
    assert_eq!(lab.sparring(&["pause", "otter"]).code, 0);
    let run = lab.run("otter");
    assert_eq!(lab.sparring(&["note", "otter", "with room"]).code, 0);

    let process = run.holder().unwrap();
    let length = fs::metadata(run.events_file()).unwrap().len();
    limit_files(process, Some(length + 20));
    let refused = lab.sparring(&["note", "otter", "without room"]);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    let reason = format!(": the note cannot be kept: {FULL}\n");
    assert!(refused.err.ends_with(&reason), "{refused:?}");
    assert_eq!(fs::metadata(run.events_file()).unwrap().len(), length);
    assert_eq!(lab.sparring(&["resume", "otter"]).code, 0);
    worker.until(|event| matches!(event, Event::Warning { message, .. }
        if message.starts_with("cannot write events.jsonl: File too large (os error 27); training goes on, ")));
    worker.until(|event| matches!(event, Event::Stats(_)));

    limit_files(process, None);
    assert_eq!(lab.sparring(&["note", "otter", "room again"]).code, 0);
    assert_eq!(worker.terminated(), 143);
    let events = whole_records(&run.events_file());
    let notes: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Note { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(notes, ["with room", "room again"]);
    let gap = events.iter().position(|event| {
        matches!(event, Event::Warning { message, .. }
            if message.contains(" are missing before this line: events.jsonl could not be written (File too large"))
    });
    let before = &events[gap.unwrap() - 1];
    assert!(
        matches!(before, Event::Note { text, .. } if text == "with room"),
        "{events:?}"
    );
}

#[test]
fn half_a_line_at_the_end_of_the_log_is_cut_off_and_the_log_says_so() {
    let lab = Lab::new();
    lab.train(&["--name", "otter", "--steps", "4"]);
    let run = lab.run("otter");
    let mut log = fs::read(run.events_file()).unwrap();
    log.extend(b"{\"event\":\"stats\",\"st");
    fs::write(run.events_file(), log).unwrap();
    assert_eq!(
        lab.sparring(&["train", "--json", "--resume", "otter", "--steps", "8"])
            .code,
        0
    );
    let told = whole_records(&run.events_file())
        .into_iter()
        .any(|event| {
            matches!(event, Event::Warning { message, .. }
                if message.starts_with("events.jsonl ended in half a line (20 bytes), which was cut off"))
        });
    assert!(told);
}

#[test]
fn what_a_killed_worker_left_half_written_goes_with_the_next_start() {
    let lab = Lab::new();
    lab.train(&["--name", "otter", "--steps", "4"]);
    let run = lab.run("otter");
    let left = [
        run.samples_dir(),
        run.checkpoints_dir(),
        run.dir().to_owned(),
    ]
    .map(|folder| folder.join(".writing-abc"));
    for file in &left {
        fs::write(file, "half").unwrap();
    }
    lab.sparring(&["train", "--json", "--resume", "otter", "--steps", "8"]);
    for file in &left {
        assert!(!file.exists(), "{}", file.display());
    }
}

#[test]
fn a_user_at_a_terminal_is_asked_before_runs_go() {
    let lab = Lab::new();
    for name in ["one", "two"] {
        lab.train(&["--name", name, "--steps", "1"]);
    }
    let mut terminal = Terminal::with(lab.command(&["runs", "rm", "one"]));
    terminal.shows("remove run one with everything in it? [y/N]");
    terminal.types("\r");
    terminal.shows("nothing was removed");
    assert_eq!(terminal.ends().code(), Some(1));

    let mut terminal = Terminal::with(lab.command(&["runs", "prune", "--keep", "0"]));
    terminal.shows("remove runs two, one with everything in them? [y/N]");
    terminal.types("yes\r");
    terminal.shows("removed one");
    assert_eq!(terminal.ends().code(), Some(0));

    lab.train(&["--name", "three", "--steps", "1"]);
    let mut terminal = Terminal::with(lab.command(&["runs", "rm", "-y", "three"]));
    terminal.shows("removed three");
    assert_eq!(terminal.ends().code(), Some(0));
}
