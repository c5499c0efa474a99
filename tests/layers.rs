//! The walls between the rooms (docs/ARCHITECTURE.md). Cargo holds those between packages; these tests hold the rest.

mod paths;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use paths::{Source, cycles, dependencies, sources};

/// Rooms, and what their sources must not name.
const WALLS: &[(&str, &[&str])] = &[
    (
        "contract/src",
        &["tch", "ratatui", "crossterm", "tokio", "clap"],
    ),
    ("engine/src", &["ratatui", "crossterm", "clap"]),
    (
        "engine/src/native",
        &[
            "crate::data",
            "crate::nn",
            "crate::optim",
            "crate::gan",
            "crate::eval",
            "crate::latent",
            "crate::trainer",
            "crate::worker",
            "tokio",
        ],
    ),
    (
        "engine/src/data",
        &[
            "crate::nn",
            "crate::optim",
            "crate::gan",
            "crate::eval",
            "crate::latent",
            "crate::trainer",
            "crate::worker",
            "tokio",
            "std::time",
            "indicatif",
        ],
    ),
    (
        "engine/src/nn",
        &[
            "crate::data",
            "crate::optim",
            "crate::gan",
            "crate::eval",
            "crate::latent",
            "crate::trainer",
            "crate::worker",
            "tokio",
            "std::time",
            "indicatif",
        ],
    ),
    (
        "engine/src/optim",
        &[
            "crate::data",
            "crate::gan",
            "crate::eval",
            "crate::latent",
            "crate::trainer",
            "crate::worker",
            "tokio",
            "std::time",
            "indicatif",
        ],
    ),
    (
        "engine/src/gan",
        &[
            "crate::eval",
            "crate::latent",
            "crate::trainer",
            "crate::worker",
            "tokio",
            "std::time",
            "indicatif",
        ],
    ),
    (
        "engine/src/eval",
        &[
            "crate::gan",
            "crate::latent",
            "crate::trainer",
            "crate::worker",
            "tokio",
            "std::time",
            "indicatif",
        ],
    ),
    (
        "engine/src/latent",
        &[
            "crate::trainer",
            "crate::worker",
            "tokio",
            "std::time",
            "indicatif",
        ],
    ),
    (
        "engine/src/trainer",
        &[
            "crate::worker",
            "tokio",
            "std::net",
            "std::os",
            "std::env",
            "std::thread",
            "std::time::Instant",
            "std::time::SystemTime",
            "indicatif",
        ],
    ),
    (
        "src/terminal",
        &[
            "crate::dashboard",
            "crate::attach",
            "crate::client",
            "crate::commands",
            "crate::cli",
        ],
    ),
    (
        "src/client",
        &[
            "crate::dashboard",
            "crate::attach",
            "crate::terminal",
            "crate::commands",
            "crate::cli",
            "ratatui",
            "crossterm",
        ],
    ),
    ("src/attach", &["crate::commands", "crate::cli"]),
    (
        "src/doctor",
        &[
            "crate::dashboard",
            "crate::attach",
            "crate::commands",
            "crate::cli",
            "crossterm",
        ],
    ),
    (
        "src/dashboard",
        &[
            "crate::attach",
            "crate::client",
            "crate::clock",
            "crate::commands",
            "crate::cli",
            "std::fs",
            "std::io",
            "std::time",
            "std::thread",
            "tokio",
        ],
    ),
    ("src", &["tch", "sparring_engine"]),
];

