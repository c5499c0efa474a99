//! Verdicts in words.

use sparring_contract::protocol::Verdict;

use super::{Look, RUNAWAY, best, earlier};

/// The verdict and the figure behind it.
pub(super) fn with_verdict(verdict: &Verdict, reason: &str) -> String {
    match verdict {
        Verdict::Unclear | Verdict::Unknown => reason.to_owned(),
        verdict if reason.is_empty() => verdict.word().to_owned(),
        verdict => format!("{}: {reason}", verdict.word()),
    }
}

/// The figure behind the verdict on the latest look.
pub(super) fn reason(looks: &[Look], verdict: &Verdict) -> String {
    let Some(now) = looks.last() else {
        return String::new();
    };
    match verdict {
        Verdict::DiscriminatorWins => discriminator_wins(looks, now),
        Verdict::GeneratorWins => format!(
            "D takes {} of the fakes for real, and the pictures do not get better ({})",
            percent(1.0 - now.accuracy_fake),
            quality(now)
        ),
        Verdict::Collapsing { missing } => repetition(now, missing),
        Verdict::Diverging => match best(looks) {
            Some(best) if now.gradient <= RUNAWAY => {
                format!(
                    "{}, was {:.1} at its best",
                    quality(now),
                    best.quick_distance
                )
            }
            _ => format!("a gradient has a norm of {:.1e}", now.gradient),
        },
        Verdict::Memorising => format!(
            "the pictures are nearer to training images than those are to each other ({} of their distance)",
            percent(now.copying)
        ),
        _ => match earlier(looks) {
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

fn discriminator_wins(looks: &[Look], now: &Look) -> String {
    let tells = format!("it knows {} of the fakes", percent(now.accuracy_fake));
    match best(looks) {
        Some(best) => format!(
            "{tells}, and the pictures have not got better for {} ({})",
            span(now.seconds - best.seconds),
            quality(now)
        ),
        None => format!("{tells}; {}", quality(now)),
    }
}

/// How good the pictures are, by what is known of it.
fn quality(look: &Look) -> String {
    if look.quick_distance.is_finite() {
        format!("quick distance {:.1}", look.quick_distance)
    } else {
        variety(look)
    }
}

fn variety(look: &Look) -> String {
    format!(
        "the pictures differ {} as much as real ones",
        percent(look.diversity)
    )
}

/// What is repeated, and what is gone.
fn repetition(now: &Look, missing: &[u32]) -> String {
    /// A share that is worth a word.
    const MANY: f64 = 0.25;
    /// More classes than that are not listed.
    const LISTED: usize = 6;

    let most = (0..)
        .zip(&now.histogram)
        .max_by(|a: &(u32, &f64), b| a.1.total_cmp(b.1));
    let many = most
        .filter(|(_, share)| **share > MANY)
        .map(|(class, share)| format!("{} of the pictures are {class}", percent(*share)));
    let gone = match missing {
        [] => None,
        [one] => Some(format!("{one} is gone")),
        some if some.len() <= LISTED => {
            let classes: Vec<_> = some.iter().map(u32::to_string).collect();
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
        Verdict::Memorising => "train on more images, or with augment_translation",
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
