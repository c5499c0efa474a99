//! Mutated examples of everything that is read here from files and sockets.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sparring_fuzz::fuzz;
use tempfile::TempDir;

use crate::config::{Config, Setting, keymap};
use crate::protocol::{
    Event, Frame, MAX_ATTACHMENT, MAX_HEADER, Message, Record, Task, TaskReply, ToFace, ToWorker,
    encode, encode_hello, read_frame,
};
use crate::run::{CheckpointHeader, EventLog, Run, read_records, read_tail, seal};
use crate::text::{printable, printable_json};

/// A folder in which one file comes again and again with other bytes.
struct Place {
    folder: TempDir,
    name: &'static str,
}

impl Place {
    fn of(name: &'static str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            name,
        }
    }

    fn with(&self, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(self.name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

/// A message that was understood means the same after it was sent on.
fn goes_round<M: Message>(message: &M) {
    let Ok(sent) = encode(message) else { return };
    let again: M = read_frame(&mut sent.as_slice()).unwrap().unwrap();
    assert_eq!(encode(&again).unwrap(), sent);
}

fn read_as<M: Message>(bytes: &[u8]) -> bool {
    let mut is_understood = false;
    if let Ok(Some(frame)) = Frame::first::<M>(bytes) {
        assert!(frame.length() <= bytes.len().min(8 + MAX_HEADER + MAX_ATTACHMENT));
        if let Ok(message) = frame.message::<M>() {
            goes_round(&message);
            is_understood = true;
        }
    }
    let mut left = bytes;
    while let Ok(Some(message)) = read_frame::<M>(&mut left) {
        goes_round(&message);
    }
    is_understood
}

#[test]
fn frames() {
    fuzz("frames", |bytes| {
        let understood = [
            read_as::<ToWorker>(bytes),
            read_as::<ToFace>(bytes),
            read_as::<Task>(bytes),
            read_as::<TaskReply>(bytes),
        ];
        let hello = Frame::hello(bytes).ok().flatten();
        let hello: Option<ToWorker> = hello.and_then(|hello| hello.message().ok());
        if let Some(hello) = &hello {
            encode_hello(hello).unwrap();
        }
        understood.contains(&true) || hello.is_some()
    });
}

#[test]
fn a_checkpoints_header() {
    let place = Place::of("step-000000006.safetensors");
    fuzz("checkpoint", |bytes| {
        // With a digest that fits, or nothing behind it would ever be looked at.
        let mut bytes = bytes.to_vec();
        seal(&mut bytes);
        let path = place.with(&bytes);
        if let Ok(header) = CheckpointHeader::read(&path) {
            header.to_metadata().unwrap();
        }
        CheckpointHeader::read_intact(&path).is_ok()
    });
}

#[test]
fn a_configuration() {
    let place = Place::of("config.toml");
    fuzz("config", |bytes| {
        let path = place.with(bytes);
        let loaded = Config::load(&path);
        if let Ok(config) = &loaded {
            let text = config.to_toml().unwrap();
            let again = Config::parse(&text, Path::new("again")).unwrap();
            assert_eq!(again.to_toml().unwrap(), text);
        }
        let _ = keymap(&path);
        let text = String::from_utf8_lossy(bytes);
        for line in text.lines() {
            let _ = Setting::parse(line);
        }
        loaded.is_ok()
    });
}

#[test]
fn a_log() {
    let place = Place::of("events.jsonl");
    let config = include_bytes!("../../fuzz/corpus/config/run.toml");
    fs::write(place.folder.path().join("config.toml"), config).unwrap();
    fuzz("events", |bytes| {
        let path = place.with(bytes);
        let run = Run::open(place.folder.path()).unwrap();
        let _ = run.status();
        let _ = run.presence();
        let before = read_records(&path).len();
        read_tail(&path);
        let mut log = EventLog::open(&path).unwrap();
        let event = Event::Note {
            step: 1,
            text: "after".to_owned(),
        };
        log.append(&Record { event, time: 1.0 }).unwrap();
        drop(log);
        let after = fs::read(&path).unwrap();
        assert!(after.ends_with(b"\n"));
        let records = read_records(&path);
        assert!(records.len() > before);
        assert!(
            matches!(&records.last().unwrap().event, Event::Note { text, .. } if text == "after")
        );
        before > 0
    });
}

#[test]
fn what_a_worker_leaves_for_faces() {
    let place = Place::of("worker.json");
    let config = include_bytes!("../../fuzz/corpus/config/run.toml");
    fs::write(place.folder.path().join("config.toml"), config).unwrap();
    fuzz("presence", |bytes| {
        place.with(bytes);
        let run = Run::open(place.folder.path()).unwrap();
        let presence = run.presence();
        if let Some(presence) = &presence {
            presence.is_here();
        }
        fs::File::create(place.folder.path().join("failure.json"))
            .and_then(|mut file| file.write_all(bytes))
            .unwrap();
        run.failure_of(1).is_some() || presence.is_some()
    });
}

#[test]
fn lines_for_a_terminal() {
    fuzz("lines", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let shown = printable(&text);
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
        assert_eq!(printable(&shown), shown);
        for line in text.lines() {
            if serde_json::from_str::<serde_json::Value>(line).is_ok() {
                let shown = printable_json(line);
                assert!(!shown.chars().any(char::is_control), "{shown:?}");
                assert_eq!(
                    serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
                    serde_json::from_str::<serde_json::Value>(line).unwrap()
                );
            }
        }
        true
    });
}
