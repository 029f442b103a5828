//! `strongroom demo`: the main job on this machine, with real data, from nothing to a compared
//! restore.

mod compare;
mod sources;
mod tour;

use std::{io::Write, path::Path};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use super::{Server, init, runtime, signals};
use crate::{
    args::{DemoArgs, InitArgs, ServeArgs},
    config::Config,
    data_dir::{DataDir, write_secret},
    ui::{self, Outcome},
};

/// What a second run needs to know of the first.
#[derive(Debug, Serialize, Deserialize)]
struct Credentials {
    tenant_id: String,
    username: String,
    password: String,
    api_token: String,
}

pub(crate) fn run(args: DemoArgs) -> Result<Outcome> {
    // The tour itself tells what happens; the log would interleave with it.
    if std::env::var_os("RUST_LOG").is_some() {
        super::init_logging();
    }
    runtime()?.block_on(async {
        let data_dir = DataDir::new(&args.data_dir)?;
        let credentials = credentials(&args, &data_dir).await?;
        let path = sources::choose_path(args.path.as_deref())?;
        sources::write_config(&data_dir, &path)?;
        let config = Config::load(ServeArgs {
            data_dir: Some(args.data_dir.clone()),
            listen: Some(args.listen),
            config: None,
            database_url: None,
            roles: None,
            tls_cert: None,
            tls_key: None,
        })?;
        let server = Server::start(&config).await?;
        let tour = tour::run(&server.url(), &credentials, &data_dir, &path).await;
        let outcome = match tour {
            Ok(outcome) if !args.exit => {
                ui::line(format_args!("\nserving on {} until Ctrl-C", server.url()))?;
                ui::line(format_args!(
                    "credentials: {}",
                    credentials_file(&data_dir).display()
                ))?;
                signals::stop_requested().await.map(|()| outcome)
            }
            other => other,
        };
        server.stop().await?;
        outcome
    })
}

fn credentials_file(data_dir: &DataDir) -> std::path::PathBuf {
    data_dir.path().join("credentials.json")
}

/// Initialises the directory, or finds what an earlier run left there.
async fn credentials(args: &DemoArgs, data_dir: &DataDir) -> Result<Credentials> {
    let path = credentials_file(data_dir);
    if data_dir.is_initialised() {
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "`{}` was not made by `strongroom demo`",
                data_dir.path().display()
            )
        })?;
        return serde_json::from_str(&text)
            .with_context(|| format!("`{}` is damaged", path.display()));
    }
    let init = InitArgs {
        data_dir: args.data_dir.clone(),
        database_url: None,
        tenant: "demo".to_owned(),
        json: true,
    };
    let done = init::initialise(&init).await?;
    ui::line(format_args!("initialised {}", data_dir.path().display()))?;
    let credentials = Credentials {
        tenant_id: done.tenant_id,
        username: done.username,
        password: done.password,
        api_token: done.api_token,
    };
    write_secret(
        &path,
        serde_json::to_string_pretty(&credentials)?.as_bytes(),
    )?;
    Ok(credentials)
}

/// `strongroom dump-catalog FILE`: a consistent copy of a SQLite catalog in use, to standard
/// output.
pub(crate) fn dump_catalog(file: &Path) -> Result<Outcome> {
    if !file.is_file() {
        bail!("there is no catalog `{}`", file.display());
    }
    let dir = tempfile::tempdir().context("cannot create a temporary directory")?;
    let copy = dir.path().join("catalog.db");
    runtime()?
        .block_on(strongroom_store::copy_sqlite(file, &copy))
        .with_context(|| format!("cannot copy the catalog `{}`", file.display()))?;
    let mut input = std::fs::File::open(&copy)?;
    let mut out = std::io::stdout().lock();
    std::io::copy(&mut input, &mut out).context("cannot write the copy")?;
    out.flush()?;
    Ok(Outcome::Done)
}
