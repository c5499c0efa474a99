//! Messages as bytes on a face's socket.

use std::fmt;

use serde::Serialize;
use sparring_contract::protocol::{
    Frame, FrameError, MAX_ATTACHMENT, Pictures, Snapshot, ToFace, ToWorker, WorkerHello, encode,
    encode_hello,
};
use tokio::net::UnixStream;
use tokio_util::bytes::{Buf as _, BufMut as _, BytesMut};
use tokio_util::codec::{Decoder, Encoder, Framed};

/// A face's socket.
pub(super) type Wire = Framed<UnixStream, FaceCodec>;

/// Reads a face's messages, of which the first is a hello, and writes frames.
#[derive(Debug, Default)]
pub(super) struct FaceCodec {
    greeted: bool,
}

impl Decoder for FaceCodec {
    type Item = ToWorker;
    type Error = FrameError;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<ToWorker>, FrameError> {
        let frame = if self.greeted {
            Frame::first::<ToWorker>(bytes)?
        } else {
            Frame::hello(bytes)?
        };
        let Some(frame) = frame else { return Ok(None) };
        let (length, message) = (frame.length(), frame.message()?);
        bytes.advance(length);
        self.greeted = true;
        Ok(Some(message))
    }
}

impl Encoder<Vec<u8>> for FaceCodec {
    type Error = FrameError;

    fn encode(&mut self, frame: Vec<u8>, bytes: &mut BytesMut) -> Result<(), FrameError> {
        bytes.reserve(frame.len());
        bytes.put_slice(&frame);
        Ok(())
    }
}

/// The frame of the worker's hello.
pub(super) fn hello(hello: WorkerHello) -> Result<Vec<u8>, FrameError> {
    encode_hello(&ToFace::Hello(hello))
}

/// A message as a frame, as far as it fits into one.
#[derive(Debug)]
pub(super) struct Fitted {
    /// The frame; none if the message was left out.
    pub(super) frame: Option<Vec<u8>>,
    /// What was left out, if anything was.
    pub(super) omitted: Option<Omitted>,
}

/// Something that was left out of a message.
#[derive(Debug)]
pub(super) struct Omitted {
    /// What it is.
    pub(super) what: String,
    why: FrameError,
}

impl fmt::Display for Omitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} left out of a message: {}", self.what, self.why)
    }
}

/// Makes a frame of a message. A snapshot that is over a limit goes without the pictures that do not fit, and without
/// the older half of its longest list, as often as it takes; any other message that is over a limit is left out.
pub(super) fn fitted(message: ToFace) -> Fitted {
    match (encode(&message), message) {
        (Ok(frame), _) => Fitted {
            frame: Some(frame),
            omitted: None,
        },
        (Err(why), ToFace::Snapshot(snapshot)) => shortened(*snapshot, why),
        (Err(why), message) => left_out(name(&message), why),
    }
}

fn left_out(what: &str, why: FrameError) -> Fitted {
    Fitted {
        frame: None,
        omitted: Some(Omitted {
            what: what.to_owned(),
            why,
        }),
    }
}

fn name(message: &ToFace) -> &'static str {
    match message {
        ToFace::Pictures(_) => "pictures",
        ToFace::Event { .. } => "an event",
        ToFace::Ack(_) => "an answer",
        _ => "news",
    }
}

fn shortened(mut snapshot: Snapshot, why: FrameError) -> Fitted {
    let mut parts = Vec::new();
    if drop_pictures(&mut snapshot) {
        parts.push("pictures");
    }
    let mut message = ToFace::Snapshot(Box::new(snapshot));
    loop {
        match (encode(&message), &mut message) {
            (Ok(frame), _) => {
                return Fitted {
                    frame: Some(frame),
                    ..left_out(&parts.join(", "), why)
                };
            }
            (Err(FrameError::HeaderTooLong { .. }), ToFace::Snapshot(snapshot)) => {
                match halve_longest(snapshot) {
                    Some(part) if !parts.contains(&part) => parts.push(part),
                    Some(_) => {}
                    None => return left_out("the state of the run", why),
                }
            }
            (Err(why), _) => return left_out("the state of the run", why),
        }
    }
}

/// Drops the pictures that cannot be sent: malformed ones, and the newest kind as long as all are too many bytes.
/// Returns whether any were dropped.
fn drop_pictures(snapshot: &mut Snapshot) -> bool {
    let before = snapshot.pictures.len();
    let pictures = &mut snapshot.pictures;
    pictures.retain(Pictures::is_whole);
    let bytes =
        |pictures: &[Pictures]| -> usize { pictures.iter().map(|batch| batch.pixels.len()).sum() };
    while bytes(pictures) > MAX_ATTACHMENT {
        pictures.pop();
    }
    pictures.len() < before
}

