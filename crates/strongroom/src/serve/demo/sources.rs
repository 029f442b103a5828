//! The real things on this machine that the demo protects.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use strongroom_domain::ResourceKind;
use strongroom_source::{Registry, SourceConfig, command::CommandSpec};

use crate::data_dir::DataDir;

/// What is registered: a resource's body for the native API, and why it is real.
#[derive(Debug)]
pub(super) struct Thing {
    pub(super) about: String,
    pub(super) body: Value,
}

/// The directory to protect: the one asked for, or the present one.
pub(super) fn choose_path(asked: Option<&Path>) -> Result<PathBuf> {
    let path = match asked {
        Some(path) => path.to_owned(),
        None => std::env::current_dir().context("cannot tell the present directory")?,
    };
    let path = path
        .canonicalize()
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    if !path.is_dir() {
        bail!("`{}` is not a directory", path.display());
    }
    Ok(path)
}

/// Defines the commands that dump the catalog, a graph and manifests, each for the face that
/// shows such things.
pub(super) fn write_config(data_dir: &DataDir, path: &Path) -> Result<()> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let program = utf8(&program)?;
    let owned = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let graph = if which("dpkg-query") {
        owned(&[
            "dpkg-query",
            "--show",
            "--showformat",
            "${Package}\\t${Version}\\t${Depends}\\n",
        ])
    } else {
        owned(&["find", &utf8(path)?, "-printf", "%h\\t%p\\n"])
    };
    let command = |name: &str, dump: Vec<String>, file: &str, face| CommandSpec {
        name: name.to_owned(),
        dump,
        restore: None,
        file_name: file.to_owned(),
        environment: [].into(),
        face: Some(face),
    };
    use strongroom_domain::Face;
    let catalog = owned(&[&program, "dump-catalog", &utf8(&data_dir.database())?]);
    let commands = [
        command("catalog", catalog, "catalog.db", Face::Zstack),
        command("graph", graph, "graph.tsv", Face::Ges),
        command(
            "manifests",
            owned(&[&program, "manifests"]),
            "manifests.yaml",
            Face::Astra,
        ),
    ];
    let text = toml::to_string_pretty(&json!({ "command": commands }))
        .context("cannot write the configuration")?;
    let file = data_dir.path().join("strongroom.toml");
    fs::write(&file, text).with_context(|| format!("cannot write `{}`", file.display()))
}

/// Everything that is there to protect.
pub(super) fn things(data_dir: &DataDir, path: &Path) -> Result<Vec<Thing>> {
    let mut things = vec![files(data_dir, path)?];
    things.extend(volume(data_dir, path)?);
    things.extend(databases());
    let command = |name: &str, about: &str| Thing {
        about: about.to_owned(),
        body: json!({ "kind": "command", "name": name, "settings": { "command": name } }),
    };
    things.push(command(
        "catalog",
        "the server's own catalog, copied while it is in use",
    ));
    let graph = if which("dpkg-query") {
        "the dependency graph of the packages installed here"
    } else {
        "the directory tree as a graph"
    };
    things.push(command("graph", graph));
    things.push(command(
        "manifests",
        "the Kubernetes manifests that deploy this version",
    ));
    Ok(things)
}

/// The directory, without what is built and without the demo's own data.
fn files(data_dir: &DataDir, path: &Path) -> Result<Thing> {
    let mut excludes = vec!["/target".to_owned()];
    if let Ok(own) = data_dir.path().canonicalize()
        && let Ok(inside) = own.strip_prefix(path)
    {
        excludes.push(format!("/{}", inside.display()));
    }
    let settings = json!({ "path": utf8(path)?, "exclude": excludes.join("\n") });
    Ok(Thing {
        about: format!("the files in {}", path.display()),
        body: json!({ "kind": "files", "name": "files", "settings": settings }),
    })
}

/// An ext4 image filled from a real directory, if this machine can make one.
fn volume(data_dir: &DataDir, path: &Path) -> Result<Option<Thing>> {
    let image = data_dir.path().join("volume.img");
    let Some(mke2fs) = ["/sbin/mke2fs", "/usr/sbin/mke2fs"]
        .into_iter()
        .find(|it| fs::exists(it).unwrap_or(false))
    else {
        return Ok(None);
    };
    let content = ["docs", "doc", "src"]
        .iter()
        .map(|it| path.join(it))
        .find(|it| it.is_dir());
    let content = content.unwrap_or_else(|| PathBuf::from("/etc/default"));
    if !image.exists() {
        let made = Command::new(mke2fs)
            .args(["-q", "-t", "ext4", "-d"])
            .args([&content, &image])
            .arg("32M")
            .output()
            .with_context(|| format!("cannot run `{mke2fs}`"))?;
        if !made.status.success() {
            // A directory larger than the image, for one: then there is no volume to show.
            drop(fs::remove_file(&image));
            return Ok(None);
        }
    }
    Ok(Some(Thing {
        about: format!("an ext4 volume image holding {}", content.display()),
        body: json!({
            "kind": "volume", "name": "volume", "settings": { "path": utf8(&image)? },
        }),
    }))
}

/// The database servers on this machine that let this user in and can be backed up as they are.
fn databases() -> Vec<Thing> {
    let registry = Registry::new(SourceConfig::default());
    let kinds = [ResourceKind::Mariadb, ResourceKind::Postgres];
    let found = kinds.iter().flat_map(|kind| {
        // A server that cannot be asked is none to show.
        let found = registry.get(*kind).and_then(|it| it.discover().ok());
        found
            .unwrap_or_default()
            .into_iter()
            .map(move |it| (kind, it))
    });
    let usable = found.filter(|(_, it)| it.size_bytes.is_some());
    let thing = usable.map(|(kind, it)| Thing {
        about: format!(
            "the {kind} server at {}",
            it.settings.get("socket").unwrap_or("?")
        ),
        body: json!({ "kind": kind, "name": it.name, "settings": it.settings }),
    });
    thing.collect()
}

fn which(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|it| it.join(program).is_file())
}

fn utf8(path: &Path) -> Result<String> {
    let text = path
        .to_str()
        .with_context(|| format!("`{}` is not UTF-8", path.display()))?;
    Ok(text.to_owned())
}
