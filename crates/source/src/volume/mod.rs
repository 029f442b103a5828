//! `volume`: a disk image or block device, stored as one file.
//!
//! It is read as it lies there, which is crash-consistent only if nothing writes meanwhile; an
//! image that changes under the reader makes the backup `partial`.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
};

use strongroom_domain::{
    FieldError, ResourceKind,
    resource::Settings,
    tree::{
        Content, Context, Entry, EntryError, EntryFailure, EntryKind, EntryPath, LateXattrs,
        Metadata, Phase, RestoreReport, TreeReader,
    },
};

use crate::{
    Entries, PrepareRequest, Prepared, RestoreRequest, RestoreTarget, Setting, Source, SourceError,
    Warnings,
    fs::read_metadata,
    source::{check_absolute, restore_to_directory},
};

/// The one entry of a volume's backup.
const IMAGE: &str = "image";

/// Protects a disk image or block device.
#[derive(Debug, Clone, Copy)]
pub struct VolumeSource;

impl Source for VolumeSource {
    fn kind(&self) -> ResourceKind {
        ResourceKind::Volume
    }

    fn settings(&self) -> &'static [Setting] {
        &[Setting {
            name: "path",
            required: true,
            help: "absolute path of an image file or block device",
        }]
    }

    fn validate(&self, settings: &Settings) -> Vec<FieldError> {
        check_absolute(settings, "path").into_iter().collect()
    }

    fn prepare(
        &self,
        request: PrepareRequest,
        _context: &Context,
    ) -> Result<Prepared, SourceError> {
        let path = path_of(&request.settings)?;
        let size = size(&path).map_err(|error| unreachable(&path, &error))?;
        Ok(Prepared::plain(request, Some(size)))
    }

    fn entries(&self, prepared: &Prepared, _context: &Context) -> Result<Entries, SourceError> {
        let path = path_of(&prepared.settings)?;
        let entry = image(&path, prepared).map_err(|error| unreachable(&path, &error))?;
        let warnings = Warnings::default();
        let roots = vec![path.to_string_lossy().into_owned()];
        let stream = Box::new(std::iter::once(Ok::<_, EntryError>(entry(
            warnings.clone(),
        ))));
        Ok(Entries {
            stream,
            whole: true,
            roots,
            warnings,
        })
    }

    fn restore(
        &self,
        request: &RestoreRequest,
        tree: &dyn TreeReader,
        context: &Context,
    ) -> Result<RestoreReport, SourceError> {
        match &request.target {
            RestoreTarget::Directory(path) => restore_to_directory(path, request, tree, context),
            RestoreTarget::Resource { settings, .. } => {
                write_back(&path_of(settings)?, tree, context)
            }
        }
    }
}

/// The image as an entry. A regular file's metadata tells whether it changed; a device's do not.
fn image(path: &Path, prepared: &Prepared) -> io::Result<impl FnOnce(Warnings) -> Entry + use<>> {
    let mut metadata = read_metadata(&path.canonicalize()?)?;
    let comparable = metadata.is_file();
    if !comparable {
        metadata = Metadata::synthetic(EntryKind::File, 0o600, prepared.time);
        metadata.size = prepared.size_bytes.unwrap_or(0);
    }
    let name = EntryPath::new(IMAGE).map_err(io::Error::other)?;
    let path = path.to_owned();
    Ok(move |warnings| {
        let reader_path = name.clone();
        let content = Content::from_opener(move || {
            let file = File::open(&path)?;
            let before = file.metadata()?.modified()?;
            Ok(Box::new(ImageReader {
                file,
                before,
                comparable,
                path: reader_path,
                warnings,
            }))
        });
        Entry {
            path: name,
            metadata,
            content,
            comparable,
            late_xattrs: LateXattrs::default(),
        }
    })
}

/// Reads an image and says so if it was written to meanwhile.
#[derive(Debug)]
struct ImageReader {
    file: File,
    before: std::time::SystemTime,
    comparable: bool,
    path: EntryPath,
    warnings: Warnings,
}

impl Read for ImageReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        if read == 0 && !buffer.is_empty() && self.comparable {
            let now = self.file.metadata()?.modified()?;
            if now != self.before {
                let message = "changed while it was read";
                self.warnings
                    .push(EntryFailure::new(self.path.clone(), Phase::Read, message));
                self.before = now;
            }
        }
        Ok(read)
    }
}

/// Writes the stored image over an existing device or file, or makes the file.
fn write_back(
    path: &Path,
    tree: &dyn TreeReader,
    context: &Context,
) -> Result<RestoreReport, SourceError> {
    let what = || format!("volume `{}`", path.display());
    let name = EntryPath::new(IMAGE).map_err(|error| SourceError::failed(what(), error))?;
    let mut reader = tree.open(&name)?;
    let mut file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| unreachable(path, &error))?;
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        if context.cancel.is_cancelled() {
            return Err(SourceError::Cancelled);
        }
        let read = reader
            .read(&mut buffer)
            .map_err(|error| SourceError::failed(what(), error))?;
        if read == 0 {
            break;
        }
        file.write_all(&buffer[..read])
            .map_err(|error| SourceError::failed(what(), error))?;
        bytes += read as u64;
        context.progress.add(read as u64, 0);
    }
    finish(&file, bytes).map_err(|error| SourceError::failed(what(), error))?;
    Ok(RestoreReport {
        files: 1,
        bytes,
        ..RestoreReport::default()
    })
}

/// A file that was longer before is cut; a device keeps its size.
fn finish(file: &File, bytes: u64) -> io::Result<()> {
    if file.metadata()?.is_file() {
        file.set_len(bytes)?;
    }
    file.sync_all()
}

fn size(path: &Path) -> io::Result<u64> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() {
        Ok(metadata.len())
    } else if metadata.file_type().is_block_device() {
        File::open(path)?.seek(SeekFrom::End(0))
    } else {
        Err(io::Error::other("is neither a file nor a block device"))
    }
}

fn path_of(settings: &Settings) -> Result<PathBuf, SourceError> {
    match settings.get("path") {
        Some(path) => Ok(PathBuf::from(path)),
        None => Err(SourceError::invalid("settings.path", "is required")),
    }
}

fn unreachable(path: &Path, error: &io::Error) -> SourceError {
    SourceError::path(format!("volume `{}`", path.display()), error)
}
