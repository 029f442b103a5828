//! The commands that are clients of a running server.

use clap::{Args, Subcommand};

/// Which server, with which credential.
#[derive(Debug, Clone, Args)]
pub(crate) struct Server {
    /// Where the server is
    #[arg(long, default_value = "http://127.0.0.1:7878")]
    pub(crate) url: String,
    /// API token
    #[arg(long, hide_env = true)]
    pub(crate) token: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `strongroom resource …`
#[derive(Debug, Subcommand)]
pub(crate) enum ResourceCmd {
    /// Register a resource
    Add {
        #[command(flatten)]
        server: Server,
        /// Kind, e.g. `files`
        #[arg(long)]
        kind: String,
        /// Name, unique in the tenant
        #[arg(long)]
        name: String,
        /// What its source needs to know, e.g. `path=/srv`
        #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
        set: Vec<(String, String)>,
    },
    /// List the registered resources
    List {
        #[command(flatten)]
        server: Server,
        /// Only this kind
        #[arg(long)]
        kind: Option<String>,
    },
    /// Show a resource
    Show {
        #[command(flatten)]
        server: Server,
        /// Name or id
        resource: String,
    },
    /// Stop protecting a resource; its backups stay
    Remove {
        #[command(flatten)]
        server: Server,
        /// Name or id
        resource: String,
    },
    /// List what is on the server's machine and could be registered
    Discover {
        #[command(flatten)]
        server: Server,
        /// Only this kind
        #[arg(long)]
        kind: Option<String>,
    },
}

/// `strongroom backup …`
#[derive(Debug, Subcommand)]
pub(crate) enum BackupCmd {
    /// Back a resource up now
    Create {
        #[command(flatten)]
        server: Server,
        /// Name or id of the resource
        resource: String,
        /// Name of the backup
        #[arg(long)]
        name: Option<String>,
        /// Name or id of the repository
        #[arg(long)]
        repository: Option<String>,
        /// Wait until it has ended
        #[arg(long)]
        wait: bool,
    },
    /// List backups, newest first
    List {
        #[command(flatten)]
        server: Server,
        /// Only those of this resource (name or id)
        #[arg(long)]
        resource: Option<String>,
        /// Only those in this state
        #[arg(long)]
        state: Option<String>,
        /// At most this many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
        limit: u64,
    },
    /// Show a backup
    Show {
        #[command(flatten)]
        server: Server,
        /// Name or id
        backup: String,
    },
    /// Delete a backup
    Delete {
        #[command(flatten)]
        server: Server,
        /// Name or id
        backup: String,
        /// Only from this repository (name or id); copies in others stay
        #[arg(long)]
        repository: Option<String>,
    },
    /// Stop a backup that has not ended
    Cancel {
        #[command(flatten)]
        server: Server,
        /// Name or id
        backup: String,
    },
    /// Copy a backup to another repository
    Copy {
        #[command(flatten)]
        server: Server,
        /// Name or id
        backup: String,
        /// Name or id of the repository
        #[arg(long)]
        to: String,
        /// Wait until it has ended
        #[arg(long)]
        wait: bool,
    },
    /// List the copies of a backup in other repositories
    Copies {
        #[command(flatten)]
        server: Server,
        /// Name or id
        backup: String,
    },
    /// Give leave to download a backup as one compressed file, or end it
    Export {
        #[command(flatten)]
        server: Server,
        /// Name or id
        backup: String,
        /// Name or id of a repository that the backup is in; its own if not given
        #[arg(long)]
        repository: Option<String>,
        /// End the export: nobody can download it any longer
        #[arg(long)]
        end: bool,
    },
    /// List a directory inside a backup
    Browse {
        #[command(flatten)]
        server: Server,
        /// Name or id
        backup: String,
        /// Path inside the backup
        #[arg(default_value = "")]
        path: String,
    },
}

impl BackupCmd {
    /// The backup that it is about, by name or id.
    pub(crate) fn backup_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Create { .. } | Self::List { .. } => None,
            Self::Show { backup, .. }
            | Self::Delete { backup, .. }
            | Self::Cancel { backup, .. }
            | Self::Copy { backup, .. }
            | Self::Copies { backup, .. }
            | Self::Export { backup, .. }
            | Self::Browse { backup, .. } => Some(backup),
        }
    }

    /// Which server it is for.
    pub(crate) fn server(&self) -> &Server {
        match self {
            Self::Create { server, .. }
            | Self::List { server, .. }
            | Self::Show { server, .. }
            | Self::Delete { server, .. }
            | Self::Cancel { server, .. }
            | Self::Copy { server, .. }
            | Self::Copies { server, .. }
            | Self::Export { server, .. }
            | Self::Browse { server, .. } => server,
        }
    }
}

/// `strongroom restore …`
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Name or id of the backup
    pub(crate) backup: String,
    /// Directory to restore to, or `original`
    #[arg(long)]
    pub(crate) to: String,
    /// Only this path inside the backup, with what is below it
    #[arg(long)]
    pub(crate) include: Vec<String>,
    /// Leave files that exist
    #[arg(long)]
    pub(crate) keep_existing: bool,
    /// Restore this database under another name: `OLD=NEW`
    #[arg(long, value_name = "OLD=NEW")]
    pub(crate) rename: Vec<String>,
    /// Name or id of a repository that has a copy of the backup, to read from that
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// Back up what is about to be overwritten first, and restore nothing if that fails. Databases
    /// are backed up in any case if they can be
    #[arg(long)]
    pub(crate) safety_backup: bool,
    /// Do not back up databases before they are overwritten
    #[arg(long, conflicts_with = "safety_backup")]
    pub(crate) no_safety_backup: bool,
    /// Wait until it has ended
    #[arg(long)]
    pub(crate) wait: bool,
}

