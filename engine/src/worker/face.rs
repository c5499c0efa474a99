//! A face at its desk: what it is told, and what it asks for.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use sparring_contract::BUILD_ID;
use sparring_contract::protocol::{
    Ack, Command, FaceHello, PROTOCOL, Reason, ToFace, ToWorker, WorkerHello,
};
use sparring_contract::run::Run;
use tokio::net::UnixStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::explorer::Question;
use super::hub::{Cursor, Hub};
use super::orders;
use super::wire::{FaceCodec, Fitted, Wire, fitted, hello};
use crate::trainer::{Instruction, Responder};

/// Answers that may wait for a face to read them. Further ones are dropped.
const WAITING_ANSWERS: usize = 64;

/// How long a face may take to say hello.
const HELLO_WITHIN: Duration = Duration::from_secs(5);

/// The most messages of a face within [`FLOOD_WITHIN`]: more than keys that are held down, and pasted, can make. A face
/// that sends more is out of order.
const FLOOD: u32 = 1024;
const FLOOD_WITHIN: Duration = Duration::from_secs(1);

/// What a face's task needs.
#[derive(Clone)]
pub(super) struct Desk {
    run: String,
    hub: Arc<Hub>,
    orders: SyncSender<Instruction>,
    questions: SyncSender<Question>,
    tied: bool,
    /// How long a face may take to say hello.
    patience: Duration,
}

impl Desk {
    pub(super) fn new(
        run: &str,
        hub: &Arc<Hub>,
        orders: SyncSender<Instruction>,
        questions: SyncSender<Question>,
        tied: bool,
    ) -> Self {
        Self {
            run: run.to_owned(),
            hub: Arc::clone(hub),
            orders,
            questions,
            tied,
            patience: HELLO_WITHIN,
        }
    }

    /// Serves a face until it leaves or there is nothing more to tell. An error drops this face and affects
    /// nothing else.
    pub(super) async fn attend(self, stream: UnixStream) {
        let mut wire = Wire::new(stream, FaceCodec::default());
        let Ok(Some(Ok(ToWorker::Hello(face)))) = timeout(self.patience, wire.next()).await else {
            return;
        };
        let Ok(own) = hello(self.hello(false)) else {
            return;
        };
        // An older face would misunderstand everything after the hello, which tells it so.
        if wire.send(own).await.is_err() || face.protocol < PROTOCOL {
            return;
        }
        let _watching = face.watch.then(|| Watching::new(&self));
        Conversation::new(&self, wire, face.clone()).go_on().await;
    }

    /// Tells a face that there are too many.
    pub(super) fn turn_away(&self, stream: &UnixStream) {
        if let Ok(full) = hello(self.hello(true)) {
            // A hello fits into any socket's buffer.
            let _ = stream.try_write(&full);
        }
    }

    /// Tells the trainer to end, as soon as it has time.
    pub(super) fn end(&self, reason: Reason) {
        let orders = self.orders.clone();
        // Without a runtime the worker is ending already.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { orders::end(&orders, reason).await });
        }
    }

    /// Goes on with a run whose directory was moved.
    pub(super) fn move_to(&mut self, place: &Run) {
        place.name().clone_into(&mut self.run);
        self.hub.move_to(place);
    }

    /// Writes a line into worker.log.
    pub(super) fn remark(&self, line: String) {
        self.hub.remark(line);
    }

    /// This worker's hello; `full` turns the face away.
    fn hello(&self, full: bool) -> WorkerHello {
        WorkerHello {
            protocol: PROTOCOL,
            build: BUILD_ID.to_owned(),
            run: self.run.clone(),
            pid: std::process::id(),
            full,
        }
    }

    /// Passes a command to the trainer, which answers between two steps, or to the explorer.
    fn order(&self, face: &FaceHello, id: u64, command: Command, to: &mpsc::Sender<Ack>) {
        let answer = Responder::new({
            let to = to.clone();
            // A face that does not read its answers loses them.
            move |step, outcome| drop(to.try_send(Ack { id, step, outcome }))
        });
        if face.read_only {
            return answer.refuse(
                0,
                "this face is read-only; attach without --read-only to steer",
            );
        }
        match command {
            Command::Explore(place) => pass_on(&self.questions, Question::Look(place, answer)),
            Command::Keep(place) => pass_on(&self.questions, Question::Keep(place, answer)),
            command => pass_on(&self.orders, Instruction::Command(command, answer)),
        }
    }
}

