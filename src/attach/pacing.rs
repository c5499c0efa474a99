//! How often a dashboard is drawn, and what it gives up to keep within a budget of bytes.
//!
//! Answers to keys are drawn at once and cost nothing. News is drawn at most `--fps` times a second, within a budget
//! of bytes. To keep within it, the pacer gives up, in this order:
//!
//! 1. Pictures come less often: each batch waits until its bytes have been saved up, and the newest wins.
//! 2. Pictures that would wait longer than [`LONGEST_WAIT`] are drawn in 256 colours, where the terminal has more.
//! 3. Figures and curves, which get what pictures leave, are drawn less often.

/// Seconds that pictures in full colours may wait before coarser ones that come sooner are better.
const LONGEST_WAIT: f64 = 3.0;
/// Full colours come back when they would wait for less than this.
const SHORT_WAIT: f64 = 1.5;
/// Coarse colours take about this part of the bytes of full ones.
const COARSE_PART: f64 = 0.5;
/// The share of the budget that figures may take.
const FIGURES_PART: f64 = 0.6;
/// The share of the budget to aim at: the cost of a frame is known only after it is drawn.
const AIM: f64 = 0.9;
/// The displayed rate is a mean over so many seconds.
const WINDOW: f64 = 5.0;

/// The share of what a link carries that a dashboard may take: what the user types and other programs share it.
const SHARE_OF_LINK: f64 = 0.5;
/// The least bytes a second that a measured link is taken to carry: below that a dashboard would stand still.
const LEAST_LINK: f64 = 500.0;
/// The least bytes that a link is measured with: fewer tell of its delay, not of what it carries.
const LEAST_MEASURED: usize = 2000;

/// How many bytes a second a dashboard may write.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Budget {
    /// Any number.
    None,
    /// So many.
    Fixed(f64),
    /// So many, or fewer if the link to the terminal carries less than twice as many.
    AtMost(f64),
}

/// Seconds since the dashboard began.
pub(super) type Seconds = f64;

/// What a frame is drawn for. A greater cause stands for the smaller ones as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// Something happened.
    News,
    /// New pictures came.
    Pictures,
    /// The user did something and waits, or there is nothing on the screen yet.
    User,
}

/// Decides when to draw.
#[derive(Clone, Debug)]
pub(super) struct Pacer {
    /// Seconds between two frames of news.
    least_gap: f64,
    limit: Budget,
    /// Bytes a second to aim at; `None`: no limit.
    budget: Option<f64>,
    /// Bytes a second that the link carries, as far as it was measured.
    link: Option<f64>,
    next_frame: Seconds,
    /// Bytes that could be spent at `saved_at`.
    saved: f64,
    saved_at: Seconds,
    /// Bytes of the last batch of pictures.
    pictures_cost: f64,
    thrifty: bool,
    /// Frames of the last seconds: when, and how many bytes.
    written: std::collections::VecDeque<(Seconds, usize)>,
}

impl Pacer {
    /// At most `fps` frames of news a second, in a budget of bytes a second.
    pub(super) fn new(fps: u16, limit: Budget) -> Self {
        Self {
            least_gap: 1.0 / f64::from(fps.max(1)),
            limit,
            budget: match limit {
                Budget::None => None,
                Budget::Fixed(budget) | Budget::AtMost(budget) => Some(budget * AIM),
            },
            link: None,
            next_frame: 0.0,
            saved: 0.0,
            saved_at: 0.0,
            pictures_cost: 0.0,
            thrifty: false,
            written: std::collections::VecDeque::new(),
        }
    }

    /// Whether it is worth while to ask the terminal to say when so many bytes have arrived.
    pub(super) fn measures(&self, bytes: usize) -> bool {
        matches!(self.limit, Budget::AtMost(_)) && bytes >= LEAST_MEASURED
    }

    /// Takes in that so many bytes have arrived, and that the answer was back after so many seconds.
    pub(super) fn arrived(&mut self, bytes: usize, seconds: f64) {
        let Budget::AtMost(most) = self.limit else {
            return;
        };
        let rate = bytes as f64 / seconds.max(1e-3);
        // One slow moment is not a slow link.
        let link = self.link.map_or(rate, |before| f64::midpoint(before, rate));
        self.link = Some(link);
        self.budget = Some(most.min((link * SHARE_OF_LINK).max(LEAST_LINK)) * AIM);
    }

