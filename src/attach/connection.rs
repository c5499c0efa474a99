//! The connection of a dashboard to its worker: opens it, keeps it, reopens it, and notices when it is over.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use sparring_contract::protocol::{Ended, Event, FaceHello, Phase, ToFace, ToWorker};
use sparring_contract::run::{Run, read_tail};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::time::sleep;

use super::last_words::last_words;
use crate::client::{Link, LinkError};
use crate::clock::now;

/// How often to look for a worker that was just started.
const KNOCK_EVERY: Duration = Duration::from_millis(30);
/// A worker that holds the run but does not listen counts as lost after this many tries.
const PATIENT_TRIES: u32 = 30;
/// The first and the longest wait before looking for a lost worker again.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// A worker that closed its connection and is still there after this time counts as lost, not dead.
const DYING: Duration = Duration::from_millis(200);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What a connection reports.
pub(super) enum News {
    /// The worker said something.
    Said(ToFace),
    /// The connection is gone; it is being reopened.
    Lost {
        /// Why.
        why: String,
    },
    /// The worker is gone and did not end the run. Nothing more comes.
    Died(Death),
    /// The pictures that were asked for could not be drawn.
    Undrawn {
        /// Why.
        why: String,
    },
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
    /// The error that it reported before it ended, if it did.
    pub(crate) error: Option<String>,
    /// The last lines of its log.
    pub(crate) log: Vec<String>,
}

impl Death {
    /// The end of a worker that never began to train, in its own words.
    pub(super) fn of(ended: &Ended) -> Self {
        Self {
            status: ended.reason.word().to_owned(),
            code: Some(ended.exit_code),
            error: ended.message.clone(),
            log: Vec::new(),
        }
    }
}

/// Whether the worker's process is there.
enum Fate {
    Alive,
    Gone(Option<ExitStatus>),
}

/// The search for a worker that cannot be reached.
struct Search {
    tries: u32,
    wait: Duration,
    /// Whether it was started just now and may not listen yet.
    starting: bool,
    /// Whether there was a connection before.
    known: bool,
}

impl Search {
    /// For a worker without a connection so far.
    fn new(starting: bool) -> Self {
        Self {
            tries: 0,
            wait: KNOCK_EVERY,
            starting,
            known: false,
        }
    }

    /// For a worker whose connection was just open.
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

    /// Whether to tell the user: once for each loss, and not while a new worker may still begin to listen.
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
    /// Tells how the worker ended, if this process started it.
    exit: Option<oneshot::Receiver<ExitStatus>>,
    exited: Option<ExitStatus>,
    /// An end in the log that is older than this belongs to an earlier worker.
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
    /// A connection to the worker of a run; `child` is the worker if this process started it.
    pub(super) fn new(run: Run, hello: FaceHello, child: Option<Child>) -> Self {
        let since = match (&child, run.presence()) {
            (None, Some(presence)) => presence.since,
            _ => now(),
        };
        Self {
            run,
            hello,
            exit: child.map(watch),
            exited: None,
            since,
        }
    }

    /// Keeps the connection until the worker or the dashboard is gone.
    pub(super) async fn keep(mut self, news: Sender<News>, mut wishes: Receiver<ToWorker>) {
        let mut search = Search::new(self.exit.is_some());
        loop {
            let over = match Link::connect(&self.run, self.hello.clone()).await {
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

    /// Whether the worker is there now.
    fn fate(&mut self) -> Fate {
        if self.exited.is_none()
            && let Some(exit) = &mut self.exit
        {
            match exit.try_recv() {
                Ok(status) => self.exited = Some(status),
                Err(TryRecvError::Empty) => return Fate::Alive,
                // No thread waits for it, so its lock has to tell.
                Err(TryRecvError::Closed) => self.exit = None,
            }
        }
        match self.exited {
            Some(status) => Fate::Gone(Some(status)),
            None if self.run.holder().is_some() => Fate::Alive,
            None => Fate::Gone(None),
        }
    }

    /// The same, but if the connection closed `just` now, first gives the process a moment to end: a killed process
    /// closes its connection slightly before it is gone.
    async fn dying(&mut self, just: bool) -> Fate {
        let begun = Instant::now();
        loop {
            match self.fate() {
                Fate::Alive if just && begun.elapsed() < DYING => sleep(LOOK_EVERY).await,
                fate => return fate,
            }
        }
    }

    /// What to report about a worker that is gone: the end of the run, if the log has one, or else its death.
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
                error: None,
                log: last_words(&self.run.worker_log()),
            }),
        }
    }
}

/// Waits for a child on a separate thread, so that it never stays a zombie.
fn watch(mut child: Child) -> oneshot::Receiver<ExitStatus> {
    let (tell, told) = oneshot::channel();
    let waiting = thread::Builder::new().name("worker".to_owned());
    // Without the thread, its lock tells that it has ended.
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
