//! Reads packs and hands their blobs to the files.

use std::sync::atomic::AtomicUsize;

use strongroom_domain::tree::Phase;

use super::Session;
use super::file::{FilePlan, Writer};
use super::plan::{Part, Plan};
use super::target::Directories;
use crate::budget;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::pieces::PackReader;

/// Writes all files of the plan.
pub(super) fn run(plan: &mut Plan, session: &Session<'_>) -> Result<()> {
    let packs = std::mem::take(&mut plan.packs);
    let open_files = AtomicUsize::new(0);
    let files = &plan.files;
    let writer = || Writer {
        session,
        directories: Directories::new(session.target),
        open_files: &open_files,
    };
    let empty: Vec<&FilePlan> = files.iter().filter(|file| file.is_empty()).collect();
    session.in_parallel(0, &empty, writer, |writer, file| {
        file.create_empty(writer);
        Ok(())
    })?;
    let limits = session.context.limits;
    let reader = || (PackReader::new(session.repository, limits), writer());
    session.in_parallel(
        budget::PIECES,
        &packs,
        reader,
        |(reader, writer), (pack, parts)| write_pack(files, *pack, parts, reader, writer),
    )
}

fn write_pack(
    files: &[FilePlan],
    pack: Id,
    parts: &[Part],
    reader: &mut PackReader<'_>,
    writer: &mut Writer<'_>,
) -> Result<()> {
    reader.read(
        pack,
        parts,
        |part| &part.blob,
        |parts, content| {
            writer.session.check()?;
            if let Err(error) = &content {
                report_lost(files, parts, error, writer.session);
            }
            for part in parts {
                let content = content.as_ref().ok().map(|content| content.plain);
                files[part.file].part(part.at, content, writer);
            }
            Ok(())
        },
    )
}

fn report_lost(files: &[FilePlan], parts: &[Part], error: &Error, session: &Session<'_>) {
    for part in parts {
        let end = part.at.saturating_add(part.blob.plain_length());
        let message = format!("bytes {} to {end} are lost: {}", part.at, error.chain());
        session.failed(&files[part.file].path(), Phase::Fetch, message);
    }
}
