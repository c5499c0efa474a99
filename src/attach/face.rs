//! The loop of a dashboard: it waits until something happens, takes in everything that has, and draws once.

use std::io;
use std::time::Duration;

use ratatui::layout::{Position, Size};
use sparring_contract::protocol::{Event, Pictures, Purpose, ToFace, ToWorker};
use sparring_contract::run::Run;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::connection::{Death, News};
use super::display::Display;
use super::drawing::draw;
use super::left::Left;
use super::notice;
use super::options::Options;
use super::pacing::{Cause, Pacer, Seconds};
use super::signals::{Signals, Wanted};
use crate::clock::now;
use crate::dashboard::view::{Ink, hung, panel_at, view};
use crate::dashboard::{Effect, Leave, Message, Standing, State, update};
use crate::terminal::parser::{Mouse, MouseKind};
use crate::terminal::query::Answers;
use crate::terminal::{Colors, Guard, Input, Output, PATIENCE, Screen};

/// A running worker sends its snapshot sooner than this. Drawing an empty dashboard first would only flicker.
const FIRST_NEWS: Duration = Duration::from_millis(60);
/// How often to try again to write to a terminal that takes no bytes, and when to give it up: a connection that hangs for
/// so long is hardly ever taken up again.
const TRY_AGAIN: Duration = Duration::from_millis(100);
const GIVE_UP: Duration = Duration::from_mins(5);
/// How long the last frame may take to leave.
const LAST_FRAME: Duration = Duration::from_secs(1);
const BELL: &[u8] = b"\x07";
/// Asks the terminal for its state, and its answer: so it has taken all that was sent before.
const HAS_ARRIVED: &[u8] = b"\x1b[5n";
const ARRIVED: &[u8] = b"\x1b[0n";
/// How often times on the screen advance.
const SECOND: Duration = Duration::from_secs(1);
/// How much news to take in before looking at the keys again.
const AT_ONCE: usize = 64;

/// A dashboard at work.
pub(super) struct Face {
    state: State,
    display: Display,
    ink: Ink,
    /// What the terminal has told of what it was asked last; `None` once it has told all.
    answers: Option<Answers>,
    guard: Guard,
    screen: Screen,
    output: Output,
    /// The size to use if the terminal does not tell its own.
    usual: Size,
    pacer: Pacer,
    wishes: Sender<ToWorker>,
    run: Run,
    /// To itself, for what it does beside its loop.
    tell: Sender<News>,
    notify: Option<String>,
    /// Whether this process started the worker.
    started: bool,
    /// Remarks to show once the run is known.
    notes: Vec<String>,
    begun: Instant,
    /// Nothing is drawn until then, because a snapshot is about to arrive.
    holds_until: Option<Instant>,
    /// Nothing is drawn until then, because the terminal is about to say what it can show.
    asks_until: Option<Instant>,
    /// What the next frame is for.
    cause: Option<Cause>,
    /// Pictures from fixed noise that wait until the budget has bytes for them.
    waiting: Option<Pictures>,
    measured: Seconds,
    /// The bytes of which the terminal will say that they have arrived, and when they were sent.
    underway: Option<(usize, Instant)>,
    /// The worker's exit code, once it has told of the end.
    code: Option<u8>,
    left: Option<Left>,
    signals: Signals,
}

impl Face {
    /// A dashboard in the terminal that `guard` holds. `started`: whether this process started the worker.
    pub(super) fn new(
        state: State,
        started: bool,
        guard: Guard,
        (wishes, tell): (Sender<ToWorker>, Sender<News>),
        run: &Run,
        options: &Options,
    ) -> io::Result<Self> {
        // Before the size is asked for, so that no change of it is missed.
        let signals = Signals::listen()?;
        let display = options.display.clone();
        let usual = display.capabilities().size;
        let (width, height) = size(usual)?;
        let begun = Instant::now();
        let mut face = Self {
            holds_until: (state.is_alive() && !started).then_some(begun + FIRST_NEWS),
            state,
            ink: display.ink(),
            display,
            answers: None,
            asks_until: None,
            guard,
            screen: Screen::new(width, height),
            output: Output::open()?.watched(),
            usual,
            pacer: Pacer::new(options.fps, options.budget),
            wishes,
            run: run.clone(),
            tell,
            notify: options.notify.clone(),
            started,
            notes: options.notes.clone(),
            begun,
            cause: Some(Cause::User),
            waiting: None,
            measured: 0.0,
            underway: None,
            code: None,
            left: None,
            signals,
        };
        face.ask()?;
        Ok(face)
    }

