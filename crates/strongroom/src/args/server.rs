//! `demo`, `init`, `serve`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Directory of its own that everything is kept in
    #[arg(long, default_value = "./strongroom-demo")]
    pub(crate) data_dir: PathBuf,
    /// Address to serve on
    #[arg(long, default_value = "127.0.0.1:7878")]
    pub(crate) listen: SocketAddr,
    /// Directory to protect instead of one found on this machine
    #[arg(long)]
    pub(crate) path: Option<PathBuf>,
    /// Stop when the restore has been compared instead of serving on
    #[arg(long)]
    pub(crate) exit: bool,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Directory that everything is kept in; must not be initialised
    #[arg(long)]
    pub(crate) data_dir: PathBuf,
    /// Catalog elsewhere than in the data directory, e.g. `postgres://…`
    #[arg(long)]
    pub(crate) database_url: Option<String>,
    /// Name of the first tenant
    #[arg(long, default_value = "default")]
    pub(crate) tenant: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The initialised directory
    #[arg(long)]
    pub(crate) data_dir: Option<PathBuf>,
    /// Address to serve on [default: 127.0.0.1:7878]
    #[arg(long)]
    pub(crate) listen: Option<SocketAddr>,
    /// TOML file; flags win over it
    #[arg(long)]
    pub(crate) config: Option<PathBuf>,
    /// Catalog elsewhere than in the data directory: `sqlite:FILE` or `postgres://…`
    #[arg(long)]
    pub(crate) database_url: Option<String>,
    /// What this process does [default: all]
    #[arg(long, value_delimiter = ',')]
    pub(crate) roles: Option<Vec<Role>>,
    /// PEM file with the certificate chain; serves HTTPS
    #[arg(long, requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's key
    #[arg(long, requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
}

/// A part of the server's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Answers requests
    Api,
    /// Makes jobs of due policies
    Scheduler,
    /// Carries jobs out
    Worker,
}

/// Arguments of the hidden `dump-catalog`, which the demo protects the catalog with.
#[derive(Debug, Args)]
pub(crate) struct DumpCatalogArgs {
    /// The SQLite file
    pub(crate) file: PathBuf,
}
