//! A worker's answer, checked.

use std::io::Read;

use sparring_contract::protocol::{Pictures, TaskReply};

use crate::client::{ReplyError, read_reply};

/// The size of each picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// 1 for grey, 3 for RGB.
    pub channels: u32,
    /// Pixels down.
    pub height: u32,
    /// Pixels across.
    pub width: u32,
}

/// The pictures that a worker sends, until all are there.
pub struct Replies {
    wanted: u64,
    have: u64,
    shape: Option<Shape>,
    done: bool,
}

impl Shape {
    /// The shape that a checkpoint says its pictures have, `[channels, height, width]`.
    pub fn new(shape: [i64; 3]) -> Self {
        let [channels, height, width] = shape.map(|size| u32::try_from(size).unwrap_or_default());
        Self {
            channels,
            height,
            width,
        }
    }

    /// The shape of some pictures.
    pub fn of(pictures: &Pictures) -> Self {
        Self {
            channels: pictures.channels,
            height: pictures.height,
            width: pictures.width,
        }
    }

    /// Channels, height and width.
    pub fn sizes(self) -> (u32, u32, u32) {
        (self.channels, self.height, self.width)
    }

    /// Bytes of one picture.
    pub fn bytes(self) -> u64 {
        [self.channels, self.height, self.width]
            .into_iter()
            .fold(1, |bytes, side| bytes.saturating_mul(side.into()))
    }
}

impl Replies {
    /// The replies to a task that sends this many pictures.
    pub fn new(wanted: u64) -> Self {
        Self {
            wanted,
            have: 0,
            shape: None,
            done: false,
        }
    }

    /// The next batch; `None` once all pictures have come.
    pub fn next(&mut self, from: &mut impl Read) -> Result<Option<Pictures>, ReplyError> {
        if self.done {
            return Ok(None);
        }
        match read_reply(from)? {
            TaskReply::Pictures(pictures) => self.take(pictures).map(Some),
            TaskReply::Done if self.have == self.wanted => {
                self.done = true;
                Ok(None)
            }
            TaskReply::Done => Err(ReplyError::Nonsense(format!(
                "{} of {} pictures",
                self.have, self.wanted
            ))),
            _ => Err(ReplyError::Nonsense("no pictures".to_owned())),
        }
    }

    fn take(&mut self, pictures: Pictures) -> Result<Pictures, ReplyError> {
        let nonsense = |what: &str| Err(ReplyError::Nonsense(what.to_owned()));
        let shape = Shape::of(&pictures);
        self.have = self.have.saturating_add(u64::from(pictures.count));
        if !pictures.is_whole() {
            return nonsense("pictures with more or fewer pixels than their sizes say");
        }
        if !pictures.labels.is_empty() && pictures.labels.len() != pictures.count as usize {
            return nonsense("more or fewer labels than pictures");
        }
        if !matches!(shape.channels, 1 | 3) {
            return nonsense("pictures that are neither grey nor RGB");
        }
        if *self.shape.get_or_insert(shape) != shape {
            return nonsense("pictures of different sizes");
        }
        if self.have > self.wanted {
            return nonsense("more pictures than were asked for");
        }
        Ok(pictures)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use sparring_contract::protocol::{Purpose, write_frame};

    use super::*;

    /// Grey pictures of 2×2 whose pixels count up from `first`.
    pub fn pictures(first: u8, count: u8) -> Pictures {
        Pictures {
            purpose: Purpose::Fresh,
            seed: 1,
            step: 2,
            count: count.into(),
            channels: 1,
            height: 2,
            width: 2,
            pixels: (first..).take(usize::from(count) * 4).collect(),
            labels: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// What a worker that answers so writes to its pipe.
    pub fn bytes_of(replies: &[TaskReply]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for reply in replies {
            write_frame(&mut bytes, reply).unwrap();
        }
        bytes
    }

    fn ending(replies: &[TaskReply], wanted: u64) -> String {
        let bytes = bytes_of(replies);
        let mut from = bytes.as_slice();
        let mut replies = Replies::new(wanted);
        loop {
            match replies.next(&mut from) {
                Ok(Some(_)) => {}
                Ok(None) => return "done".to_owned(),
                Err(error) => return error.to_string(),
            }
        }
    }

    #[test]
    fn batches_come_in_order_until_all_are_there() {
        let sent = [
            TaskReply::Pictures(pictures(0, 3)),
            TaskReply::Pictures(pictures(12, 2)),
            TaskReply::Done,
        ];
        let bytes = bytes_of(&sent);
        let mut from = bytes.as_slice();
        let mut replies = Replies::new(5);
        let mut next = || replies.next(&mut from).unwrap();
        assert_eq!(next(), Some(pictures(0, 3)));
        assert_eq!(next(), Some(pictures(12, 2)));
        assert_eq!(next(), None);
        assert_eq!(next(), None);
    }

    #[test]
    fn a_failure_is_reported_in_the_workers_words() {
        let failed = TaskReply::Failed {
            message: "cannot read step-1.safetensors: it is cut off".to_owned(),
        };
        assert_eq!(
            ending(&[failed], 1),
            "cannot read step-1.safetensors: it is cut off"
        );
    }

    #[test]
    fn an_answer_that_breaks_off_is_no_answer() {
        let first = TaskReply::Pictures(pictures(0, 1));
        assert_eq!(ending(&[], 2), "the worker ended without an answer");
        assert_eq!(
            ending(std::slice::from_ref(&first), 2),
            "the worker ended without an answer"
        );
        let bytes = bytes_of(&[first]);
        let mut cut = &bytes[..bytes.len() - 3];
        assert!(matches!(
            Replies::new(1).next(&mut cut),
            Err(ReplyError::Ended)
        ));
    }

    #[test]
    fn pictures_that_were_not_asked_for_are_nonsense() {
        let too_few = [TaskReply::Pictures(pictures(0, 1)), TaskReply::Done];
        assert!(ending(&too_few, 2).ends_with("no sense: 1 of 2 pictures"));
        assert!(ending(&too_few, 1) == "done");
        let too_many = [TaskReply::Pictures(pictures(0, 3))];
        assert!(ending(&too_many, 2).ends_with("more pictures than were asked for"));
        let flat = Pictures {
            height: 1,
            width: 4,
            ..pictures(0, 1)
        };
        let mixed = [
            TaskReply::Pictures(pictures(0, 1)),
            TaskReply::Pictures(flat),
        ];
        assert!(ending(&mixed, 2).ends_with("pictures of different sizes"));
        let unlabelled = Pictures {
            labels: vec![1],
            ..pictures(0, 2)
        };
        assert!(ending(&[TaskReply::Pictures(unlabelled)], 2).ends_with("labels than pictures"));
        let two = Pictures {
            channels: 2,
            height: 1,
            ..pictures(0, 1)
        };
        assert!(ending(&[TaskReply::Pictures(two)], 1).ends_with("neither grey nor RGB"));
    }
}