    /// Asks the terminal what it can show.
    fn ask(&mut self) -> io::Result<()> {
        if let Some(questions) = self.display.questions() {
            self.answers = Some(Answers::default());
            self.asks_until = Some(Instant::now() + PATIENCE);
            self.output.write(questions.as_bytes())?;
        }
        Ok(())
    }

    /// Takes in what the terminal says. Answers that come late count as well.
    fn hear_terminal(&mut self, reply: &[u8]) -> io::Result<()> {
        if reply == ARRIVED {
            if let Some((bytes, sent)) = self.underway.take() {
                self.pacer.arrived(bytes, sent.elapsed().as_secs_f64());
            }
            return Ok(());
        }
        let Some(answers) = &mut self.answers else {
            return Ok(());
        };
        answers.take(reply);
        if answers.complete {
            self.asks_until = None;
            self.learn()?;
            self.answers = None;
        }
        Ok(())
    }

    /// Draws as the terminal says it can show things.
    fn learn(&mut self) -> io::Result<()> {
        let answers = self.answers.clone().unwrap_or_default();
        if self.display.learn(answers) {
            self.ink = self.display.ink();
            self.screen
                .show_pixels(self.display.capabilities().graphics);
            self.measure()?;
        }
        if let Some(refusal) = self.display.refusal() {
            if self.state.started().is_some() {
                self.remark(&refusal);
            } else {
                self.notes.push(refusal);
            }
        }
        Ok(())
    }

