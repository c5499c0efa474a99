//! How the duel stands, in words.

/// How the duel stands.
///
/// The discriminator says how probably a picture is real: D(x) of real ones, D(G(z)) of fakes. It plays well when
/// the first is high and the second low; the generator plays well when the two come together. So the *lead*
/// D(x) − D(G(z)) says who is ahead: 1 when D is never fooled, 0 when it cannot tell at all, below 0 when it takes
/// fakes for real. At the game's optimum both are ½ (Goodfellow et al. 2014, proposition 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Who is ahead, in words.
    pub words: &'static str,
    /// D(x) − D(G(z)), in [-1, 1].
    pub lead: f64,
    /// Whether it is healthy.
    pub health: Health,
}

/// Whether a duel is one to learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Both learn.
    Good,
    /// Worth watching.
    Fair,
    /// One has nothing left to learn from the other.
    Poor,
}

/// Judges the means of D(x) and D(G(z)) over the latest reports; none while either is not known.
///
/// | lead | words |
/// |---|---|
/// | over .85 | D is winning: its loss saturates and G learns little |
/// | .50 to .85 | D is ahead |
/// | .15 to .50 | D is slightly ahead: where most runs learn well |
/// | −.15 to .15, both within .15 of ½ | in balance |
/// | −.15 to .15, both higher | D is taken in: it calls everything real |
/// | −.15 to .15, both lower | D doubts everything |
/// | below −.15 | G is winning |
pub fn verdict(d_real: f64, d_fake: f64) -> Option<Verdict> {
    let lead = d_real - d_fake;
    if !lead.is_finite() {
        return None;
    }
    let middle = f64::midpoint(d_real, d_fake);
    let (words, health) = match lead {
        _ if lead > 0.85 => ("D is winning", Health::Poor),
        _ if lead > 0.5 => ("D is ahead", Health::Fair),
        _ if lead > 0.15 => ("D is slightly ahead", Health::Good),
        _ if lead < -0.15 => ("G is winning", Health::Poor),
        _ if middle > 0.65 => ("D is taken in", Health::Fair),
        _ if middle < 0.35 => ("D doubts everything", Health::Fair),
        _ => ("in balance", Health::Good),
    };
    Some(Verdict {
        words,
        lead,
        health,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(d_real: f64, d_fake: f64) -> &'static str {
        verdict(d_real, d_fake).unwrap().words
    }

    #[test]
    fn the_words_follow_the_lead() {
        assert_eq!(words(0.97, 0.04), "D is winning");
        assert_eq!(words(0.85, 0.2), "D is ahead");
        assert_eq!(words(0.71, 0.31), "D is slightly ahead");
        assert_eq!(words(0.5, 0.5), "in balance");
        assert_eq!(words(0.8, 0.75), "D is taken in");
        assert_eq!(words(0.2, 0.2), "D doubts everything");
        assert_eq!(words(0.3, 0.6), "G is winning");
    }

    #[test]
    fn nothing_is_said_about_figures_that_are_not_known() {
        assert_eq!(verdict(f64::NAN, 0.5), None);
        assert_eq!(verdict(0.5, f64::NAN), None);
    }
}
