//! `strongroom init`: catalog, keys, default repository, first tenant and its administrator.

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use strongroom_domain::{Role, Secret, repository::Repository};
use strongroom_service::{Caller, repositories::CreateRepository, tenants::CreatedTenant};

use super::{build, runtime};
use crate::{
    args::{InitArgs, ServeArgs},
    config::Config,
    data_dir::DataDir,
    ui::{self, Outcome},
};

/// What `init` prints; every secret in it is shown this once.
#[derive(Debug, Serialize)]
pub(crate) struct Initialised {
    pub(crate) tenant_id: String,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) api_token: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) repository: InitialisedRepository,
}

/// The default repository as `init` prints it.
#[derive(Debug, Serialize)]
pub(crate) struct InitialisedRepository {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) password_file: String,
}

pub(crate) fn run(args: InitArgs) -> Result<Outcome> {
    let done = runtime()?.block_on(initialise(&args))?;
    if args.json {
        ui::json(&done)?;
    } else {
        let lines = [
            ("tenant", &done.tenant_id),
            ("username", &done.username),
            ("password", &done.password),
            ("api token", &done.api_token),
            ("access key", &done.access_key),
            ("secret key", &done.secret_key),
            ("repository", &done.repository.url),
            ("repository password", &done.repository.password_file),
        ];
        for (name, value) in lines {
            ui::line(format_args!("{name:<20} {value}"))?;
        }
        ui::note("hint: these secrets are not shown again");
    }
    Ok(Outcome::Done)
}

/// Creates everything, or leaves nothing behind.
pub(crate) async fn initialise(args: &InitArgs) -> Result<Initialised> {
    let data_dir = DataDir::new(&args.data_dir)?;
    if data_dir.is_initialised() {
        bail!("`{}` is already initialised", data_dir.path().display());
    }
    if let Some(taken) = data_dir.taken() {
        bail!(
            "`{}` is in the way; choose another data directory",
            taken.display()
        );
    }
    let created = create(args, &data_dir).await;
    if created.is_err() {
        data_dir.discard();
    }
    created
}

async fn create(args: &InitArgs, data_dir: &DataDir) -> Result<Initialised> {
    data_dir.create()?;
    data_dir.write_server_key(&random()?)?;
    let config = Config::load(ServeArgs {
        data_dir: Some(args.data_dir.clone()),
        listen: None,
        config: None,
        database_url: args.database_url.clone(),
        roles: None,
        tls_cert: None,
        tls_key: None,
    })?;
    let service = build(&config).await?;
    let tenant = service.create_tenant(&args.tenant, "admin").await?;
    let password = hex::encode(random()?);
    data_dir.write_default_password(&password)?;
    let request = CreateRepository {
        password: Some(Secret::new(password)),
        is_default: true,
        ..CreateRepository::at("default", utf8(&data_dir.default_repository())?)
    };
    let repository = service
        .create_repository(&administrator(&tenant), request)
        .await?;
    describe(tenant, &repository, data_dir)
}

fn administrator(tenant: &CreatedTenant) -> Caller {
    Caller {
        tenant_id: tenant.tenant.id,
        tenant_name: tenant.tenant.name.clone(),
        principal_id: tenant.administrator.id,
        principal_name: tenant.administrator.name.clone(),
        role: Role::Owner,
        face: None,
        key: None,
    }
}

fn describe(
    tenant: CreatedTenant,
    repository: &Repository,
    data_dir: &DataDir,
) -> Result<Initialised> {
    Ok(Initialised {
        tenant_id: tenant.tenant.id.to_string(),
        username: tenant.administrator.name,
        password: tenant.password.expose().to_owned(),
        api_token: tenant.token.token.expose().to_owned(),
        access_key: tenant.access_key.credential.lookup,
        secret_key: tenant.access_key.secret_key.expose().to_owned(),
        repository: InitialisedRepository {
            id: repository.id.to_string(),
            url: repository.url.clone(),
            password_file: utf8(&data_dir.default_password())?,
        },
    })
}

fn utf8(path: &std::path::Path) -> Result<String> {
    let text = path
        .to_str()
        .with_context(|| format!("`{}` is not UTF-8", path.display()))?;
    Ok(text.to_owned())
}

/// 32 bytes from the system's random numbers.
fn random() -> Result<[u8; 32]> {
    use std::io::Read;
    let mut bytes = [0; 32];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut it| it.read_exact(&mut bytes))
        .context("cannot read random numbers from `/dev/urandom`")?;
    Ok(bytes)
}
