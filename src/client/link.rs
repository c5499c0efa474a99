//! The connection to a worker: frames over its socket.

use std::io;
use std::path::{Path, PathBuf};

use sparring_contract::protocol::{
    FaceHello, FrameError, MAX_FRAME, PROTOCOL, ToFace, ToWorker, decode, encode,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

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
    /// The worker's messages would be misunderstood.
    #[error(
        "the worker speaks version {theirs} of the protocol and this sparring knows up to {PROTOCOL}: use the newer \
         sparring"
    )]
    Newer {
        /// The worker's version.
        theirs: u32,
    },
    /// The connection broke.
    #[error("{0}")]
    Broken(#[from] FrameError),
}

impl LinkError {
    /// Whether another try can do no better.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Stranger { .. } | Self::Newer { .. })
    }
}

/// A connection to a worker.
pub(crate) struct Link {
    stream: UnixStream,
    /// Bytes that have come and are no whole frame yet.
    come: Vec<u8>,
}

impl Link {
    /// Connects and says hello.
    pub(crate) async fn connect(socket: &Path, hello: FaceHello) -> Result<Self, LinkError> {
        let unreachable = |error| LinkError::Unreachable {
            socket: socket.to_owned(),
            error,
        };
        let stream = UnixStream::connect(socket).await.map_err(unreachable)?;
        let uid = stream.peer_cred().map_err(unreachable)?.uid();
        if uid != rustix::process::geteuid().as_raw() {
            return Err(LinkError::Stranger {
                socket: socket.to_owned(),
                uid,
            });
        }
        let mut link = Self {
            stream,
            come: Vec::new(),
        };
        link.send(&ToWorker::Hello(hello)).await?;
        Ok(link)
    }

    /// Sends a message.
    pub(crate) async fn send(&mut self, message: &ToWorker) -> Result<(), LinkError> {
        let bytes = encode(message)?;
        // `encode` keeps to the limit, which fits.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let frame = [&length.to_be_bytes(), bytes.as_slice()].concat();
        self.stream
            .write_all(&frame)
            .await
            .map_err(|error| FrameError::from(error).into())
    }

    /// The next message; `None` where the worker closed the connection. What this build cannot understand is
    /// [`ToFace::Unknown`]. Giving up on the answer, as `select!` does, loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Option<ToFace>, LinkError> {
        loop {
            if let Some(frame) = self.whole_frame()? {
                let said = decode(&frame).unwrap_or(ToFace::Unknown);
                return match said {
                    ToFace::Hello(worker) if worker.protocol > PROTOCOL => Err(LinkError::Newer {
                        theirs: worker.protocol,
                    }),
                    said => Ok(Some(said)),
                };
            }
            let read = self
                .stream
                .read_buf(&mut self.come)
                .await
                .map_err(FrameError::from)?;
            if read == 0 {
                return Ok(None);
            }
        }
    }

    /// Takes the first frame out of what has come, if all of it has.
    fn whole_frame(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        let Some(length) = self.come.first_chunk() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > MAX_FRAME {
            return Err(FrameError::TooLong(length));
        }
        if self.come.len() < 4 + length {
            return Ok(None);
        }
        let frame = self.come[4..4 + length].to_vec();
        self.come.drain(..4 + length);
        Ok(Some(frame))
    }
}
