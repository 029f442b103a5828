//! Passwords, and how they reach the tools: through files without a name, never in a command line
//! or in the environment.

use std::{
    fs::{self, File},
    io::{self, Seek, Write},
    os::{fd::AsRawFd, unix::fs::PermissionsExt},
    path::Path,
};

use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};
use strongroom_domain::Secret;

use crate::SourceError;

/// The first line of a file that nobody else may read.
pub(crate) fn read_password(path: &Path) -> Result<Secret, SourceError> {
    const FIELD: &str = "settings.password_file";
    let what = || format!("password file `{}`", path.display());
    let mode = fs::metadata(path).map_err(|error| SourceError::path(what(), &error))?;
    let mode = mode.permissions().mode();
    if mode & 0o007 != 0 {
        let reason = format!(
            "`{}` can be read or written by others (mode {:o}); use chmod o-rwx",
            path.display(),
            mode & 0o777
        );
        return Err(SourceError::invalid(FIELD, reason));
    }
    let text = fs::read_to_string(path).map_err(|error| SourceError::path(what(), &error))?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() || password.contains(['\n', '\r', '\0']) {
        let reason = format!("`{}` must hold one line, the password", path.display());
        return Err(SourceError::invalid(FIELD, reason));
    }
    Ok(Secret::new(password))
}

/// A file in memory that has no name and is gone with its last handle. Nobody but this user can
/// open it.
pub(crate) fn anonymous(content: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("strongroom", MemfdFlags::CLOEXEC)?);
    // Made with 0777, which database clients refuse for files with passwords.
    fchmod(&file, Mode::RUSR | Mode::WUSR)?;
    file.write_all(content)?;
    file.rewind()?;
    Ok(file)
}

/// How a child opens a file of this process. It is not inherited: other children, started at the
/// same moment, do not get it.
pub(crate) fn path_of(file: &File) -> String {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(mode: u32, content: &str) -> Result<String, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        match read_password(&path) {
            Ok(secret) => Ok(secret.expose().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_password_is_the_line_of_a_file_that_others_cannot_read() {
        assert_eq!(with(0o600, "s3cret \n").unwrap(), "s3cret ");
        assert_eq!(with(0o440, "s3cret\r\n").unwrap(), "s3cret");
        for (mode, content) in [(0o604, "s3cret"), (0o600, ""), (0o600, "s3\ncret")] {
            let error = with(mode, content).unwrap_err();
            assert!(error.contains("settings.password_file"), "{error}");
            assert!(!error.contains("s3"), "{error}");
        }
    }

    #[test]
    fn an_anonymous_file_is_read_by_its_path() {
        let file = anonymous(b"content").unwrap();
        assert_eq!(fs::read(path_of(&file)).unwrap(), b"content");
        let mode = fs::metadata(path_of(&file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
