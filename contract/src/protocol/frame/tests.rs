use super::super::{
    Command, Ended, Event, FaceHello, PROTOCOL, Purpose, Reason, Record, Snapshot, Stats,
    TaskReply, ToFace, ToWorker,
};
use super::*;

fn there_and_back<M: Message>(message: &M) -> M {
    let mut wire = Vec::new();
    write_frame(&mut wire, message).unwrap();
    let frame = Frame::first::<M>(&wire).unwrap().unwrap();
    assert_eq!(frame.length(), wire.len());
    frame.message::<M>().unwrap();
    read_frame(&mut wire.as_slice()).unwrap().unwrap()
}

fn told(event: Event) -> ToFace {
    ToFace::Event {
        sequence: 9,
        record: Record { event, time: 1.5 },
    }
}

/// Pictures whose pixels count up, so that a byte in the wrong place is seen.
fn pictures(count: u32, channels: u32, side: u32) -> Pictures {
    let bytes = count * channels * side * side;
    Pictures {
        purpose: Purpose::Fresh,
        seed: 7,
        step: 3,
        count,
        channels,
        height: side,
        width: side,
        pixels: (0..bytes).map(|index| (index % 251) as u8).collect(),
        labels: Vec::new(),
        parts: Vec::new(),
    }
}

#[test]
fn messages_arrive_as_they_were_sent() {
    let request = ToWorker::Request {
        id: 7,
        command: Command::Step { steps: 3 },
    };
    assert_eq!(there_and_back(&request), request);
    let event = told(Event::Note {
        step: 1,
        text: "hm".into(),
    });
    assert_eq!(there_and_back(&event), event);
}

#[test]
fn events_with_a_message_of_their_own_arrive_intact() {
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
        let event = told(event);
        assert_eq!(there_and_back(&event), event);
    }
    let ended = told(Event::Ended(Box::new(Ended {
        reason: Reason::Failed,
        exit_code: 1,
        message: Some(message()),
        checkpoint: None,
        stats: Stats::none_at(3, 1, 192),
    })));
    let ToFace::Event { record, .. } = there_and_back(&ended) else {
        panic!("not an event")
    };
    let Event::Ended(ended) = record.event else {
        panic!("not an end")
    };
    assert_eq!(ended.message, Some(message()));
}

#[test]
fn a_number_that_is_not_finite_arrives_as_not_a_number() {
    let stats = Stats {
        images_per_second: f64::INFINITY,
        ..Stats::none_at(1, 1, 64)
    };
    let ToFace::Event { record, .. } = there_and_back(&told(Event::Stats(stats))) else {
        panic!("not an event")
    };
    let Event::Stats(back) = record.event else {
        panic!("not stats")
    };
    assert!(back.images_per_second.is_nan());
    assert_eq!(back.images_seen, 64);
}

