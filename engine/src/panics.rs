//! Panics on this thread: libtorch's errors, which tch raises as panics, and bugs.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::pin::pin;
use std::sync::Once;
use std::task::Poll;

use tch::TchError;

/// A panic that was caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Panic {
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
            // What C++ said, without tch's own words before it.
            Some(TchError::Torch(message)) => Some(message.clone()),
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
    pub(crate) fn details(&self) -> String {
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

thread_local! {
    /// How many calls of [`caught`] this thread is in.
    static CATCHING: Cell<u32> = const { Cell::new(0) };
    /// Where this thread panicked the last time.
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Calls a function and catches its panic, with the place where it was raised. Panics that nothing catches here are
/// printed to stderr as usual.
pub(crate) fn caught<T>(function: impl FnOnce() -> T) -> Result<T, Panic> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            if CATCHING.get() == 0 {
                return print(info);
            }
            let location = info
                .location()
                .map(|at| format!("{}:{}", at.file(), at.line()));
            LOCATION.set(location);
        }));
    });
    CATCHING.set(CATCHING.get() + 1);
    let outcome = panic::catch_unwind(AssertUnwindSafe(function));
    CATCHING.set(CATCHING.get() - 1);
    outcome.map_err(|payload| Panic::new(payload.as_ref(), LOCATION.take()))
}

/// Waits for a future and catches its panic like [`caught`].
pub(crate) async fn caught_in<T>(future: impl Future<Output = T>) -> Result<T, Panic> {
    let mut future = pin!(future);
    poll_fn(|context| match caught(|| future.as_mut().poll(context)) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use tch::{Tensor, kind::FLOAT_CPU};

    use super::*;
    use crate::native::matmul;

    fn zeros(size: &[i64]) -> Tensor {
        Tensor::zeros(size, FLOAT_CPU)
    }

    #[tokio::test]
    async fn a_future_that_panics_in_its_middle_is_caught_there() {
        let panic = caught_in(async {
            tokio::task::yield_now().await;
            panic!("halfway");
        });
        let panic: Panic = panic.await.map(|never: ()| never).unwrap_err();
        assert!(panic.to_string().ends_with(": halfway"), "{panic}");
        assert_eq!(caught_in(async { 7 }).await, Ok(7));
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
    fn a_panic_within_one_that_is_caught_keeps_both_places() {
        let (inner, outer) = (line!() + 2, line!() + 3);
        let panic = caught(|| {
            let inside = caught(|| panic!("inner")).unwrap_err();
            panic!("outer, after {inside}")
        });
        let file = file!();
        assert_eq!(
            panic.unwrap_err().to_string(),
            format!(
                "internal error at {file}:{outer}: outer, after internal error at {file}:{inner}: inner"
            )
        );
    }

    #[test]
    fn a_panic_leaves_gradients_as_they_were() {
        use crate::native::no_grad;

        let tracks = || {
            let weight = zeros(&[2]).set_requires_grad(true);
            (weight * 2.0).requires_grad()
        };
        assert!(tracks());
        let panic = caught(|| no_grad(|| zeros(&[3]) + zeros(&[4])));
        assert!(panic.is_err() && tracks());
    }

    #[test]
    fn what_does_not_panic_comes_back() {
        assert_eq!(caught(|| 7), Ok(7));
    }
}
