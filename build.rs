//! Generates the client, the models and the facts from the documents in `spec/` into `OUT_DIR`, and nothing else.

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=spec");
    let variable = |name| std::env::var_os(name).map(PathBuf::from).unwrap_or_default();
    let spec = variable("CARGO_MANIFEST_DIR").join("spec");
    match feishu_cancel_onboard_codegen::generate(&spec, &variable("OUT_DIR")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}
