//! Run directories: made and removed in one step, and their owner's alone.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{AtFlags, Mode, OFlags, statat, unlinkat};
use rustix::io::Errno;
use tempfile::TempDir;

use super::lock::identity;
use super::whole::{make_folders, remove_half_written, sync_folder};
use super::{Home, Lock, Run, RunError, is_name};
use crate::config::Config;

/// The beginnings of the names of directories that are being made and removed. A killed process leaves them behind.
const NEW: &str = ".new-";
const REMOVED: &str = ".removed-";

/// Making and removing a run takes less time than this.
const LEFT_OVER_AFTER: Duration = Duration::from_hours(1);

/// Permissions of a directory that is its owner's alone.
const OWNER: u32 = 0o700;

impl Home {
    /// Makes the directory of a new run and writes its configuration. Without a name it gets a readable one.
    pub fn create(&self, name: Option<&str>, config: &Config) -> Result<Run, RunError> {
        if let Some(name) = name {
            if !is_name(name) {
                return Err(RunError::BadName {
                    name: name.to_owned(),
                });
            }
            return make(&self.runs, name, config)?.ok_or_else(|| RunError::Exists {
                name: name.to_owned(),
            });
        }
        loop {
            let name = petname::petname(2, "-").ok_or(RunError::NoHome)?;
            if let Some(run) = make(&self.runs, &name, config)? {
                return Ok(run);
            }
        }
    }
}

impl Run {
    /// Removes the run with everything in it; refused while a worker has it.
    pub fn remove(self) -> Result<(), RunError> {
        let _lock = self.lock()?;
        remove(&self)
    }

    /// Removes what killed workers left half written. The caller has the lock.
    pub fn remove_half_written(&self) -> Result<(), RunError> {
        for folder in [&self.dir, &self.samples_dir(), &self.checkpoints_dir()] {
            remove_half_written(folder).map_err(|error| RunError::io("tidy", folder, error))?;
        }
        Ok(())
    }
}

/// Makes the directory of a new run under a hidden name and gives it its name when it is whole, so that nothing that
/// goes wrong leaves half a run behind. `None` if the name is taken.
fn make(runs: &Path, name: &str, config: &Config) -> Result<Option<Run>, RunError> {
    let dir = runs.join(name);
    if Run::open(&dir).is_some() {
        return Ok(None);
    }
    make_folders(runs).map_err(|error| RunError::io("make", runs, error))?;
    remove_left_over(runs);
    let (unfinished, run, lock) = begin(runs, name)?;
    for part in [run.samples_dir(), run.checkpoints_dir()] {
        let made = DirBuilder::new().mode(OWNER).create(&part);
        made.map_err(|error| RunError::io("make", &part, error))?;
    }
    run.write_config(config)?;
    remove_half_made(&dir);
    while let Err(error) = fs::rename(unfinished.path(), &dir) {
        use ErrorKind::{AlreadyExists, DirectoryNotEmpty, NotADirectory};
        if !matches!(
            error.kind(),
            AlreadyExists | DirectoryNotEmpty | NotADirectory
        ) {
            return Err(RunError::io("make", &dir, error));
        }
        if Run::open(&dir).is_some() {
            return Ok(None);
        }
        if is_no_run(&dir) {
            return Err(RunError::NoRun { path: dir });
        }
        // It was a run, and has been removed since.
    }
    // It has another name now: there is nothing to remove.
    let _ = unfinished.keep();
    drop(lock);
    sync_folder(runs).map_err(|error| RunError::io("write", runs, error))?;
    Ok(Run::open(&dir))
}

/// Makes a directory under a hidden name and locks it, so that whoever removes what is left over sees that it is not.
fn begin(runs: &Path, name: &str) -> Result<(TempDir, Run, Lock), RunError> {
    loop {
        let unfinished = tempfile::Builder::new()
            .prefix(NEW)
            .permissions(Permissions::from_mode(OWNER))
            .tempdir_in(runs)
            .map_err(|error| RunError::io("make a directory in", runs, error))?;
        let run = Run::open_unfinished(name, unfinished.path());
        match run.lock() {
            // Somebody took it for left over, between its making and its locking.
            Err(RunError::InUse { .. } | RunError::Removed { .. }) => {}
            lock => return Ok((unfinished, run, lock?)),
        }
    }
}

