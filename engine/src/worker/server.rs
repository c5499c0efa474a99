//! The worker's socket: faces connect to it, learn what happens and send commands.
//!
//! Each face has a task and a cursor into the [`Hub`]. A face that reads slowly, or not at all, holds up its own task
//! and nothing else.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use sparring_contract::BUILD_ID;
use sparring_contract::protocol::Reason;
use sparring_contract::run::{Lock, Presence, Run, boot, host, secure_socket_dir};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use super::face::Desk;
use crate::panics::caught_in;

/// How often to check that the socket still exists: programs that clean /tmp remove old ones.
const LOOK_AFTER: Duration = Duration::from_secs(5);

/// How long faces may take to read the last messages.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The most faces at a time.
const MOST_FACES: usize = 64;

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
    /// Whether the run was removed, and the trainer was told to end.
    is_removed: bool,
}

impl Server {
    /// Starts to listen. An existing socket at the path belongs to a dead worker, because this process holds the lock.
    pub(super) fn bind(
        run: &Run,
        lock: &Arc<Lock>,
        desk: Desk,
        since: f64,
    ) -> anyhow::Result<Self> {
        let path = run.socket_path();
        let (listener, inode) = listen(&path)?;
        let server = Self {
            listener,
            path,
            inode,
            run: run.clone(),
            lock: Arc::clone(lock),
            since,
            desk,
            faces: JoinSet::new(),
            is_removed: false,
        };
        server.announce()?;
        Ok(server)
    }

    /// Serves faces for as long as it is polled. A panic in it is a warning, for training needs no faces.
    pub(super) async fn serve(&mut self) {
        loop {
            if let Err(panic) = caught_in(self.attend_faces()).await {
                self.desk
                    .remark(format!("warning: faces had to wait: {panic}"));
            }
            sleep(LOOK_AFTER).await;
        }
    }

    async fn attend_faces(&mut self) {
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
        } else {
            self.desk.turn_away(&stream);
        }
    }

    /// Follows the run if its directory was moved, and binds again if the socket has disappeared. If the run was removed,
    /// ends the training: nothing could be saved, and the socket may belong to a new run of the same name.
    fn look_after(&mut self) {
        let Some(place) = self.lock.place() else {
            if !std::mem::replace(&mut self.is_removed, true) {
                self.desk.end(Reason::Failed);
            }
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
        self.desk.move_to(&place);
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
