//! What the libtorch in use says of itself.

use std::ffi::{CStr, c_char};
use std::path::PathBuf;

unsafe extern "C" {
    fn sparring_configuration() -> *mut c_char;
    fn sparring_cpu_capability() -> *mut c_char;
    fn sparring_library() -> *mut c_char;
    fn sparring_products() -> *mut c_char;
}

/// The libtorch in use, and how this process computes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutLibtorch {
    /// Such as `2.13.0`; `None` if it does not say.
    pub version: Option<String>,
    /// The file of its CPU library.
    pub library: Option<PathBuf>,
    /// The vector units for which it chose its CPU kernels, such as `AVX2`.
    pub cpu_capability: String,
    /// How our own operations compute matrix products, such as `AVX-512`.
    pub products: String,
}

/// What the libtorch in use says of itself.
pub fn libtorch() -> AboutLibtorch {
    let library = said(sparring_library);
    AboutLibtorch {
        version: version_in(&said(sparring_configuration)),
        // The loader's path may go through `..`.
        library: (!library.is_empty())
            .then(|| std::fs::canonicalize(&library).unwrap_or_else(|_| library.into())),
        cpu_capability: said(sparring_cpu_capability),
        products: said(sparring_products),
    }
}

/// The version in libtorch's description of its configuration, where it is a setting of the build.
fn version_in(configuration: &str) -> Option<String> {
    let (_, rest) = configuration.split_once("TORCH_VERSION=")?;
    let end = rest.find([',', ' ', '\n']).unwrap_or(rest.len());
    Some(rest[..end].to_owned()).filter(|version| !version.is_empty())
}

/// The text that a function of ours returns.
pub(super) fn said(function: unsafe extern "C" fn() -> *mut c_char) -> String {
    // SAFETY: the functions of this module take nothing and return a text from `strdup` that nobody else frees.
    unsafe {
        let text = function();
        let words = CStr::from_ptr(text).to_string_lossy().into_owned();
        libc::free(text.cast());
        words
    }
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn the_version_is_one_of_the_settings_of_the_build() {
        let said = "PyTorch built with:\n  - GCC 13.3\n  - Build settings: BLAS_INFO=mkl, TORCH_VERSION=2.13.0, USE_CUDA=0, \n";
        assert_eq!(version_in(said).as_deref(), Some("2.13.0"));
        assert_eq!(version_in("PyTorch built with:\n  - GCC 13.3\n"), None);
    }
}
