//! `pack-charm TREE BINARY ARCHITECTURE CHARM`: packs a charm file without charmcraft.

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use packing::pack::pack;

fn main() -> ExitCode {
    packing::ended(pack_one())
}

fn pack_one() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [tree, binary, architecture, charm] = arguments.as_slice() else {
        return Err("usage: pack-charm TREE BINARY ARCHITECTURE CHARM".into());
    };
    pack(Path::new(tree), Path::new(binary), architecture, Path::new(charm))?;
    Ok(ExitCode::SUCCESS)
}
