//! Permissions as types, so that a handler names in its signature what it needs, and a request
//! that is not the caller's to make is refused before its body is judged.

use strongroom_domain::principal::Permission;

/// A permission as a type.
pub trait Needs {
    /// The permission.
    const PERMISSION: Permission;
}

/// The handler looks at things.
#[derive(Debug)]
pub struct Read;

impl Needs for Read {
    const PERMISSION: Permission = Permission::Read;
}

/// The handler changes what is protected and how, or runs something.
#[derive(Debug)]
pub struct Write;

impl Needs for Write {
    const PERMISSION: Permission = Permission::Write;
}

/// The handler manages users, tenants or repositories.
#[derive(Debug)]
pub struct Administer;

impl Needs for Administer {
    const PERMISSION: Permission = Permission::Administer;
}
