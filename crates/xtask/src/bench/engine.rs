//! How fast the engine is beside the programs that do the same: each in turn does six steps with
//! the same data, as child processes whose time and memory the kernel counts.
//!
//! Programs of restic's format all start from the same kind of repository, made here with a cheap
//! key derivation: nobody's figures contain the price of a password. All keep their own defaults
//! for compression, verification and syncing; borg and bupstash are set to zstd 3.
#![expect(clippy::print_stdout, reason = "the table is what was asked for")]

mod data;
mod measure;
mod program;
mod table;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use self::{
    data::Set,
    program::{Place, Program, Step},
    table::{Row, Table},
};

/// Arguments of `bench engine`.
#[derive(Debug, Args)]
pub(crate) struct Engine {
    /// Where data and repositories are made; should be in memory
    #[arg(long, default_value = "/dev/shm")]
    dir: PathBuf,
    /// Part of the full 2 GiB and 100,000 files
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// How often everything is done; the table has medians
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// Which data
    #[arg(long = "set", value_enum, default_values_t = [Set::A, Set::B, Set::C])]
    sets: Vec<Set>,
    /// Only these programs beside ours; all that are on the path if none is named
    #[arg(long = "peer", value_enum)]
    peers: Vec<Program>,
    /// Our program, built for release
    #[arg(long, default_value = "target/release/strongroom")]
    strongroom: PathBuf,
    /// Adds the measurements to this file and prints the table of all in it
    #[arg(long)]
    results: Option<PathBuf>,
}

/// Measures and prints.
pub(crate) fn run(args: &Engine) -> Result<()> {
    let strongroom = fs::canonicalize(&args.strongroom).with_context(|| {
        let path = args.strongroom.display();
        format!("no program `{path}`: run `cargo build --release -p strongroom` first")
    })?;
    let programs: Vec<Program> = Program::ALL
        .into_iter()
        .filter(|it| *it == Program::Strongroom || !it.is_ours() && wanted(args, *it))
        .collect();
    let work = tempfile::Builder::new()
        .prefix("bench-engine-")
        .tempdir_in(&args.dir)?;
    let mut table = Table::open(args.results.as_deref())?;
    for &set in &args.sets {
        let bench = OneSet {
            set,
            scale: args.scale,
            source: work.path().join(set.name()),
            work: work.path(),
            strongroom: &strongroom,
            programs: &programs,
        };
        data::make(set, &bench.source, args.scale)?;
        for round in 0..args.rounds {
            bench.round(round, &mut table)?;
        }
        fs::remove_dir_all(&bench.source)?;
    }
    println!("{table}");
    Ok(())
}

fn wanted(args: &Engine, program: Program) -> bool {
    (args.peers.is_empty() || args.peers.contains(&program)) && program.is_installed()
}

struct OneSet<'a> {
    set: Set,
    scale: f64,
    source: PathBuf,
    work: &'a Path,
    strongroom: &'a Path,
    programs: &'a [Program],
}

impl OneSet<'_> {
    /// All steps, in each all programs in turn.
    fn round(&self, round: u64, table: &mut Table) -> Result<()> {
        let places: Vec<Place> = self
            .programs
            .iter()
            .map(|program| self.place(*program))
            .collect::<Result<_>>()?;
        for step in Step::ALL {
            if step == Step::Changed {
                data::change(self.set, &self.source, self.scale, round)?;
            }
            for place in &places {
                table.add(self.step(place, step)?)?;
            }
            if step == Step::First {
                self.variant(table)?;
            }
        }
        for place in places {
            fs::remove_dir_all(&place.home)?;
        }
        Ok(())
    }

    /// Our other way, which only does the first backup; that it can be restored is not tabled.
    fn variant(&self, table: &mut Table) -> Result<()> {
        if let Some(variant) = Program::variant_for(self.set) {
            let place = self.place(variant)?;
            table.add(self.step(&place, Step::First)?)?;
            self.step(&place, Step::Restore)?;
            fs::remove_dir_all(&place.home)?;
        }
        Ok(())
    }

    fn place(&self, program: Program) -> Result<Place> {
        let home = self.work.join(program.name());
        Place::make(program, &home, &self.source, self.strongroom)
    }

    /// One program does one step; what it restores is compared and removed.
    fn step(&self, place: &Place, step: Step) -> Result<Row> {
        let cost = place.run(step).with_context(|| {
            let (program, set) = (place.program.name(), self.set.name());
            format!("{program}, data {set}, {step}")
        })?;
        if step == Step::Restore {
            compare(&self.source, &place.restored(), place.program)?;
            fs::remove_dir_all(place.target())?;
        }
        let repository = measure::size(&place.repository())?;
        Ok(Row::new(self.set, step, place.program, cost, repository))
    }
}

/// Fails unless every file was restored as it is.
fn compare(source: &Path, restored: &Path, program: Program) -> Result<()> {
    let mut files = Vec::new();
    data::list(source, &mut files)?;
    for file in files {
        let copy = restored.join(file.strip_prefix(source)?);
        let equal = measure::same_content(&file, &copy)?;
        let (program, file) = (program.name(), file.display());
        ensure!(equal, "{program} restored `{file}` differently");
    }
    Ok(())
}
