//! The programs and how each is asked to do a step.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use strongroom_domain::Clock;
use strongroom_engine::{ContentRule, Credential, InitOptions, KdfCost, LocalBackend, Repository};

use super::{
    data::Set,
    measure::{self, Cost},
};

const PASSWORD: &str = "benchmark";
/// bupstash and borg name snapshots.
const NAMES: [&str; 3] = ["first", "unchanged", "changed"];

/// A program under test. Beside those that do all steps there is ours in two other ways.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, Serialize, Deserialize,
)]
pub(super) enum Program {
    Strongroom,
    /// With zstd level 1.
    #[value(skip)]
    StrongroomFast,
    /// With a repository that cuts by FastCDC.
    #[value(skip)]
    StrongroomFastcdc,
    Restic,
    Rustic,
    Borg,
    Bupstash,
}

impl Program {
    /// In the order of the table.
    pub(super) const ALL: [Self; 7] = [
        Self::Strongroom,
        Self::StrongroomFast,
        Self::StrongroomFastcdc,
        Self::Restic,
        Self::Rustic,
        Self::Borg,
        Self::Bupstash,
    ];

    pub(super) fn is_ours(self) -> bool {
        matches!(
            self,
            Self::Strongroom | Self::StrongroomFast | Self::StrongroomFastcdc
        )
    }

    /// Our other way for a set of data: compression is most of b's time, cutting much of c's.
    pub(super) fn variant_for(set: Set) -> Option<Self> {
        match set {
            Set::A => None,
            Set::B => Some(Self::StrongroomFast),
            Set::C => Some(Self::StrongroomFastcdc),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Strongroom => "strongroom",
            Self::StrongroomFast => "strongroom-fast",
            Self::StrongroomFastcdc => "strongroom-fastcdc",
            Self::Restic => "restic",
            Self::Rustic => "rustic",
            Self::Borg => "borg",
            Self::Bupstash => "bupstash",
        }
    }

    pub(super) fn is_installed(self) -> bool {
        let asked = Command::new(self.name())
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        // restic says it with a verb and fails here, which shows too that it is there.
        asked.is_ok()
    }
}

/// One step of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Step {
    /// Backup to an empty repository.
    First,
    /// Backup of the same again.
    Unchanged,
    /// Backup after two per cent have changed.
    Changed,
    /// Restore of the last backup to an empty directory.
    Restore,
    /// Check that reads all data.
    Check,
    /// Removal of all backups but the last and of what they alone needed.
    Prune,
}

impl Step {
    pub(super) const ALL: [Self; 6] = [
        Self::First,
        Self::Unchanged,
        Self::Changed,
        Self::Restore,
        Self::Check,
        Self::Prune,
    ];
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::First => "first",
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
            Self::Restore => "restore",
            Self::Check => "check",
            Self::Prune => "prune",
        })
    }
}

/// The wall clock, for the time in key files.
#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is a composition root")]
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

/// A program with its repository and what it is to back up.
pub(super) struct Place {
    pub(super) program: Program,
    pub(super) home: PathBuf,
    source: PathBuf,
    strongroom: PathBuf,
}

impl Place {
    /// Makes an empty repository in `home`.
    pub(super) fn make(
        program: Program,
        home: &Path,
        source: &Path,
        strongroom: &Path,
    ) -> Result<Self> {
        fs::create_dir(home)?;
        fs::write(home.join("password"), PASSWORD)?;
        let place = Self {
            program,
            home: home.to_owned(),
            source: source.to_owned(),
            strongroom: strongroom.to_owned(),
        };
        place.init()?;
        Ok(place)
    }

    fn init(&self) -> Result<()> {
        match self.program {
            Program::Borg => {
                measure::run(self.borg("init").args(["-e", "repokey-blake2"]))?;
            }
            Program::Bupstash => {
                measure::run(self.command().arg("new-key").arg("-o").arg(self.key()))?;
                measure::run(self.command().arg("init"))?;
            }
            program => {
                let backend = Arc::new(LocalBackend::new(self.repository()));
                let options = InitOptions {
                    kdf: KdfCost::MACHINE,
                    content_rule: match program {
                        Program::StrongroomFastcdc => ContentRule::FastCdc,
                        _ => ContentRule::Rabin,
                    },
                    chunker_of: self.our_repository()?,
                    ..InitOptions::new(PASSWORD)
                };
                Repository::init(backend, Arc::new(SystemClock), &options)?;
            }
        }
        Ok(())
    }

    /// Our repository, for others of the format to cut content where it does: otherwise chance would
    /// decide by a megabyte or two who stores less.
    fn our_repository(&self) -> Result<Option<Repository>> {
        if matches!(
            self.program,
            Program::Strongroom | Program::StrongroomFastcdc
        ) {
            return Ok(None);
        }
        let home = self.home.with_file_name(Program::Strongroom.name());
        let backend = Arc::new(LocalBackend::new(home.join("repository")));
        let password = Credential::password(PASSWORD);
        Ok(Some(Repository::open(
            backend,
            Arc::new(SystemClock),
            &password,
        )?))
    }

    pub(super) fn repository(&self) -> PathBuf {
        self.home.join("repository")
    }

    pub(super) fn target(&self) -> PathBuf {
        self.home.join("target")
    }

    fn key(&self) -> PathBuf {
        self.home.join("key")
    }

    /// Where the source's files are after a restore.
    pub(super) fn restored(&self) -> PathBuf {
        let whole = || self.source.strip_prefix("/").unwrap_or(&self.source);
        match self.program {
            Program::Bupstash => self.target(),
            _ => self.target().join(whole()),
        }
    }

