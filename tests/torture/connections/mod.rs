//! Real connections to a run that break, block and come in crowds: ssh, tmux and screen; and how much of the training's
//! speed a crowd of faces costs.

mod crowd;
mod elsewhere;
mod endless;
mod multiplexers;
mod resizes;
mod ssh;

use std::time::Duration;

use multiplexers::{Screen, Tmux};

pub use endless::last_step;

use crate::part::{Miss, Outcome, Part};
use crate::rig::Rig;

/// Connections.
pub struct Connections;

impl Part for Connections {
    fn name(&self) -> &'static str {
        "connections"
    }

    fn about(&self) -> &'static str {
        "ssh, tmux and screen that break and block, sizes that change all the time, crowds of faces"
    }

    fn weight(&self) -> u32 {
        15
    }

    fn at_once(&self) -> usize {
        // One of them measures.
        1
    }

    fn cases(&self, _rig: &Rig, _seed: u64, round: u64) -> Vec<String> {
        let words = [
            "crowd:60",
            "ssh-dropped",
            "ssh-blocked",
            "tmux",
            "screen",
            "resizes",
        ];
        let words = words.iter().filter(|_| round == 0);
        words.map(|&word| word.to_owned()).collect()
    }

    fn run(&self, rig: &Rig, case: &str) -> Outcome {
        let site = rig.site();
        match case {
            "ssh-dropped" => ssh::dropped(rig, &site),
            "ssh-blocked" => ssh::blocked(rig, &site),
            "tmux" => multiplexers::broken(rig, &site, &Tmux::at(&site)),
            "screen" => multiplexers::broken(rig, &site, &Screen::at(&site)),
            "resizes" => resizes::many(&site),
            _ => match case.strip_prefix("crowd:").map(str::parse) {
                Some(Ok(seconds)) => crowd::comes_and_goes(&site, Duration::from_secs(seconds)),
                _ => Err(Miss::Wrong(format!("there is no case `{case}`"))),
            },
        }
    }
}
