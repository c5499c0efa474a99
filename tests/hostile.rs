//! Text from outside commands no terminal: every command, with hostile text in every argument and in everything it reads.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::process::{Command, Output};

use clap::{Arg, CommandFactory as _};
use sparring::cli::Cli;
use sparring_contract::protocol::{Event, Record};
use sparring_contract::run::EventLog;
use sparring_contract::text::printable;

use crate::actor::started;
use crate::lab::{Lab, idx_header, output};

/// Sets the clipboard, clears the screen, goes back over the line, begins a line of its own, and turns letters round.
const HOSTILE: &str = "x\x1b]52;c;aGk=\x07\x1b[2J\r\x08\nforged\u{9b}2J\u{202e}\u{200b}y";

/// Asserts that a terminal would show what a program printed, and do nothing else.
#[track_caller]
fn only_text(command: &Command, output: &Output) {
    for bytes in [&output.stdout, &output.stderr] {
        let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("{command:?}: {output:?}"));
        for line in text.lines() {
            assert_eq!(line, printable(line), "{command:?}");
            assert!(!line.starts_with("forged"), "{command:?}: {text}");
        }
    }
}

/// Runs a command, whatever becomes of it, and asserts that it prints only text.
#[track_caller]
fn runs(lab: &Lab, words: &[&OsStr]) {
    let mut command = lab.command(&[]);
    // Some of the words are paths that are written to.
    let output = output(command.args(words).current_dir(lab.path()));
    only_text(&command, &output);
}

/// A lab with a run that has ended.
fn lab() -> Lab {
    let lab = Lab::new();
    assert_eq!(lab.train(&["--name", "otter", "--steps", "4"]).code, 0);
    lab
}

/// The commands that have none below them, each with the words that lead to it.
fn leaves(command: &clap::Command, path: &[String]) -> Vec<(Vec<String>, clap::Command)> {
    let mut found = Vec::new();
    for below in command.get_subcommands() {
        let path = [path, &[below.get_name().to_owned()]].concat();
        found.extend(leaves(below, &path));
    }
    if !path.is_empty() && !command.is_subcommand_required_set() {
        found.push((path.to_vec(), command.clone()));
    }
    found
}

/// What keeps a command short that would otherwise go on.
fn brief<'a>(path: &[String], argument: &str, data: &'a str) -> Vec<&'a str> {
    if path != ["train"] {
        return Vec::new();
    }
    [
        ("headless", &["--headless"][..]),
        ("steps", &["--steps", "1"]),
        ("preset", &["--preset", "tutorial"]),
        ("set", &["--set", "generator.hidden=[4]"]),
        ("data", &["--data"]),
    ]
    .into_iter()
    .filter(|(name, _)| {
        let json = argument == "json" && *name == "headless";
        *name != argument && !json && !(argument == "resume" && *name != "headless")
    })
    .flat_map(|(name, words)| {
        let value = (name == "data").then_some(data);
        words.iter().copied().chain(value)
    })
    .collect()
}

#[test]
fn no_argument_of_any_command_reaches_the_terminal_raw() {
    let lab = lab();
    let data = lab.data();
    let data = data.to_str().unwrap();
    let no_text = OsString::from_vec(b"x\xff\x1b[2J".to_vec());
    let mut root = Cli::command();
    root.build();
    let mut tried = 0;
    for (path, command) in leaves(&root, &[]) {
        let words: Vec<&OsStr> = path.iter().map(OsStr::new).collect();
        let takes_value = |argument: &&Arg| argument.get_action().takes_values();
        for argument in command.get_arguments().filter(takes_value) {
            let name = argument.get_id().as_str();
            let flag = argument.get_long().map(|long| format!("--{long}"));
            let brief = brief(&path, argument.get_long().unwrap_or(name), data);
            for value in [OsStr::new(HOSTILE), &no_text] {
                let mut all = words.clone();
                all.extend(brief.iter().copied().map(OsStr::new));
                all.extend(flag.as_deref().map(OsStr::new));
                all.push(value);
                runs(&lab, &all);
                tried += 1;
            }
        }
        runs(
            &lab,
            &[&words[..], &[OsStr::new(&format!("--{HOSTILE}"))]].concat(),
        );
    }
    runs(&lab, &[OsStr::new(HOSTILE)]);
    runs(&lab, &[&no_text]);
    assert!(tried > 100, "{tried}");
}

