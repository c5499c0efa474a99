//! Compiles the C++ in `src/native` and tells the linker where libtorch will be at run time.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let libtorch = torch_sys_lib_dir()?;
    write_rpath(&libtorch)?;
    compile_native(&libtorch)
}

/// The directory of libtorch's libraries that torch-sys was built against (`links = "tch"`).
fn torch_sys_lib_dir() -> Result<PathBuf, Box<dyn Error>> {
    env::var_os("DEP_TCH_LIBTORCH_LIB")
        .map(PathBuf::from)
        .ok_or_else(|| "torch-sys did not say where libtorch is: run `make setup`".into())
}

/// Programs, tests and benches find libtorch from any directory, without `LD_LIBRARY_PATH`.
/// The place beside an installed program comes first, so that an installation does not depend on
/// the checkout it was built in.
fn write_rpath(libtorch: &Path) -> Result<(), Box<dyn Error>> {
    let beside = match env::var("CARGO_CFG_TARGET_OS")?.as_str() {
        "macos" => "@executable_path",
        _ => "$ORIGIN",
    };
    println!("cargo::rustc-link-arg=-Wl,-rpath,{beside}/../lib/sparring/torch/lib");
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", libtorch.display());
    Ok(())
}

/// The little that tch does not reach. The flags that must agree with torch-sys are those of its
/// own build script.
fn compile_native(libtorch: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src/native");
    let source = |name: &str| format!("src/native/{name}.cc");
    println!("cargo::rerun-if-env-changed=LIBTORCH_CXX11_ABI");
    let include = libtorch.with_file_name("include");
    let abi = env::var("LIBTORCH_CXX11_ABI").unwrap_or_else(|_| "1".to_owned());
    cc::Build::new()
        .cpp(true)
        .std("c++20")
        .define("_GLIBCXX_USE_CXX11_ABI", abi.as_str())
        .define("GLOG_USE_GLOG_EXPORT", None)
        // As system headers, libtorch's own warnings stay out of the way of ours.
        .flag("-isystem")
        .flag(&include)
        .flag("-isystem")
        .flag(include.join("torch/csrc/api/include"))
        // The same code in every Cargo profile: what is measured is what runs.
        .opt_level(3)
        // A square root need not report its errors, and so becomes one instruction for many.
        .flag("-fno-math-errno")
        .debug(false)
        .files(
            [
                "native",
                "about",
                "cuda",
                "team",
                "product",
                "avx512",
                "bfloat16",
                "avx2",
                "matmul",
                "activation",
                "dense",
                "layout",
                "conv_kernel",
                "unfold",
                "tiled",
                "turned",
                "winograd",
                "conv",
                "norm",
                "resample",
                "residual",
                "merge",
                "small",
                "random",
                "adam",
            ]
            .map(source),
        )
        .try_compile("sparring_native")?;
    Ok(())
}
