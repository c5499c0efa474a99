//! The worker's socket: faces connect, are told what happens and give commands.
//!
//! Each face has a task and a cursor into the [`Hub`]. A face that reads slowly or not at all holds up its own task
//! and nothing else.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use anyhow::Context as _;
use futures_util::{SinkExt, StreamExt as _};
use sparring_contract::BUILD_ID;
use sparring_contract::protocol::{
    Ack, Command, FaceHello, MAX_FRAME, PROTOCOL, Reason, ToFace, ToWorker, WorkerHello, decode,
    encode,
};
use sparring_contract::run::{Lock, Presence, Run, boot, host, secure_socket_dir};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};
use tokio_util::bytes::Bytes;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::hub::{Cursor, Hub};
use crate::trainer::{Instruction, Responder};

/// How often the socket is looked after: cleaners of /tmp remove old ones.
const LOOK_AFTER: Duration = Duration::from_secs(5);

/// How long faces may take to hear the last words.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Answers that may wait for a face to read them. A face that does not is let go.
const WAITING_ANSWERS: usize = 64;

/// Faces at once.
const MOST_FACES: usize = 64;

/// What a face's task needs.
#[derive(Clone)]
struct Desk {
    run: String,
    hub: Arc<Hub>,
    orders: SyncSender<Instruction>,
    tied: bool,
}

/// The socket of a run that this process has.
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
    /// Listens. A socket that lies at its path is a dead worker's: this process holds the run's lock.
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
                    // Out of file handles, say: the next look gives the machine time to find some.
                    Err(_) => { look_after.tick().await; }
                },
                _ = look_after.tick() => self.look_after(),
                Some(_) = self.faces.join_next() => {}
            }
        }
    }

    /// Lets faces hear the last words, and takes the socket away.
    pub(super) async fn close(mut self) {
        let _ = timeout(LAST_WORDS, async {
            while self.faces.join_next().await.is_some() {}
        })
        .await;
        if inode(&self.path) == Some(self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }

    fn receive(&mut self, stream: UnixStream) {
        let own = rustix::process::geteuid().as_raw();
        let trusted = stream.peer_cred().is_ok_and(|peer| peer.uid() == own);
        if trusted && self.faces.len() < MOST_FACES {
            let desk = self.desk.clone();
            self.faces.spawn(async move { desk.attend(stream).await });
        }
    }

    /// Binds anew where the socket has disappeared. Where the run itself has, training ends: nothing could be saved,
    /// and the socket may be that of a new run of the same name.
    fn look_after(&mut self) {
        if !self.lock.is_in_place() {
            // A full row is tried again at the next look.
            let _ = self.desk.orders.try_send(Instruction::End(Reason::Failed));
            return;
        }
        if inode(&self.path) == Some(self.inode) {
            return;
        }
        // Tried again at the next look if it cannot be done now.
        if let Ok((listener, inode)) = listen(&self.path) {
            (self.listener, self.inode) = (listener, inode);
            let _ = self.announce();
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
    /// Attends to a face until it leaves or there is nothing more to tell. What goes wrong with a face is its own
    /// matter: it is let go.
    async fn attend(self, stream: UnixStream) {
        let mut wire = LengthDelimitedCodec::builder()
            .max_frame_length(MAX_FRAME)
            .new_framed(stream);
        let Some(Ok(ToWorker::Hello(face))) = next(&mut wire).await else {
            return;
        };
        let hello = WorkerHello {
            protocol: PROTOCOL,
            build: BUILD_ID.to_owned(),
            run: self.run.clone(),
            pid: std::process::id(),
        };
        if send(&mut wire, &ToFace::Hello(hello)).await.is_none() {
            return;
        }
        if face.watch {
            self.hub.count_watcher(true);
        }
        self.converse(&mut wire, &face).await;
        if face.watch && self.hub.count_watcher(false) == 0 && self.tied {
            let _ = self.orders.try_send(Instruction::End(Reason::Stopped));
        }
    }

    async fn converse(&self, wire: &mut Wire, face: &FaceHello) -> Option<()> {
        let (answer, mut answers) = mpsc::channel(WAITING_ANSWERS);
        let mut news = self.hub.news();
        let mut cursor = Cursor::default();
        let mut open = true;
        loop {
            if face.watch {
                open = *news.borrow_and_update();
                for message in self.hub.newer_than(&mut cursor) {
                    feed(wire, &message).await?;
                }
            }
            while let Ok(ack) = answers.try_recv() {
                feed(wire, &ToFace::Ack(ack)).await?;
            }
            SinkExt::<Bytes>::flush(wire).await.ok()?;
            if !open {
                return None;
            }
            tokio::select! {
                changed = news.changed() => {
                    changed.ok()?;
                    open = *news.borrow();
                }
                Some(ack) = answers.recv() => feed(wire, &ToFace::Ack(ack)).await?,
                message = next(wire) => match message? {
                    Ok(ToWorker::Request { id, command }) => self.order(face, id, command, &answer),
                    Ok(ToWorker::Hello(_) | ToWorker::Unknown) => {}
                    Err(()) => return None,
                },
            }
        }
    }

    /// Passes a command on to the trainer, which answers between two steps.
    fn order(&self, face: &FaceHello, id: u64, command: Command, to: &mpsc::Sender<Ack>) {
        let answer = Responder::new({
            let to = to.clone();
            // A face that reads no answers has none.
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

type Wire = Framed<UnixStream, LengthDelimitedCodec>;

/// The next message; `Err` for one that cannot be understood, `None` when the face has gone.
async fn next(wire: &mut Wire) -> Option<Result<ToWorker, ()>> {
    let frame = wire.next().await?.ok()?;
    Some(decode(&frame).map_err(drop))
}

async fn send(wire: &mut Wire, message: &ToFace) -> Option<()> {
    feed(wire, message).await?;
    SinkExt::<Bytes>::flush(wire).await.ok()
}

/// Puts a message on the wire, to leave with the next flush. One that is too long, a snapshot of huge pictures say,
/// is left out.
async fn feed(wire: &mut Wire, message: &ToFace) -> Option<()> {
    match encode(message) {
        Ok(bytes) => wire.feed(Bytes::from(bytes)).await.ok(),
        Err(_) => Some(()),
    }
}
