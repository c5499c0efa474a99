//! The C library's allocator.

/// Tells glibc to keep freed memory for the next step.
///
/// By default it gives every block over some hundred kilobytes back to the kernel and faults it in again, page by
/// page: a quarter of the time of a step of the tutorial's networks. Other C libraries need no telling.
pub(super) fn keep_freed_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt only sets numbers.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST_THRESHOLD);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}

/// Half of what glibc reserves for a thread's heap: it takes no larger threshold, and says so only in what `mallopt`
/// returns.
#[cfg(target_env = "gnu")]
const LARGEST_THRESHOLD: i32 = 32 << 20;

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn glibc_takes_the_threshold() {
        // SAFETY: mallopt only sets numbers.
        assert_eq!(
            unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST_THRESHOLD) },
            1
        );
    }
}
