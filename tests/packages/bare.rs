//! A folder to be the root of a process: in it is what the test puts there, and nothing of this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::lab::Said;

/// What every Linux has. Not libgcc, libstdc++ or libgomp.
const GLIBC: [&str; 7] = [
    "ld-linux",
    "libc.so",
    "libm.so",
    "libdl.so",
    "libpthread.so",
    "librt.so",
    "libutil.so",
];

/// Brings the kernel's folders into the root, and enters it.
const ENTER: &str =
    "for folder in proc dev sys; do mount --rbind /$folder \"$0/$folder\" || exit 125; done
exec chroot \"$0\" \"$@\"";

/// A Linux with a kernel, glibc and a home.
pub struct BareLinux {
    root: tempfile::TempDir,
    /// How to leave this machine's file system.
    unshare: &'static str,
}

impl BareLinux {
    /// An empty one; none if this user may not enter it.
    pub fn new() -> Option<Self> {
        // Where links to libtorch can be made.
        let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        for folder in ["proc", "dev", "sys", "tmp", "home", "opt"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        // Without any program in it, entering the root fails with 127.
        let can = |unshare: &&str| {
            let entered = entering(unshare, root.path()).arg("/true").status();
            entered.is_ok_and(|status| status.code() == Some(127))
        };
        let unshare = ["--mount", "--map-root-user"].into_iter().find(can)?;
        Some(Self { root, unshare })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Copies this machine's glibc, as much of it as a program and its libraries need, to the places where it is here.
    pub fn add_glibc(&self, program: &Path) {
        let said = Said::by(Command::new("ldd").arg(program));
        let words = said.out.split_whitespace();
        let files = words.filter(|word| word.starts_with('/')).map(Path::new);
        let mut copied = 0;
        for file in files {
            let name = file.file_name().unwrap().to_str().unwrap();
            if GLIBC.iter().any(|part| name.starts_with(part)) {
                let copy = self.path("").join(file.strip_prefix("/").unwrap());
                fs::create_dir_all(copy.parent().unwrap()).unwrap();
                fs::copy(file, copy).unwrap();
                copied += 1;
            }
        }
        assert!(copied >= 3, "{said:?}");
    }

    /// Runs a program in it, to its end.
    pub fn run(&self, program: &Path, arguments: &[&str]) -> Said {
        let mut command = entering(self.unshare, self.root.path());
        Said::by(command.arg(program).args(arguments))
    }
}

fn entering(unshare: &str, root: &Path) -> Command {
    let mut command = Command::new("unshare");
    command
        .args([unshare, "--mount", "sh", "-c", ENTER])
        .arg(root)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", "/home")
        .env("SPARRING_HOME", "/home/sparring")
        .env("OMP_NUM_THREADS", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}
