//! File modes as Go's `os.FileMode` numbers them, which is what trees hold.

use strongroom_domain::tree::{DeviceKind, EntryKind};

const DIR: u32 = 1 << 31;
const SYMLINK: u32 = 1 << 27;
const DEVICE: u32 = 1 << 26;
const FIFO: u32 = 1 << 25;
const SOCKET: u32 = 1 << 24;
const SETUID: u32 = 1 << 23;
const SETGID: u32 = 1 << 22;
const CHAR_DEVICE: u32 = 1 << 21;
const STICKY: u32 = 1 << 20;

/// Pairs of a Unix bit and Go's bit for the same thing.
const SPECIAL: [(u32, u32); 3] = [(0o4000, SETUID), (0o2000, SETGID), (0o1000, STICKY)];

/// Go's mode for a kind and Unix permission bits.
pub(crate) fn to_go(kind: &EntryKind, permissions: u32) -> u32 {
    let kind = match kind {
        EntryKind::File => 0,
        EntryKind::Directory => DIR,
        EntryKind::Symlink { .. } => SYMLINK,
        EntryKind::Device {
            kind: DeviceKind::Block,
            ..
        } => DEVICE,
        EntryKind::Device {
            kind: DeviceKind::Character,
            ..
        } => DEVICE | CHAR_DEVICE,
        EntryKind::Fifo => FIFO,
        EntryKind::Socket => SOCKET,
    };
    let special = SPECIAL
        .iter()
        .filter(|(unix, _)| permissions & unix != 0)
        .map(|(_, go)| go);
    special.fold(kind | permissions & 0o777, |mode, bit| mode | bit)
}

/// Unix permission bits of Go's mode.
pub(crate) fn from_go(mode: u32) -> u32 {
    let special = SPECIAL
        .iter()
        .filter(|(_, go)| mode & go != 0)
        .map(|(unix, _)| unix);
    special.fold(mode & 0o777, |mode, bit| mode | bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_those_of_go() {
        assert_eq!(to_go(&EntryKind::Directory, 0o1777), 2_148_532_735);
        assert_eq!(to_go(&EntryKind::File, 0o4755), 8_389_101);
        let tty = EntryKind::Device {
            kind: DeviceKind::Character,
            rdev: 5,
        };
        assert_eq!(to_go(&tty, 0o666), 69_206_454);
    }

    #[test]
    fn all_permissions_come_back() {
        for permissions in 0..=0o7777 {
            assert_eq!(from_go(to_go(&EntryKind::File, permissions)), permissions);
        }
    }
}
