//! Fuzzing on stable Rust: examples from a corpus, mutated, are thrown at a reader, which must not panic and must keep
//! its promises. What fails is made as small as it can be.
//!
//! Without further word a target gets its corpus and [`QUICK`] mutations of it, the same in every run. With
//! `SPARRING_FUZZ_SECONDS` in the environment it gets others for so long.

#![allow(clippy::print_stdout, clippy::expect_used, clippy::panic)] // part of tests, which may fail loudly

mod mutation;

use std::cell::Cell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use mutation::mutated;

/// Mutations in a quick run.
pub const QUICK: u32 = 256;

/// How long a target is fuzzed, in seconds.
const SECONDS: &str = "SPARRING_FUZZ_SECONDS";

/// The slowest that any input may be. Examples are small; what takes this long for one of them takes an attacker's file
/// for ever.
const SLOWEST: Duration = Duration::from_secs(10);

/// Throws the corpus of a target, in `fuzz/corpus/TARGET`, and mutations of it at a check that panics where something is
/// wrong, and says whether it understood the input.
///
/// # Panics
/// If the check does, or takes too long, or does not understand an example whose name does not begin with `broken`:
/// mutations of what is refused at the first byte find nothing. The smallest input that was found is in the message and
/// in a file.
pub fn fuzz(target: &str, check: impl Fn(&[u8]) -> bool) {
    let corpus = corpus(target);
    let tried = |bytes: &[u8]| {
        let begun = Instant::now();
        let silence = Silence::begin();
        let outcome = catch_unwind(AssertUnwindSafe(|| check(bytes)));
        drop(silence);
        let time = begun.elapsed();
        match outcome {
            Ok(_) if time > SLOWEST => Err(format!("it took {time:?}")),
            Ok(is_understood) => Ok(is_understood),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text =
                    text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
                Err(text.unwrap_or_else(|| "it panicked".to_owned()))
            }
        }
    };
    for (path, bytes) in &corpus {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match tried(bytes) {
            Ok(is_understood) => assert!(
                is_understood || name.starts_with("broken"),
                "{target}: {} is not understood",
                path.display()
            ),
            Err(why) => panic!("{target}: {}: {why}", path.display()),
        }
    }
    let examples: Vec<_> = corpus.into_iter().map(|(_, bytes)| bytes).collect();
    let time = std::env::var(SECONDS)
        .ok()
        .map(|text| Duration::from_secs(text.parse().expect(SECONDS)));
    let begun = Instant::now();
    let mut inputs = examples.len() as u64;
    loop {
        let config = Config {
            cases: QUICK,
            failure_persistence: None,
            max_shrink_iters: 2048,
            ..Config::default()
        };
        let rng = match time {
            None => TestRng::deterministic_rng(RngAlgorithm::ChaCha),
            Some(_) => TestRng::from_seed(RngAlgorithm::ChaCha, &seed()),
        };
        let mut runner = TestRunner::new_with_rng(config, rng);
        let outcome = runner.run(&mutated(examples.clone()), |bytes| {
            tried(&bytes).map(drop).map_err(TestCaseError::fail)
        });
        match outcome {
            Ok(()) => inputs += u64::from(QUICK),
            Err(TestError::Fail(why, bytes)) => found(target, why.message(), &bytes),
            Err(TestError::Abort(why)) => panic!("{target}: {why}"),
        }
        if time.is_none_or(|time| begun.elapsed() >= time) {
            break;
        }
    }
    println!(
        "fuzz {target}: {inputs} inputs in {:.0} s, nothing found",
        begun.elapsed().as_secs_f64()
    );
}

thread_local! {
    static IS_SILENT: Cell<bool> = const { Cell::new(false) };
}

/// Keeps the panics of this thread from being printed: to make an input small takes a thousand of them.
struct Silence;

impl Silence {
    fn begin() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let said_by = take_hook();
            set_hook(Box::new(move |panic| {
                if !IS_SILENT.get() {
                    said_by(panic);
                }
            }));
        });
        IS_SILENT.set(true);
        Self
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        IS_SILENT.set(false);
    }
}

/// Another one every time.
fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    seed[..16].copy_from_slice(&now.unwrap_or_default().as_nanos().to_le_bytes());
    seed
}

/// Keeps what was found, and says where.
fn found(target: &str, why: &str, bytes: &[u8]) -> ! {
    let file = std::env::temp_dir().join(format!("fuzz-{target}-{}", std::process::id()));
    fs::write(&file, bytes).expect("the finding can be written");
    panic!(
        "{target}: {why}\n{:?}\nthe input is in {}; once the bug is fixed it belongs into fuzz/corpus/{target}",
        String::from_utf8_lossy(&bytes[..bytes.len().min(400)]),
        file.display()
    );
}

/// The examples of a target, in the order of their names.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a folder that can be listed").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
        .into_iter()
        .map(|path| {
            let bytes = fs::read(&path).expect("a file that can be read");
            (path, bytes)
        })
        .collect()
}
