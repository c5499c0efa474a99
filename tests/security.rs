//! What other users of the machine can do to a run: nothing.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Signal, geteuid};
use rustix::thread::set_thread_res_uid;
use sparring_contract::protocol::{Event, FaceHello, PROTOCOL, ToWorker, encode_hello};

use crate::lab::{ENDLESS, Lab, Live, NOBODY, Said, after};
use crate::terminal::eventually;

/// Whether this test can act as another user. Only root can.
fn has_another_user() -> bool {
    let can = geteuid().is_root();
    if !can {
        println!("skipped: only root can act as another user");
    }
    can
}

/// Every file and folder below a folder, and itself.
fn everything_in(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(everything_in(&path));
        } else {
            all.push(path);
        }
    }
    all
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn hello() -> Vec<u8> {
    let hello = FaceHello {
        protocol: PROTOCOL,
        watch: false,
        read_only: false,
    };
    encode_hello(&ToWorker::Hello(hello)).unwrap()
}

/// What a connection hears after it said something. Empty if it is closed, or never opened.
fn answer_to(socket: &Path, words: &[u8]) -> Vec<u8> {
    let mut heard = Vec::new();
    if let Ok(mut wire) = UnixStream::connect(socket) {
        wire.set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        // It may be closed already.
        let _ = wire.write_all(words);
        let _ = wire.shutdown(std::net::Shutdown::Write);
        let _ = wire.read_to_end(&mut heard);
    }
    heard
}

#[test]
fn a_run_is_its_users_alone_whatever_the_umask() {
    let lab = Lab::new();
    let train = lab.training(&[&["--name", "otter"], &ENDLESS[..]].concat());
    let mut live = Live::start(after("umask 0", &train));
    live.until(|event| matches!(event, Event::Stats(_)));
    let run = lab.run("otter");
    for command in ["checkpoint", "pause"] {
        assert_eq!(lab.sparring(&[command, "otter"]).code, 0);
    }
    assert_eq!(lab.sparring(&["sample", "--live", "otter"]).code, 0);
    for path in everything_in(run.dir()) {
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), expected, "{}", path.display());
    }
    let socket = run.presence().unwrap().socket;
    assert_eq!(mode(&socket), 0o600);
    assert_eq!(mode(socket.parent().unwrap()), 0o700);
    assert_eq!(live.terminated(), 143);
}

