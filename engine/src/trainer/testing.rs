//! What the trainer's tests share.

use std::time::Duration;

use sparring_contract::config::{Config, Request, Setting, resolve};
use sparring_contract::protocol::{Event, Pictures};
use tch::Device;

use super::clock::Clock;
use super::event_sink::EventSink;
use crate::data::{Dataset, Images};
use crate::gan::Session;

/// Small networks on the CPU, with a few settings of the test's own.
pub(crate) fn config(settings: &[&str]) -> Config {
    let small = [
        "device=cpu",
        "batch_size=8",
        "latent_dim=4",
        "generator.hidden=[6]",
        "discriminator.hidden=[6]",
    ];
    let settings = small
        .iter()
        .chain(settings)
        .map(|text| Setting::parse(text).unwrap())
        .collect();
    let request = Request {
        preset: Some("tutorial".to_owned()),
        settings,
        ..Request::default()
    };
    resolve(&request).unwrap().config
}

/// A session of this configuration on 64 images of 8×8 pixels, eight steps an epoch.
pub(crate) fn session_of(config: &Config) -> Session {
    let images = Images {
        count: 64,
        channels: 1,
        height: 8,
        width: 8,
        pixels: (0..64 * 64)
            .map(|pixel: u32| (pixel * 37 % 251) as u8)
            .collect(),
    };
    Session::new(config, Dataset::on(Device::Cpu, &images))
}

/// A session of small networks.
pub(super) fn session(settings: &[&str]) -> Session {
    session_of(&config(settings))
}

/// A clock on which no time passes.
pub(super) struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

/// Takes no notice of what happens.
pub(super) struct Discard;

impl EventSink for Discard {
    fn emit(&self, _event: Event) {}

    fn record(&self, _event: Event) -> std::io::Result<()> {
        Ok(())
    }

    fn show(&self, _pictures: Pictures) {}

    fn configure(&self, _config: String) {}

    fn is_watched(&self) -> bool {
        false
    }
}