/// Whether something other than a run has this path. It is looked at through a handle: runs come and go meanwhile.
fn is_no_run(path: &Path) -> bool {
    let found = match open_folder(path) {
        Ok(found) => File::from(found),
        Err(error) => return error != Errno::NOENT,
    };
    let is_run = Run::open(path).is_some();
    // A run loses its name before it loses its parts.
    let is_there = found
        .metadata()
        .and_then(|found| Ok(identity(&found) == identity(&path.symlink_metadata()?)));
    !is_run && is_there.unwrap_or(false)
}

/// Removes what an older build left of a run that it could not make whole: empty folders.
fn remove_half_made(dir: &Path) {
    let Ok(half) = open_folder(dir) else {
        return;
    };
    // Looked at through the handle: somebody else may give a whole run this name now.
    if !matches!(
        statat(&half, "config.toml", AtFlags::empty()),
        Err(Errno::NOENT)
    ) {
        return;
    }
    for part in ["samples", "checkpoints"] {
        // Fails where there is nothing, or something to keep.
        let _ = unlinkat(&half, part, AtFlags::REMOVEDIR);
    }
}

fn open_folder(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}

/// Removes the directory of a run that is locked. Its name is free at once, and whatever goes wrong then leaves no half
/// of a run behind.
fn remove(run: &Run) -> Result<(), RunError> {
    let dir = run.dir();
    let refused = |error| RunError::io("remove", dir, error);
    let Some(above) = dir.parent() else {
        return fs::remove_dir_all(dir).map_err(refused);
    };
    let place = tempfile::Builder::new()
        .prefix(REMOVED)
        .tempdir_in(above)
        .map_err(refused)?;
    fs::rename(dir, place.path()).map_err(refused)?;
    place.close().map_err(refused)?;
    sync_folder(above).map_err(refused)
}