    /// Does a step.
    pub(super) fn run(&self, step: Step) -> Result<Cost> {
        if step == Step::Restore {
            fs::create_dir(self.target())?;
        }
        let mut commands = self.commands(step);
        let mut total = measure::run(&mut commands.remove(0))?;
        for mut command in commands {
            let cost = measure::run(&mut command)?;
            total.wall += cost.wall;
            total.cpu += cost.cpu;
            total.memory = total.memory.max(cost.memory);
        }
        Ok(total)
    }

    fn commands(&self, step: Step) -> Vec<Command> {
        match self.program {
            Program::Strongroom | Program::StrongroomFast | Program::StrongroomFastcdc => {
                vec![self.ours(step)]
            }
            Program::Restic => vec![self.restic(step)],
            Program::Rustic => vec![self.rustic(step)],
            Program::Borg => self.borg_steps(step),
            Program::Bupstash => self.bupstash(step),
        }
    }

    /// A command that knows the repository, the password and a cache of its own.
    fn command(&self) -> Command {
        let (repository, password) = (self.repository(), self.home.join("password"));
        let mut command = match self.program {
            program if program.is_ours() => Command::new(&self.strongroom),
            other => Command::new(other.name()),
        };
        command
            .current_dir(&self.home)
            .env("HOME", &self.home)
            .env("XDG_CACHE_HOME", self.home.join("cache"))
            .env("RESTIC_REPOSITORY", &repository)
            .env("RESTIC_PASSWORD_FILE", &password)
            .env("RUSTIC_REPOSITORY", &repository)
            .env("RUSTIC_PASSWORD_FILE", &password)
            .env("BORG_REPO", &repository)
            .env("BORG_PASSPHRASE", PASSWORD)
            .env("BUPSTASH_REPOSITORY", &repository)
            .env("BUPSTASH_KEY", self.key());
        command
    }

    fn ours(&self, step: Step) -> Command {
        let mut command = self.command();
        command.arg("repo");
        match step {
            Step::First | Step::Unchanged | Step::Changed => command.arg("backup"),
            Step::Restore => command.args(["restore", "latest", "--target", "target"]),
            Step::Check => command.args(["check", "--read-data"]),
            Step::Prune => command.args(["forget", "--keep-last", "1", "--prune"]),
        };
        command.args(["-r", "repository", "-p", "password"]);
        if matches!(step, Step::First | Step::Unchanged | Step::Changed) {
            command.arg(&self.source);
            if self.program == Program::StrongroomFast {
                command.args(["--compression", "fast"]);
            }
        }
        command
    }

    fn restic(&self, step: Step) -> Command {
        let mut command = self.command();
        match step {
            Step::First | Step::Unchanged | Step::Changed => {
                command.arg("backup").arg(&self.source)
            }
            Step::Restore => command.args(["restore", "latest", "--target", "target"]),
            Step::Check => command.args(["check", "--read-data"]),
            Step::Prune => command.args(["forget", "--keep-last", "1", "--prune"]),
        };
        command
    }

    fn rustic(&self, step: Step) -> Command {
        let mut command = self.command();
        match step {
            Step::First | Step::Unchanged | Step::Changed => {
                command.arg("backup").arg(&self.source)
            }
            Step::Restore => command.args(["restore", "latest", "target"]),
            Step::Check => command.args(["check", "--read-data"]),
            Step::Prune => {
                command.args(["forget", "--keep-last", "1", "--prune", "--instant-delete"])
            }
        };
        command
    }

    fn borg(&self, verb: &str) -> Command {
        let mut command = self.command();
        command.arg(verb);
        command
    }

    fn borg_steps(&self, step: Step) -> Vec<Command> {
        let mut commands = vec![self.borg(match step {
            Step::First | Step::Unchanged | Step::Changed => "create",
            Step::Restore => "extract",
            Step::Check => "check",
            Step::Prune => "prune",
        })];
        let command = &mut commands[0];
        match step {
            Step::First | Step::Unchanged | Step::Changed => {
                let name = NAMES[step as usize];
                command
                    .args(["-C", "zstd,3", &format!("::{name}")])
                    .arg(&self.source);
            }
            Step::Restore => {
                command.arg("::changed").current_dir(self.target());
            }
            Step::Check => {
                command.arg("--verify-data");
            }
            Step::Prune => {
                command.args(["--keep-last", "1"]);
                commands.push(self.borg("compact"));
            }
        }
        commands
    }

    fn bupstash(&self, step: Step) -> Vec<Command> {
        let mut command = self.command();
        let last = format!("name={}", NAMES[2]);
        match step {
            Step::First | Step::Unchanged | Step::Changed => {
                let name = format!("name={}", NAMES[step as usize]);
                let log = self.home.join("send-log");
                command.arg("put").arg("--send-log").arg(log);
                command
                    .args(["--compression", "zstd:3", &name])
                    .arg(&self.source);
            }
            Step::Restore => {
                command.args(["restore", "--into", "target", &last]);
            }
            Step::Check => {
                command.args(["get", &last]);
            }
            Step::Prune => {
                let [first, unchanged, _] = NAMES.map(|it| format!("name={it}"));
                // As one argument this would be a name that nothing has.
                command.args(["rm", "--allow-many", &first, "or", &unchanged]);
                let mut collect = self.command();
                collect.arg("gc");
                return vec![command, collect];
            }
        }
        vec![command]
    }
}
