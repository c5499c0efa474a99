//! Panics on this thread: libtorch's errors, which tch raises as panics, and bugs.

use std::any::Any;
use std::fmt;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tch::TchError;

/// A panic that was caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Panic {
    /// What went wrong; an error of libtorch continues with a stack of C++ calls.
    message: String,
    /// File and line.
    location: Option<String>,
    is_libtorch: bool,
}

impl Panic {
    fn new(payload: &(dyn Any + Send), location: Option<String>) -> Self {
        let text = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref().copied());
        let libtorch = match payload.downcast_ref::<TchError>() {
            Some(error) => Some(error.to_string()),
            None => text.and_then(unwrapped_tch_error),
        };
        Self {
            is_libtorch: libtorch.is_some(),
            message: libtorch
                .or(text.map(str::to_owned))
                .unwrap_or_else(|| "a panic without a message".to_owned()),
            location,
        }
    }

    /// The whole message and where it was raised, for a log.
    pub(super) fn details(&self) -> String {
        let location = self.location.as_deref().unwrap_or("an unknown place");
        format!("panic at {location}: {}", self.message.trim_end())
    }
}

impl fmt::Display for Panic {
    /// In one line. For a bug it says where; for an error of libtorch that would be a line of its bindings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.message.lines().next().unwrap_or_default();
        let first = first.trim_end_matches('.');
        match &self.location {
            _ if self.is_libtorch => f.write_str(first),
            Some(location) => write!(f, "internal error at {location}: {first}"),
            None => write!(f, "internal error: {first}"),
        }
    }
}

/// The error that one of tch's methods unwrapped. Its panic holds the `Debug` form of the error as text, which is the
/// only form in which it can be had. Operations of this crate panic with the [`TchError`] itself.
fn unwrapped_tch_error(text: &str) -> Option<String> {
    let quoted = text
        .strip_prefix("called `Result::unwrap()` on an `Err` value: Torch(\"")?
        .strip_suffix("\")")?;
    Some(
        quoted
            .replace("\\n", "\n")
            .replace("\\\"", "\"")
            .replace("\\'", "'")
            .replace("\\\\", "\\"),
    )
}

/// Calls a function and catches its panic, with the place where it was raised. Panics of other threads are printed to
/// stderr as usual.
pub(super) fn caught<T>(function: impl FnOnce() -> T) -> Result<T, Panic> {
    let seen = Arc::new(Mutex::new(None));
    let own = thread::current().id();
    let others = panic::take_hook();
    let note = {
        let seen = Arc::clone(&seen);
        move |info: &PanicHookInfo<'_>| {
            if thread::current().id() == own {
                let location = info
                    .location()
                    .map(|at| format!("{}:{}", at.file(), at.line()));
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = location;
            } else {
                others(info);
            }
        }
    };
    panic::set_hook(Box::new(note));
    panic::catch_unwind(AssertUnwindSafe(function)).map_err(|payload| {
        let location = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        Panic::new(payload.as_ref(), location)
    })
}

#[cfg(test)]
mod tests {
    use tch::{Tensor, kind::FLOAT_CPU};

    use super::*;
    use crate::native::matmul;

    fn zeros(size: &[i64]) -> Tensor {
        Tensor::zeros(size, FLOAT_CPU)
    }

    #[test]
    fn an_error_of_libtorch_is_one_line_and_its_details_say_where() {
        let panic = caught(|| zeros(&[3]) + zeros(&[4])).unwrap_err();
        let line = "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0";
        assert_eq!(panic.to_string(), line);
        let details = panic.details();
        assert!(details.starts_with("panic at "), "{details}");
        assert!(details.contains(&format!(": {line}\n")), "{details}");
    }

    #[test]
    fn so_is_an_error_of_an_operation_of_our_own() {
        let panic = caught(|| matmul(&zeros(&[2, 3]), &zeros(&[2, 3]))).unwrap_err();
        assert!(panic.is_libtorch, "{panic:?}");
        assert_eq!(panic.to_string().lines().count(), 1);
        assert!(panic.details().contains("native/mod.rs:"), "{panic:?}");
    }

    #[test]
    fn a_bug_says_where_it_is() {
        let line = line!() + 1;
        let panic = caught(|| panic!("seven is {}", 8)).unwrap_err();
        assert_eq!(
            panic.to_string(),
            format!("internal error at {}:{line}: seven is 8", file!())
        );
        assert_eq!(
            panic.details(),
            format!("panic at {}:{line}: seven is 8", file!())
        );
    }

    #[test]
    fn what_does_not_panic_comes_back() {
        assert_eq!(caught(|| 7), Ok(7));
    }
}