/// Removes what killed processes left of runs that they were making or removing: directories whose lock nobody holds, and
/// old ones without a lock. What cannot be removed harms nobody.
fn remove_left_over(runs: &Path) {
    for entry in fs::read_dir(runs).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_old = || {
            let changed = entry.metadata().and_then(|meta| meta.modified()).ok();
            changed
                .and_then(|changed| changed.elapsed().ok())
                .is_some_and(|age| age > LEFT_OVER_AFTER)
        };
        if !name.starts_with(NEW) && !name.starts_with(REMOVED) {
            continue;
        }
        let left_over = Run::open_unfinished(&name, &entry.path());
        // A lock that is held is not even tried: its run has its name the next moment, and would seem to be in use.
        if left_over.holder().is_some() {
            continue;
        }
        let lock = left_over.lock_if_there();
        if lock.as_ref().is_ok_and(|lock| lock.is_some() || is_old()) {
            let _ = remove(&left_over);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;
    use std::process::{Command, ExitStatus, Stdio};
    use std::time::SystemTime;

    use super::super::State;
    use super::*;
    use crate::config::{Request, resolve};

    fn config() -> Config {
        resolve(&Request::default()).unwrap().config
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A home whose folder of runs does not exist yet.
    fn home(folder: &TempDir) -> Home {
        Home::locate(Some(&folder.path().join("a/runs"))).unwrap()
    }

    #[test]
    fn a_run_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let run = home(&folder).create(Some("otter"), &config()).unwrap();
        for dir in [
            run.dir(),
            run.dir().parent().unwrap(),
            &run.samples_dir(),
            &run.checkpoints_dir(),
        ] {
            assert_eq!(mode(dir), 0o700, "{}", dir.display());
        }
        for file in [run.config_file(), run.dir().join("lock")] {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
    }

    #[test]
    fn a_worker_takes_the_rights_of_others_off_a_run_of_an_older_build() {
        let folder = tempfile::tempdir().unwrap();
        let run = home(&folder).create(Some("otter"), &config()).unwrap();
        let lock = run.dir().join("lock");
        fs::set_permissions(run.dir(), Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&lock, Permissions::from_mode(0o644)).unwrap();
        drop(run.lock().unwrap());
        assert_eq!((mode(run.dir()), mode(&lock)), (0o700, 0o600));
    }

    #[test]
    fn a_run_that_could_not_be_made_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(&folder);
        home.create(Some("otter"), &config()).unwrap();
        // A file where the directory would be.
        File::create(home.dir().join("lynx")).unwrap();
        let refused = home.create(Some("lynx"), &config()).unwrap_err();
        assert!(
            refused.to_string().ends_with(
                "lynx is in the way and no run: it has no config.toml; move it, or choose another --name"
            ),
            "{refused}"
        );
        assert_eq!(names(home.dir()), ["lynx", "otter"]);
    }

    #[test]
    fn half_a_run_of_an_older_build_does_not_block_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(&folder);
        for part in ["otter/samples", "otter/checkpoints"] {
            fs::create_dir_all(home.dir().join(part)).unwrap();
        }
        let run = home.create(Some("otter"), &config()).unwrap();
        assert_eq!(run.status().state, State::New);
    }

    #[test]
    fn a_directory_with_anything_in_it_is_not_taken_for_half_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(&folder);
        let kept = home.dir().join("otter/samples/fresh.png");
        fs::create_dir_all(kept.parent().unwrap()).unwrap();
        File::create(&kept).unwrap();
        let refused = home.create(Some("otter"), &config());
        assert!(matches!(refused, Err(RunError::NoRun { .. })));
        assert!(kept.exists());
    }

    #[test]
    fn a_removed_run_is_gone_with_everything_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(&folder);
        let run = home.create(Some("otter"), &config()).unwrap();
        File::create(run.samples_dir().join("fresh.png")).unwrap();
        run.remove().unwrap();
        assert!(names(home.dir()).is_empty());
    }

    #[test]
    fn what_killed_processes_left_is_no_run_and_goes_with_the_next_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(&folder);
        for left in [".new-1", ".removed-1"] {
            let run = home.create(Some("otter"), &config()).unwrap();
            fs::rename(run.dir(), home.dir().join(left)).unwrap();
        }
        for left in [".new-2", ".new-3", ".removed-2", ".removed-3"] {
            fs::create_dir(home.dir().join(left)).unwrap();
        }
        assert!(home.runs().unwrap().is_empty());

        let old = SystemTime::now() - 2 * LEFT_OVER_AFTER;
        for left in [".new-2", ".removed-2"] {
            let folder = File::open(home.dir().join(left)).unwrap();
            folder.set_modified(old).unwrap();
        }
        home.create(Some("lynx"), &config()).unwrap();
        assert_eq!(names(home.dir()), [".new-3", ".removed-3", "lynx"]);
    }

    const FOLDER: &str = "SPARRING_TEST_FOLDER";

    #[test]
    #[ignore = "what each process of the next test does"]
    fn one_process_makes_and_removes_runs() {
        let runs = std::env::var_os(FOLDER).expect("a folder to make runs in");
        let home = Home::locate(Some(Path::new(&runs))).unwrap();
        for turn in 0..60 {
            let name = ["otter", "lynx"][turn % 2];
            match home.create(Some(name), &config()) {
                Ok(run) => run.remove().unwrap(),
                Err(RunError::Exists { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn processes_that_make_and_remove_the_same_runs_never_break_one_anothers() {
        let folder = tempfile::tempdir().unwrap();
        let mut children: Vec<_> = (0..20)
            .map(|_| {
                Command::new(std::env::current_exe().unwrap())
                    .args(["--ignored", "--exact", "--nocapture"])
                    .arg("run::directory::tests::one_process_makes_and_removes_runs")
                    .env(FOLDER, folder.path())
                    .stdout(Stdio::null())
                    .spawn()
                    .unwrap()
            })
            .collect();
        // All of them are waited for, before the folder goes.
        let ends: Vec<_> = children
            .iter_mut()
            .map(|child| child.wait().unwrap())
            .collect();
        assert!(ends.iter().all(ExitStatus::success), "{ends:?}");
        assert!(names(folder.path()).is_empty());
    }
}
