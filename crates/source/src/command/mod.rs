//! `command`: what an operator-defined dump command writes to its standard output, for software
//! that has no source of its own.
//!
//! Commands are defined in the server's configuration file and referred to by name; nothing that
//! comes over the network can define or change one. They are argument lists, run without a shell.
//! A backup is complete only if the command exits with 0 after closing its output.

use std::{
    collections::BTreeMap,
    io,
    process::{Command, Stdio},
};

use serde::{Deserialize, Serialize};
use strongroom_domain::{
    Face, FieldError, ResourceKind,
    resource::Settings,
    tree::{
        Content, Context, Entry, EntryError, EntryKind, EntryPath, Metadata, RestoreReport,
        TreeReader,
    },
};

use crate::{
    Entries, Found, PrepareRequest, Prepared, RestoreRequest, RestoreTarget, Setting, Source,
    SourceError, Warnings,
    process::{Dump, feed},
    source::restore_to_directory,
};

/// A command that resources can name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandSpec {
    /// What resources call it: `--set command=<name>`.
    pub name: String,
    /// Program and arguments that write the dump to standard output.
    pub dump: Vec<String>,
    /// Program and arguments that take the dump from standard input; without it a backup can only
    /// be restored to a directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<Vec<String>>,
    /// The name of the dump's file in the backup.
    #[serde(default = "default_file_name")]
    pub file_name: String,
    /// Variables set for both commands, on top of the server's own environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The face that resources get if their settings name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face: Option<Face>,
}

fn default_file_name() -> String {
    "dump".to_owned()
}

impl CommandSpec {
    /// What is wrong with a definition, for `config check`.
    pub fn validate(&self) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, reason: &str| {
            faults.push(FieldError::new(
                format!("command.{}.{field}", self.name),
                reason,
            ));
        };
        if self.name.is_empty() {
            fault("name", "must not be empty");
        }
        if self.dump.first().is_none_or(String::is_empty) {
            fault("dump", "must name a program");
        }
        if self
            .restore
            .as_ref()
            .is_some_and(|it| it.first().is_none_or(String::is_empty))
        {
            fault("restore", "must name a program");
        }
        let name = EntryPath::new(self.file_name.as_str());
        if name.map_or(true, |path| path.depth() != 1) {
            fault("file_name", "must be a file name without slashes");
        }
        faults
    }

    /// One of the two commands, for a resource.
    fn command(&self, argv: &[String], resource: &str) -> io::Result<Command> {
        let (program, arguments) = argv
            .split_first()
            .ok_or_else(|| io::Error::other("the command names no program"))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(&self.environment)
            .env("STRONGROOM_RESOURCE", resource);
        Ok(command)
    }
}

/// Protects what the configured commands dump.
#[derive(Debug, Clone)]
pub struct CommandSource {
    commands: Vec<CommandSpec>,
}

impl CommandSource {
    /// Serves these commands and no others.
    pub fn new(commands: Vec<CommandSpec>) -> Self {
        Self { commands }
    }

    fn spec(&self, settings: &Settings) -> Result<&CommandSpec, FieldError> {
        let name = settings.get("command").unwrap_or_default();
        self.commands
            .iter()
            .find(|it| it.name == name)
            .ok_or_else(|| {
                let reason =
                    format!("no command `{name}` is defined in the server's configuration");
                FieldError::new("settings.command", reason)
            })
    }
}

impl Source for CommandSource {
    fn kind(&self) -> ResourceKind {
        ResourceKind::Command
    }

