//! The C library's allocator.

/// Tells glibc to keep freed memory for the next step.
///
/// By default glibc returns every block over some hundred kilobytes to the kernel and faults it in again, page by page:
/// a quarter of the time of a step of the tutorial's networks. Blocks over 32 MB, such as the activations of 256 pictures
/// of 64×64, are returned whatever the threshold, unless no block at all has a mapping of its own; and a thread other than
/// the first has heaps of at most 64 MB, which are returned when they are empty, unless all threads share one arena.
pub(super) fn keep_freed_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt only sets numbers.
    unsafe {
        for (option, value) in OPTIONS {
            libc::mallopt(option, value);
        }
    }
}

#[cfg(target_env = "gnu")]
const OPTIONS: [(libc::c_int, libc::c_int); 3] = [
    (libc::M_MMAP_MAX, 0),
    (libc::M_ARENA_MAX, 1),
    (libc::M_TRIM_THRESHOLD, i32::MAX),
];

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn glibc_accepts_the_options() {
        for (option, value) in OPTIONS {
            // SAFETY: mallopt only sets numbers.
            assert_eq!(unsafe { libc::mallopt(option, value) }, 1);
        }
    }
}
