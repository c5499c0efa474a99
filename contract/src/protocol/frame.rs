//! Frames: how a message travels over a socket or a pipe.
//!
//! ```text
//! u32         length of the header in bytes, big-endian
//! u32         length of the attachment in bytes, big-endian
//! header      the message as JSON
//! attachment  the pixels of the message's pictures, one picture batch after the other
//! ```
//!
//! Only the first message of either side of a socket, its hello, has no length for an attachment. That was the layout
//! of protocol 2: whatever their builds, a face and a worker can tell each other which protocol they speak.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Pictures;

/// The longest header that is sent or accepted, in bytes.
pub const MAX_HEADER: usize = 1 << 20;

/// The longest attachment that a message can have, in bytes. Most messages have none: see [`Message::MAX_ATTACHMENT`].
pub const MAX_ATTACHMENT: usize = 16 << 20;

/// Bytes of a length.
const LENGTH: usize = 4;

/// Bytes of the two lengths before a header.
const PREFIX: usize = 2 * LENGTH;

/// Why a frame could not be sent or read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The other side's bytes could not be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The header is longer than [`MAX_HEADER`].
    #[error("its header has {bytes} bytes, over the limit of {MAX_HEADER}")]
    HeaderTooLong {
        /// Bytes of the header.
        bytes: usize,
    },
    /// The attachment is longer than this message may have.
    #[error("its attachment has {bytes} bytes, over the limit of {limit}")]
    AttachmentTooLong {
        /// Bytes of the attachment.
        bytes: usize,
        /// The limit for this type of message.
        limit: usize,
    },
    /// The attachment does not hold as many pixels as the pictures in the message have.
    #[error("its pictures have more or fewer pixels than their sizes say")]
    WrongPixels,
    /// The header is not a message of this protocol.
    #[error("it could not be understood: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// A message, and which of its parts travel in the attachment.
pub trait Message: Serialize + DeserializeOwned {
    /// The longest attachment of messages of this type, in bytes.
    const MAX_ATTACHMENT: usize = 0;

    /// The pictures in the message, in the order of their pixels in the attachment.
    fn pictures(&self) -> Vec<&Pictures> {
        Vec::new()
    }

    /// The same pictures, to be given their pixels.
    fn pictures_mut(&mut self) -> Vec<&mut Pictures> {
        Vec::new()
    }
}

/// The first frame of a buffer that holds all of it.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    header: &'a [u8],
    attachment: &'a [u8],
    length: usize,
}

impl<'a> Frame<'a> {
    /// The first frame of these bytes; `None` while some of it is missing. A frame that is too long for a message of
    /// type `M` is refused as soon as its lengths are known.
    pub fn first<M: Message>(bytes: &'a [u8]) -> Result<Option<Self>, FrameError> {
        let Some(prefix) = bytes.first_chunk() else {
            return Ok(None);
        };
        let (header, attachment) = lengths::<M>(*prefix)?;
        let end = PREFIX + header;
        let length = end + attachment;
        Ok(bytes.get(..length).map(|frame| Self {
            header: &frame[PREFIX..end],
            attachment: &frame[end..],
            length,
        }))
    }

    /// The hello at the beginning of these bytes; `None` while some of it is missing.
    pub fn hello(bytes: &'a [u8]) -> Result<Option<Self>, FrameError> {
        let Some(prefix) = bytes.first_chunk() else {
            return Ok(None);
        };
        let header = u32::from_be_bytes(*prefix) as usize;
        check_header(header)?;
        let length = LENGTH + header;
        Ok(bytes.get(..length).map(|frame| Self {
            header: &frame[LENGTH..],
            attachment: &[],
            length,
        }))
    }

    /// Bytes of the frame, lengths included.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The message in the frame.
    pub fn message<M: Message>(&self) -> Result<M, FrameError> {
        decode(self.header, self.attachment)
    }
}

/// The frame of a message, checked against the limits.
pub fn encode<M: Message>(message: &M) -> Result<Vec<u8>, FrameError> {
    let pictures = message.pictures();
    if pictures.iter().any(|pictures| !pictures.is_whole()) {
        return Err(FrameError::WrongPixels);
    }
    let attachment = pictures.iter().map(|batch| batch.pixels.len()).sum();
    check_attachment::<M>(attachment)?;
    let header = header_of(message)?;
    let mut frame = Vec::with_capacity(PREFIX + header.len() + attachment);
    frame.extend(length_of(header.len()));
    frame.extend(length_of(attachment));
    frame.extend(header);
    for batch in pictures {
        frame.extend(&batch.pixels);
    }
    Ok(frame)
}

/// The frame of a hello.
pub fn encode_hello<M: Message>(hello: &M) -> Result<Vec<u8>, FrameError> {
    let header = header_of(hello)?;
    Ok([&length_of(header.len()), header.as_slice()].concat())
}

/// Writes one message and flushes.
pub fn write_frame<M: Message>(to: &mut impl Write, message: &M) -> Result<(), FrameError> {
    to.write_all(&encode(message)?)?;
    to.flush()?;
    Ok(())
}

/// Reads one message; `None` where the other side ended between two frames.
pub fn read_frame<M: Message>(from: &mut impl Read) -> Result<Option<M>, FrameError> {
    let mut prefix = [0; PREFIX];
    if !fill(from, &mut prefix)? {
        return Ok(None);
    }
    let (header, attachment) = lengths::<M>(prefix)?;
    let mut bytes = vec![0; header + attachment];
    from.read_exact(&mut bytes)?;
    let (header, attachment) = bytes.split_at(header);
    decode(header, attachment).map(Some)
}

/// Fills the bytes; `false` where there is nothing left to read. Ending in between is an error.
fn fill(from: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    let mut have = 0;
    while have < bytes.len() {
        match from.read(&mut bytes[have..]) {
            Ok(0) if have == 0 => return Ok(false),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => have += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

fn header_of(message: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    let header = serde_json::to_vec(message)?;
    check_header(header.len())?;
    Ok(header)
}

fn decode<M: Message>(header: &[u8], mut attachment: &[u8]) -> Result<M, FrameError> {
    let mut message: M = serde_json::from_slice(header)?;
    for batch in message.pictures_mut() {
        let size = batch.size().ok_or(FrameError::WrongPixels)?;
        let (pixels, rest) = attachment
            .split_at_checked(size)
            .ok_or(FrameError::WrongPixels)?;
        batch.pixels = pixels.to_vec();
        attachment = rest;
    }
    if attachment.is_empty() {
        Ok(message)
    } else {
        Err(FrameError::WrongPixels)
    }
}

/// The lengths of header and attachment, checked against the limits.
fn lengths<M: Message>(prefix: [u8; PREFIX]) -> Result<(usize, usize), FrameError> {
    let both = u64::from_be_bytes(prefix);
    let [header, attachment] = [both >> 32, both & u64::from(u32::MAX)];
    let in_memory = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
    let (header, attachment) = (in_memory(header), in_memory(attachment));
    check_header(header)?;
    check_attachment::<M>(attachment)?;
    Ok((header, attachment))
}

fn check_header(bytes: usize) -> Result<(), FrameError> {
    if bytes > MAX_HEADER {
        return Err(FrameError::HeaderTooLong { bytes });
    }
    Ok(())
}

fn check_attachment<M: Message>(bytes: usize) -> Result<(), FrameError> {
    let limit = M::MAX_ATTACHMENT;
    if bytes > limit {
        return Err(FrameError::AttachmentTooLong { bytes, limit });
    }
    Ok(())
}

/// A length that was checked against a limit, all of which fit.
fn length_of(bytes: usize) -> [u8; LENGTH] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests;
