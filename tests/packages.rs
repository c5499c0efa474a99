//! What `make wheel` and `make dist` make, installed and used as by somebody who has nothing else.

mod bare;
mod python;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::{Lab, Said};
use bare::BareLinux;
use python::{Environment, installers, torch_wheel};

/// Packs the programs under test with `tools/package.py`, and returns the folder with what was made.
fn packed(lab: &Lab, what: &str, name: &str, flags: &[&str]) -> PathBuf {
    let out = lab.path().join(name);
    let said = Said::by(&mut packing(lab, what, &out, flags));
    assert_eq!(said.code, 0, "{said:?}");
    out
}

fn packing(lab: &Lab, what: &str, out: &Path, flags: &[&str]) -> Command {
    let man = lab.path().join("man");
    let written = lab.sparring(&["manual", man.to_str().unwrap()]);
    assert_eq!(written.code, 0, "{written:?}");
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/package.py");
    let mut command = Command::new("python3");
    command
        .arg(tool)
        .arg(what)
        .arg("--programs")
        .arg(programs())
        .arg("--man")
        .arg(man)
        .arg("--out")
        .arg(out)
        .args(flags)
        .env_remove("SOURCE_DATE_EPOCH");
    command
}

fn programs() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_sparring")).parent().unwrap()
}

/// The libtorch that the worker was built with.
fn libtorch() -> PathBuf {
    let worker = fs::read(programs().join("sparring-worker")).unwrap();
    let elf = goblin::elf::Elf::parse(&worker).unwrap();
    let libraries = elf.runpaths[0].rsplit(':').next().unwrap();
    Path::new(libraries)
        .parent()
        .unwrap()
        .canonicalize()
        .unwrap()
}

/// The only file in a folder with this ending.
fn only(folder: &Path, ending: &str) -> PathBuf {
    let files = fs::read_dir(folder).unwrap();
    let mut files = files.map(|entry| entry.unwrap().path());
    let found = files.find(|file| file.to_str().unwrap().ends_with(ending));
    found.unwrap_or_else(|| panic!("no {ending} in {}", folder.display()))
}

/// Flags of a run that takes a moment.
const TINY: [&str; 10] = [
    "train",
    "--headless",
    "--name",
    "otter",
    "--steps",
    "20",
    "--set",
    "preset=tutorial",
    "--set",
    "generator.hidden=[16]",
];

/// Trains a tiny run with an installed face, and samples from it.
fn spar(lab: &Lab, face: &Path) {
    let data = lab.data();
    let train = [&TINY[..], &["--data", data.to_str().unwrap()]].concat();
    let said = Said::by(&mut lab.command_of(face, &train));
    assert_eq!(said.code, 0, "{said:?}");
    let said = Said::by(&mut lab.command_of(face, &["sample", "otter", "-n", "4"]));
    assert_eq!(said.code, 0, "{said:?}");
    assert!(!said.out.is_empty(), "{said:?}");
}

/// The doctor of an installed face finds a libtorch, and nothing in the way of training.
fn is_well(lab: &Lab, face: &Path) {
    let said = Said::by(&mut lab.command_of(face, &["doctor", "--device", "cpu", "--json"]));
    assert_eq!(said.code, 0, "{said:?}");
    let found: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let version = &found["worker"]["examination"]["libtorch"]["version"];
    assert!(version.as_str().unwrap().starts_with("2.13."), "{found}");
}

#[test]
fn a_wheel_beside_pytorch_trains_with_its_libtorch() {
    let lab = Lab::new();
    let wheels = packed(&lab, "wheel", "wheels", &[]);
    let wheel = only(&wheels, ".whl");
    let name = wheel.file_name().unwrap().to_str().unwrap();
    assert!(
        name.starts_with(concat!(
            "sparring-",
            env!("CARGO_PKG_VERSION"),
            "-py3-none-manylinux_2_"
        )),
        "{name}"
    );
    torch_wheel(&wheels);
    let Some(environment) = Environment::new(&lab) else {
        println!("skipped: python3 has no venv module (Debian: apt install python3-venv)");
        return;
    };
    let whole = environment.python(&["-m", "zipfile", "-t", wheel.to_str().unwrap()]);
    assert!(whole.out.starts_with("Done"), "{whole:?}");
    environment.pip(&[
        "install",
        "--no-index",
        "--find-links",
        wheels.to_str().unwrap(),
        "sparring",
    ]);
    environment.pip(&["check"]);
    environment.lend_libtorch(&libtorch());
    assert!(
        environment
            .path("share/man/man1/sparring-train.1")
            .is_file()
    );
    let licences = environment.packages().join(concat!(
        "sparring-",
        env!("CARGO_PKG_VERSION"),
        ".dist-info/licenses"
    ));
    assert_eq!(fs::read_dir(licences).unwrap().count(), 4);

    let face = environment.path("bin/sparring");
    spar(&lab, &face);
    is_well(&lab, &face);

    // As pipx and uv do.
    let link = lab.path().join("sparring-link");
    std::os::unix::fs::symlink(&face, &link).unwrap();
    is_well(&lab, &link);

    // As in an environment made with --system-site-packages: Python knows where PyTorch is.
    environment.move_torch(&lab.path().join("system"));
    is_well(&lab, &face);

    environment.forget_torch();
    let said = Said::by(&mut lab.command_of(&face, &["train"]));
    said.refused(
        3,
        &format!(
            "error: sparring-worker needs the libtorch of PyTorch 2.13, and the Python of {} has no PyTorch: run `pip \
             install 'torch==2.13.*'` in that environment",
            environment.path("").display().to_string().trim_end_matches('/')
        ),
    );
}

