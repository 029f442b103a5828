//! A pack while blobs are added to it.

use crate::crypto::Cipher;
use crate::error::{Error, Result};
use crate::format::index::IndexBlob;
use crate::format::pack;

/// Size at which a pack is full. restic's default.
const TARGET_SIZE: usize = 16 << 20;
/// Blobs at which a pack is full, so that headers stay small.
const MAX_BLOBS: usize = 50_000;

/// Memory for a pack that has just been begun.
const FIRST_SIZE: usize = 1 << 20;
/// Memory for the last blob, which makes a pack larger than it should be, and the header.
const SPARE_SIZE: usize = 2 << 20;

#[derive(Debug)]
pub(super) struct PackBuilder {
    data: Vec<u8>,
    blobs: Vec<IndexBlob>,
}

impl PackBuilder {
    pub(super) fn new() -> Self {
        Self {
            data: Vec::new(),
            blobs: Vec::new(),
        }
    }

    /// Adds a sealed blob; its offset is filled in.
    pub(super) fn append(&mut self, blob: IndexBlob, sealed: &[u8]) {
        if self.data.capacity() == 0 {
            // The whole pack at once, unless it may be the only one and small.
            self.data.reserve(FIRST_SIZE);
        } else if self.data.len() + sealed.len() > self.data.capacity() {
            self.data
                .reserve_exact(TARGET_SIZE + SPARE_SIZE - self.data.len().min(TARGET_SIZE));
        }
        let offset = u32::try_from(self.data.len()).expect("a pack is full long before 4 GiB");
        self.data.extend_from_slice(sealed);
        self.blobs.push(IndexBlob { offset, ..blob });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.blobs.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.data.len() >= TARGET_SIZE || self.blobs.len() >= MAX_BLOBS
    }

    /// Adds the header; returns the whole pack and what is in it.
    pub(super) fn finish(self, cipher: &Cipher) -> Result<(Vec<u8>, Vec<IndexBlob>)> {
        let Self { mut data, blobs } = self;
        let start = data.len();
        cipher.seal_into(&mut data, &pack::print_header(&blobs));
        let length = u32::try_from(data.len() - start)
            .map_err(|_| Error::Invalid("pack header is too long".to_owned()))?;
        data.extend_from_slice(&length.to_le_bytes());
        Ok((data, blobs))
    }
}