#[test]
fn another_user_is_refused_by_the_worker_even_where_the_files_let_them_in() {
    if !has_another_user() {
        return;
    }
    let lab = Lab::new();
    let (live, run) = lab.endless("otter");
    let socket = run.presence().unwrap().socket;
    // As if the modes were wrong.
    let folder = socket.parent().unwrap();
    let open = |path: &Path, mode| {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    assert!(!answer_to(&socket, &hello()).is_empty());
    open(&socket, 0o666);
    open(folder, 0o755);
    let asked = socket.clone();
    let heard = std::thread::spawn(move || {
        // This thread is another user from here on, and only this thread.
        let nobody = rustix::process::Uid::from_raw(NOBODY);
        set_thread_res_uid(nobody, nobody, nobody).unwrap();
        UnixStream::connect(&asked).expect("the files let nobody in, so this tests nothing");
        answer_to(&asked, &hello())
    })
    .join()
    .unwrap();
    open(folder, 0o700);
    assert!(heard.is_empty(), "{heard:?}");
    // The worker has taken no harm.
    assert_eq!(lab.sparring(&["pause", "otter"]).code, 0);
    assert_eq!(live.terminated(), 143);
}

#[test]
fn another_user_can_neither_see_nor_steer_nor_lock_a_run() {
    if !has_another_user() {
        return;
    }
    let lab = Lab::new();
    let (live, run) = lab.endless("otter");
    // The way to the runs is open, as in a home directory that everybody may enter.
    let open = |path: &Path| {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    };
    open(lab.path());
    open(&lab.path().join("runs"));
    let directory = run.dir().to_str().unwrap();
    let file = lab.path().join("stolen.png");
    for words in [
        &["logs", directory][..],
        &["logs", "--worker", directory],
        &["attach", directory],
        &["pause", directory],
        &["resume", directory],
        &["step", directory],
        &["note", directory, "hello"],
        &["checkpoint", directory],
        &["set", directory, "lr=0.1"],
        &["stop", directory],
        &["sample", directory, "--out", file.to_str().unwrap()],
        &["sample", "--live", directory],
        &["eval", directory],
        &["train", "--resume", directory],
        &["runs", "rm", "-y", directory],
    ] {
        let mut command = lab.command(words);
        let said = Said::by(command.uid(NOBODY).gid(NOBODY));
        assert_ne!(said.code, 0, "{words:?}: {said:?}");
        assert_eq!(
            (said.err.lines().count(), said.out.as_str()),
            (1, ""),
            "{words:?}: {said:?}"
        );
        assert!(said.err.starts_with("error: "), "{words:?}: {said:?}");
    }
    assert!(run.dir().exists());
    assert_eq!(lab.sparring(&["pause", "otter"]).code, 0);
    assert_eq!(live.terminated(), 143);
}

#[test]
fn a_folder_of_sockets_that_leads_elsewhere_is_refused() {
    if !has_another_user() {
        return;
    }
    let lab = Lab::new();
    // Somebody else was quicker than this user's first run. Users that no other test is.
    let user = NOBODY - 7;
    let sockets = Path::new("/tmp").join(format!("sparring-{user}"));
    let _ = fs::remove_file(&sockets);
    let trap = lab.path().join("trap");
    fs::create_dir(&trap).unwrap();
    symlink(&trap, &sockets).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(lab.path(), open).unwrap();
    let mut train = lab.training(&["--name", "otter", "--steps", "1"]);
    let said = Said::by(train.uid(user).gid(user));
    fs::remove_file(&sockets).unwrap();
    assert_eq!((said.code, said.err.lines().count()), (1, 1), "{said:?}");
    assert!(
        said.err.contains(sockets.to_str().unwrap()),
        "it does not say which folder: {said:?}"
    );
    assert_eq!(fs::read_dir(&trap).unwrap().count(), 0);
    assert!(!lab.path().join("runs/otter").exists());
}

#[test]
fn a_socket_that_something_else_took_the_place_of_comes_back() {
    let lab = Lab::new();
    let (live, run) = lab.endless("otter");
    let socket = run.presence().unwrap().socket;
    let innocent = lab.path().join("innocent");
    fs::write(&innocent, "keep me").unwrap();
    fs::remove_file(&socket).unwrap();
    symlink(&innocent, &socket).unwrap();
    eventually("a socket again", || {
        (lab.sparring(&["pause", "otter"]).code == 0).then_some(())
    });
    assert_eq!(fs::read_to_string(&innocent).unwrap(), "keep me");
    assert_eq!(live.terminated(), 143);
    assert!(!socket.exists());
}

#[test]
fn a_forged_worker_file_leads_to_a_message_and_to_nobody() {
    let lab = Lab::new();
    lab.train(&["--name", "otter", "--steps", "4"]);
    let run = lab.run("otter");
    let honest: serde_json::Value =
        serde_json::from_slice(&fs::read(run.presence_file()).unwrap()).unwrap();
    // A process that must stay alive, whatever is asked of the run that names it.
    let mut bystander = Command::new("sleep").arg("600").spawn().unwrap();
    let pids = ["0", "1", "4294967295", &bystander.id().to_string()].map(str::to_owned);
    let sockets = ["/etc/passwd", "/", "", "/tmp", "/dev/zero", "\u{1b}[2J"].map(str::to_owned);
    let long = format!("/tmp/{}", "x".repeat(5000));
    for pid in &pids {
        for socket in sockets.iter().chain([&long]) {
            let mut forged = honest.clone();
            forged["pid"] = pid.parse::<u32>().unwrap().into();
            forged["socket"] = socket.as_str().into();
            fs::write(run.presence_file(), forged.to_string()).unwrap();
            for words in [&["pause", "otter"][..], &["stop", "otter"]] {
                let said = lab.sparring(words);
                assert_eq!((said.code, said.err.lines().count()), (1, 1), "{said:?}");
                assert!(!said.err.contains('\x1b'), "{said:?}");
            }
        }
    }
    for text in ["", "{}", "null", "[", "{\"pid\":-1}", &"[".repeat(100_000)] {
        fs::write(run.presence_file(), text).unwrap();
        let said = lab.sparring(&["pause", "otter"]);
        assert_eq!((said.code, said.err.lines().count()), (1, 1), "{said:?}");
    }
    assert_eq!(bystander.try_wait().unwrap(), None, "it was killed");
    bystander.kill().unwrap();
    bystander.wait().unwrap();
    // The next worker writes the truth.
    let resumed = lab.sparring(&["train", "--json", "--resume", "otter", "--steps", "8"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
}

#[test]
fn a_hello_that_comes_byte_by_byte_or_never_ends_costs_its_connection() {
    let lab = Lab::new();
    let (live, run) = lab.endless("otter");
    let socket = run.presence().unwrap().socket;
    let memory = || {
        let status = fs::read_to_string(format!("/proc/{}/status", run.holder().unwrap())).unwrap();
        let resident = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap();
        resident
            .split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    let before = memory();
    // As slowly as one likes: the whole hello has five seconds.
    let slow = UnixStream::connect(&socket).unwrap();
    let bytes = hello();
    eventually("the end of the patience", || {
        (&slow).write_all(&bytes[..1]).is_err().then_some(())
    });
    // As fast and as long as one likes.
    let mut endless = UnixStream::connect(&socket).unwrap();
    endless
        .set_write_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let rubbish = vec![0x7b; 1 << 20];
    let mut sent = 0;
    while endless.write_all(&rubbish).is_ok() {
        sent += rubbish.len();
        assert!(sent < 1 << 30, "the worker reads a hello of a gigabyte");
    }
    assert!(memory() < before + (64 << 10), "kB: {before}, {}", memory());
    assert_eq!(lab.sparring(&["pause", "otter"]).code, 0);
    live.signal(Signal::TERM);
    assert_eq!(live.end().0, 143);
}

#[test]
fn names_and_paths_lead_nowhere_else() {
    let lab = Lab::new();
    let outside = lab.path().join("outside");
    fs::create_dir(&outside).unwrap();
    for name in [
        "../outside",
        "..",
        ".",
        "/tmp/x",
        "a/b",
        "",
        ".hidden",
        "-x",
        "a\0b",
    ] {
        if name.contains('\0') {
            continue;
        }
        let said = lab.train(&["--name", name, "--steps", "1"]);
        assert_ne!(said.code, 0, "{name}: {said:?}");
    }
    // A run that is a link to somewhere else is not removed through it.
    lab.train(&["--name", "otter", "--steps", "4"]);
    let runs = lab.path().join("runs");
    fs::rename(runs.join("otter"), outside.join("otter")).unwrap();
    symlink(outside.join("otter"), runs.join("otter")).unwrap();
    let _ = lab.sparring(&["runs", "rm", "-y", "otter"]);
    assert!(outside.exists());
    // A picture is not written through a link that somebody put there, but in its place.
    let precious = lab.path().join("precious");
    fs::write(&precious, "keep me").unwrap();
    let link = lab.path().join("digits.png");
    symlink(&precious, &link).unwrap();
    lab.train(&["--name", "lynx", "--steps", "4"]);
    let save = ["sample", "lynx", "--force", "--out", link.to_str().unwrap()];
    assert_eq!(lab.sparring(&save).code, 0);
    assert_eq!(fs::read_to_string(&precious).unwrap(), "keep me");
    assert_eq!(fs::metadata(&link).unwrap().uid(), geteuid().as_raw());
}
