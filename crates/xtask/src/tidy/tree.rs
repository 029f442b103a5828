//! The repository's files, as git knows them.

use std::{path::Path, process::Command};

use anyhow::{Context, ensure};

use super::rust::Code;

/// All text files that are tracked or would be.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// In the order of their paths.
    pub(super) files: Vec<File>,
}

/// A text file.
#[derive(Debug)]
pub(super) struct File {
    /// Its path relative to the root, with `/`.
    pub(super) path: String,
    /// Its content.
    pub(super) text: String,
    /// What it says, if it is Rust; the error if it cannot be read as such.
    pub(super) code: Option<Result<Code, syn::Error>>,
}

impl Tree {
    /// Reads the tree. Files that are deleted but not committed, and files that are not text, are
    /// left out.
    pub(super) fn load(root: &Path) -> anyhow::Result<Self> {
        let output = Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(root)
            .output()
            .context("cannot run git")?;
        ensure!(
            output.status.success(),
            "git cannot list the files of `{}`",
            root.display()
        );
        let listed = String::from_utf8(output.stdout).context("a file's name is not UTF-8")?;
        let mut files: Vec<_> = listed
            .split_terminator('\0')
            .filter_map(|path| {
                let text = std::fs::read_to_string(root.join(path)).ok()?;
                Some(File::new(path, text))
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        Ok(Self { files })
    }

    /// A tree of these paths and texts.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| File::new(path, (*text).to_owned()))
            .collect();
        Self { files }
    }

    /// The Rust files that can be read, with their code.
    pub(super) fn rust(&self) -> impl Iterator<Item = (&File, &Code)> {
        self.files
            .iter()
            .filter_map(|file| Some((file, file.code.as_ref()?.as_ref().ok()?)))
    }

    /// The names of the folders right below `folder`.
    pub(super) fn folders<'a>(&'a self, folder: &str) -> std::collections::BTreeSet<&'a str> {
        let below = |file: &'a File| {
            file.path
                .strip_prefix(folder)?
                .strip_prefix('/')?
                .split_once('/')
        };
        self.files
            .iter()
            .filter_map(below)
            .map(|(name, _)| name)
            .collect()
    }
}

impl File {
    fn new(path: &str, text: String) -> Self {
        let code = path.strip_suffix(".rs").map(|_| Code::parse(path, &text));
        Self {
            path: path.to_owned(),
            text,
            code,
        }
    }
}
