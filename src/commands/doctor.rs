//! `sparring doctor`

use anyhow::bail;
use sparring_contract::config::{Request, Setting, resolve, user_file};
use sparring_contract::launch::Launch;
use sparring_contract::output::{say, say_json};
use sparring_contract::protocol::{Examination, Task, TaskReply};
use sparring_contract::run::Home;
use sparring_contract::{BUILD_ID, exit};

use super::answer;
use super::train::usable_cores;
use crate::cli::Doctor;
use crate::client::{TaskWorker, worker};
use crate::doctor::{
    Findings, Folder, Logout, MachineFacts, Settings, TerminalFacts, WorkerFacts, words,
};
use crate::terminal::Environment;

/// Says what training would find here. The exit code tells whether it would work.
pub(super) fn doctor(home: &Home, flags: &Doctor) -> anyhow::Result<u8> {
    let (settings, device) = settings(flags);
    let examined = examine(&device);
    let findings = Findings {
        version: env!("CARGO_PKG_VERSION"),
        build: BUILD_ID,
        worker: WorkerFacts {
            failure: examined.as_ref().err().map(|error| format!("{error:#}")),
            examination: examined.ok(),
        },
        machine: MachineFacts::look(),
        terminal: TerminalFacts::of(&Environment::of(&std::io::stdout()).asked()),
        settings,
        folders: Folder::look(home),
        logout: Logout::look(),
    };
    let problems = findings.problems();
    if flags.json {
        let mut all = serde_json::to_value(&findings)?;
        all["problems"] = problems.clone().into();
        say_json(&all.to_string())?;
    } else {
        let (width, unicode) = (findings.terminal.columns, findings.terminal.unicode);
        for line in words::lines(&findings, width, unicode) {
            say(&line)?;
        }
    }
    Ok(if problems.is_empty() {
        exit::SUCCESS
    } else {
        exit::FAILURE
    })
}

/// The user's configuration, and the device that it or the flag asks for.
fn settings(flags: &Doctor) -> (Settings, String) {
    let file = user_file();
    let device = flags.device.as_deref();
    let request = Request {
        user_file: file.clone(),
        settings: device
            .map(|device| Setting::flag("--device", "device", device))
            .into_iter()
            .collect(),
        ..Request::default()
    };
    let resolved = resolve(&request).map(|resolved| resolved.config);
    let threads = resolved.as_ref().map_or(0, |config| config.threads);
    let settings = Settings {
        exists: file.as_ref().is_some_and(|file| file.exists()),
        file,
        failure: resolved.as_ref().err().map(ToString::to_string),
        threads: if threads == 0 {
            usable_cores()
        } else {
            threads
        },
    };
    let asked = resolved.map(|config| config.device);
    // With a broken configuration there is still something to learn about the devices.
    (settings, asked.unwrap_or_else(|_| "auto".to_owned()))
}

fn examine(device: &str) -> anyhow::Result<Examination> {
    let task = Task::Examine {
        device: device.to_owned(),
    };
    match answer::answer(TaskWorker::start(worker(&Launch::Task)?, &task)?)? {
        TaskReply::Examination(found) => Ok(*found),
        _ => bail!("the worker's answer makes no sense: no examination"),
    }
}
