//! The evaluation of a run that translates between two domains without pairs.

use std::path::Path;

use anyhow::bail;
use sparring_contract::protocol::{Direction, UnpairedReport};
use sparring_contract::run::CheckpointHeader;
use tch::{Kind, Tensor};

use super::maker::Maker;
use crate::data::{DataBundle, Degradation, from_bytes, towards};
use crate::eval::{Domains, PlainMethod};

/// Evaluates a checkpoint on up to 10,000 held-out pictures of each domain, beside plain methods. The seed is that of the
/// noise, if the generator has any.
pub(super) fn evaluate(
    path: &Path,
    header: &CheckpointHeader,
    (seed, device): (u64, &str),
    progress: &mut dyn FnMut(&str),
) -> anyhow::Result<UnpairedReport> {
    let maker = Maker::load(path, header, device, None)?;
    progress("reading the real pictures");
    let bundle = DataBundle::load(&header.config.data_source(), &mut |_| {})?;
    let domains = Domains::new(&bundle, progress)?;
    tch::manual_seed(seed.cast_signed());
    let mut direction = |from: usize, to: usize| {
        let (from_name, to_name) = (domains.name(from), domains.name(to));
        progress(&format!("translating from {from_name} to {to_name}"));
        let sources = domains.pictures(from);
        let made = translated(&maker, sources, to);
        let back = translated(&maker, &made, from);
        let run = ("run", "this run");
        let mut methods = vec![domains.figures(run, &made, to, Some((&back, sources)))];
        for method in PlainMethod::of(Degradation::Unpaired) {
            let made = domains.plain(method, sources, to);
            let back = domains.plain(method, &made, from);
            let named = (method.name(), method.words());
            methods.push(domains.figures(named, &made, to, Some((&back, sources))));
        }
        let real = ("real", "real training pictures");
        methods.push(domains.figures(real, &domains.training(to), to, None));
        Direction {
            from: from_name.to_owned(),
            to: to_name.to_owned(),
            pictures: sources.size()[0].unsigned_abs(),
            held_out: domains.is_held_out(from),
            against: domains.against(to).to_owned(),
            methods,
        }
    };
    Ok(UnpairedReport {
        directions: [direction(0, 1), direction(1, 0)],
        left_out: domains.has_no_judge().then(|| {
            "the share taken for the other domain needs two classes of a data set with a judge: `sparring judge train` \
             makes one"
                .to_owned()
        }),
    })
}

/// Pictures of a domain that are made of others; `[n, channels, h, w]`, u8.
fn translated(maker: &Maker, pictures: &Tensor, to: usize) -> Tensor {
    maker.make(&conditions(&from_bytes(pictures), to))
}

/// What pictures of a domain, 0 or 1, are made from: pictures `[n, channels, h, w]` in [-1, 1].
pub(super) fn conditions(pictures: &Tensor, to: usize) -> Tensor {
    let domains = Tensor::full(
        [pictures.size()[0]],
        to as i64,
        (Kind::Int64, pictures.device()),
    );
    towards(&domains, pictures)
}

/// The domain of a run that is asked for: by its name, or else the second.
pub(super) fn target(names: &[String], to: Option<&str>) -> anyhow::Result<usize> {
    let Some(to) = to else { return Ok(1) };
    match names.iter().position(|name| name == to) {
        Some(place) => Ok(place),
        None => bail!(
            "the run has no domain {to}: it translates between {}",
            names.join(" and ")
        ),
    }
}
