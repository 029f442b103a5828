//! The measurements and the table of their medians.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{
    data::Set,
    measure::Cost,
    program::{Program, Step},
};

/// One program did one step once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Row {
    set: String,
    step: Step,
    program: Program,
    #[serde(flatten)]
    cost: Cost,
    /// Size of the repository afterwards, in bytes.
    repository: u64,
}

impl Row {
    pub(super) fn new(set: Set, step: Step, program: Program, cost: Cost, repository: u64) -> Self {
        Self {
            set: set.name().to_owned(),
            step,
            program,
            cost,
            repository,
        }
    }
}

/// All measurements.
#[derive(Debug, Default)]
pub(super) struct Table {
    file: Option<PathBuf>,
    rows: Vec<Row>,
}

impl Table {
    /// Takes what is in `file`, if it exists; later measurements are added to it.
    pub(super) fn open(file: Option<&Path>) -> Result<Self> {
        let mut rows = Vec::new();
        if let Some(file) = file.filter(|file| file.exists()) {
            for line in fs::read_to_string(file)?.lines() {
                rows.push(serde_json::from_str(line)?);
            }
        }
        let file = file.map(Path::to_owned);
        Ok(Self { file, rows })
    }

    pub(super) fn add(&mut self, row: Row) -> Result<()> {
        if let Some(file) = &self.file {
            let mut file = fs::File::options().append(true).create(true).open(file)?;
            writeln!(file, "{}", serde_json::to_string(&row)?)?;
        }
        self.rows.push(row);
        Ok(())
    }
}

/// The middle one; of an even number the lower.
fn median<T: Ord + Copy>(rows: &[&Row], value: impl Fn(&Row) -> T) -> Option<T> {
    let mut values: Vec<T> = rows.iter().map(|row| value(row)).collect();
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied()
}

/// Medians of one step of one program.
struct Cell {
    wall: Duration,
    cpu: Duration,
    memory: u64,
    repository: u64,
}

impl Cell {
    fn of(rows: &[&Row]) -> Option<Self> {
        Some(Self {
            wall: median(rows, |row| row.cost.wall)?,
            cpu: median(rows, |row| row.cost.cpu)?,
            memory: median(rows, |row| row.cost.memory)?,
            repository: median(rows, |row| row.repository)?,
        })
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (wall, cpu) = (self.wall.as_secs_f64(), self.cpu.as_secs_f64());
        let (memory, repository) = (self.memory >> 20, self.repository / 1_000_000);
        write!(f, "{wall:.2} s / {cpu:.1} / {memory} MiB / {repository}")
    }
}

impl fmt::Display for Table {
    /// One table per set: wall time, CPU seconds, peak memory and megabytes of the repository; last
    /// the best peer's wall and CPU time over ours.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sets: BTreeMap<&str, BTreeMap<Step, BTreeMap<Program, Vec<&Row>>>> =
            BTreeMap::new();
        for row in &self.rows {
            let steps = sets.entry(&row.set).or_default();
            let programs = steps.entry(row.step).or_default();
            programs.entry(row.program).or_default().push(row);
        }
        for (set, steps) in sets {
            let programs: Vec<Program> = Program::ALL
                .into_iter()
                .filter(|it| steps.values().any(|step| step.contains_key(it)))
                .collect();
            writeln!(f, "\n**Data {set}**\n")?;
            write!(f, "| step |")?;
            programs
                .iter()
                .try_for_each(|it| write!(f, " {} |", it.name()))?;
            writeln!(f, " wall ratio | CPU ratio |")?;
            writeln!(f, "|{}", "---|".repeat(programs.len() + 3))?;
            for (step, cells) in steps {
                let rounds = cells.values().map(Vec::len).max().unwrap_or(0);
                write!(f, "| {step} ({rounds}) |")?;
                line(f, &programs, &cells)?;
            }
        }
        Ok(())
    }
}

fn line(
    f: &mut fmt::Formatter<'_>,
    programs: &[Program],
    cells: &BTreeMap<Program, Vec<&Row>>,
) -> fmt::Result {
    let (mut ours, mut best): (Option<Cell>, Option<(Duration, Duration)>) = (None, None);
    for program in programs {
        let Some(cell) = cells.get(program).and_then(|rows| Cell::of(rows)) else {
            write!(f, " - |")?;
            continue;
        };
        write!(f, " {cell} |")?;
        if *program == Program::Strongroom {
            ours = Some(cell);
        } else if !program.is_ours() {
            let (wall, cpu) = best.unwrap_or((Duration::MAX, Duration::MAX));
            best = Some((wall.min(cell.wall), cpu.min(cell.cpu)));
        }
    }
    match (ours, best) {
        (Some(ours), Some((wall, cpu))) => writeln!(
            f,
            " {:.2} | {:.2} |",
            wall.as_secs_f64() / ours.wall.as_secs_f64(),
            cpu.as_secs_f64() / ours.cpu.as_secs_f64()
        ),
        _ => writeln!(f, " - | - |"),
    }
}
