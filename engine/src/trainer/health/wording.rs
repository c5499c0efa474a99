//! Verdicts in words.

use sparring_contract::protocol::Verdict;
use sparring_contract::text::printable;

use super::measurements::{Measurements, best, earlier};

/// The verdict and the figure behind it.
pub(super) fn with_verdict(verdict: &Verdict, reason: &str) -> String {
    match verdict {
        Verdict::Unclear | Verdict::Unknown => reason.to_owned(),
        verdict if reason.is_empty() => verdict.word().to_owned(),
        verdict => format!("{}: {reason}", verdict.word()),
    }
}

/// The figure behind the verdict on the latest check. Classes without a name are called by their numbers.
pub(super) fn reason(checks: &[Measurements], verdict: &Verdict, class_names: &[String]) -> String {
    let Some(now) = checks.last() else {
        return String::new();
    };
    match verdict {
        Verdict::DiscriminatorWins => discriminator_wins(checks, now),
        Verdict::GeneratorWins => format!(
            "D takes {} of the fakes for real, and the pictures do not get better ({})",
            percent(1.0 - now.accuracy_fake),
            quality(now)
        ),
        Verdict::Collapsing { missing } => repetition(now, missing, class_names),
        Verdict::Diverging => match best(checks) {
            Some(best) if !now.has_runaway_gradient() => {
                format!(
                    "{}, was {:.1} at its best",
                    quality(now),
                    best.quick_distance
                )
            }
            _ => format!("a gradient has a norm of {:.1e}", now.gradient_norm),
        },
        Verdict::Memorising => format!(
            "the pictures are nearer to training images than those are to each other ({} of their distance)",
            percent(now.copying)
        ),
        _ => match earlier(checks) {
            Some(earlier) if now.quick_distance.is_finite() => format!(
                "{}, was {:.1} {} ago",
                quality(now),
                earlier.quick_distance,
                span(now.seconds - earlier.seconds)
            ),
            _ => format!(
                "{}; D knows {} of real images and {} of fakes",
                quality(now),
                percent(now.accuracy_real),
                percent(now.accuracy_fake)
            ),
        },
    }
}

fn discriminator_wins(checks: &[Measurements], now: &Measurements) -> String {
    let tells = format!("it knows {} of the fakes", percent(now.accuracy_fake));
    match best(checks) {
        Some(best) => format!(
            "{tells}, and the pictures have not got better for {} ({})",
            span(now.seconds - best.seconds),
            quality(now)
        ),
        None => format!("{tells}; {}", quality(now)),
    }
}

/// How good the pictures are, as far as it is known.
fn quality(now: &Measurements) -> String {
    if now.quick_distance.is_finite() {
        format!("quick distance {:.1}", now.quick_distance)
    } else {
        variety(now)
    }
}

fn variety(now: &Measurements) -> String {
    format!(
        "the pictures differ {} as much as real ones",
        percent(now.diversity)
    )
}

/// What is repeated, and what is missing.
fn repetition(now: &Measurements, missing: &[u32], class_names: &[String]) -> String {
    /// A class with a higher dominance is mentioned: a quarter of the pictures are of one class of ten.
    const MANY: f64 = 0.16;
    /// At most this many missing classes are listed.
    const LISTED: usize = 6;

    let name = |class: &u32| {
        let name = class_names.get(*class as usize);
        name.map_or_else(|| class.to_string(), |name| printable(name))
    };
    let most = now
        .classes()
        .max_by(|a, b| a.dominance().total_cmp(&b.dominance()));
    let many = most.filter(|most| most.dominance() > MANY).map(|most| {
        format!(
            "{} of the pictures are {}",
            percent(most.share),
            name(&most.class)
        )
    });
    let gone = match missing {
        [] => None,
        [one] => Some(format!("{} is gone", name(one))),
        some if some.len() <= LISTED => {
            let classes: Vec<_> = some.iter().map(name).collect();
            Some(format!("{} are gone", classes.join(", ")))
        }
        some => Some(format!(
            "{} of {} classes are gone",
            some.len(),
            now.histogram.len()
        )),
    };
    let parts: Vec<_> = many.into_iter().chain(gone).chain([variety(now)]).collect();
    parts.join("; ")
}

/// What to do about an alarm.
pub(super) fn advice(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::DiscriminatorWins => "lower discriminator.learning_rate, or raise the generator's",
        Verdict::GeneratorWins => "raise discriminator.learning_rate, or lower the generator's",
        Verdict::Collapsing { .. } => {
            "lower the learning rates, or take a preset with batch norm, such as mlp or dcgan"
        }
        Verdict::Diverging => "lower both learning rates",
        Verdict::Memorising => "train on more images, or with augment.translation",
        _ => "",
    }
}

fn percent(share: f64) -> String {
    if share.is_finite() {
        format!("{:.0}%", share * 100.0)
    } else {
        "–".to_owned()
    }
}

/// A time in words.
fn span(seconds: f64) -> String {
    match seconds {
        ..100.0 => format!("{seconds:.0} s"),
        ..6000.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}
