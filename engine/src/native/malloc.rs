//! The C library's allocator.

/// Tells glibc to keep freed memory for the next step.
///
/// By default glibc returns every block over some hundred kilobytes to the kernel and faults it in again, page by page:
/// a quarter of the time of a step of the tutorial's networks.
pub(super) fn keep_freed_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt only sets numbers.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST_THRESHOLD);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}

/// Half the size of a thread's heap in glibc. It accepts no larger threshold, and says so only in the return value of
/// `mallopt`.
#[cfg(target_env = "gnu")]
const LARGEST_THRESHOLD: i32 = 32 << 20;

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn glibc_accepts_the_threshold() {
        // SAFETY: mallopt only sets numbers.
        assert_eq!(
            unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST_THRESHOLD) },
            1
        );
    }
}
