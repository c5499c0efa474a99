//! The two programs as a user meets them: real processes, real files.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod actor;
mod asked;
mod attach;
mod attached;
mod command_line;
mod completion;
mod crowd;
mod dashboard;
mod data;
mod dataset;
#[cfg(target_os = "linux")]
mod device;
mod disk;
mod docs;
mod doctor;
mod eval;
mod guard;
mod health;
mod hostile;
mod keyboard;
mod lab;
mod latent;
mod layers;
mod live;
#[cfg(target_os = "linux")]
mod packages;
mod races;
mod readme;
mod runs;
mod sampling;
mod security;
mod terminal;
mod training;
mod unpaired;
mod uses;

// What `make torture` runs for half an hour, and a few cases of it. It preloads a library, as Linux can.
#[cfg(target_os = "linux")]
#[path = "torture/faults.rs"]
#[allow(dead_code)] // the torture uses all of it
mod faults;
#[cfg(target_os = "linux")]
#[path = "torture/part.rs"]
#[allow(dead_code)]
mod part;
#[cfg(target_os = "linux")]
#[path = "torture/rig/mod.rs"]
#[allow(dead_code, unused_imports)]
mod rig;
#[cfg(target_os = "linux")]
#[path = "torture/quick.rs"]
mod torture;
