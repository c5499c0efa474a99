//! The walls of the house (docs/ARCHITECTURE.md). Cargo holds those between packages; these hold the rest.

use std::fs;
use std::path::{Path, PathBuf};

/// Rooms, and what their sources must not name.
const WALLS: &[(&str, &[&str])] = &[
    (
        "contract/src",
        &["tch", "ratatui", "crossterm", "tokio", "clap"],
    ),
    (
        "engine/src/data",
        &[
            "crate::gan",
            "crate::eval",
            "crate::worker",
            "tokio",
            "std::time",
            "indicatif",
        ],
    ),
    (
        "engine/src/nn",
        &[
            "crate::gan",
            "crate::optim",
            "crate::data",
            "crate::judge",
            "crate::worker",
            "sparring_contract",
            "tokio",
            "std::time",
            "indicatif",
        ],
    ),
    (
        "engine/src/optim",
        &[
            "crate::gan",
            "crate::data",
            "crate::judge",
            "crate::worker",
            "tokio",
            "std::time",
            "indicatif",
        ],
    ),
    (
        "engine/src/gan",
        &[
            "crate::worker",
            "crate::eval",
            "tokio",
            "std::time",
            "indicatif",
        ],
    ),
    (
        "engine/src/eval",
        &[
            "crate::worker",
            "crate::gan",
            "tokio",
            "std::time",
            "indicatif",
        ],
    ),
    (
        "engine/src/native",
        &[
            "crate::worker",
            "crate::gan",
            "crate::eval",
            "crate::data",
            "tokio",
        ],
    ),
    ("engine/src", &["ratatui", "crossterm", "clap"]),
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
        "src/dashboard",
        &[
            "crate::attach",
            "crate::client",
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

fn sources(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .collect()
}

/// Whether a line of code names a path, such as `tch` in `use tch::Tensor;`.
fn names(line: &str, path: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices(path).any(|(at, _)| {
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let before = code[..at].chars().next_back().is_none_or(|c| !word(c));
        let after = &code[at + path.len()..];
        before && (after.starts_with("::") || after.starts_with([';', ',', '}']))
    })
}

#[test]
fn no_room_names_what_it_must_not_know() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut broken = Vec::new();
    for (room, forbidden) in WALLS {
        for file in sources(&root.join(room)) {
            for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
                for path in forbidden.iter().filter(|path| names(line, path)) {
                    broken.push(format!("{}:{}: {path}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(broken.is_empty(), "walls broken:\n{}", broken.join("\n"));
}

#[test]
fn a_wall_that_is_broken_is_seen() {
    assert!(names("use tch::Tensor;", "tch"));
    assert!(names("    let x = crate::worker::run();", "crate::worker"));
    assert!(!names("use fetch::Thing;", "tch"));
    assert!(!names("// use tch::Tensor;", "tch"));
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