    /// Bytes a second that may be written; `None`: any number.
    pub(super) fn allowance(&self) -> Option<f64> {
        self.budget.map(|budget| budget / AIM)
    }

    /// When the next frame of news may be drawn.
    pub(super) fn next_frame(&self) -> Seconds {
        self.next_frame
    }

    /// When pictures that wait may be shown.
    pub(super) fn pictures_due(&self) -> Seconds {
        let Some(budget) = self.budget else {
            return self.next_frame;
        };
        let missing = self.pictures_cost - self.saved;
        let affordable = if missing > 0.0 {
            self.saved_at + missing / budget
        } else {
            0.0
        };
        affordable.max(self.next_frame)
    }

    /// Whether pictures are drawn in fewer colours to save bytes.
    pub(super) fn is_thrifty(&self) -> bool {
        self.thrifty
    }

    /// Seconds that the last batch of pictures takes to save up.
    pub(super) fn pictures_wait(&self) -> f64 {
        self.budget
            .map_or(0.0, |budget| self.pictures_cost / budget)
    }

    /// Notes a frame. Returns whether coarse colours begin or end with it.
    pub(super) fn drawn(&mut self, now: Seconds, cause: Cause, bytes: usize) -> bool {
        self.written.push_back((now, bytes));
        while self
            .written
            .front()
            .is_some_and(|(when, _)| now - when > WINDOW)
        {
            self.written.pop_front();
        }
        self.next_frame = now + self.least_gap;
        let Some(budget) = self.budget else {
            return false;
        };
        let cost = bytes as f64;
        // There is no use in saving more than the next pictures cost.
        let enough = self.pictures_cost.max(budget);
        self.saved = (self.saved + (now - self.saved_at) * budget).min(enough);
        self.saved_at = now;
        match cause {
            Cause::User => false,
            Cause::News => {
                self.saved -= cost;
                self.next_frame = self.next_frame.max(now + cost / (budget * FIGURES_PART));
                false
            }
            Cause::Pictures => {
                self.saved -= cost;
                self.pictures_cost = cost;
                self.choose_thrift()
            }
        }
    }

    fn choose_thrift(&mut self) -> bool {
        let wait = self.pictures_wait();
        let thrifty = if self.thrifty {
            wait / COARSE_PART > SHORT_WAIT
        } else {
            wait > LONGEST_WAIT
        };
        std::mem::replace(&mut self.thrifty, thrifty) != thrifty
    }

