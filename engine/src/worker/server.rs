//! The worker's socket: faces connect to it, learn what happens and send commands.
//!
//! Each face has a task and a cursor into the [`Hub`]. A face that reads slowly, or not at all, holds up its own task
//! and nothing else.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use sparring_contract::BUILD_ID;
use sparring_contract::protocol::{
    Ack, Command, FaceHello, PROTOCOL, Reason, ToFace, ToWorker, WorkerHello,
};
use sparring_contract::run::{Lock, Presence, Run, boot, host, secure_socket_dir};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};

use super::hub::{Cursor, Hub};
use super::wire::{FaceCodec, Fitted, Wire, fitted, hello};
use crate::trainer::{Instruction, Responder};

/// How often to check that the socket still exists: programs that clean /tmp remove old ones.
const LOOK_AFTER: Duration = Duration::from_secs(5);

/// How long faces may take to read the last messages.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Answers that may wait for a face to read them. Further ones are dropped.
const WAITING_ANSWERS: usize = 64;

/// The most faces at a time.
const MOST_FACES: usize = 64;

/// How long a face may take to say hello.
const HELLO_WITHIN: Duration = Duration::from_secs(5);

/// The most messages of a face within [`FLOOD_WITHIN`]: more than keys that are held down, and pasted, can make. A face
/// that sends more is out of order.
const FLOOD: u32 = 1024;
const FLOOD_WITHIN: Duration = Duration::from_secs(1);

/// What a face's task needs.
#[derive(Clone)]
struct Desk {
    run: String,
    hub: Arc<Hub>,
    orders: SyncSender<Instruction>,
    tied: bool,
    /// How long a face may take to say hello.
    patience: Duration,
}

/// The socket of a run that this process holds.
pub(super) struct Server {
    listener: UnixListener,
    path: PathBuf,
    inode: u64,
    run: Run,
    lock: Arc<Lock>,
    since: f64,
    desk: Desk,
    faces: JoinSet<()>,
}

impl Server {
    /// Starts to listen. An existing socket at the path belongs to a dead worker, because this process holds the lock.
    pub(super) fn bind(
        run: &Run,
        lock: &Arc<Lock>,
        hub: &Arc<Hub>,
        orders: SyncSender<Instruction>,
        tied: bool,
        since: f64,
    ) -> anyhow::Result<Self> {
        let path = run.socket_path();
        let (listener, inode) = listen(&path)?;
        let desk = Desk {
            run: run.name().to_owned(),
            hub: Arc::clone(hub),
            orders,
            tied,
            patience: HELLO_WITHIN,
        };
        let server = Self {
            listener,
            path,
            inode,
            run: run.clone(),
            lock: Arc::clone(lock),
            since,
            desk,
            faces: JoinSet::new(),
        };
        server.announce()?;
        Ok(server)
    }

    /// Serves faces for as long as it is polled.
    pub(super) async fn serve(&mut self) {
        let mut look_after = interval(LOOK_AFTER);
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => self.receive(stream),
                    // For example, no file handle is free. Waiting gives the machine time to free some.
                    Err(_) => { look_after.tick().await; }
                },
                _ = look_after.tick() => self.look_after(),
                Some(_) = self.faces.join_next() => {}
            }
        }
    }

    /// Lets faces read the last messages, and removes the socket.
    pub(super) async fn close(mut self) {
        let _ = timeout(LAST_WORDS, async {
            while self.faces.join_next().await.is_some() {}
        })
        .await;
        self.remove_socket();
    }

    fn receive(&mut self, stream: UnixStream) {
        let own = rustix::process::geteuid().as_raw();
        if !stream.peer_cred().is_ok_and(|peer| peer.uid() == own) {
            return;
        }
        if self.faces.len() < MOST_FACES {
            let desk = self.desk.clone();
            self.faces.spawn(async move { desk.attend(stream).await });
        } else if let Ok(full) = hello(self.desk.hello(true)) {
            // A hello fits into any socket's buffer.
            let _ = stream.try_write(&full);
        }
    }

    /// Follows the run if its directory was moved, and binds again if the socket has disappeared. If the run was removed,
    /// ends the training: nothing could be saved, and the socket may belong to a new run of the same name.
    fn look_after(&mut self) {
        let Some(place) = self.lock.place() else {
            // If the queue is full, the next check tries again.
            let _ = self.desk.orders.try_send(Instruction::End(Reason::Failed));
            return;
        };
        if place != self.run {
            self.move_to(place);
        }
        if inode(&self.path) == Some(self.inode) {
            return;
        }
        // If this fails, the next check tries again.
        if let Ok((listener, inode)) = listen(&self.path) {
            (self.listener, self.inode) = (listener, inode);
            let _ = self.announce();
        }
    }

    /// Goes on in another directory, with the socket that belongs to it.
    fn move_to(&mut self, place: Run) {
        self.remove_socket();
        self.path = place.socket_path();
        place.name().clone_into(&mut self.desk.run);
        self.desk.hub.move_to(&place);
        self.run = place;
    }

    fn remove_socket(&self) {
        if inode(&self.path) == Some(self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }

    fn announce(&self) -> anyhow::Result<()> {
        let presence = Presence {
            host: host(),
            boot: boot(),
            pid: std::process::id(),
            since: self.since,
            socket: self.path.clone(),
            build: BUILD_ID.to_owned(),
        };
        let file = self.run.presence_file();
        self.run
            .write_presence(&presence)
            .with_context(|| format!("cannot write {}", file.display()))
    }
}

fn listen(path: &Path) -> anyhow::Result<(UnixListener, u64)> {
    secure_socket_dir()?;
    let _ = fs::remove_file(path);
    let cannot = || format!("cannot listen on {}", path.display());
    let listener = UnixListener::bind(path).with_context(cannot)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).with_context(cannot)?;
    let inode = inode(path).with_context(cannot)?;
    Ok((listener, inode))
}

fn inode(path: &Path) -> Option<u64> {
    fs::symlink_metadata(path).ok().map(|meta| meta.ino())
}

impl Desk {
    /// Serves a face until it leaves or there is nothing more to tell. An error drops this face and affects
    /// nothing else.
    async fn attend(self, stream: UnixStream) {
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

    /// Passes a command to the trainer, which answers between two steps.
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
        match self.orders.try_send(Instruction::Command(command, answer)) {
            Err(TrySendError::Full(Instruction::Command(_, answer))) => {
                answer.refuse(0, "too many commands wait already; try again");
            }
            Err(TrySendError::Disconnected(Instruction::Command(_, answer))) => {
                answer.refuse(0, "the run is ending");
            }
            _ => {}
        }
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
            let _ = self.0.orders.try_send(Instruction::End(Reason::Stopped));
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
        let desk = Desk {
            run: "otter".to_owned(),
            hub: Arc::new(hub),
            orders: sync_channel(1).0,
            tied: false,
            patience: HELLO_WITHIN,
        };
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
