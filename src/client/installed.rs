//! The worker of an installation by pip, pipx, uv or conda: it lies among the packages of a Python whose PyTorch lends
//! it libtorch. Nothing of Python runs, except to find a PyTorch that does not lie beside it.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sparring_contract::WORKER_PROGRAM;

/// The version of libtorch that the worker is built with; `tools/libtorch.py` has it too.
const LIBTORCH: &str = "2.13";

/// Prints where Python would import PyTorch from, without doing so.
const FIND_TORCH: &str = "\
import importlib.util, os, sys
torch = importlib.util.find_spec('torch')
if torch and torch.origin:
    sys.stdout.buffer.write(os.fsencode(os.path.dirname(torch.origin)))
";

/// The installed worker has no libtorch that it could load.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoLibtorch {
    /// There is no PyTorch.
    #[error(
        "{WORKER_PROGRAM} needs the libtorch of PyTorch {LIBTORCH}, and the Python of {} has no PyTorch: run `pip install \
         'torch=={LIBTORCH}.*'` in that environment",
        prefix.display()
    )]
    Missing {
        /// The environment: the folder of its `bin` and `lib`.
        prefix: PathBuf,
    },
    /// There is a PyTorch of another version.
    #[error(
        "{WORKER_PROGRAM} needs the libtorch of PyTorch {LIBTORCH}, and {} is version {version}: run `pip install \
         'torch=={LIBTORCH}.*'` in that environment",
        torch.display()
    )]
    OtherVersion {
        /// Its folder.
        torch: PathBuf,
        /// Its version.
        version: String,
    },
}

/// A worker among the packages of a Python.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Installed {
    prefix: PathBuf,
    packages: PathBuf,
}

impl Installed {
    /// The one that was installed with this face: `<prefix>/bin/sparring` belongs to
    /// `<prefix>/lib/python3.12/site-packages/sparring/bin/sparring-worker`. Among several Pythons, one that has a
    /// PyTorch.
    pub(super) fn with(face: &Path) -> Option<Self> {
        let prefix = face.parent()?.parent()?;
        let mut found: Vec<_> = folders(prefix, |name| name.starts_with("lib"))
            .flat_map(|lib| folders(&lib, |name| name.starts_with("python3")))
            .flat_map(|python| ["site-packages", "dist-packages"].map(|name| python.join(name)))
            .map(|packages| Self {
                prefix: prefix.to_owned(),
                packages,
            })
            .filter(|installed| installed.program().is_file())
            .collect();
        // `lib64` is often a link to `lib`, and the order of a folder's entries is nobody's choice.
        found.sort_by_key(|installed| {
            let lacks_torch = !has_libtorch(&installed.packages.join("torch"));
            (lacks_torch, installed.packages.clone())
        });
        found.into_iter().next()
    }

    /// The program.
    pub(super) fn program(&self) -> PathBuf {
        self.packages.join("sparring/bin").join(WORKER_PROGRAM)
    }

    /// The folder of libtorch that the worker has to be told, because it is not where it looks by itself: beside its
    /// own package. So it is in an environment made with `--system-site-packages`, or after `pip install --user`.
    pub(super) fn libtorch_elsewhere(&self) -> Result<Option<PathBuf>, NoLibtorch> {
        let beside = self.packages.join("torch");
        if has_libtorch(&beside) {
            return check_version(&beside).map(|()| None);
        }
        let torch = known_torch(&self.python()).filter(|torch| has_libtorch(torch));
        let torch = torch.ok_or_else(|| NoLibtorch::Missing {
            prefix: self.prefix.clone(),
        })?;
        check_version(&torch).map(|()| Some(torch.join("lib")))
    }

    /// The Python whose packages these are: the environment's own, else the one of this version that the shell finds.
    fn python(&self) -> PathBuf {
        let own = self.prefix.join("bin/python3");
        match self.packages.parent().and_then(Path::file_name) {
            Some(version) if !own.exists() => PathBuf::from(version),
            _ => own,
        }
    }
}

/// The folders in a folder whose names are as wanted. What cannot be read has none.
fn folders(folder: &Path, wanted: fn(&str) -> bool) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(move |entry| entry.file_name().to_str().is_some_and(wanted))
        .map(|entry| entry.path())
}

fn has_libtorch(torch: &Path) -> bool {
    let library = format!("lib/{DLL_PREFIX}torch_cpu{DLL_SUFFIX}");
    torch.join(library).is_file()
}

/// Refuses a PyTorch that says it is of another version: with its libtorch the worker would end at a missing symbol.
fn check_version(torch: &Path) -> Result<(), NoLibtorch> {
    let text = fs::read_to_string(torch.join("version.py")).unwrap_or_default();
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("__version__ = "))
        .map(|value| value.trim_matches(['\'', '"']));
    match version {
        Some(other) if !other.starts_with(&format!("{LIBTORCH}.")) => {
            Err(NoLibtorch::OtherVersion {
                torch: torch.to_owned(),
                version: other.to_owned(),
            })
        }
        _ => Ok(()),
    }
}

