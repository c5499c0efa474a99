//! The C library's allocator.

/// Tells glibc to keep freed memory for the next step.
///
/// By default it gives every block over some hundred kilobytes back to the kernel and faults it in again, page by
/// page: a quarter of the time of a step of the tutorial's networks. Other C libraries need no telling.
pub fn keep_freed_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt only sets numbers.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}