#[test]
fn events_and_commands_of_a_newer_build_are_known_as_unknown() {
    let event: Record =
        serde_json::from_str(r#"{"event":"teleported","to":3,"time":1.0}"#).unwrap();
    assert_eq!(event.event, Event::Unknown);
    let request: ToWorker =
        serde_json::from_str(r#"{"message":"request","id":1,"command":"fly","high":true}"#)
            .unwrap();
    assert_eq!(
        request,
        ToWorker::Request {
            id: 1,
            command: Command::Unknown
        }
    );
    let message: ToFace = serde_json::from_str(r#"{"message":"smell","of":"coffee"}"#).unwrap();
    assert_eq!(message, ToFace::Unknown);
}

#[test]
fn pixels_travel_as_bytes_beside_the_json() {
    let colour = pictures(256, 3, 64);
    let message = ToFace::Pictures(colour.clone());
    let frame = encode(&message).unwrap();
    assert!(frame.len() < colour.pixels.len() + 300, "{}", frame.len());
    assert_eq!(there_and_back(&message), message);
    let reply = TaskReply::Pictures(colour.clone());
    assert_eq!(there_and_back(&reply), reply);
    let snapshot = ToFace::Snapshot(Box::new(Snapshot {
        pictures: vec![colour, pictures(3, 1, 28)],
        ..Snapshot::default()
    }));
    assert_eq!(there_and_back(&snapshot), snapshot);
}

#[test]
fn a_frame_over_a_limit_is_refused_before_it_is_read() {
    let prefix =
        |header: u32, attachment: u32| [header.to_be_bytes(), attachment.to_be_bytes()].concat();
    let too_long = prefix(u32::MAX, 0);
    assert!(matches!(
        read_frame::<ToFace>(&mut too_long.as_slice()),
        Err(FrameError::HeaderTooLong { .. })
    ));
    let too_long = prefix(10, u32::MAX);
    assert!(matches!(
        Frame::first::<ToFace>(&too_long),
        Err(FrameError::AttachmentTooLong { .. })
    ));
    // No message to a worker has pictures.
    let with_pixels = prefix(10, 1);
    assert!(matches!(
        read_frame::<ToWorker>(&mut with_pixels.as_slice()),
        Err(FrameError::AttachmentTooLong { limit: 0, .. })
    ));
}

#[test]
fn a_message_over_a_limit_is_not_sent() {
    let side = 1024;
    let huge = ToFace::Pictures(pictures(17, 1, side));
    let bytes = 17 << 20;
    assert!(matches!(
        encode(&huge),
        Err(FrameError::AttachmentTooLong { bytes: found, limit: MAX_ATTACHMENT }) if found == bytes
    ));
    let long = told(Event::Note {
        step: 1,
        text: "n".repeat(MAX_HEADER),
    });
    assert!(matches!(
        encode(&long),
        Err(FrameError::HeaderTooLong { .. })
    ));
}

#[test]
fn pictures_with_more_or_fewer_pixels_than_their_sizes_say_are_refused() {
    let mut short = pictures(2, 3, 4);
    short.pixels.pop();
    assert!(matches!(
        encode(&ToFace::Pictures(short)),
        Err(FrameError::WrongPixels)
    ));
    let whole = encode(&ToFace::Pictures(pictures(2, 3, 4))).unwrap();
    for count in ["1", "3", "4294967295"] {
        let header = String::from_utf8_lossy(&whole[8..whole.len() - 96])
            .replace(r#""count":2"#, &format!(r#""count":{count}"#));
        assert!(matches!(
            decode::<ToFace>(header.as_bytes(), &whole[whole.len() - 96..]),
            Err(FrameError::WrongPixels)
        ));
    }
}

#[test]
fn a_frame_that_breaks_off_is_an_error_and_no_frame_is_an_end() {
    let mut wire = Vec::new();
    write_frame(&mut wire, &ToFace::Pictures(pictures(1, 1, 2))).unwrap();
    wire.pop();
    assert!(read_frame::<ToFace>(&mut wire.as_slice()).is_err());
    assert!(Frame::first::<ToFace>(&wire).unwrap().is_none());
    assert!(read_frame::<ToFace>(&mut [].as_slice()).unwrap().is_none());
}

#[test]
fn a_hello_is_laid_out_as_in_protocol_2() {
    let hello = ToWorker::Hello(FaceHello {
        protocol: PROTOCOL,
        watch: true,
        read_only: false,
    });
    let json =
        format!(r#"{{"message":"hello","protocol":{PROTOCOL},"watch":true,"read_only":false}}"#);
    let wire = encode_hello(&hello).unwrap();
    assert_eq!(wire[..4], u32::try_from(json.len()).unwrap().to_be_bytes());
    assert_eq!(wire[4..], *json.as_bytes());
    let frame = Frame::hello(&wire).unwrap().unwrap();
    assert_eq!(frame.length(), wire.len());
    assert_eq!(frame.message::<ToWorker>().unwrap(), hello);
    assert!(Frame::hello(&wire[..20]).unwrap().is_none());
}