#[test]
fn tools_that_give_each_program_an_environment_install_the_wheel() {
    let lab = Lab::new();
    let installers = installers(&lab);
    if installers.is_empty() {
        println!("skipped: there is neither uv nor pipx");
        return;
    }
    let wheels = packed(&lab, "wheel", "wheels", &[]);
    torch_wheel(&wheels);
    for installer in installers {
        let environment = installer.install(&wheels);
        environment.lend_libtorch(&libtorch());
        is_well(&lab, &installer.face());
    }
}

#[test]
fn the_same_programs_make_the_same_packages() {
    let lab = Lab::new();
    // As much of a libtorch as it takes: a library that needs those of the compiler.
    let stand_in = lab.path().join("libtorch");
    fs::create_dir_all(stand_in.join("lib")).unwrap();
    fs::copy(
        libtorch().join("lib/libc10.so"),
        stand_in.join("lib/libc10.so"),
    )
    .unwrap();
    let of_stand_in = ["--libtorch", stand_in.to_str().unwrap(), "--level", "0"];
    for (what, flags, ending) in [
        ("wheel", &[][..], ".whl"),
        ("dist", &of_stand_in[..], ".tar.xz"),
    ] {
        let made = |name: &str| {
            let out = packed(&lab, what, name, flags);
            fs::read(only(&out, ending)).unwrap()
        };
        assert!(made("once") == made("twice"), "{what}");
    }

    let tarball = only(&lab.path().join("once"), ".tar.xz");
    let unpack = ["-xJf", tarball.to_str().unwrap()];
    let tar = Said::by(
        lab.command_of(Path::new("tar"), &unpack)
            .current_dir(lab.path()),
    );
    assert_eq!(tar.code, 0, "{tar:?}");
    let unpacked = tarball.file_name().unwrap().to_str().unwrap();
    let unpacked = lab.path().join(unpacked.trim_end_matches(".tar.xz"));
    let check = ["--check", "--quiet", "--strict", "SHA256SUMS"];
    let sums = Said::by(
        lab.command_of(Path::new("sha256sum"), &check)
            .current_dir(&unpacked),
    );
    assert_eq!(sums.code, 0, "{sums:?}");

    // Neither symbols nor the place of the build's libtorch come along.
    for program in ["sparring", "sparring-worker"] {
        let bytes = fs::read(unpacked.join("bin").join(program)).unwrap();
        let elf = goblin::elf::Elf::parse(&bytes).unwrap();
        assert_eq!(elf.runpaths, ["$ORIGIN/../lib/sparring/torch/lib"]);
        assert_eq!(elf.syms.len(), 0);
        let built_with = libtorch().join("lib").display().to_string();
        let inside = |text: &str| {
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        assert!(!inside(&built_with), "{program}");
    }
}

#[test]
fn what_cannot_be_packed_is_said_in_one_line() {
    let lab = Lab::new();
    let out = lab.path().join("out");
    let said = |what, flags: &[&str]| Said::by(&mut packing(&lab, what, &out, flags));
    let nowhere = lab.path().join("nowhere");
    let nowhere = nowhere.to_str().unwrap();
    said("wheel", &["--programs", nowhere]).refused(
        1,
        &format!("error: there is no {nowhere}/sparring-worker: run `make build`"),
    );
    said("wheel", &["--man", nowhere]).refused(
        1,
        &format!("error: no manual pages in {nowhere}: run `make man`"),
    );
    let mut dated = packing(&lab, "wheel", &out, &[]);
    Said::by(dated.env("SOURCE_DATE_EPOCH", "yesterday")).refused(
        1,
        "error: SOURCE_DATE_EPOCH=yesterday: give seconds since 1970, or unset it",
    );
}

#[test]
fn the_tarball_trains_on_a_linux_that_has_only_glibc() {
    let lab = Lab::new();
    let Some(linux) = BareLinux::new() else {
        println!("skipped: this user may neither mount nor change the root of a process");
        return;
    };
    packed(
        &lab,
        "dist",
        linux.path("opt").to_str().unwrap(),
        &["--tree"],
    );
    let tree = only(&linux.path("opt"), "-linux");
    linux.add_glibc(&tree.join("bin/sparring-worker"));
    let inside = tree.strip_prefix(linux.path("")).unwrap();
    let face = Path::new("/").join(inside).join("bin/sparring");
    let said = linux.run(&face, &[&TINY[..], &["--data", "mnist"]].concat());
    assert_eq!(said.code, 0, "{said:?}");
    let said = linux.run(&face, &["sample", "otter", "-n", "4"]);
    assert_eq!((said.code, said.out.is_empty()), (0, false), "{said:?}");
}