    fn settings(&self) -> &'static [Setting] {
        &[
            Setting {
                name: "command",
                required: true,
                help: "name of a command in the server's configuration",
            },
            Setting {
                name: "face",
                required: false,
                help: "vendor API that shows it: astra, cbr, ges or zstack",
            },
            Setting {
                name: "default",
                required: false,
                help: "`true` makes it the database that a face backs up when none is named",
            },
        ]
    }

    fn validate(&self, settings: &Settings) -> Vec<FieldError> {
        let mut faults: Vec<_> = self.spec(settings).err().into_iter().collect();
        if let Some(Err(error)) = settings.get("face").map(str::parse::<Face>) {
            faults.push(FieldError::new("settings.face", error));
        }
        if settings
            .get("default")
            .is_some_and(|it| !matches!(it, "true" | "false"))
        {
            faults.push(FieldError::new(
                "settings.default",
                "must be `true` or `false`",
            ));
        }
        faults
    }

    fn face(&self, settings: &Settings) -> Option<Face> {
        match settings.get("face") {
            Some(face) => face.parse().ok(),
            None => self.spec(settings).ok()?.face,
        }
    }

    fn discover(&self) -> Result<Vec<Found>, SourceError> {
        let found = |spec: &CommandSpec| Found {
            name: spec.name.clone(),
            settings: Settings([("command".to_owned(), spec.name.clone())].into()),
            size_bytes: None,
        };
        Ok(self.commands.iter().map(found).collect())
    }

    fn prepare(
        &self,
        request: PrepareRequest,
        _context: &Context,
    ) -> Result<Prepared, SourceError> {
        self.spec(&request.settings)
            .map_err(|fault| SourceError::Invalid(vec![fault]))?;
        Ok(Prepared::plain(request, None))
    }

    fn entries(&self, prepared: &Prepared, context: &Context) -> Result<Entries, SourceError> {
        let spec = self
            .spec(&prepared.settings)
            .map_err(|it| SourceError::Invalid(vec![it]))?;
        let path = file_path(spec)?;
        let metadata = Metadata::synthetic(EntryKind::File, 0o600, prepared.time);
        let (spec, cancel) = (spec.clone(), context.cancel.clone());
        let resource = prepared.resource.clone();
        let roots = vec![format!("/{}/{}", spec.name, spec.file_name)];
        let content = Content::from_opener(move || {
            let command = spec.command(&spec.dump, &resource)?;
            Ok(Box::new(Dump::start(command, Stdio::null(), cancel, ())?))
        });
        let entry = Entry::stream(path, metadata, content);
        Ok(Entries {
            stream: Box::new(std::iter::once(Ok::<_, EntryError>(entry))),
            whole: true,
            roots,
            warnings: Warnings::default(),
        })
    }

    fn validate_target(&self, target: &RestoreTarget) -> Vec<FieldError> {
        match target {
            RestoreTarget::Directory(path) if !path.is_absolute() => {
                vec![FieldError::new("target.path", "must be an absolute path")]
            }
            RestoreTarget::Directory(_) => Vec::new(),
            RestoreTarget::Resource { settings, .. } => match self.spec(settings) {
                Err(fault) => vec![fault],
                Ok(CommandSpec {
                    restore: Some(_), ..
                }) => Vec::new(),
                Ok(spec) => {
                    let reason = format!(
                        "command `{}` has no restore command; restore to a directory",
                        spec.name
                    );
                    vec![FieldError::new("target", reason)]
                }
            },
        }
    }

    fn restore(
        &self,
        request: &RestoreRequest,
        tree: &dyn TreeReader,
        context: &Context,
    ) -> Result<RestoreReport, SourceError> {
        match &request.target {
            RestoreTarget::Directory(path) => restore_to_directory(path, request, tree, context),
            RestoreTarget::Resource { name, settings } => {
                let spec = self
                    .spec(settings)
                    .map_err(|it| SourceError::Invalid(vec![it]))?;
                let what = format!("command `{}`", spec.name);
                let Some(argv) = &spec.restore else {
                    return Err(SourceError::invalid("target", "the command cannot restore"));
                };
                let command = spec.command(argv, name);
                let command = command.map_err(|error| SourceError::failed(&what, error))?;
                let bytes = feed(command, &what, tree.open(&file_path(spec)?)?, context)?;
                Ok(RestoreReport {
                    files: 1,
                    bytes,
                    ..RestoreReport::default()
                })
            }
        }
    }
}

fn file_path(spec: &CommandSpec) -> Result<EntryPath, SourceError> {
    EntryPath::new(spec.file_name.as_str())
        .map_err(|error| SourceError::failed(format!("command `{}`", spec.name), error))
}
