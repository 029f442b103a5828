//! Benchmarks: measured beside a peer in the same run, so that the ratio survives a slow machine.

pub(crate) mod catalog;

use clap::Subcommand;

/// What can be measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Lists, look-ups and creates over a catalog of many backups, through the whole server
    Catalog(catalog::Catalog),
}

/// Runs a benchmark and prints its table.
pub(crate) fn run(bench: Bench) -> anyhow::Result<()> {
    match bench {
        Bench::Catalog(args) => catalog::run(&args),
    }
}
