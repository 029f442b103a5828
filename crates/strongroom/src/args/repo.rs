//! `strongroom repo …`: the engine alone. Flags are named as restic names them.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Which repository.
#[derive(Debug, Clone, Args)]
pub(crate) struct RepoArgs {
    /// Where it is: a local path or `s3:https://host/bucket/prefix`
    #[arg(short = 'r', long = "repo", value_name = "URL")]
    pub(crate) repo: String,
    /// File with the password
    #[arg(short = 'p', long)]
    pub(crate) password_file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Send at most so many KiB per second
    #[arg(long, value_name = "RATE")]
    pub(crate) limit_upload: Option<u64>,
    /// Receive at most so many KiB per second
    #[arg(long, value_name = "RATE")]
    pub(crate) limit_download: Option<u64>,
}

/// Which snapshots.
#[derive(Debug, Clone, Args)]
pub(crate) struct SnapshotFilter {
    /// Only those of this host
    #[arg(short = 'H', long)]
    pub(crate) host: Option<String>,
    /// Only those with this tag
    #[arg(long)]
    pub(crate) tag: Vec<String>,
    /// Only those of this path
    #[arg(long)]
    pub(crate) path: Vec<String>,
}

/// How new data are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compression {
    /// zstd's default level
    Auto,
    /// Not at all
    Off,
    /// Less, in less time
    Fast,
    /// As small as is sensible
    Max,
}

/// `strongroom repo …`
#[derive(Debug, Subcommand)]
pub(crate) enum RepoCmd {
    /// Create a repository
    Init(RepoInit),
    /// Back up files and directories
    Backup(RepoBackup),
    /// List snapshots
    Snapshots {
        #[command(flatten)]
        repo: RepoArgs,
        #[command(flatten)]
        filter: SnapshotFilter,
    },
    /// List what is in a snapshot
    Ls {
        #[command(flatten)]
        repo: RepoArgs,
        /// Id, prefix of one, or `latest`
        snapshot: String,
        /// Only below this path
        #[arg(default_value = "")]
        path: String,
    },
    /// Write a file, or a directory as an archive, to standard output
    Dump {
        #[command(flatten)]
        repo: RepoArgs,
        /// Id, prefix of one, or `latest`
        snapshot: String,
        /// The file or directory
        path: String,
        /// Format of the archive
        #[arg(short = 'a', long, value_enum, default_value_t = Archive::Tar)]
        archive: Archive,
    },
    /// Show what differs between two snapshots
    Diff {
        #[command(flatten)]
        repo: RepoArgs,
        /// Id, prefix of one, or `latest`
        first: String,
        /// Id, prefix of one, or `latest`
        second: String,
        /// Show also what differs in owner, mode, times or extended attributes only
        #[arg(long)]
        metadata: bool,
    },
    /// Copy snapshots to another repository
    Copy(RepoCopy),
    /// Restore a snapshot to a directory
    Restore {
        #[command(flatten)]
        repo: RepoArgs,
        /// Id, prefix of one, or `latest`
        snapshot: String,
        /// Directory to restore to
        #[arg(short = 't', long)]
        target: PathBuf,
        /// Only what matches this pattern
        #[arg(short = 'i', long)]
        include: Vec<String>,
        /// Leave out what matches this pattern
        #[arg(short = 'e', long)]
        exclude: Vec<String>,
    },
    /// Look for damage
    Check {
        #[command(flatten)]
        repo: RepoArgs,
        /// Read and verify all data
        #[arg(long)]
        read_data: bool,
        /// Read and verify a part: `n/m`, or a random `x%`
        #[arg(long, conflicts_with = "read_data")]
        read_data_subset: Option<String>,
    },
    /// Remove snapshots
    Forget(RepoForget),
    /// Free what no snapshot needs
    Prune {
        #[command(flatten)]
        repo: RepoArgs,
        #[command(flatten)]
        options: PruneArgs,
        /// Only say what would be done
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
    /// Make a damaged repository usable again
    #[command(subcommand)]
    Repair(RepairCmd),
    /// Passwords of the repository
    #[command(subcommand)]
    Key(KeyCmd),
    /// Remove locks that are stale, or all
    Unlock {
        #[command(flatten)]
        repo: RepoArgs,
        /// Also those that are not stale
        #[arg(long)]
        remove_all: bool,
    },
}

/// What a directory is dumped as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Archive {
    /// POSIX tar
    Tar,
}

/// How to prune.
#[derive(Debug, Clone, Args)]
pub(crate) struct PruneArgs {
    /// Unused data that may stay: `5%`, bytes with an optional K, M, G or T, or `unlimited`
    #[arg(long, default_value = "5%")]
    pub(crate) max_unused: String,
    /// Keep packs without use for this long before they are deleted, like `23h` or `2d`
    #[arg(long, value_name = "DURATION")]
    pub(crate) keep_delete: Option<String>,
}

/// `strongroom repo init`
#[derive(Debug, Args)]
pub(crate) struct RepoInit {
    #[command(flatten)]
    pub(crate) repo: RepoArgs,
    /// Another repository, for what is taken over from it
    #[arg(long, requires_all = ["from_password_file", "copy_chunker_params"])]
    pub(crate) from_repo: Option<String>,
    /// File with the password of that repository
    #[arg(long, requires = "from_repo")]
    pub(crate) from_password_file: Option<PathBuf>,
    /// Cut files in the same places as that repository, so that what is copied is found again
    #[arg(long, requires = "from_repo")]
    pub(crate) copy_chunker_params: bool,
    /// Where files are cut; `fastcdc` is faster, but restic cuts elsewhere
    #[arg(long, value_enum, default_value_t = ChunkerRule::Rabin, conflicts_with = "from_repo")]
    pub(crate) chunker: ChunkerRule,
}