/// The folder of the PyTorch that a Python would import.
fn known_torch(python: &Path) -> Option<PathBuf> {
    let said = Command::new(python)
        .args(["-c", FIND_TORCH])
        // Where it is started, Python looks for packages first.
        .current_dir("/")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let found = said.status.success() && !said.stdout.is_empty();
    found.then(|| PathBuf::from(OsString::from_vec(said.stdout)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    /// An environment with a face and, in some folders of packages, a worker.
    struct Environment(tempfile::TempDir);

    impl Environment {
        fn new(workers: &[&str]) -> Self {
            let environment = Self(tempfile::tempdir().unwrap());
            for packages in workers {
                environment.write(&format!("{packages}/sparring/bin/sparring-worker"), "");
            }
            environment
        }

        fn write(&self, name: &str, text: &str) {
            let path = self.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        /// A PyTorch in some folder of packages.
        fn with_torch(self, packages: &str, version: &str) -> Self {
            self.write(&format!("{packages}/torch/lib/libtorch_cpu.so"), "");
            let about = format!("from typing import Optional\n__version__ = '{version}'\n");
            self.write(&format!("{packages}/torch/version.py"), &about);
            self
        }

        /// A program in `bin` in the place of Python.
        fn with_python(self, script: &str) -> Self {
            self.write("bin/python3", &format!("#!/bin/sh\n{script}\n"));
            let path = self.0.path().join("bin/python3");
            let executable = fs::Permissions::from_mode(0o755);
            fs::set_permissions(path, executable).unwrap();
            self
        }

        fn installed(&self) -> Option<Installed> {
            Installed::with(&self.0.path().join("bin/sparring"))
        }

        /// Where its worker is, from its own folder.
        fn program(&self) -> Option<PathBuf> {
            let program = self.installed()?.program();
            Some(program.strip_prefix(self.0.path()).unwrap().to_owned())
        }

        fn libtorch(&self) -> Result<Option<PathBuf>, NoLibtorch> {
            self.installed().unwrap().libtorch_elsewhere()
        }
    }

    #[test]
    fn the_worker_is_found_wherever_pip_puts_packages() {
        for packages in [
            "lib/python3.12/site-packages",
            "lib64/python3.9/site-packages",
            "lib/python3/dist-packages",
            "lib/python3.13t/site-packages",
        ] {
            let program = Environment::new(&[packages]).program().unwrap();
            let expected = Path::new(packages).join("sparring/bin/sparring-worker");
            assert_eq!(program, expected);
        }
        for packages in ["share/python3.12/site-packages", "lib/perl5/site-packages"] {
            assert_eq!(Environment::new(&[packages]).installed(), None);
        }
        assert_eq!(Installed::with(Path::new("sparring")), None);
    }

    #[test]
    fn of_several_pythons_the_one_with_pytorch_is_taken() {
        let [old, new] = ["3.10", "3.12"].map(|v| format!("lib/python{v}/site-packages"));
        let both = || Environment::new(&[&old, &new]);
        let in_folder = |packages: &str| {
            let program = Path::new(packages).join("sparring/bin/sparring-worker");
            Some(program)
        };
        assert_eq!(both().program(), in_folder(&old));
        let with_torch = both().with_torch(&new, "2.13.0");
        assert_eq!(with_torch.program(), in_folder(&new));
        let linked = Environment::new(&[&old]);
        symlink("lib", linked.0.path().join("lib64")).unwrap();
        assert_eq!(linked.program(), in_folder(&old));
    }

    const PACKAGES: &str = "lib/python3.12/site-packages";

    #[test]
    fn pytorch_beside_the_worker_needs_no_python() {
        for version in ["2.13.0", "2.13.1+cu130"] {
            let environment = Environment::new(&[PACKAGES])
                .with_torch(PACKAGES, version)
                .with_python("echo /nowhere");
            assert_eq!(environment.libtorch().unwrap(), None);
        }
    }

    #[test]
    fn pytorch_elsewhere_is_found_by_the_environments_python() {
        let system = Environment::new(&[]).with_torch("packages", "2.13.0+cpu");
        let torch = system.0.path().join("packages/torch");
        let environment =
            Environment::new(&[PACKAGES]).with_python(&format!("printf %s '{}'", torch.display()));
        assert_eq!(environment.libtorch().unwrap(), Some(torch.join("lib")));
    }

    #[test]
    fn without_a_pytorch_of_this_version_the_error_says_which_and_where() {
        let environment = Environment::new(&[PACKAGES]).with_python("exit 0");
        let said = environment.libtorch().unwrap_err().to_string();
        let prefix = environment.0.path().display();
        assert_eq!(
            said,
            format!(
                "sparring-worker needs the libtorch of PyTorch 2.13, and the Python of {prefix} has no PyTorch: run `pip \
                 install 'torch==2.13.*'` in that environment"
            )
        );
        // A namespace package of that name, or a build without libraries.
        let hollow = Environment::new(&[PACKAGES]).with_python("echo /nowhere");
        assert!(hollow.libtorch().is_err());
        let broken = Environment::new(&[PACKAGES]).with_python("echo /; exit 1");
        assert!(broken.libtorch().is_err());

        for version in ["2.12.1+cu126", "2.130.0"] {
            let other = Environment::new(&[PACKAGES]).with_torch(PACKAGES, version);
            let said = other.libtorch().unwrap_err().to_string();
            assert!(said.contains(&format!("is version {version}: run `pip install")));
        }
    }

    #[test]
    fn an_environment_without_a_python_asks_the_one_of_its_version() {
        let environment = Environment::new(&[PACKAGES]);
        let python = |environment: &Environment| environment.installed().unwrap().python();
        assert_eq!(python(&environment), Path::new("python3.12"));
        let environment = environment.with_python("");
        assert_eq!(
            python(&environment),
            environment.0.path().join("bin/python3")
        );
    }
}
