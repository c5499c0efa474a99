//! The connection to a worker: frames over its socket.

use std::io;
use std::path::PathBuf;

use sparring_contract::protocol::{
    FaceHello, Frame, FrameError, PROTOCOL, ToFace, ToWorker, encode, encode_hello,
};
use sparring_contract::run::Run;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::socket;

/// Why a connection failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// Nobody listens there.
    #[error("cannot reach the worker at {}: {error}", socket.display())]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The socket is served by somebody else.
    #[error("{} is served by user {uid}, not by you: it is not the worker of your run", socket.display())]
    Stranger {
        /// The socket.
        socket: PathBuf,
        /// Whose process it is.
        uid: u32,
    },
    /// The socket is served by the worker of another run: this one was moved just now, or `worker.json` is not its own.
    #[error("{} is served by process {pid}, and the run is held by process {holder}: try again in a moment", socket.display())]
    OtherRun {
        /// The socket.
        socket: PathBuf,
        /// The process that serves it.
        pid: u32,
        /// The process that has the run.
        holder: u32,
    },
    /// This face would misunderstand the worker's messages: they are of a newer version.
    #[error(
        "the worker speaks version {theirs} of the protocol and this sparring knows up to {PROTOCOL}: use the newer \
         sparring"
    )]
    Newer {
        /// The worker's version.
        theirs: u32,
    },
    /// This face would misunderstand the worker's messages: they are of an older version.
    #[error(
        "the worker speaks version {theirs} of the protocol and this sparring speaks {PROTOCOL}: use the sparring that \
         started it, or have it save and end by `kill -TERM {pid}` and go on with `sparring train --resume`"
    )]
    Older {
        /// The worker's version.
        theirs: u32,
        /// The worker's process.
        pid: u32,
    },
    /// The worker turned this face away.
    #[error("the worker serves as many faces as it can: close one of them and try again")]
    Full,
    /// The connection broke, or a message that came over it cannot be read.
    #[error("the connection to the worker broke: {0}")]
    Broken(FrameError),
}

/// Not a source of the error: its text is part of the message already.
impl From<FrameError> for LinkError {
    fn from(error: FrameError) -> Self {
        Self::Broken(error)
    }
}

impl LinkError {
    /// Whether another try can do no better.
    pub(crate) fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Stranger { .. } | Self::Newer { .. } | Self::Older { .. }
        )
    }
}

/// A connection to a worker.
pub(crate) struct Link {
    stream: UnixStream,
    /// Bytes that have come and are not a whole frame yet.
    received: Vec<u8>,
    /// Whether the worker's hello has come.
    greeted: bool,
}

impl Link {
    /// Connects to the worker of a run and says hello.
    pub(crate) async fn connect(run: &Run, hello: FaceHello) -> Result<Self, LinkError> {
        let socket = &socket(run);
        let unreachable = |error| LinkError::Unreachable {
            socket: socket.to_owned(),
            error,
        };
        let stream = UnixStream::connect(socket).await.map_err(unreachable)?;
        let peer = stream.peer_cred().map_err(unreachable)?;
        let uid = peer.uid();
        if uid != rustix::process::geteuid().as_raw() {
            return Err(LinkError::Stranger {
                socket: socket.to_owned(),
                uid,
            });
        }
        let pid = peer.pid().and_then(|pid| u32::try_from(pid).ok());
        // Either is 0 or unknown if the process cannot be seen from here.
        if let (Some(pid), Some(holder)) = (pid, run.holder())
            && pid != holder
            && pid != 0
            && holder != 0
        {
            return Err(LinkError::OtherRun {
                socket: socket.clone(),
                pid,
                holder,
            });
        }
        let mut link = Self {
            stream,
            received: Vec::new(),
            greeted: false,
        };
        link.write(&encode_hello(&ToWorker::Hello(hello))?).await?;
        Ok(link)
    }

    /// Sends a message.
    pub(crate) async fn send(&mut self, message: &ToWorker) -> Result<(), LinkError> {
        self.write(&encode(message)?).await
    }

    async fn write(&mut self, frame: &[u8]) -> Result<(), LinkError> {
        let Err(error) = self.stream.write_all(frame).await else {
            return Ok(());
        };
        // A worker that turned this face away closed the connection, but its hello, which says why, can still be read.
        if !self.greeted
            && let Err(refusal) = self.next().await
            && !matches!(refusal, LinkError::Broken(_))
        {
            return Err(refusal);
        }
        Err(FrameError::from(error).into())
    }

    /// The next message; `None` where the worker closed the connection. What this build cannot understand is
    /// [`ToFace::Unknown`]. Giving up on the answer, as `select!` does, loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Option<ToFace>, LinkError> {
        loop {
            if let Some(message) = self.first_message()? {
                return check(message).map(Some);
            }
            let read = self
                .stream
                .read_buf(&mut self.received)
                .await
                .map_err(FrameError::from)?;
            if read == 0 {
                return Ok(None);
            }
        }
    }

    /// Takes the first message out of what has been received, if all of it is there.
    fn first_message(&mut self) -> Result<Option<ToFace>, FrameError> {
        let frame = if self.greeted {
            Frame::first::<ToFace>(&self.received)?
        } else {
            Frame::hello(&self.received)?
        };
        let Some(frame) = frame else { return Ok(None) };
        let message = frame.message().unwrap_or(ToFace::Unknown);
        let length = frame.length();
        self.received.drain(..length);
        self.greeted = true;
        Ok(Some(message))
    }
}

/// Refuses a worker that speaks another version of the protocol.
fn check(message: ToFace) -> Result<ToFace, LinkError> {
    match message {
        ToFace::Hello(worker) if worker.protocol > PROTOCOL => Err(LinkError::Newer {
            theirs: worker.protocol,
        }),
        ToFace::Hello(worker) if worker.protocol < PROTOCOL => Err(LinkError::Older {
            theirs: worker.protocol,
            pid: worker.pid,
        }),
        ToFace::Hello(worker) if worker.full => Err(LinkError::Full),
        message => Ok(message),
    }
}