/// `strongroom policy …`
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCmd {
    /// Create a policy
    Add(Box<PolicyAdd>),
    /// List policies
    List {
        #[command(flatten)]
        server: Server,
    },
    /// Show a policy
    Show {
        #[command(flatten)]
        server: Server,
        /// Name or id
        policy: String,
    },
    /// Delete a policy; its backups stay
    Remove {
        #[command(flatten)]
        server: Server,
        /// Name or id
        policy: String,
    },
    /// Run a policy now
    Run {
        #[command(flatten)]
        server: Server,
        /// Name or id
        policy: String,
    },
}

/// `strongroom policy add`
#[derive(Debug, Args)]
pub(crate) struct PolicyAdd {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Name, unique in the tenant
    #[arg(long)]
    pub(crate) name: String,
    /// Resource to protect (name or id)
    #[arg(long, required = true)]
    pub(crate) resource: Vec<String>,
    /// When to run: five cron fields
    #[arg(long, conflicts_with_all = ["rrule", "every"])]
    pub(crate) cron: Option<String>,
    /// When to run: an RRULE
    #[arg(long, conflicts_with = "every")]
    pub(crate) rrule: Option<String>,
    /// When to run: every so many seconds
    #[arg(long)]
    pub(crate) every: Option<u64>,
    /// Time zone of the schedule
    #[arg(long, default_value = "UTC")]
    pub(crate) zone: String,
    /// Keep the newest so many
    #[arg(long)]
    pub(crate) keep_last: Option<u32>,
    /// Keep the newest of so many hours
    #[arg(long)]
    pub(crate) keep_hourly: Option<u32>,
    /// Keep the newest of so many days
    #[arg(long)]
    pub(crate) keep_daily: Option<u32>,
    /// Keep the newest of so many weeks
    #[arg(long)]
    pub(crate) keep_weekly: Option<u32>,
    /// Keep the newest of so many months
    #[arg(long)]
    pub(crate) keep_monthly: Option<u32>,
    /// Keep the newest of so many years
    #[arg(long)]
    pub(crate) keep_yearly: Option<u32>,
    /// Where backups go (name or id; the default one without it); of several, each run uses the
    /// first that is enabled and can be reached
    #[arg(long)]
    pub(crate) repository: Vec<String>,
    /// Repository that each backup is copied to (name or id)
    #[arg(long)]
    pub(crate) copy_to: Option<String>,
    /// Keep the newest so many copies
    #[arg(long, requires = "copy_to")]
    pub(crate) copy_keep_last: Option<u32>,
    /// Keep the newest copy of so many hours
    #[arg(long, requires = "copy_to")]
    pub(crate) copy_keep_hourly: Option<u32>,
    /// Keep the newest copy of so many days
    #[arg(long, requires = "copy_to")]
    pub(crate) copy_keep_daily: Option<u32>,
    /// Keep the newest copy of so many weeks
    #[arg(long, requires = "copy_to")]
    pub(crate) copy_keep_weekly: Option<u32>,
    /// Keep the newest copy of so many months
    #[arg(long, requires = "copy_to")]
    pub(crate) copy_keep_monthly: Option<u32>,
    /// Keep the newest copy of so many years
    #[arg(long, requires = "copy_to")]
    pub(crate) copy_keep_yearly: Option<u32>,
}

/// `strongroom repository …`
#[derive(Debug, Subcommand)]
pub(crate) enum RepositoryCmd {
    /// Register a repository; it is initialised if there is none
    Add {
        #[command(flatten)]
        server: Server,
        /// Name, unique in the tenant
        #[arg(long)]
        name: String,
        /// Where it is: an absolute path on the server's machine, or `s3:https://host/bucket/prefix`
        #[arg(long)]
        location: String,
        /// File with the restic password; a random one is made for a new repository without it
        #[arg(long)]
        password_file: Option<std::path::PathBuf>,
        /// Make it the default
        #[arg(long)]
        default: bool,
    },
    /// List repositories
    List {
        #[command(flatten)]
        server: Server,
    },
    /// Show a repository
    Show {
        #[command(flatten)]
        server: Server,
        /// Name or id
        repository: String,
    },
    /// Check a repository and whether its backups are in it
    Check {
        #[command(flatten)]
        server: Server,
        /// Name or id
        repository: String,
        /// Wait until it has ended
        #[arg(long)]
        wait: bool,
    },
    /// Take up backups that are in a repository and not in the catalog
    Scan {
        #[command(flatten)]
        server: Server,
        /// Name or id
        repository: String,
        /// Wait until it has ended
        #[arg(long)]
        wait: bool,
    },
    /// Forget a repository that has no backups; its data stay
    Remove {
        #[command(flatten)]
        server: Server,
        /// Name or id
        repository: String,
    },
}

/// `strongroom tenant …`
#[derive(Debug, Subcommand)]
pub(crate) enum TenantCmd {
    /// Show the tenant of the credential
    Show {
        #[command(flatten)]
        server: Server,
    },
    /// List the tenants that the credential can act in
    List {
        #[command(flatten)]
        server: Server,
    },
}

/// `strongroom token …`
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCmd {
    /// Make an API token; it is printed once
    Create {
        #[command(flatten)]
        server: Server,
        /// What it is for
        #[arg(long)]
        name: String,
    },
    /// List API tokens and access keys
    List {
        #[command(flatten)]
        server: Server,
    },
    /// Revoke a token or access key
    Revoke {
        #[command(flatten)]
        server: Server,
        /// Id
        token_id: String,
    },
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}
