//! The task of looking at a data set.

use std::io::Write;

use sparring_contract::config::DataSource;
use sparring_contract::protocol::{FrameError, Pictures, Purpose, TaskReply, write_frame};

use crate::data::{DataBundle, Progress};

/// Bytes of pixels in one reply at most.
const CHUNK: usize = 256 << 10;

/// Loads a data set, and sends what it holds and some of its pictures.
pub(super) fn inspect(
    out: &mut impl Write,
    source: &DataSource,
    pictures: u32,
) -> anyhow::Result<()> {
    let mut wire: Result<(), FrameError> = Ok(());
    let mut progress = |progress: Progress| {
        // A face that is gone is noticed at the end: until then the cache is filled for the next one.
        if wire.is_ok() {
            wire = write_frame(
                out,
                &TaskReply::Counted {
                    doing: progress.doing.to_owned(),
                    done: progress.done as u64,
                    total: progress.total as u64,
                },
            );
        }
    };
    let data = DataBundle::load(source, &mut progress)?;
    wire?;
    write_frame(out, &TaskReply::Data(Box::new(data.report())))?;
    let (images, labels) = data.sample(usize::try_from(pictures).unwrap_or(usize::MAX));
    let bytes = images.picture_bytes().max(1);
    let chunk = (CHUNK / bytes).max(1);
    let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    for (index, pixels) in images.pixels.chunks(chunk * bytes).enumerate() {
        let labels = labels.iter().skip(index * chunk).take(chunk);
        let pictures = Pictures {
            purpose: Purpose::Real,
            seed: 0,
            step: 0,
            count: small(pixels.len() / bytes),
            channels: small(images.channels),
            height: small(images.height),
            width: small(images.width),
            pixels: pixels.to_vec(),
            labels: labels.copied().map(u32::from).collect(),
            parts: Vec::new(),
        };
        write_frame(out, &TaskReply::Pictures(pictures))?;
    }
    Ok(())
}
