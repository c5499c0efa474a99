//! The connection of a dashboard to its worker: made, kept, made again, and known to be over.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sparring_contract::protocol::{Ended, Event, FaceHello, Phase, ToFace, ToWorker};
use sparring_contract::run::{Run, read_tail};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::time::sleep;

use super::last_words::last_words;
use crate::client::{Link, LinkError, socket};

/// A worker that was just started is looked for this often.
const KNOCK_EVERY: Duration = Duration::from_millis(30);
/// So many tries may fail before a worker that has the run and does not listen counts as lost.
const PATIENT_TRIES: u32 = 30;
/// The first wait before a lost worker is looked for again, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How long a worker that closed its connection has to end, before it counts as lost instead.
const DYING: Duration = Duration::from_millis(200);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What a connection has to tell.
pub(super) enum News {
    /// The worker said something.
    Said(ToFace),
    /// The connection is gone and is being sought again.
    Lost {
        /// Why.
        why: String,
    },
    /// The worker is gone without having ended the run. Nothing more comes.
    Died(Death),
    /// The worker cannot be talked to. Nothing more comes.
    Refused(LinkError),
}

/// How a worker died.
#[derive(Clone, Debug)]
pub(crate) struct Death {
    /// In words.
    pub(crate) status: String,
    /// Its exit code, if it ended by itself and is known.
    pub(crate) code: Option<u8>,
    /// The last lines of its log.
    pub(crate) log: Vec<String>,
}

impl Death {
    /// An end that came before the beginning, as the worker told it.
    pub(super) fn of(ended: &Ended) -> Self {
        let message = ended.message.as_deref().unwrap_or(ended.reason.word());
        Self {
            status: ended.reason.word().to_owned(),
            code: Some(ended.exit_code),
            log: vec![format!("error: {message}")],
        }
    }
}

/// How the worker's process stands.
enum Fate {
    Alive,
    Gone(Option<ExitStatus>),
}

/// How a worker is looked for that is not there.
struct Search {
    tries: u32,
    wait: Duration,
    /// Whether it was started just now, and may take its time before it listens.
    starting: bool,
    /// Whether it was talked to before.
    known: bool,
}

impl Search {
    /// For a worker that was never talked to.
    fn new(starting: bool) -> Self {
        Self {
            tries: 0,
            wait: KNOCK_EVERY,
            starting,
            known: false,
        }
    }

    /// For a worker that was just talked to.
    fn again() -> Self {
        Self {
            tries: 0,
            wait: FIRST_WAIT,
            starting: false,
            known: true,
        }
    }

    /// Whether the connection broke just now.
    fn is_new(&self) -> bool {
        self.known && self.tries == 0
    }

    /// Whether the user should know: once for each loss, and not while a worker may yet begin to listen.
    fn is_worth_telling(&self) -> bool {
        !self.starting && self.tries == if self.known { 0 } else { PATIENT_TRIES }
    }

    /// How long to wait before the next try.
    fn wait(&mut self) -> Duration {
        self.tries = self.tries.saturating_add(1);
        let wait = self.wait;
        if self.known || self.tries > PATIENT_TRIES && !self.starting {
            self.wait = (wait * 2).min(LONGEST_WAIT);
        }
        wait
    }
}

/// A connection to the worker of a run.
pub(super) struct Connection {
    run: Run,
    hello: FaceHello,
    /// Tells how the worker ended, where this process started it.
    exit: Option<oneshot::Receiver<ExitStatus>>,
    exited: Option<ExitStatus>,
    /// An end of the run that is older belongs to a worker before this one.
    since: f64,
}

/// Why a conversation is over.
enum Over {
    /// The dashboard was left.
    Left,
    /// The worker ended the run.
    Ended,
    /// The connection broke.
    Broken(LinkError),
    /// The worker closed it.
    Closed,
}

impl Connection {
    /// To the worker of a run; `child` is the worker where this process started it.
    pub(super) fn new(run: Run, hello: FaceHello, child: Option<Child>) -> Self {
        let since = match (&child, run.presence()) {
            (None, Some(presence)) => presence.since,
            _ => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_secs_f64(),
        };
        Self {
            run,
            hello,
            exit: child.map(watch),
            exited: None,
            since,
        }
    }

    /// Talks to the worker until it or the dashboard is gone.
    pub(super) async fn keep(mut self, news: Sender<News>, mut wishes: Receiver<ToWorker>) {
        let mut search = Search::new(self.exit.is_some());
        loop {
            let over = match Link::connect(&socket(&self.run), self.hello.clone()).await {
                Ok(link) => {
                    search = Search::again();
                    self.talk(link, &news, &mut wishes).await
                }
                Err(error) => Over::Broken(error),
            };
            let why = match over {
                Over::Left | Over::Ended => return,
                Over::Broken(error) if error.is_final() => {
                    let _ = news.send(News::Refused(error)).await;
                    return;
                }
                Over::Broken(error) => error.to_string(),
                Over::Closed => "the worker closed it".to_owned(),
            };
            if let Fate::Gone(status) = self.dying(search.is_new()).await {
                let _ = news.send(self.end(status)).await;
                return;
            }
            if search.is_worth_telling() && news.send(News::Lost { why }).await.is_err() {
                return;
            }
            tokio::select! {
                () = sleep(search.wait()) => {}
                () = news.closed() => return,
            }
        }
    }