/// The roots of the crates.
const CRATES: &[&str] = &["contract/src", "engine/src", "src"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The forbidden paths that a source names.
fn breaches(source: &Source, forbidden: &[&str]) -> BTreeSet<String> {
    let parts = |path: &&str| path.split("::").map(str::to_owned).collect::<Vec<_>>();
    let forbidden: Vec<_> = forbidden.iter().map(parts).collect();
    let is_breach = |path: &[String]| forbidden.iter().any(|wall| path.starts_with(wall));
    source
        .named
        .iter()
        .filter(|named| is_breach(&named.path))
        .map(|named| named.path.join("::"))
        .collect()
}

#[test]
fn no_room_names_what_it_must_not_know() {
    let mut broken = Vec::new();
    for crate_root in CRATES {
        for source in sources(&root().join(crate_root)) {
            for (room, forbidden) in WALLS {
                if source.file.starts_with(root().join(room)) {
                    for path in breaches(&source, forbidden) {
                        broken.push(format!("{} names {path}", source.file.display()));
                    }
                }
            }
        }
    }
    assert!(broken.is_empty(), "walls broken:\n{}", broken.join("\n"));
}

/// What a file of the module `crate::room::file` names.
fn named(text: &str) -> Source {
    let module = ["room", "file"].map(str::to_owned);
    Source::parse(text, &module, PathBuf::from("room/file.rs"))
}

#[test]
fn a_wall_is_broken_by_whatever_way_a_path_is_named() {
    for (text, wall) in [
        ("use tch::Tensor;", "tch"),
        ("use tch;", "tch"),
        ("use ::tch::Tensor;", "tch"),
        ("use crate::{gan};", "crate::gan"),
        ("use crate::{data, gan::{Session, Noise}};", "crate::gan"),
        ("use std::{fs};", "std::fs"),
        (
            "use std::{collections::HashMap, fs::{self, File}};",
            "std::fs",
        ),
        ("use crate::gan as game;", "crate::gan"),
        ("use crate::gan::*;", "crate::gan"),
        ("use super::super::gan::Session;", "crate::gan"),
        (
            "mod inner { use super::super::super::gan::Session; }",
            "crate::gan",
        ),
        ("fn f() { let x = crate::worker::run(); }", "crate::worker"),
        (
            "fn f() { println!(\"{}\", crate::worker::run()); }",
            "crate::worker",
        ),
        ("#[tokio::main] async fn main() {}", "tokio"),
        ("struct S(tch::Tensor);", "tch"),
        ("fn f() -> Option<std::time::Instant> { None }", "std::time"),
    ] {
        assert!(!breaches(&named(text), &[wall]).is_empty(), "{text}");
    }
    for (text, wall) in [
        ("use fetch::Thing;", "tch"),
        ("// use tch::Tensor;", "tch"),
        ("/// A [`tch::Tensor`].\nstruct S;", "tch"),
        ("const TEXT: &str = \"use tch::Tensor;\";", "tch"),
        ("use std::time::Duration;", "std::time::Instant"),
        ("use super::gan::Thing;", "crate::gan"),
    ] {
        assert_eq!(breaches(&named(text), &[wall]), BTreeSet::new(), "{text}");
    }
}

/// The cycles among files of a crate, each as a sorted list of files without their ending.
fn cycles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let sources: Vec<_> = files
        .iter()
        .map(|(path, text)| {
            let mut module: Vec<_> = path.split('/').map(str::to_owned).collect();
            module.pop_if(|last| last == "mod" || last == "lib");
            Source::parse(text, &module, PathBuf::from(path))
        })
        .collect();
    cycles(&dependencies(&sources))
        .into_iter()
        .map(|cycle| {
            cycle
                .iter()
                .map(|file| file.display().to_string())
                .collect()
        })
        .collect()
}

#[test]
fn files_that_name_each_other_are_a_cycle() {
    let crate_of = |a, b, parent| {
        cycles_of(&[
            ("lib", "mod room;"),
            ("room/mod", parent),
            ("room/a", a),
            ("room/b", b),
        ])
    };
    let plain = "mod a; mod b;";
    let both = [["room/a".to_owned(), "room/b".to_owned()]];
    assert_eq!(
        crate_of("use super::b::B;", "use super::a::A;", plain),
        both
    );
    assert_eq!(
        crate_of("use crate::room::b;", "fn f() { super::a::g() }", plain),
        both
    );
    // Through the names that the parent passes on.
    let passing = "mod a; mod b; pub use a::A; pub(crate) use b::{B, C as D};";
    assert_eq!(
        crate_of("use super::B;", "use crate::room::A;", passing),
        both
    );
    assert_eq!(crate_of("use super::D;", "use super::{A};", passing), both);

    // A parent may pass on what its children define, and a child may use what its parent defines, but not both ways.
    let none: [[String; 2]; 0] = [];
    assert_eq!(crate_of("use super::B;", "struct B;", passing), none);
    assert_eq!(
        crate_of(
            "use super::P;",
            "struct B;",
            "mod a; pub use a::A; struct P;"
        ),
        none
    );
    let calling = "mod a; mod b; struct P; fn f() { a::g() }";
    let with_parent = [["room/a".to_owned(), "room/mod".to_owned()]];
    assert_eq!(crate_of("use super::P;", "", calling), with_parent);
    assert_eq!(
        crate_of("use super::P;", "", "mod a; use a::A; struct P;"),
        with_parent
    );
}

#[test]
fn no_files_of_a_crate_name_each_other_in_a_circle() {
    let mut found = BTreeSet::new();
    for crate_root in CRATES {
        let sources = sources(&root().join(crate_root));
        assert!(sources.len() > 5, "{crate_root} was not found");
        for cycle in cycles(&dependencies(&sources)) {
            let names = cycle.iter().map(|file| {
                let inside = file.strip_prefix(root()).unwrap();
                inside.display().to_string()
            });
            found.insert(names.collect::<Vec<_>>());
        }
    }
    assert!(found.is_empty(), "cycles: {found:#?}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_face_needs_no_libtorch_and_the_worker_no_cuda() {
    let face = Path::new(env!("CARGO_BIN_EXE_sparring"));
    let needs = |program: &Path| {
        let bytes = fs::read(program).unwrap();
        let elf = goblin::elf::Elf::parse(&bytes).unwrap();
        elf.libraries
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let of_face = needs(face);
    assert!(
        !of_face
            .iter()
            .any(|name| name.contains("torch") || name.contains("c10") || name.contains("stdc++")),
        "{of_face:?}"
    );
    let of_worker = needs(&face.with_file_name("sparring-worker"));
    assert!(
        of_worker
            .iter()
            .any(|name| name.starts_with("libtorch_cpu")),
        "{of_worker:?}"
    );
    assert!(
        !of_worker.iter().any(|name| name.contains("cuda")),
        "{of_worker:?}"
    );
}
