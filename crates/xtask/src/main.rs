//! The repository's own tools: `cargo xtask …`.

mod bench;
mod tidy;

use std::{path::Path, process::ExitCode};

use clap::{Parser, Subcommand};

/// The repository's own tools.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the rules that no compiler knows: layering, sizes, isolation, module docs.
    Tidy,
    /// Measure, each time beside a peer in the same run.
    #[command(subcommand)]
    Bench(bench::Bench),
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        Command::Tidy => tidy::run(root()),
        Command::Bench(bench) => bench::run(bench).map(|()| ExitCode::SUCCESS),
    }
}

/// Where the workspace lies.
fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .ancestors()
        .nth(2)
        .expect("this crate lies two folders below the workspace's root")
}