#[test]
fn nothing_in_a_forged_run_reaches_the_terminal_raw() {
    let lab = lab();
    let run = lab.run("otter");
    let mut log = EventLog::open(&run.events_file()).unwrap();
    let mut begun = started(&run);
    if let Event::Started(started) = &mut begun.event {
        for text in [
            &mut started.run,
            &mut started.preset,
            &mut started.data,
            &mut started.device,
        ] {
            HOSTILE.clone_into(text);
        }
        started.class_names = vec![HOSTILE.to_owned(); 2];
        for metric in &mut started.metrics {
            HOSTILE.clone_into(&mut metric.label);
            HOSTILE.clone_into(&mut metric.explanation);
        }
        started.directory = HOSTILE.into();
    }
    let mut append = |event| {
        log.append(&Record { event, time: 1.0 }).unwrap();
    };
    append(begun.event);
    let text = HOSTILE.to_owned();
    append(Event::Note {
        step: 1,
        text: text.clone(),
    });
    append(Event::Warning {
        step: 1,
        message: text.clone(),
    });
    append(Event::Alarm {
        step: 1,
        message: text.clone(),
    });
    append(Event::Set {
        step: 1,
        key: text.clone(),
        value: text.into(),
    });
    // Whatever is a line of this file may be one on the terminal.
    let lines = HOSTILE.replace('\n', "");
    fs::write(run.worker_log(), format!("{lines}\n{lines}\u{85}\n")).unwrap();
    fs::write(run.presence_file(), HOSTILE).unwrap();
    for words in [
        &["logs", "otter"][..],
        &["logs", "otter", "--json"],
        &["logs", "otter", "--worker"],
        &["runs"],
        &["runs", "--json"],
        &["wait", "otter"],
        &["attach", "otter"],
        &["pause", "otter"],
        &["sample", "otter", "-n", "1"],
        &["train", "--resume", "otter", "--headless"],
    ] {
        runs(&lab, &words.iter().map(OsStr::new).collect::<Vec<_>>());
    }

    fs::write(run.config_file(), format!("preset = {:?}\n", "x\u{9b}2J")).unwrap();
    for words in [&["train", "--resume", "otter"][..], &["runs"]] {
        runs(&lab, &words.iter().map(OsStr::new).collect::<Vec<_>>());
    }
}

#[test]
fn nothing_in_a_hostile_data_set_reaches_the_terminal_raw() {
    let lab = lab();
    let data = lab.path().join(HOSTILE);
    let pixels = vec![90; 28 * 28];
    for class in [HOSTILE, "plain"] {
        let folder = data.join(class);
        fs::create_dir_all(&folder).unwrap();
        for picture in 0..8 {
            let name = folder.join(format!("{HOSTILE}{picture}.pgm.png"));
            let file = fs::File::create(name).unwrap();
            let mut encoder = png::Encoder::new(file, 28, 28);
            encoder.set_color(png::ColorType::Grayscale);
            let mut writer = encoder.write_header().unwrap();
            writer.write_image_data(&pixels).unwrap();
        }
        fs::write(folder.join(format!("{HOSTILE}.png")), "no picture").unwrap();
    }
    let broken = lab.path().join(format!("{HOSTILE}.npz"));
    fs::write(&broken, idx_header(1, &[2])).unwrap();
    let config = lab.path().join(format!("{HOSTILE}.toml"));
    fs::write(&config, format!("{:?} = 1\n", "key\u{9b}2J")).unwrap();
    let (data, broken, config) = (data.as_os_str(), broken.as_os_str(), config.as_os_str());
    for words in [
        &[OsStr::new("data"), OsStr::new("info"), data][..],
        &[OsStr::new("data"), OsStr::new("info"), broken],
        &[OsStr::new("judge"), OsStr::new("train"), broken],
        &[OsStr::new("judge"), OsStr::new("list")],
        &[
            OsStr::new("config"),
            OsStr::new("show"),
            OsStr::new("--config"),
            config,
        ],
        &[
            OsStr::new("train"),
            OsStr::new("--headless"),
            OsStr::new("--steps"),
            OsStr::new("1"),
            OsStr::new("--data"),
            data,
        ],
        &[OsStr::new("eval"), OsStr::new("--samples"), broken],
    ] {
        runs(&lab, words);
    }
}
