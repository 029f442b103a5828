//! Who asks.

use strongroom_domain::{Face, PrincipalId, Role, TenantId, principal::Permission};

use crate::{Error, RequestKey, Result};

/// An authenticated principal acting within its tenant; the first argument of every verb.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The tenant it acts in.
    pub tenant_id: TenantId,
    /// The tenant's name.
    pub tenant_name: String,
    /// Who it is.
    pub principal_id: PrincipalId,
    /// Its login name.
    pub principal_name: String,
    /// What it may do.
    pub role: Role,
    /// The face that the request came through; nothing for the native API.
    pub face: Option<Face>,
    /// The key that came with a request that may be sent twice.
    pub key: Option<RequestKey>,
}

impl Caller {
    /// Fails with [`Error::Forbidden`] unless the caller's role includes `permission`.
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.role.allows(permission) {
            Ok(())
        } else {
            Err(Error::Forbidden { needed: permission })
        }
    }

    /// The same caller, marked as coming through `face`.
    #[must_use]
    pub fn via(mut self, face: Face) -> Self {
        self.face = Some(face);
        self
    }
}
