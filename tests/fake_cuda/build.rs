//! Compiles the fake into a folder of libraries with the names of the real ones.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    let libraries = PathBuf::from(env::var("OUT_DIR")?).join("lib");
    std::fs::create_dir_all(&libraries)?;
    println!(
        "cargo::rustc-env=FAKE_CUDA_LIBRARIES={}",
        libraries.display()
    );
    if env::var("CARGO_CFG_TARGET_OS")? != "linux" {
        return Ok(());
    }
    let libtorch = env::var("LIBTORCH").map_err(|_| "LIBTORCH is not set: run `make setup`")?;
    println!("cargo::rerun-if-changed={libtorch}/version.py");
    let libtorch = Path::new(&libtorch);
    let include = libtorch.join("include");
    let abi = env::var("LIBTORCH_CXX11_ABI").unwrap_or_else(|_| "1".to_owned());
    let mut backend = compiler(true)?;
    backend
        .args(["-std=c++20", "-O1", "-Wall", "-Wextra"])
        .arg(format!("-D_GLIBCXX_USE_CXX11_ABI={abi}"))
        .arg("-isystem")
        .arg(&include)
        .arg("-isystem")
        .arg(include.join("torch/csrc/api/include"))
        .args(["device", "graph", "operations"].map(|name| format!("src/{name}.cc")))
        .arg("-L")
        .arg(libtorch.join("lib"))
        .args(["-ltorch_cpu", "-lc10"]);
    link(&mut backend, &libraries.join("libtorch_cuda.so"))?;
    let mut driver = compiler(false)?;
    driver.args(["-O1", "-Wall", "-Wextra", "src/driver.c"]);
    link(&mut driver, &libraries.join("libcuda.so.1"))
}

fn compiler(cpp: bool) -> Result<Command, cc::Error> {
    let compiler = cc::Build::new()
        .cpp(cpp)
        .debug(false)
        .warnings(false)
        .try_get_compiler()?;
    Ok(compiler.to_command())
}

fn link(compiler: &mut Command, library: &Path) -> Result<(), Box<dyn Error>> {
    let status = compiler
        .args(["-shared", "-fPIC", "-o"])
        .arg(library)
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{compiler:?} failed").into())
    }
}
