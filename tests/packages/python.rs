//! Environments of Python, with a PyTorch that has everything of the real one that the worker needs: its libraries.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use zip::write::{SimpleFileOptions, ZipWriter};

use super::only;
use crate::lab::{Lab, Said};

/// Writes a wheel of PyTorch without its libraries. Whoever imports it is told off: only its files are of use.
pub fn torch_wheel(folder: &Path) {
    let mut wheel =
        ZipWriter::new(File::create(folder.join("torch-2.13.0-py3-none-any.whl")).unwrap());
    let record = "torch/__init__.py,,\ntorch/version.py,,\ntorch-2.13.0.dist-info/METADATA,,\n\
                  torch-2.13.0.dist-info/WHEEL,,\ntorch-2.13.0.dist-info/RECORD,,\n";
    for (name, text) in [
        (
            "torch/__init__.py",
            "raise ImportError('nobody needs this')\n",
        ),
        ("torch/version.py", "__version__ = '2.13.0+cpu'\n"),
        (
            "torch-2.13.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: torch\nVersion: 2.13.0\n",
        ),
        (
            "torch-2.13.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        ),
        ("torch-2.13.0.dist-info/RECORD", record),
    ] {
        wheel
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
        wheel.write_all(text.as_bytes()).unwrap();
    }
    wheel.finish().unwrap();
}

/// An environment: the folder of its `bin` and `lib`.
pub struct Environment(PathBuf);

impl Environment {
    /// A fresh one; none if this machine's Python cannot make one.
    pub fn new(lab: &Lab) -> Option<Self> {
        let folder = lab.path().join("environment");
        let said = Said::by(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        (said.code == 0).then_some(Self(folder))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn packages(&self) -> PathBuf {
        let python = fs::read_dir(self.path("lib")).unwrap().next().unwrap();
        python.unwrap().path().join("site-packages")
    }

    pub fn python(&self, arguments: &[&str]) -> Said {
        Said::by(Command::new(self.path("bin/python")).args(arguments))
    }

    /// Runs pip, away from the index and settings of this machine.
    pub fn pip(&self, arguments: &[&str]) {
        let pip = ["-m", "pip", "--isolated", "--disable-pip-version-check"];
        let said = self.python(&[&pip, arguments].concat());
        assert_eq!(said.code, 0, "{said:?}");
    }

    /// Puts the libraries of a real libtorch where PyTorch's wheels have them.
    pub fn lend_libtorch(&self, libtorch: &Path) {
        symlink(libtorch.join("lib"), self.packages().join("torch/lib")).unwrap();
        let nvidia = libtorch.with_file_name("nvidia");
        if nvidia.exists() {
            symlink(nvidia, self.packages().join("nvidia")).unwrap();
        }
    }

    /// Moves PyTorch to another folder, of which Python is told.
    pub fn move_torch(&self, folder: &Path) {
        fs::create_dir(folder).unwrap();
        fs::rename(self.packages().join("torch"), folder.join("torch")).unwrap();
        let _ = fs::rename(self.packages().join("nvidia"), folder.join("nvidia"));
        fs::write(self.elsewhere(), folder.to_str().unwrap()).unwrap();
    }

    /// Python does not know of the other folder any more.
    pub fn forget_torch(&self) {
        fs::remove_file(self.elsewhere()).unwrap();
    }

    fn elsewhere(&self) -> PathBuf {
        self.packages().join("elsewhere.pth")
    }
}

/// A program that installs others, each into an environment of its own, and links to them.
pub struct Installer {
    command: Command,
    home: PathBuf,
}

/// Those of uv and pipx that this machine has.
pub fn installers(lab: &Lab) -> Vec<Installer> {
    let mut found = Vec::new();
    for (program, folders) in [
        ("uv", ["UV_TOOL_DIR", "UV_TOOL_BIN_DIR"]),
        ("pipx", ["PIPX_HOME", "PIPX_BIN_DIR"]),
    ] {
        let there = Command::new(program).arg("--version").output();
        if there.is_ok_and(|said| said.status.success()) {
            let home = lab.path().join(program);
            let mut command = Command::new(program);
            command
                .env(folders[0], home.join("environments"))
                .env(folders[1], home.join("bin"))
                .env("UV_CACHE_DIR", home.join("cache"));
            found.push(Installer { command, home });
        }
    }
    found
}

impl Installer {
    /// Installs sparring; returns the environment that it is in.
    pub fn install(&self, wheels: &Path) -> Environment {
        let wheels = wheels.display();
        let mut command = Command::new(self.command.get_program());
        for (name, value) in self.command.get_envs() {
            command.env(name, value.unwrap());
        }
        let said = if command.get_program() == "uv" {
            let links = format!("--find-links={wheels}");
            Said::by(command.args(["tool", "install", "--no-index", &links, "sparring"]))
        } else {
            let links = format!("--pip-args=--no-index --find-links={wheels}");
            Said::by(command.args(["install", &links, "sparring"]))
        };
        assert_eq!(said.code, 0, "{said:?}");
        let environments = self.home.join("environments");
        let nested = environments.join("venvs");
        let folder = if nested.exists() {
            nested
        } else {
            environments
        };
        Environment(only(&folder, "sparring"))
    }

    /// The link to the face.
    pub fn face(&self) -> PathBuf {
        self.home.join("bin/sparring")
    }
}