/// Where files are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChunkerRule {
    /// Where restic cuts
    Rabin,
    /// By a gear hash
    Fastcdc,
}

/// `strongroom repo copy`
#[derive(Debug, Args)]
pub(crate) struct RepoCopy {
    #[command(flatten)]
    pub(crate) repo: RepoArgs,
    /// Where to copy from
    #[arg(long)]
    pub(crate) from_repo: String,
    /// File with the password of that repository
    #[arg(long)]
    pub(crate) from_password_file: PathBuf,
    #[command(flatten)]
    pub(crate) filter: SnapshotFilter,
    /// Snapshots to copy; all if none is named
    pub(crate) snapshots: Vec<String>,
}

/// `strongroom repo repair …`
#[derive(Debug, Subcommand)]
pub(crate) enum RepairCmd {
    /// Write the index anew from what is stored
    Index {
        #[command(flatten)]
        repo: RepoArgs,
        /// Ask all packs for their lists
        #[arg(long)]
        read_all_packs: bool,
    },
    /// Save what is whole in damaged packs
    Packs {
        #[command(flatten)]
        repo: RepoArgs,
        /// Ids of the packs
        #[arg(required = true)]
        packs: Vec<String>,
    },
    /// Cut what is lost out of snapshots
    Snapshots {
        #[command(flatten)]
        repo: RepoArgs,
        /// Snapshots to repair; all if none is named
        snapshots: Vec<String>,
        /// Remove the snapshots that were replaced
        #[arg(long)]
        forget: bool,
        /// Only say what would be done
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
}

/// `strongroom repo key …`
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCmd {
    /// List the passwords' key files
    List {
        #[command(flatten)]
        repo: RepoArgs,
    },
    /// Add a password
    Add {
        #[command(flatten)]
        repo: RepoArgs,
        /// File with the new password
        #[arg(long)]
        new_password_file: PathBuf,
    },
    /// Remove a password
    Remove {
        #[command(flatten)]
        repo: RepoArgs,
        /// Id of the key file, or the beginning of it
        id: String,
    },
    /// Replace the password
    Passwd {
        #[command(flatten)]
        repo: RepoArgs,
        /// File with the new password
        #[arg(long)]
        new_password_file: PathBuf,
    },
}

/// `strongroom repo backup`
#[derive(Debug, Args)]
pub(crate) struct RepoBackup {
    #[command(flatten)]
    pub(crate) repo: RepoArgs,
    /// What to back up
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Leave out what matches this pattern
    #[arg(short = 'e', long)]
    pub(crate) exclude: Vec<String>,
    /// Tag of the snapshot
    #[arg(long)]
    pub(crate) tag: Vec<String>,
    /// Host that the snapshot says it is of
    #[arg(short = 'H', long)]
    pub(crate) host: Option<String>,
    /// How to compress
    #[arg(long, value_enum, default_value_t = Compression::Auto)]
    pub(crate) compression: Compression,
    /// Cut every so many bytes (4096 to 8388608) instead of where the content says: for disks and
    /// databases that change in place
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(4096..=8_388_608))]
    pub(crate) chunk_size: Option<u32>,
    /// Where to keep what makes the next backup faster; by default below `~/.cache`
    #[arg(long)]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Keep nothing for the next backup
    #[arg(long, conflicts_with = "cache_dir")]
    pub(crate) no_cache: bool,
}

/// `strongroom repo forget`
#[derive(Debug, Args)]
pub(crate) struct RepoForget {
    #[command(flatten)]
    pub(crate) repo: RepoArgs,
    #[command(flatten)]
    pub(crate) filter: SnapshotFilter,
    /// Snapshots to remove
    pub(crate) snapshots: Vec<String>,
    /// Keep the newest so many
    #[arg(short = 'l', long)]
    pub(crate) keep_last: Option<u32>,
    /// Keep the newest of so many hours
    #[arg(long)]
    pub(crate) keep_hourly: Option<u32>,
    /// Keep the newest of so many days
    #[arg(short = 'd', long)]
    pub(crate) keep_daily: Option<u32>,
    /// Keep the newest of so many weeks
    #[arg(short = 'w', long)]
    pub(crate) keep_weekly: Option<u32>,
    /// Keep the newest of so many months
    #[arg(short = 'm', long)]
    pub(crate) keep_monthly: Option<u32>,
    /// Keep the newest of so many years
    #[arg(short = 'y', long)]
    pub(crate) keep_yearly: Option<u32>,
    /// Keep all that are younger than this, like `1y5m7d2h`
    #[arg(long, value_name = "DURATION")]
    pub(crate) keep_within: Option<String>,
    /// Keep all with this tag
    #[arg(long, value_name = "TAG")]
    pub(crate) keep_tag: Vec<String>,
    /// Apply the rules to each group of the same `host`, `paths`, `tags`; or to all at once
    #[arg(short = 'g', long, default_value = "host,paths")]
    pub(crate) group_by: String,
    /// Only say what would be done
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
    /// Prune afterwards
    #[arg(long)]
    pub(crate) prune: bool,
    #[command(flatten)]
    pub(crate) prune_options: PruneArgs,
}
