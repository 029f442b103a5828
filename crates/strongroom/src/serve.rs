//! `strongroom serve`: from configuration to a running server and back down.

pub(crate) mod demo;
pub(crate) mod init;
mod listener;
mod signals;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use axum::Extension;
use strongroom_http::{
    compose::{self, compose},
    extract::Reached,
};
use strongroom_service::{Keyring, Parts, Service, ServiceConfig, Workers, storage_with};
use strongroom_source::{Registry, SourceConfig};
use strongroom_store::Store;
use tokio::task::JoinSet;

use self::listener::Listener;
use crate::{
    args::{Role, ServeArgs},
    config::Config,
    runtime::{RandomIds, SystemClock},
    storage::from_config,
    ui::{self, Hint, Outcome},
};

/// How long running work may take to end or be handed back once a stop was asked for.
const STOP_WITHIN: Duration = Duration::from_secs(25);

pub(crate) fn run(args: ServeArgs) -> Result<Outcome> {
    let config = Config::load(args)?;
    init_logging();
    runtime()?.block_on(async {
        let server = Server::start(&config).await?;
        ui::line(format_args!("ready {}", server.url()))?;
        signals::stop_requested().await?;
        tracing::info!("stopping");
        server.stop().await
    })?;
    Ok(Outcome::Done)
}

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct Server {
    workers: Workers,
    /// What faces do on their own; ended by dropping it.
    _faces: JoinSet<()>,
    listener: Option<Listener>,
    address: SocketAddr,
    tls: bool,
}

impl Server {
    /// Brings up what the roles ask for; returns when requests are accepted.
    pub(crate) async fn start(config: &Config) -> Result<Self> {
        if !config.data_dir.is_initialised() {
            let dir = config.data_dir.path().display();
            let hint = Hint(format!("run `strongroom init --data-dir {dir}` first"));
            return Err(anyhow::anyhow!("`{dir}` is not initialised").context(hint));
        }
        let service = build(config).await?;
        let listener = if config.roles.contains(&Role::Api) {
            Some(
                Listener::start(config.listen, config.tls.as_ref(), router(&service, config))
                    .await?,
            )
        } else {
            None
        };
        let address = listener.as_ref().map_or(config.listen, Listener::address);
        let workers = service.start(&process_name(), config.roles.contains(&Role::Scheduler));
        let mut faces = JoinSet::new();
        if config.roles.contains(&Role::Api) {
            let dialects = strongroom_dialects::registry::ALL.iter();
            for background in dialects.filter_map(|it| it.background) {
                faces.spawn(background(service.clone()));
            }
        }
        Ok(Self {
            workers,
            _faces: faces,
            listener,
            address,
            tls: config.tls.is_some(),
        })
    }

    /// Where it answers, with the port that was really bound.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Takes no new work, lets what runs end or hands it back.
    pub(crate) async fn stop(self) -> Result<()> {
        let listener = async {
            match self.listener {
                Some(listener) => listener.stop(STOP_WITHIN).await,
                None => Ok(()),
            }
        };
        let ((), stopped) = tokio::join!(self.workers.shutdown(STOP_WITHIN), listener);
        stopped
    }
}

/// Every face on one router.
fn router(service: &Service, config: &Config) -> axum::Router {
    let reached = Reached {
        tls: config.tls.is_some(),
        behind_proxy: config.behind_proxy,
    };
    compose(compose::Parts {
        service: service.clone(),
        dialects: strongroom_dialects::registry::ALL,
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
        limits: compose::Limits::default(),
        metrics: prometheus_client::registry::Registry::default(),
        serve_metrics: true,
    })
    .router
    .layer(Extension(reached))
}

/// The application core over the catalog of a data directory.
pub(crate) async fn build(config: &Config) -> Result<Service> {
    let store = Store::connect(&config.database_url)
        .await
        .with_context(|| {
            format!(
                "cannot open the catalog `{}`",
                redacted(&config.database_url)
            )
        })?;
    let workers = if config.roles.contains(&Role::Worker) {
        config.workers
    } else {
        0
    };
    let parts = Parts {
        store,
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
        keyring: Keyring::new(&config.data_dir.read_server_key()?),
        sources: Registry::new(SourceConfig {
            commands: config.commands.clone(),
            ..SourceConfig::default()
        }),
        storage: storage_with(from_config(config.s3.clone())),
        config: ServiceConfig {
            workers,
            host: host(),
            restore_directories: config.restore_directories.clone(),
            cache: Some(config.data_dir.caches()),
            ..ServiceConfig::default()
        },
    };
    Ok(Service::build(parts))
}

/// Tells this process from others that share the catalog, in leases and in the log.
fn process_name() -> String {
    format!("{}:{}", host(), std::process::id())
}

/// What this machine is called.
pub(crate) fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

/// A database URL without its password.
fn redacted(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => {
            // A URL that has a password can have another.
            let _set = parsed.set_password(Some("…"));
            parsed.to_string()
        }
        _ => url.to_owned(),
    }
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

/// Logs to standard error; `RUST_LOG` says how much.
pub(crate) fn init_logging() {
    use tracing_subscriber::{EnvFilter, fmt};
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let logging = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // On a terminal the library has colours, unless `NO_COLOR` is set.
    let logging = if ui::interactive() {
        logging
    } else {
        logging.with_ansi(false)
    };
    if let Err(error) = logging.try_init() {
        ui::note(format_args!("warning: no log will be written: {error}"));
    }
}
