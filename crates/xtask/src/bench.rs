//! Benchmarks: measured beside a peer in the same run, so that the ratio survives a slow machine.

pub(crate) mod catalog;
pub(crate) mod engine;
mod fill;
mod load;
mod server;
pub(crate) mod zstack;

use clap::Subcommand;

/// What can be measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Lists, look-ups and creates over a catalog of many backups, through the whole server
    Catalog(catalog::Catalog),
    /// `strongroom repo` beside restic, rustic, borg and bupstash
    Engine(engine::Engine),
    /// ZStack's query language over a catalog of many database backups, beside SQL by hand
    Zstack(zstack::Zstack),
}

/// Runs a benchmark and prints its table.
pub(crate) fn run(bench: Bench) -> anyhow::Result<()> {
    match bench {
        Bench::Catalog(args) => catalog::run(&args),
        Bench::Engine(args) => engine::run(&args),
        Bench::Zstack(args) => zstack::run(&args),
    }
}
