//! The task of judging pictures.

use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use sparring_contract::protocol::{FrameError, Report, Subject, TaskReply, write_frame};
use sparring_contract::run::CheckpointHeader;
use tch::{Device, Tensor};

use super::checkpoint;
use crate::data::Images;
use crate::gan::{Noise, Painter};
use crate::judge::{PICTURES, Yardstick, chunks};
use crate::native;

/// Pictures that are drawn in one go, as for `sparring sample`: the same seed gives the same pictures.
const CHUNK: i64 = 256;

/// Judges a subject, and says meanwhile what it is doing.
pub(super) fn eval(out: &mut impl Write, subject: &Subject) -> anyhow::Result<()> {
    let mut wire = Ok(());
    let mut doing = |words: &str| {
        let progress = TaskReply::Progress {
            doing: words.to_owned(),
        };
        // Whether anybody still listens is asked once, with the report.
        wire = say(out, &progress);
    };
    let report = judge(subject, &mut doing)?;
    wire?;
    say(out, &TaskReply::Report(Box::new(report)))?;
    Ok(())
}

fn say(out: &mut impl Write, reply: &TaskReply) -> Result<(), FrameError> {
    write_frame(out, reply)?;
    Ok(out.flush()?)
}

fn judge(subject: &Subject, doing: &mut dyn FnMut(&str)) -> anyhow::Result<Report> {
    let (pictures, data) = match subject {
        Subject::Checkpoint { path, seed, device } => {
            let header = CheckpointHeader::read(path)?;
            doing("drawing pictures");
            let pictures = draw(path, &header, *seed, device)?;
            (pictures, header.config.data)
        }
        Subject::Samples { path, data } => (Images::load_samples(path)?.tensor(), data.clone()),
    };
    let yardstick = Yardstick::new(&data, doing)?;
    Ok(yardstick.measure(&pictures, doing)?)
}

/// 10,000 pictures of a checkpoint's generator, on the CPU, rounded to bytes.
fn draw(path: &Path, header: &CheckpointHeader, seed: u64, device: &str) -> anyhow::Result<Tensor> {
    let device = native::device(device)?;
    let unreadable = || format!("cannot read {}", path.display());
    let snapshot = checkpoint::load(path, header).with_context(unreadable)?;
    let painter =
        Painter::new(&header.config, header.shape, &snapshot, device).with_context(unreadable)?;
    let mut noise = Noise::seeded(seed, header.config.latent_dim);
    let drawn: Vec<_> = chunks(PICTURES, CHUNK)
        .map(|(_, length)| painter.paint(&noise.draw(length)).to_device(Device::Cpu))
        .collect();
    Ok(Tensor::cat(&drawn, 0))
}
