//! Lets the programs of a tarball run where even libgcc is missing: the face finds it where the worker does, beside
//! libtorch (engine/build.rs).

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-link-arg-bins=-Wl,-rpath,$ORIGIN/../lib/sparring/torch/lib");
    }
}
