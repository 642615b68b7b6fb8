//! Compiles `proto/` in pure Rust: no `protoc` is installed (see ADR 11).

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files = protox::compile(["naru/v1/gateway.proto"], ["proto"])?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), protox::prost::Message::encode_to_vec(&files))?;
    prost_build::Config::new().btree_map(["."]).compile_fds(files)?;
    Ok(())
}
