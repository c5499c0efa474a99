//! Every screen as text. Look at the changes that `cargo insta review` shows as a user would.

use sparring_contract::protocol::{Ended, Event, Phase, Reason, Stats};

use super::explorer::exploring;
use super::run::{self, Face, loading_run, record, started, training_run};
use crate::dashboard::Message;

fn trained() -> Face {
    let mut face = Face::attached_to(training_run());
    face.gets(Message::Traffic(3100.0));
    face.waits(2.0);
    face
}

/// A face after some keys.
fn after(keys: &str) -> Face {
    let mut face = trained();
    face.press(keys);
    face
}

fn walked() -> Face {
    let mut face = exploring();
    face.press("right up");
    face
}

macro_rules! screens {
    ($($name:ident: $face:expr, $width:literal x $height:literal;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(stringify!($name), $face.screen_of($width, $height));
        }
    )*};
}

screens! {
    training_80x24: trained(), 80 x 24;
    training_120x34: trained(), 120 x 34;
    training_200x60: trained(), 200 x 60;
    training_40x12: trained(), 40 x 12;
    training_36x9: trained(), 36 x 9;
    training_60x18: trained(), 60 x 18;
    collapsing_60x18: collapsing(), 60 x 18;
    ended_60x18: ended(), 60 x 18;
    training_60x1: trained(), 60 x 1;
    plain_80x24: plain(), 80 x 24;
    plain_120x34: plain(), 120 x 34;
    plain_40x12: plain(), 40 x 12;
    gpu_120x34: on_a_gpu(), 120 x 34;
    help_80x24: after("?"), 80 x 24;
    help_120x34: after("tab ?"), 120 x 34;
    help_40x12: after("?"), 40 x 12;
    stop_80x24: after("x"), 80 x 24;
    stop_40x12: after("x"), 40 x 12;
    discard_80x24: after("x w"), 80 x 24;
    search_80x24: after("/ s a v e"), 80 x 24;
    rates_80x24: after("l down 1 e - 4"), 80 x 24;
    rates_40x12: after("l"), 40 x 12;
    exploring_80x24: walked(), 80 x 24;
    exploring_120x34: walked(), 120 x 34;
    exploring_40x12: walked(), 40 x 12;
    exploring_36x9: walked(), 36 x 9;
    note_80x24: after("n h m"), 80 x 24;
    enlarged_gallery_80x24: after("z"), 80 x 24;
    enlarged_gallery_120x34: after("z"), 120 x 34;
    enlarged_gallery_40x12: after("z"), 40 x 12;
    enlarged_curves_80x24: after("tab z down y m"), 80 x 24;
    enlarged_balance_120x34: after("tab tab z"), 120 x 34;
    enlarged_health_80x24: after("tab tab tab z"), 80 x 24;
    enlarged_health_120x34: after("tab tab tab z"), 120 x 34;
    enlarged_health_40x12: after("tab tab tab z"), 40 x 12;
    enlarged_machine_80x24: after("tab tab tab tab z"), 80 x 24;
    training_72x20: trained(), 72 x 20;
    training_100x48: trained(), 100 x 48;
    collapsing_80x24: collapsing(), 80 x 24;
    collapsing_120x34: collapsing(), 120 x 34;
    collapsing_200x60: collapsing(), 200 x 60;
    collapsing_72x20: collapsing(), 72 x 20;
    collapsing_40x12: collapsing(), 40 x 12;
    collapsing_60x1: collapsing(), 60 x 1;
    collapsing_12x1: collapsing(), 12 x 1;
    plain_collapsing_80x24: plainly(collapsing()), 80 x 24;
    plain_collapsing_200x60: plainly(collapsing()), 200 x 60;
    unlabelled_80x24: unlabelled(), 80 x 24;
    unlabelled_120x34: unlabelled(), 120 x 34;
    unlabelled_200x60: unlabelled(), 200 x 60;
    unmeasured_120x34: unmeasured(), 120 x 34;
    before_the_first_look_120x34: Face::attached_to(training_run().at_step(300)), 120 x 34;
    help_of_health_80x24: after("tab tab tab ?"), 80 x 24;
    pausing_120x34: after("space"), 120 x 34;
    paused_120x34: paused(), 120 x 34;
    paused_40x12: paused(), 40 x 12;
    ended_120x34: ended(), 120 x 34;
    died_120x34: died(), 120 x 34;
    died_40x12: died(), 40 x 12;
    crashed_80x24: crashed(), 80 x 24;
    crashed_40x12: crashed(), 40 x 12;
    lost_80x24: lost(), 80 x 24;
    loading_80x24: Face::attached_to(loading_run()), 80 x 24;
    loading_40x12: Face::attached_to(loading_run()), 40 x 12;
    warming_up_120x34: warming_up(), 120 x 34;
}

