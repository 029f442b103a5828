//! Where restores may write.
//!
//! A directory of the server's machine is named by whoever asks, so it must be below one that the
//! operator allows. Links are followed before it is compared, and once more before a worker writes
//! there: what was allowed is what is written to.

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use strongroom_domain::{
    Backup, ResourceId,
    job::Lock,
    restore::{Restore, RestoreTarget},
};
use strongroom_source::RestoreTarget as SourceTarget;
use strongroom_store::Conn;

use crate::{
    Caller, ConflictKind, Error, Result, Service, error::chain, resources::living_resource,
};

/// The field that names the directory.
const FIELD: &str = "target.path";

/// The directories that restores may write below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreDirectories {
    /// These, for everybody.
    Below(Vec<PathBuf>),
    /// In this one, each tenant's own, named by its id. Whoever runs the server, an owner of its
    /// first tenant, may name any directory.
    PerTenant(PathBuf),
}

impl Service {
    /// The target with its directory's links resolved, if the caller may restore there.
    pub(super) async fn allowed_target(
        &self,
        caller: &Caller,
        target: &RestoreTarget,
    ) -> Result<RestoreTarget> {
        let RestoreTarget::Directory { path } = target else {
            return Ok(target.clone());
        };
        let below = match &self.inner().config.restore_directories {
            RestoreDirectories::PerTenant(_) if self.runs_the_server(caller).await? => None,
            RestoreDirectories::PerTenant(directory) => {
                Some(vec![directory.join(caller.tenant_id.to_string())])
            }
            RestoreDirectories::Below(directories) => Some(directories.clone()),
        };
        let path = PathBuf::from(path);
        let path = self.blocking(move |_| allowed(&path, below)).await??;
        Ok(RestoreTarget::Directory { path })
    }
}

/// The directory with its links resolved, if it is below one of those (or there is no limit).
fn allowed(path: &Path, below: Option<Vec<PathBuf>>) -> Result<String> {
    if path.is_relative() {
        return Err(Error::invalid(FIELD, "must be an absolute path"));
    }
    let resolved = resolve(path).map_err(|error| Error::invalid(FIELD, chain(&error)))?;
    let within = |directory: &PathBuf| {
        resolve(directory).is_ok_and(|directory| resolved.starts_with(directory))
    };
    if let Some(directories) = below.filter(|all| !all.iter().any(within)) {
        let names = directories.iter().map(|it| format!("`{}`", it.display()));
        let reason = match names.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "restores into directories are not allowed".to_owned(),
            names => format!("must be a directory below {names}"),
        };
        return Err(Error::invalid(FIELD, reason));
    }
    let text = resolved.into_os_string().into_string();
    text.map_err(|_| Error::invalid(FIELD, "leads to a path that is not UTF-8"))
}

/// The path without links and `..`, whether or not there is something at it.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut at = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir => {
                at.pop();
            }
            Component::Normal(name) => {
                at.push(name);
                match at.symlink_metadata() {
                    Ok(found) if found.is_symlink() => at = at.canonicalize()?,
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
            Component::Prefix(_) => return Err(io::ErrorKind::InvalidFilename.into()),
        }
    }
    Ok(at)
}

/// Fails if a link now leads elsewhere than when the directory was allowed.
pub(crate) fn check_unmoved(target: &SourceTarget) -> Result<()> {
    let SourceTarget::Directory(path) = target else {
        return Ok(());
    };
    match resolve(path) {
        Ok(resolved) if resolved == *path => Ok(()),
        _ => {
            let path = path.display();
            let reason = format!("`{path}` is not the directory any more that was asked for");
            Err(Error::invalid(FIELD, reason))
        }
    }
}

/// The target in the form that a source takes: with the settings of the resource it names.
pub(crate) async fn source_target(
    conn: &mut Conn,
    backup: &Backup,
    target: &RestoreTarget,
) -> Result<SourceTarget> {
    let id = match target {
        RestoreTarget::Directory { path } => return Ok(SourceTarget::Directory(path.into())),
        RestoreTarget::Original => backup.resource_id,
        RestoreTarget::Resource { id } => *id,
    };
    let resource = living_resource(conn, backup.tenant_id, id).await?;
    if resource.kind != backup.kind {
        let (name, kind, wanted) = (&resource.name, resource.kind, backup.kind);
        let message = format!("resource `{name}` is of kind {kind}, the backup of kind {wanted}");
        return Err(Error::conflict(
            ConflictKind::WrongKind,
            "resource",
            message,
        ));
    }
    Ok(SourceTarget::Resource {
        name: resource.name,
        settings: resource.settings,
    })
}

/// What a restore writes to is neither backed up nor written by another restore meanwhile.
pub(super) fn target_lock(restore: &Restore) -> Lock {
    let resource = |id: ResourceId| Lock::exclusive(format!("resource:{id}"));
    match &restore.target {
        RestoreTarget::Original => resource(restore.resource_id),
        RestoreTarget::Resource { id } => resource(*id),
        RestoreTarget::Directory { path } => Lock::exclusive(format!("directory:{path}")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn refusal(path: &Path, below: &[&Path]) -> Option<String> {
        let below = below.iter().map(|it| it.to_path_buf()).collect();
        allowed(path, Some(below)).err().map(|it| it.to_string())
    }

    #[test]
    fn only_what_is_really_below_an_allowed_directory_is_allowed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let (allowed, outside) = (root.join("allowed"), root.join("outside"));
        std::fs::create_dir(&allowed).unwrap();
        std::fs::create_dir(&outside).unwrap();
        symlink(&outside, allowed.join("out")).unwrap();
        symlink(&allowed, root.join("in")).unwrap();
        symlink(root.join("nowhere"), allowed.join("dangling")).unwrap();
        for good in [
            "allowed",
            "allowed/new/deep",
            "in/x",
            "outside/../allowed/x",
        ] {
            assert_eq!(refusal(&root.join(good), &[&allowed]), None, "{good}");
        }
        for bad in [
            "outside",
            "allowed/..",
            "allowed/../outside",
            "allowed/new/../../outside",
            "allowed/out",
            "allowed/out/x",
            "allowedly",
        ] {
            let reason = refusal(&root.join(bad), &[&allowed]).unwrap();
            assert!(reason.contains("must be a directory below"), "{reason}");
        }
        assert!(refusal(&allowed.join("dangling/x"), &[&allowed]).is_some());
        assert_eq!(refusal(&outside, &[&allowed, &outside]), None);
        assert!(refusal(&allowed, &[]).unwrap().contains("not allowed"));
        assert_eq!(refusal(&allowed.join("x"), &[&root.join("in")]), None);
    }

    #[test]
    fn a_link_put_in_the_way_later_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let target = SourceTarget::Directory(root.join("target/deep"));
        check_unmoved(&target).unwrap();
        symlink("/", root.join("target")).unwrap();
        check_unmoved(&target).unwrap_err();
    }
}