    /// Recent bytes a second.
    pub(super) fn rate(&self, now: Seconds) -> f64 {
        let bytes: usize = self
            .written
            .iter()
            .filter(|(when, _)| now - when <= WINDOW)
            .map(|(_, bytes)| bytes)
            .sum();
        bytes as f64 / WINDOW.min(now.max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: f64 = 8000.0;

    /// Draws news and pictures for a minute, each as soon as the pacer allows. Returns bytes a second and batches.
    fn a_minute(pacer: &mut Pacer, figures: usize, pictures: usize) -> (f64, usize) {
        minutes(1, pacer, figures, pictures)
    }

    fn minutes(count: u32, pacer: &mut Pacer, figures: usize, pictures: usize) -> (f64, usize) {
        let (mut now, mut bytes, mut batches) = (0.0, 0, 0);
        while now < 60.0 * f64::from(count) {
            let full = !pacer.is_thrifty();
            let (cause, cost) = if pacer.pictures_due() <= now {
                batches += 1;
                let cost = if full { pictures } else { pictures / 2 };
                (Cause::Pictures, figures + cost)
            } else {
                (Cause::News, figures)
            };
            pacer.drawn(now, cause, cost);
            bytes += cost;
            now = pacer.next_frame();
        }
        (bytes as f64 / now, batches)
    }

    #[test]
    fn a_slow_link_lowers_the_budget_and_a_fast_one_does_not_raise_it() {
        let mut pacer = Pacer::new(10, Budget::AtMost(BUDGET));
        assert!(pacer.measures(5000) && !pacer.measures(500));
        pacer.arrived(5000, 0.05);
        assert_eq!(pacer.allowance(), Some(BUDGET));
        // 3 KB/s, again and again.
        (0..20).for_each(|_| pacer.arrived(6000, 2.0));
        let allowance = pacer.allowance().unwrap();
        assert!((allowance - 1500.0).abs() < 5.0, "{allowance}");
        (0..40).for_each(|_| pacer.arrived(6000, 600.0));
        assert_eq!(pacer.allowance(), Some(LEAST_LINK));
        (0..20).for_each(|_| pacer.arrived(6000, 0.1));
        assert_eq!(pacer.allowance(), Some(BUDGET));
        let mut fixed = Pacer::new(10, Budget::Fixed(BUDGET));
        fixed.arrived(6000, 60.0);
        assert!(!fixed.measures(5000));
        assert_eq!(fixed.allowance(), Some(BUDGET));
    }

    #[test]
    fn what_fits_is_drawn_as_often_as_allowed_in_full_colours() {
        let mut pacer = Pacer::new(10, Budget::Fixed(BUDGET));
        let (rate, batches) = a_minute(&mut pacer, 50, 200);
        assert!(rate < BUDGET, "{rate}");
        assert!(batches > 500, "{batches}");
        assert!(!pacer.is_thrifty());
    }

    #[test]
    fn pictures_that_do_not_fit_come_less_often_and_coarser() {
        let mut pacer = Pacer::new(10, Budget::Fixed(BUDGET));
        let (rate, batches) = a_minute(&mut pacer, 100, 50_000);
        assert!(rate < BUDGET, "{rate}");
        assert!((8..20).contains(&batches), "{batches}");
        assert!(pacer.is_thrifty());
    }

    #[test]
    fn noise_in_colour_all_over_a_large_screen_keeps_within_the_budget() {
        // 117×57 half blocks of a 200×60 screen, each with two RGB colours of its own: 41 bytes a cell.
        let pictures = 117 * 57 * 41;
        let mut pacer = Pacer::new(10, Budget::Fixed(BUDGET));
        let (rate, batches) = minutes(10, &mut pacer, 400, pictures);
        assert!(rate < BUDGET, "{rate}");
        assert!((10..30).contains(&batches), "{batches}");
    }

    #[test]
    fn figures_leave_room_for_pictures() {
        let mut pacer = Pacer::new(10, Budget::Fixed(BUDGET));
        let (rate, batches) = a_minute(&mut pacer, 4000, 10_000);
        assert!(rate < BUDGET, "{rate}");
        assert!(batches >= 5, "{batches}");
    }

    #[test]
    fn full_colours_come_back_when_pictures_grow_cheap() {
        let mut pacer = Pacer::new(10, Budget::Fixed(BUDGET));
        a_minute(&mut pacer, 100, 50_000);
        assert!(pacer.is_thrifty());
        assert!(pacer.drawn(61.0, Cause::Pictures, 2000));
        assert!(!pacer.is_thrifty());
    }

    #[test]
    fn what_the_user_does_costs_nothing_and_no_budget_holds_nothing_back() {
        let mut pacer = Pacer::new(10, Budget::Fixed(BUDGET));
        pacer.drawn(1.0, Cause::User, 100_000);
        assert!(pacer.next_frame() < 1.2);
        let mut free = Pacer::new(10, Budget::None);
        let (rate, _) = a_minute(&mut free, 1000, 50_000);
        assert!(rate > 100_000.0, "{rate}");
        assert!(!free.is_thrifty());
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut pacer = Pacer::new(10, Budget::None);
        pacer.drawn(10.0, Cause::News, 1000);
        pacer.drawn(14.0, Cause::News, 1000);
        assert_eq!(pacer.rate(14.0), 400.0);
        assert_eq!(pacer.rate(18.0), 200.0);
        assert_eq!(pacer.rate(30.0), 0.0);
    }
}
