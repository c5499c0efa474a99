//! Frames: a big-endian `u32` length, then so many bytes of JSON.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest frame that is sent or accepted, in bytes without its length.
pub const MAX_FRAME: usize = 1 << 20;

/// Why a frame could not be sent or read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The other side's bytes could not be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Longer than [`MAX_FRAME`].
    #[error("a message of {0} bytes is over the limit of {MAX_FRAME}")]
    TooLong(usize),
    /// No message of this protocol.
    #[error("a message could not be understood: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// The JSON of a message, checked against the limit.
pub fn encode(message: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    let bytes = serde_json::to_vec(message)?;
    if bytes.len() > MAX_FRAME {
        Err(FrameError::TooLong(bytes.len()))
    } else {
        Ok(bytes)
    }
}

/// The message in the bytes of a frame.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FrameError> {
    Ok(serde_json::from_slice(bytes)?)
}

/// Writes one message as a frame and flushes.
pub fn write_frame(to: &mut impl Write, message: &impl Serialize) -> Result<(), FrameError> {
    let bytes = encode(message)?;
    let length = u32::try_from(bytes.len()).map_err(|_| FrameError::TooLong(bytes.len()))?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(&bytes)?;
    to.flush()?;
    Ok(())
}

/// Reads one message; `None` where the other side ended between two frames.
pub fn read_frame<T: DeserializeOwned>(from: &mut impl Read) -> Result<Option<T>, FrameError> {
    let mut length = [0; 4];
    let mut have = 0;
    while have < length.len() {
        match from.read(&mut length[have..]) {
            Ok(0) if have == 0 => return Ok(None),
            Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Ok(n) => have += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err(FrameError::TooLong(length));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    decode(&bytes).map(Some)
}

#[cfg(test)]
mod tests {
    use super::super::{Command, Ended, Event, Reason, Record, Stats, ToFace, ToWorker};
    use super::*;

    fn there_and_back<T: Serialize + DeserializeOwned>(message: &T) -> T {
        let mut wire = Vec::new();
        write_frame(&mut wire, message).unwrap();
        read_frame(&mut wire.as_slice()).unwrap().unwrap()
    }

    #[test]
    fn messages_arrive_as_they_were_sent() {
        let request = ToWorker::Request {
            id: 7,
            command: Command::Step { steps: 3 },
        };
        assert_eq!(there_and_back(&request), request);
        let record = Record {
            event: Event::Note {
                step: 1,
                text: "hm".into(),
            },
            time: 1.5,
        };
        let event = ToFace::Event {
            sequence: 9,
            record,
        };
        assert_eq!(there_and_back(&event), event);
    }

    #[test]
    fn events_with_words_of_their_own_come_through_as_messages() {
        let message = || "mind the gap".to_owned();
        for event in [
            Event::Warning {
                step: 3,
                message: message(),
            },
            Event::Alarm {
                step: 3,
                message: message(),
            },
        ] {
            let record = Record { event, time: 1.5 };
            let told = ToFace::Event {
                sequence: 9,
                record,
            };
            assert_eq!(there_and_back(&told), told);
        }
        let ended = Record {
            event: Event::Ended(Box::new(Ended {
                reason: Reason::Failed,
                exit_code: 1,
                message: Some(message()),
                checkpoint: None,
                stats: Stats::none_at(3, 1, 192),
            })),
            time: 1.5,
        };
        let told = ToFace::Event {
            sequence: 9,
            record: ended,
        };
        let ToFace::Event { record, .. } = there_and_back(&told) else {
            panic!("not an event")
        };
        let Event::Ended(ended) = record.event else {
            panic!("not an end")
        };
        assert_eq!(ended.message, Some(message()));
    }

    #[test]
    fn what_is_not_a_number_arrives_as_not_a_number() {
        let stats = Stats {
            d_loss: f64::INFINITY,
            ..Stats::none_at(1, 1, 64)
        };
        let Event::Stats(back) = there_and_back(&Event::Stats(stats)) else {
            panic!("not stats")
        };
        assert!(back.d_loss.is_nan());
        assert_eq!(back.images_seen, 64);
    }

    #[test]
    fn events_and_commands_of_a_newer_build_are_known_as_unknown() {
        let event: Record = decode(br#"{"event":"teleported","to":3,"time":1.0}"#).unwrap();
        assert_eq!(event.event, Event::Unknown);
        let request: ToWorker =
            decode(br#"{"message":"request","id":1,"command":"fly","high":true}"#).unwrap();
        assert_eq!(
            request,
            ToWorker::Request {
                id: 1,
                command: Command::Unknown
            }
        );
        let message: ToFace = decode(br#"{"message":"smell","of":"coffee"}"#).unwrap();
        assert_eq!(message, ToFace::Unknown);
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_before_it_is_read() {
        let mut wire = u32::MAX.to_be_bytes().to_vec();
        wire.extend([0; 16]);
        assert!(matches!(
            read_frame::<Event>(&mut wire.as_slice()),
            Err(FrameError::TooLong(_))
        ));
    }

    #[test]
    fn a_frame_that_breaks_off_is_an_error_and_no_frame_is_an_end() {
        let mut wire = Vec::new();
        write_frame(&mut wire, &Event::Unknown).unwrap();
        wire.pop();
        assert!(read_frame::<Event>(&mut wire.as_slice()).is_err());
        assert!(read_frame::<Event>(&mut [].as_slice()).unwrap().is_none());
    }
}