/// Drops the older half of the list that takes most bytes and says which it was; `None` when all of them are empty.
fn halve_longest(snapshot: &mut Snapshot) -> Option<&'static str> {
    let parts: [(&'static str, usize, &mut dyn Halve); 3] = [
        (
            "older reports",
            json_bytes(&snapshot.history),
            &mut snapshot.history,
        ),
        (
            "the older part of the quality curve",
            json_bytes(&snapshot.quality),
            &mut snapshot.quality,
        ),
        (
            "older lines of the log",
            json_bytes(&snapshot.log),
            &mut snapshot.log,
        ),
    ];
    let (name, _, list) = parts
        .into_iter()
        .filter(|(_, bytes, _)| *bytes > "[]".len())
        .max_by_key(|(_, bytes, _)| *bytes)?;
    list.halve();
    Some(name)
}

fn json_bytes(list: &impl Serialize) -> usize {
    serde_json::to_vec(list).map_or(0, |json| json.len())
}

/// A list that can lose its older half.
trait Halve {
    fn halve(&mut self);
}

impl<T> Halve for Vec<T> {
    fn halve(&mut self) {
        self.drain(..self.len().div_ceil(2));
    }
}

#[cfg(test)]
mod tests {
    use sparring_contract::protocol::{Event, MAX_HEADER, Purpose, Record, Stats};

    use super::*;

    fn pictures(purpose: Purpose, count: u32, side: u32) -> Pictures {
        Pictures {
            purpose,
            seed: 0,
            step: 1,
            count,
            channels: 3,
            height: side,
            width: side,
            pixels: vec![7; (count * 3 * side * side) as usize],
            labels: Vec::new(),
            parts: Vec::new(),
        }
    }

    fn snapshot(fitted: &Fitted) -> Snapshot {
        let frame = fitted.frame.as_ref().unwrap();
        let frame = Frame::first::<ToFace>(frame).unwrap().unwrap();
        match frame.message().unwrap() {
            ToFace::Snapshot(snapshot) => *snapshot,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_largest_pictures_of_both_kinds_fit_into_a_snapshot() {
        let whole = Snapshot {
            pictures: vec![
                pictures(Purpose::Fixed, 256, 64),
                pictures(Purpose::Fresh, 256, 64),
            ],
            ..Snapshot::default()
        };
        let fitted = fitted(ToFace::Snapshot(Box::new(whole.clone())));
        assert!(fitted.omitted.is_none());
        assert_eq!(snapshot(&fitted), whole);
    }

    #[test]
    fn a_snapshot_goes_without_the_pictures_that_do_not_fit_and_says_so() {
        let fixed = pictures(Purpose::Fixed, 16, 64);
        let whole = Snapshot {
            history: vec![Stats::none_at(1, 1, 64)],
            pictures: vec![fixed.clone(), pictures(Purpose::Fresh, 256, 256)],
            ..Snapshot::default()
        };
        let fitted = fitted(ToFace::Snapshot(Box::new(whole)));
        let told = snapshot(&fitted);
        assert_eq!(told.pictures, [fixed]);
        assert_eq!(told.history.len(), 1);
        assert_eq!(
            fitted.omitted.unwrap().to_string(),
            "pictures left out of a message: its attachment has 50528256 bytes, over the limit of 16777216"
        );
    }

    #[test]
    fn a_snapshot_goes_without_the_older_part_of_what_is_too_long_and_says_so() {
        let note = |step| Record {
            event: Event::Note {
                step,
                text: "n".repeat(20_000),
            },
            time: 0.0,
        };
        let whole = Snapshot {
            history: (0..1200).map(|step| Stats::none_at(step, 1, 64)).collect(),
            log: (0..200).map(note).collect(),
            ..Snapshot::default()
        };
        let fitted = fitted(ToFace::Snapshot(Box::new(whole)));
        let told = snapshot(&fitted);
        assert_eq!(told.history.len(), 1200);
        assert_eq!(told.log.last(), Some(&note(199)));
        assert!((10..50).contains(&told.log.len()), "{}", told.log.len());
        let omitted = fitted.omitted.unwrap().to_string();
        assert!(
            omitted.starts_with("older lines of the log left out of a message: its header has "),
            "{omitted}"
        );
    }

    #[test]
    fn a_snapshot_that_cannot_be_shortened_enough_is_left_out_as_a_whole() {
        let whole = Snapshot {
            config: "#".repeat(MAX_HEADER),
            history: vec![Stats::none_at(1, 1, 64)],
            ..Snapshot::default()
        };
        let fitted = fitted(ToFace::Snapshot(Box::new(whole)));
        assert!(fitted.frame.is_none());
        assert!(
            fitted
                .omitted
                .unwrap()
                .to_string()
                .starts_with("the state of the run left out of a message: ")
        );
    }
}
