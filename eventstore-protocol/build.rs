//! Generates both sides of the protocol from `protos/`, without protoc and without a network.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new("protos");
    compile(
        &root.join("v1"),
        &["streams.proto", "persistent.proto", "serverfeatures.proto", "gossip.proto"],
    )?;
    compile(&root.join("v2"), &["streams.proto", "errors.proto"])
}

fn compile(folder: &Path, files: &[&str]) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", folder.display());
    let descriptors = protox::compile(files, [folder])?;
    tonic_prost_build::configure()
        .build_transport(false)
        .bytes(".")
        .extern_path(".event_store.client.Empty", "()")
        .compile_fds(descriptors)?;
    Ok(())
}