    async fn talk(
        &self,
        mut link: Link,
        news: &Sender<News>,
        wishes: &mut Receiver<ToWorker>,
    ) -> Over {
        let mut ended = false;
        loop {
            tokio::select! {
                said = link.next() => match said {
                    Ok(Some(said)) => {
                        ended |= tells_end(&said);
                        if news.send(News::Said(said)).await.is_err() {
                            return Over::Left;
                        }
                    }
                    Ok(None) | Err(LinkError::Broken(_)) if ended => return Over::Ended,
                    Ok(None) => return Over::Closed,
                    Err(error) => return Over::Broken(error),
                },
                wish = wishes.recv() => match wish {
                    Some(wish) => if let Err(error) = link.send(&wish).await {
                        return Over::Broken(error);
                    },
                    None => return Over::Left,
                },
            }
        }
    }

    /// How the worker stands now.
    fn fate(&mut self) -> Fate {
        if self.exited.is_none()
            && let Some(exit) = &mut self.exit
        {
            match exit.try_recv() {
                Ok(status) => self.exited = Some(status),
                Err(TryRecvError::Empty) => return Fate::Alive,
                // Nobody could wait for it, so its lock has to tell.
                Err(TryRecvError::Closed) => self.exit = None,
            }
        }
        match self.exited {
            Some(status) => Fate::Gone(Some(status)),
            None if self.run.holder().is_some() => Fate::Alive,
            None => Fate::Gone(None),
        }
    }

    /// How it stands; if it has `just` closed its connection, after a while, since a process that is killed closes it
    /// a moment before it is gone.
    async fn dying(&mut self, just: bool) -> Fate {
        let begun = Instant::now();
        loop {
            match self.fate() {
                Fate::Alive if just && begun.elapsed() < DYING => sleep(LOOK_EVERY).await,
                fate => return fate,
            }
        }
    }

    /// What there is to tell of a worker that is gone: the end of the run, if its log has one, else its death.
    fn end(&self, status: Option<ExitStatus>) -> News {
        let end = read_tail(&self.run.events_file())
            .pop()
            .filter(|last| last.time >= self.since && matches!(last.event, Event::Ended(_)));
        match end {
            Some(record) => News::Said(ToFace::Event {
                sequence: u64::MAX,
                record,
            }),
            None => News::Died(Death {
                status: status.map_or_else(|| "its process is gone".to_owned(), describe),
                code: status
                    .and_then(|status| status.code())
                    .and_then(|code| u8::try_from(code).ok()),
                log: last_words(&self.run.worker_log()),
            }),
        }
    }
}

/// Waits for a child on a thread of its own, so that it leaves no zombie whatever the dashboard does.
fn watch(mut child: Child) -> oneshot::Receiver<ExitStatus> {
    let (tell, told) = oneshot::channel();
    let waiting = thread::Builder::new().name("worker".to_owned());
    // Without the thread its end is known by its lock.
    let _ = waiting.spawn(move || child.wait().map(|status| tell.send(status)));
    told
}

fn tells_end(said: &ToFace) -> bool {
    match said {
        ToFace::Event { record, .. } => matches!(record.event, Event::Ended(_)),
        ToFace::Snapshot(snapshot) => snapshot.phase == Phase::Ended,
        _ => false,
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tries after which the user is told, and the waits of the first ones.
    fn told(mut search: Search) -> (Vec<u32>, Vec<Duration>) {
        let mut told = Vec::new();
        let mut waits = Vec::new();
        for attempt in 0..200 {
            if search.is_worth_telling() {
                told.push(attempt);
            }
            waits.push(search.wait());
        }
        (told, waits)
    }

    #[test]
    fn a_worker_that_was_just_started_is_knocked_at_without_a_word() {
        let (told, waits) = told(Search::new(true));
        assert!(told.is_empty());
        assert!(waits.iter().all(|wait| *wait == KNOCK_EVERY));
    }

    #[test]
    fn a_worker_that_has_the_run_and_does_not_listen_is_told_of_once() {
        let (told, waits) = told(Search::new(false));
        assert_eq!(told, [PATIENT_TRIES]);
        assert_eq!(waits[0], KNOCK_EVERY);
        assert_eq!(waits[199], LONGEST_WAIT);
    }

    #[test]
    fn a_loss_is_told_at_once_and_sought_ever_less_often() {
        let (told, waits) = told(Search::again());
        assert_eq!(told, [0]);
        assert_eq!(waits[..3], [100, 200, 400].map(Duration::from_millis));
        assert_eq!(waits[199], LONGEST_WAIT);
    }

    #[test]
    fn a_death_is_told_in_words() {
        assert_eq!(describe(ExitStatus::from_raw(9)), "killed by signal 9");
        assert_eq!(describe(ExitStatus::from_raw(101 << 8)), "exit status 101");
    }
}