/// Passes on what a face asks for, if there is room for it and somebody takes it.
fn pass_on<T: Into<Option<Responder>>>(to: &SyncSender<T>, asked: T) {
    let (back, why) = match to.try_send(asked) {
        Ok(()) => return,
        Err(TrySendError::Full(back)) => (back, "too many commands wait already; try again"),
        Err(TrySendError::Disconnected(back)) => (back, "the run is ending"),
    };
    if let Some(answer) = back.into() {
        answer.refuse(0, why);
    }
}

/// A face that watches, for as long as it does.
struct Watching<'a>(&'a Desk);

impl<'a> Watching<'a> {
    fn new(desk: &'a Desk) -> Self {
        desk.hub.count_watcher(true);
        Self(desk)
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        if self.0.hub.count_watcher(false) == 0 && self.0.tied {
            self.0.end(Reason::Stopped);
        }
    }
}

/// What is told to one face.
struct Conversation<'a> {
    desk: &'a Desk,
    wire: Wire,
    face: FaceHello,
    /// What was left out before: it is reported once, and not with every new picture.
    omitted: Vec<String>,
    /// When messages began to be counted, and how many came since.
    counted: (Instant, u32),
}

impl<'a> Conversation<'a> {
    fn new(desk: &'a Desk, wire: Wire, face: FaceHello) -> Self {
        Self {
            desk,
            wire,
            face,
            omitted: Vec::new(),
            counted: (Instant::now(), 0),
        }
    }

    /// Tells what is new and takes commands. Returns when the face is gone or the worker has nothing more to tell.
    async fn go_on(mut self) -> Option<()> {
        let (answer, mut answers) = mpsc::channel(WAITING_ANSWERS);
        let mut news = self.desk.hub.news();
        let mut cursor = Cursor::default();
        let mut open = true;
        loop {
            if self.face.watch {
                open = *news.borrow_and_update();
                for message in self.desk.hub.newer_than(&mut cursor) {
                    self.tell(message).await?;
                }
            }
            while let Ok(ack) = answers.try_recv() {
                self.tell(ToFace::Ack(ack)).await?;
            }
            self.wire.flush().await.ok()?;
            if !open {
                return None;
            }
            tokio::select! {
                changed = news.changed() => {
                    changed.ok()?;
                    open = *news.borrow();
                }
                Some(ack) = answers.recv() => self.tell(ToFace::Ack(ack)).await?,
                message = self.wire.next() => {
                    let message = message?.ok()?;
                    self.count_message()?;
                    if let ToWorker::Request { id, command } = message {
                        self.desk.order(&self.face, id, command, &answer);
                    }
                }
            }
        }
    }

    /// Counts a message of the face; `None` if it floods the worker.
    fn count_message(&mut self) -> Option<()> {
        let (since, count) = &mut self.counted;
        if since.elapsed() >= FLOOD_WITHIN {
            (*since, *count) = (Instant::now(), 0);
        }
        *count += 1;
        (*count <= FLOOD).then_some(())
    }