fn plain() -> Face {
    plainly(trained())
}

fn plainly(mut face: Face) -> Face {
    face.plain = true;
    face
}

fn collapsing() -> Face {
    let mut face = trained();
    let health = run::collapsing(11_300);
    let message = health.words.clone();
    face.hears_of(Event::Health(Box::new(health)));
    face.hears_of(Event::Alarm {
        step: 11_300,
        message,
    });
    face.waits(3.0);
    face
}

fn unlabelled() -> Face {
    let mut run = training_run();
    let looks = (1..=13).map(|look| run::unlabelled(look * 850));
    run.snapshot.quality = looks.map(|health| health.quality()).collect();
    let looked = Event::Health(Box::new(run::unlabelled(11_050)));
    run.snapshot.health = Some(Box::new(record(looked, run::NOW)));
    let mut face = Face::attached_to(run);
    face.waits(5.0);
    face
}

fn unmeasured() -> Face {
    let mut run = training_run();
    run.snapshot.quality = Vec::new();
    let looked = Event::Health(Box::new(run::unmeasured(11_000)));
    run.snapshot.health = Some(Box::new(record(looked, run::NOW)));
    let mut face = Face::attached_to(run);
    face.waits(5.0);
    face
}

fn on_a_gpu() -> Face {
    let mut run = training_run();
    if let Some(machine) = &mut run.snapshot.machine {
        machine.gpu = Some("NVIDIA H100".to_owned());
        machine.gpu_percent = Some(87.0);
        machine.gpu_memory_used = Some(3_200_000_000);
        machine.gpu_memory_total = Some(80_000_000_000);
        machine.gpu_celsius = Some(61.0);
    }
    Face::attached_to(run)
}

fn paused() -> Face {
    let mut face = after("space");
    face.hears_done_at(11_257);
    face
}

fn ended() -> Face {
    let mut face = trained();
    face.hears_of(Event::Ended(Box::new(Ended {
        reason: Reason::Finished,
        exit_code: 0,
        message: None,
        checkpoint: None,
        stats: Stats::none_at(11_300, 13, 723_200),
    })));
    face
}

fn died() -> Face {
    let mut face = trained();
    face.gets(Message::WorkerDied {
        status: "killed by signal 9".to_owned(),
        log: (1..=10)
            .map(|line| format!("line {line} of what the worker said before it was gone"))
            .collect(),
    });
    face
}

fn crashed() -> Face {
    let mut face = died();
    face.press("esc");
    face
}

fn lost() -> Face {
    let mut face = trained();
    face.gets(Message::LinkLost {
        why: "the socket closed".to_owned(),
    });
    face
}

fn warming_up() -> Face {
    let mut run = loading_run();
    run.snapshot.phase = Phase::WarmingUp;
    run.snapshot.started = Some(Box::new(started()));
    let begun = Event::Started(Box::new(started()));
    run.snapshot.log = vec![record(begun, run::NOW)];
    Face::attached_to(run)
}
