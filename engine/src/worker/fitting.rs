//! Which batch size would have fitted, after a step ran out of memory.

use std::iter::successors;
use std::thread::{self, ScopedJoinHandle};

use rustix::process::{Resource, getrlimit};
use sparring_contract::config::Config;

use super::prepared::Prepared;
use crate::device;
use crate::eval::QuickFrechet;
use crate::panics::caught;

/// How the messages of libtorch's allocators, for CUDA and for the CPU, and of NVIDIA's libraries can be recognised. They
/// have no other sign: all errors of libtorch have one type.
const OUT_OF_MEMORY: [&str; 5] = [
    "out of memory",
    "can't allocate memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
];

/// Adds the batch size that would have fitted to a message that memory ran out. Any other message stays as it is.
pub(super) fn advised(message: String, config: &Config) -> String {
    if !OUT_OF_MEMORY.iter().any(|text| message.contains(text)) {
        return message;
    }
    let batch = if is_refused_in_time(config) {
        smaller(config.batch_size).find(|batch| fits(config, *batch))
    } else {
        smaller(config.batch_size).next()
    };
    match batch {
        Some(batch) => format!("{message}: try a smaller batch, `--set batch_size={batch}`"),
        None => format!("{message}: try narrower networks"),
    }
}

/// Whether an allocation fails when there is not enough memory. Without a limit the kernel may grant it, and kill the
/// process as it uses it.
fn is_refused_in_time(config: &Config) -> bool {
    device::choose_for(config).is_ok_and(|chosen| chosen.device.is_cuda())
        || getrlimit(Resource::As).current.is_some()
}

/// A half, a quarter … of a batch.
fn smaller(batch: u64) -> impl Iterator<Item = u64> {
    let half = |batch: &u64| Some(batch / 2).filter(|half| *half > 0);
    successors(half(&batch), half)
}

/// Whether there is memory now for all that a run with this batch size holds at once. Only libtorch knows how much that
/// is, so it is tried.
fn fits(config: &Config, batch_size: u64) -> bool {
    let config = Config {
        batch_size,
        ..config.clone()
    };
    let attempt = || -> anyhow::Result<()> {
        let mut session = Prepared::of(&config)?.session(&config);
        session.step();
        let _good = session.state_dict().deep_copy();
        let _seen = session.inspect(QuickFrechet::PICTURES);
        session.step();
        // A GPU reports its errors late: wait for it.
        session.metrics();
        Ok(())
    };
    // On a thread of its own: what an error leaves behind in libtorch's state of a thread goes with it.
    thread::scope(|scope| {
        let trial = thread::Builder::new().spawn_scoped(scope, || caught(attempt));
        matches!(trial.map(ScopedJoinHandle::join), Ok(Ok(Ok(Ok(())))))
    })
}

#[cfg(test)]
mod tests {
    use sparring_contract::config::{Request, Setting, resolve};

    use super::*;

    #[test]
    fn an_out_of_memory_error_suggests_a_smaller_batch() {
        let config = |batch_size: u64| {
            let settings = ["device=cpu".to_owned(), format!("batch_size={batch_size}")];
            let request = Request {
                settings: settings.map(|text| Setting::parse(&text).unwrap()).to_vec(),
                ..Request::default()
            };
            resolve(&request).unwrap().config
        };
        let cuda = "CUDA out of memory. Tried to allocate 2.00 GiB";
        let cpu = "[enforce fail at alloc_cpu.cpp:128] err == 0. DefaultCPUAllocator: can't allocate memory: you \
                         tried to allocate 17179869184 bytes. Error code 12 (Cannot allocate memory)";
        for of_memory in [cuda, cpu] {
            let advice = advised(of_memory.to_owned(), &config(65));
            assert!(advice.ends_with(": try a smaller batch, `--set batch_size=32`"));
            let advice = advised(of_memory.to_owned(), &config(1));
            assert!(advice.ends_with(": try narrower networks"));
        }
        let other = "The size of tensor a (3) must match the size of tensor b (4)";
        assert_eq!(advised(other.to_owned(), &config(64)), other);
    }
}