    /// Puts a message on the wire, to leave with the next flush. What is too long for a message is left out, and both
    /// the face and worker.log are told so.
    async fn tell(&mut self, message: ToFace) -> Option<()> {
        let Fitted { frame, omitted } = fitted(message);
        if let Some(frame) = frame {
            self.wire.feed(frame).await.ok()?;
        }
        let Some(omitted) = omitted.filter(|new| !self.omitted.contains(&new.what)) else {
            return Some(());
        };
        let what = omitted.to_string();
        self.omitted.push(omitted.what);
        self.desk.hub.remark(format!("warning: {what}"));
        let report = fitted(ToFace::Omitted { what });
        self.wire.feed(report.frame?).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::mpsc::sync_channel;

    use sparring_contract::protocol::{Frame, Pictures, Purpose, encode, encode_hello};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::super::hub::Told;
    use super::*;

    fn pictures(side: u32) -> Pictures {
        Pictures {
            purpose: Purpose::Fixed,
            seed: 0,
            step: 1,
            count: 256,
            channels: 3,
            height: side,
            width: side,
            pixels: vec![7; (256 * 3 * side * side) as usize],
            labels: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// The hello and the first messages that a face is told which watches and speaks this protocol, until it leaves.
    async fn told(desk: Desk, protocol: u32, count: usize) -> (WorkerHello, Vec<ToFace>) {
        let (mut face, worker) = UnixStream::pair().unwrap();
        let attended = tokio::spawn(desk.attend(worker));
        let greeting = FaceHello {
            protocol,
            watch: true,
            read_only: false,
        };
        let greeting = encode_hello(&ToWorker::Hello(greeting)).unwrap();
        face.write_all(&greeting).await.unwrap();
        let mut bytes = Vec::new();
        let mut hello = None;
        let mut messages = Vec::new();
        while messages.len() < count && face.read_buf(&mut bytes).await.unwrap() > 0 {
            if hello.is_none()
                && let Some(frame) = Frame::hello(&bytes).unwrap()
            {
                hello = Some(frame.message().unwrap());
                bytes.drain(..frame.length());
            }
            while hello.is_some()
                && let Some(frame) = Frame::first::<ToFace>(&bytes).unwrap()
            {
                messages.push(frame.message().unwrap());
                bytes.drain(..frame.length());
            }
        }
        drop(face);
        attended.await.unwrap();
        let Some(ToFace::Hello(hello)) = hello else {
            panic!("no hello")
        };
        (hello, messages)
    }

    /// A desk with a hub that has shown these pictures, and what goes to worker.log.
    fn desk(dir: &Path, shown: Pictures) -> (Desk, std::sync::mpsc::Receiver<Told>) {
        fs::write(dir.join("config.toml"), "").unwrap();
        let run = Run::open(dir).unwrap();
        let (speaker, said) = sync_channel(100);
        let hub = Hub::of(&run, 0, speaker).unwrap();
        hub.show(shown);
        let desk = Desk::new(
            "otter",
            &Arc::new(hub),
            sync_channel(1).0,
            sync_channel(1).0,
            false,
        );
        (desk, said)
    }

    #[tokio::test]
    async fn many_large_pictures_arrive_whole() {
        let dir = tempfile::tempdir().unwrap();
        let (desk, _said) = desk(dir.path(), pictures(64));
        let (_, messages) = told(desk, PROTOCOL, 1).await;
        let [ToFace::Snapshot(snapshot)] = &messages[..] else {
            panic!("{} messages", messages.len());
        };
        assert_eq!(snapshot.pictures, [pictures(64)]);
    }

    #[tokio::test]
    async fn what_is_too_long_for_a_message_is_reported_to_the_face_and_in_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let (desk, said) = desk(dir.path(), pictures(256));
        let (_, messages) = told(desk, PROTOCOL, 2).await;
        let [ToFace::Snapshot(snapshot), ToFace::Omitted { what }] = &messages[..] else {
            panic!("{} messages", messages.len());
        };
        assert!(snapshot.pictures.is_empty());
        assert!(what.starts_with("pictures left out"), "{what}");
        let Ok(Told::Remark(line)) = said.try_recv() else {
            panic!("nothing in worker.log")
        };
        assert_eq!(line, format!("warning: {what}"));
    }

    #[tokio::test]
    async fn a_face_that_says_no_hello_in_time_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let (mut desk, _said) = desk(dir.path(), pictures(64));
        desk.patience = Duration::from_millis(10);
        let (mut face, worker) = UnixStream::pair().unwrap();
        // Some bytes of a hello, and no more of them.
        face.write_all(&[0, 0, 0]).await.unwrap();
        desk.attend(worker).await;
        assert_eq!(face.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_face_that_floods_the_worker_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let (desk, _said) = desk(dir.path(), pictures(64));
        let (mut face, worker) = UnixStream::pair().unwrap();
        let greeting = FaceHello {
            protocol: PROTOCOL,
            watch: false,
            read_only: false,
        };
        let attended = tokio::spawn(desk.attend(worker));
        let greeting = encode_hello(&ToWorker::Hello(greeting)).unwrap();
        face.write_all(&greeting).await.unwrap();
        let message = encode(&ToWorker::Unknown).unwrap();
        let flood = async { while face.write_all(&message).await.is_ok() {} };
        timeout(Duration::from_mins(1), flood).await.unwrap();
        attended.await.unwrap();
    }

    #[tokio::test]
    async fn an_older_face_hears_which_protocol_the_worker_speaks_and_nothing_more() {
        let dir = tempfile::tempdir().unwrap();
        let (desk, _said) = desk(dir.path(), pictures(64));
        let (hello, messages) = told(desk, PROTOCOL - 1, 1).await;
        assert_eq!(hello.protocol, PROTOCOL);
        assert_eq!(messages, []);
    }
}
