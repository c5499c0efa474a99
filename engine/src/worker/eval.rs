//! The task of judging pictures.

use std::io::Write;

use sparring_contract::protocol::{FrameError, Report, Subject, TaskReply, write_frame};
use sparring_contract::run::CheckpointHeader;
use tch::{Device, Tensor};

use super::draw::{Drawn, draw};
use crate::data::Images;
use crate::gan::round_robin;
use crate::judge::{PICTURES, Yardstick};

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
    let (pictures, asked, data) = match subject {
        Subject::Checkpoint { path, seed, device } => {
            let header = CheckpointHeader::read(path)?;
            doing("drawing pictures");
            let how = Drawn {
                seed: *seed,
                class: None,
                device: device.clone(),
            };
            let drawn: Vec<_> = draw(path, &header, PICTURES.unsigned_abs(), &how)?
                .map(|some| some.to_device(Device::Cpu))
                .collect();
            let asked = round_robin(0, PICTURES, header.config.classes.cast_signed());
            (Tensor::cat(&drawn, 0), asked, header.config.data)
        }
        Subject::Samples { path, data } => {
            (Images::load_samples(path)?.tensor(), None, data.clone())
        }
    };
    let yardstick = Yardstick::new(&data, doing)?;
    Ok(yardstick.measure(&pictures, asked.as_ref(), doing)?)
}