    /// Shows the dashboard until it is left.
    pub(super) async fn attend(
        mut self,
        inputs: Receiver<Input>,
        news: Receiver<News>,
    ) -> io::Result<Left> {
        let left = self.work(inputs, news).await;
        // The terminal must not be given back in the middle of a sequence.
        let _ = self.output.finish(LAST_FRAME);
        match left {
            // The error of a terminal that is gone.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                Ok(Left::Gone)
            }
            left => left,
        }
    }

    async fn work(
        &mut self,
        mut inputs: Receiver<Input>,
        mut news: Receiver<News>,
    ) -> io::Result<Left> {
        let mut clock = interval(SECOND);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.draw_what_is_due()?;
            let due = self.due();
            let is_stuck = !self.output.stuck_for().is_zero();
            tokio::select! {
                biased;
                input = inputs.recv() => {
                    self.tell_time();
                    self.take(input.unwrap_or(Input::Gone))?;
                    while let Ok(input) = inputs.try_recv() {
                        self.take(input)?;
                    }
                }
                wanted = self.signals.next() => self.obey(wanted)?,
                Some(heard) = news.recv() => {
                    self.tell_time();
                    self.hear(heard)?;
                    for _ in 1..AT_ONCE {
                        let Ok(heard) = news.try_recv() else { break };
                        self.hear(heard)?;
                    }
                }
                () = self.output.readiness(), if is_stuck => {}
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
                _ = clock.tick(), if self.moves() => {
                    self.tell_time();
                    self.because(Cause::News);
                }
            }
            if let Some(left) = self.left.take() {
                return Ok(left);
            }
        }
    }

    /// Whether times on the screen advance.
    fn moves(&self) -> bool {
        self.state.is_alive()
            && !matches!(self.state.standing(), Standing::Paused(_) | Standing::Lost)
    }

    fn tell_time(&mut self) {
        update(&mut self.state, Message::Tick(now()));
    }

    fn seconds(&self) -> Seconds {
        self.begun.elapsed().as_secs_f64()
    }

    fn because(&mut self, cause: Cause) {
        self.cause = self.cause.max(Some(cause));
    }

    fn take(&mut self, input: Input) -> io::Result<()> {
        match input {
            Input::Key(key) => self.act(Message::Key(key.into()), Cause::User),
            Input::Paste(text) => self.act(Message::Paste(text), Cause::User),
            Input::Mouse(mouse) => self.point(mouse),
            Input::Told(reply) => self.hear_terminal(&reply),
            Input::Gone => {
                self.left = Some(Left::Gone);
                Ok(())
            }
        }
    }

    /// Passes on what the mouse does over a panel.
    fn point(&mut self, Mouse { what, x, y }: Mouse) -> io::Result<()> {
        let place = Position { x, y };
        let Some(panel) = panel_at(&self.state, self.screen.area(), place) else {
            return Ok(());
        };
        let message = match what {
            MouseKind::Click => Message::Click(panel),
            MouseKind::WheelUp => Message::Wheel { panel, up: true },
            MouseKind::WheelDown => Message::Wheel { panel, up: false },
        };
        self.act(message, Cause::User)
    }

    fn obey(&mut self, wanted: Wanted) -> io::Result<()> {
        match wanted {
            Wanted::End(signal) => {
                self.left = Some(Left::Signal(signal));
                Ok(())
            }
            Wanted::GoOn => self.come_back(),
            Wanted::Resize => {
                // Letters of another size change the number of cells, and the pixels of each.
                if self.display.capabilities().graphics.is_some() {
                    self.ask()?;
                }
                self.measure()
            }
        }
    }

    fn hear(&mut self, news: News) -> io::Result<()> {
        let message = match news {
            News::Said(ToFace::Pictures(pictures)) if pictures.purpose == Purpose::Fixed => {
                self.waiting = Some(pictures);
                return Ok(());
            }
            News::Said(said) => return self.listen(said),
            News::Lost { why } => Message::LinkLost { why },
            News::Undrawn { why } => Message::Undrawn { why },
            News::Died(death) => return self.bury(death),
            News::Refused(error) => {
                self.left = Some(Left::Refused(error));
                return Ok(());
            }
        };
        self.holds_until = None;
        self.act(message, Cause::User)
    }

    fn listen(&mut self, said: ToFace) -> io::Result<()> {
        let cause = match &said {
            // The user waits for answers, requested pictures and snapshots.
            ToFace::Snapshot(_) | ToFace::Pictures(_) | ToFace::Ack(_) => Cause::User,
            _ => Cause::News,
        };
        if let ToFace::Event { record, .. } = &said
            && let Event::Ended(ended) = &record.event
        {
            if self.started && self.state.started().is_none() {
                self.left = Some(Left::NeverBegan(Death::of(ended)));
                return Ok(());
            }
            self.code = Some(ended.exit_code);
        }
        let is_snapshot = matches!(said, ToFace::Snapshot(_));
        self.act(Message::FromWorker(said), cause)?;
        if is_snapshot {
            self.waiting = None;
            self.holds_until = None;
            for note in std::mem::take(&mut self.notes) {
                self.remark(&note);
            }
        }
        Ok(())
    }

    fn bury(&mut self, death: Death) -> io::Result<()> {
        self.code = death.code;
        if self.started && self.state.started().is_none() {
            self.left = Some(Left::NeverBegan(death));
            return Ok(());
        }
        self.holds_until = None;
        let Death { status, log, .. } = death;
        self.act(Message::WorkerDied { status, log }, Cause::User)
    }

    /// Passes a message to the dashboard and carries out its effects.
    fn act(&mut self, message: Message, cause: Cause) -> io::Result<()> {
        self.because(cause);
        for effect in update(&mut self.state, message) {
            match effect {
                Effect::Send { id, command } => {
                    if self
                        .wishes
                        .try_send(ToWorker::Request { id, command })
                        .is_err()
                    {
                        self.remark("the worker takes no more commands: nothing was sent");
                    }
                }
                Effect::Quit(leave) => {
                    self.left = Some(Left::ByUser {
                        training: leave == Leave::Training,
                        standing: self.state.standing().words(),
                        code: self.code,
                    });
                }
                Effect::Notify(words) => self.notice(&words)?,
                Effect::Redraw => self.measure()?,
                Effect::Draw => self.draw_beside(),
                Effect::Mouse(wanted) => self.guard.report_mouse(wanted)?,
                Effect::Suspend => {
                    self.guard.suspend()?;
                    self.come_back()?;
                }
            }
        }
        Ok(())
    }

    /// Has pictures drawn from a checkpoint while the loop goes on.
    fn draw_beside(&self) {
        let (run, tell) = (self.run.clone(), self.tell.clone());
        spawn_blocking(move || {
            let news = match draw(&run) {
                Ok(pictures) => News::Said(ToFace::Pictures(pictures)),
                Err(error) => News::Undrawn {
                    why: format!("{error:#}"),
                },
            };
            // A dashboard that was left needs no pictures.
            let _ = tell.blocking_send(news);
        });
    }

    fn remark(&mut self, words: &str) {
        update(&mut self.state, Message::Remark(words.to_owned()));
    }

    fn notice(&mut self, words: &str) -> io::Result<()> {
        self.output.write(BELL)?;
        if let Some(command) = &self.notify
            && let Err(error) = notice::run(command, &self.state.name, words)
        {
            self.remark(&format!("--notify could not be run: {error}"));
        }
        Ok(())
    }

    /// Takes the terminal again, whatever happened to it meanwhile.
    fn come_back(&mut self) -> io::Result<()> {
        self.output.forget();
        self.guard.take()?;
        if self.state.look.mouse {
            self.guard.report_mouse(true)?;
        }
        self.underway = None;
        self.tell_time();
        // It may be another terminal, or another program between it and this one.
        self.ask()?;
        self.measure()
    }

    /// Redraws the whole terminal at its present size.
    fn measure(&mut self) -> io::Result<()> {
        let (width, height) = size(self.usual)?;
        self.screen.resize(width, height);
        self.because(Cause::User);
        Ok(())
    }

    /// When there is something to draw.
    fn due(&self) -> Option<Instant> {
        if let Some(until) = self.asks_until.max(self.holds_until) {
            return Some(until);
        }
        if !self.output.stuck_for().is_zero() {
            return Some(Instant::now() + TRY_AGAIN);
        }
        let frame = self.cause.map(|_| self.pacer.next_frame());
        let pictures = self.waiting.as_ref().map(|_| self.pacer.pictures_due());
        let next = [frame, pictures].into_iter().flatten().reduce(f64::min)?;
        Some(self.begun + Duration::from_secs_f64(next.max(0.0)))
    }

    fn draw_what_is_due(&mut self) -> io::Result<()> {
        let now = Instant::now();
        if self
            .asks_until
            .max(self.holds_until)
            .is_some_and(|until| now < until)
        {
            return Ok(());
        }
        self.holds_until = None;
        if self.asks_until.take().is_some() {
            // A terminal that has not told all may have told some.
            self.learn()?;
        }
        if !self.output.flush()? {
            // Nothing more is drawn until the terminal has taken what it was sent.
            if self.output.stuck_for() >= GIVE_UP {
                self.left = Some(Left::Gone);
            }
            return Ok(());
        }
        let now = self.seconds();
        if self.pacer.pictures_due() <= now {
            self.show_waiting()?;
        }
        match self.cause {
            Some(Cause::User) => self.draw(Cause::User),
            Some(cause) if self.pacer.next_frame() <= now => self.draw(cause),
            _ => Ok(()),
        }
    }

    fn show_waiting(&mut self) -> io::Result<()> {
        let Some(pictures) = self.waiting.take() else {
            return Ok(());
        };
        // Chosen only here: redrawing pictures that are already on the screen in other colours would be a waste.
        self.ink.pictures = self.picture_colors();
        self.tell_time();
        let message = Message::FromWorker(ToFace::Pictures(pictures));
        self.act(message, Cause::Pictures)
    }

    fn draw(&mut self, cause: Cause) -> io::Result<()> {
        let now = self.seconds();
        if now - self.measured >= SECOND.as_secs_f64() {
            self.measured = now;
            let rate = self.pacer.rate(now);
            update(&mut self.state, Message::Traffic(rate));
        }
        let (state, ink) = (&self.state, self.ink);
        let bytes = self.screen.draw(
            &mut self.output,
            |area, buffer| view(state, ink, area, buffer),
            |placed| hung(state, placed),
        )?;
        self.cause = None;
        if self.underway.is_none() && self.pacer.measures(bytes) {
            self.output.write(HAS_ARRIVED)?;
            self.underway = Some((bytes, Instant::now()));
        }
        if self.pacer.drawn(now, cause, bytes) {
            let thrift = self.thrift();
            update(&mut self.state, Message::Aside(thrift));
        }
        Ok(())
    }

    /// The colours that pictures are drawn in.
    fn picture_colors(&self) -> Colors {
        let all = self.ink.theme.colors();
        // Pixels take no fewer bytes in fewer colours.
        if self.pacer.is_thrifty() && !self.ink.has_pixels() {
            // 16 colours hide too much: pictures that come less often say more.
            all.min(Colors::Ansi256)
        } else {
            all
        }
    }

    /// What the budget costs, in words.
    fn thrift(&self) -> String {
        let budget = self.pacer.allowance().unwrap_or_default() / 1000.0;
        if !self.pacer.is_thrifty() {
            return format!("pictures fit {budget:.0} KB/s again (--budget)");
        }
        let coarser = if self.picture_colors() == self.ink.theme.colors() {
            ""
        } else {
            " in fewer colours"
        };
        format!(
            "new pictures{coarser} every {:.0} s, for {budget:.0} KB/s to this terminal (--budget)",
            self.pacer.pictures_wait()
        )
    }
}

/// The terminal's size, as far as it is drawn on. A serial line tells 0×0, and anybody can tell 65535×65535.
fn size(usual: Size) -> io::Result<(u16, u16)> {
    const LARGEST: (u16, u16) = (1000, 400);
    Ok(match crossterm::terminal::size()? {
        (0, _) | (_, 0) => (usual.width, usual.height),
        (width, height) => (width.min(LARGEST.0), height.min(LARGEST.1)),
    })
}
