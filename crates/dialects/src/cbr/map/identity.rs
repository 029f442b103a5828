//! Keystone: a tenant is a domain, and its share of the only region is its only project.

use jiff::Timestamp;
use strongroom_http::auth::keystone::Token;
use strongroom_service::{Caller, Error as Core, error::AuthFailure};

use super::REGION;
use crate::cbr::{
    error::{Error, Result},
    wire,
};

/// The domain that clients name when they were told none.
const DEFAULT_DOMAIN: &str = "default";

/// Who logs in.
#[derive(Debug)]
pub(in crate::cbr) enum LoginAs<'a> {
    /// A user with a password.
    Password {
        /// The tenant by name or id, if the client names it.
        tenant: Option<&'a str>,
        /// The login name.
        name: &'a str,
        /// The password.
        password: &'a str,
    },
    /// Whoever a token stands for.
    Token(&'a str),
}

impl LoginAs<'_> {
    /// Keystone's word for it.
    pub(in crate::cbr) fn method(&self) -> &'static str {
        match self {
            Self::Password { .. } => "password",
            Self::Token(_) => "token",
        }
    }
}

/// Reads who logs in.
pub(in crate::cbr) fn login(request: &wire::Login) -> Result<LoginAs<'_>> {
    let identity = &request.identity;
    let [method] = identity.methods.as_slice() else {
        let reason = "there must be exactly one";
        return Err(Error::invalid("auth.identity.methods", reason));
    };
    let missing = || Error::invalid(format!("auth.identity.{method}"), "it is missing");
    match method.as_str() {
        "password" => {
            let user = &identity.password.as_ref().ok_or_else(missing)?.user;
            let name = user.name.as_deref().ok_or_else(|| {
                Error::invalid("auth.identity.password.user.name", "it is missing")
            })?;
            Ok(LoginAs::Password {
                tenant: tenant(user, request.scope.as_ref()),
                name,
                password: &user.password,
            })
        }
        "token" => Ok(LoginAs::Token(
            &identity.token.as_ref().ok_or_else(missing)?.id,
        )),
        other => {
            let reason = format!("`{other}` is neither `password` nor `token`");
            Err(Error::invalid("auth.identity.methods", reason))
        }
    }
}

/// The tenant that a login names: as the user's domain, or else as what the token is for.
fn tenant<'a>(user: &'a wire::UserRef, scope: Option<&'a wire::Scope>) -> Option<&'a str> {
    let project = scope.and_then(|it| it.project.as_ref());
    let id = project.and_then(|it| it.id.as_deref());
    let name = project.and_then(|it| it.name.as_deref());
    domain(user.domain.as_ref())
        .or(id)
        .or(domain(project.and_then(|it| it.domain.as_ref())))
        .or(domain(scope.and_then(|it| it.domain.as_ref())))
        .or(name.filter(|it| *it != REGION))
}

fn domain(given: Option<&wire::DomainRef>) -> Option<&str> {
    let given = given?;
    let given = given.id.as_deref().or(given.name.as_deref())?;
    (!given.eq_ignore_ascii_case(DEFAULT_DOMAIN)).then_some(given)
}

/// Checks that the project that a login is for is the caller's. Any name is: each stands for the
/// tenant's share of a region, and all regions are this server.
pub(in crate::cbr) fn check_scope(
    scope: Option<&wire::Scope>,
    caller: &Caller,
) -> Result<(), Core> {
    let project = scope.and_then(|it| it.project.as_ref());
    match project.and_then(|it| it.id.as_deref()) {
        Some(id) if id.parse().ok() != Some(caller.tenant_id) => {
            Err(Core::Unauthenticated(AuthFailure::Invalid))
        }
        _ => Ok(()),
    }
}

/// What a token stands for. `base` is where this listener is, e.g. `http://127.0.0.1:7878`.
pub(in crate::cbr) fn token(token: &Token, method: &str, base: &str) -> wire::TokenEnvelope {
    let caller = &token.caller;
    let role = caller.role.as_str();
    let token = wire::Token {
        catalog: entries(caller, base),
        expires_at: token.expires_at.map(rfc3339),
        issued_at: token.issued_at.map(rfc3339),
        methods: vec![method.to_owned()],
        project: wire::ScopedProject {
            domain: domain_of(caller),
            id: caller.tenant_id.simple(),
            name: caller.tenant_name.clone(),
        },
        roles: vec![wire::Role {
            id: role,
            name: role,
        }],
        user: wire::TokenUser {
            domain: domain_of(caller),
            id: caller.principal_id.simple(),
            name: caller.principal_name.clone(),
        },
    };
    wire::TokenEnvelope { token }
}

fn domain_of(caller: &Caller) -> wire::Domain {
    wire::Domain {
        id: caller.tenant_id.simple(),
        name: caller.tenant_name.clone(),
    }
}

/// Keystone's times: UTC with microseconds and `Z`.
fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// The endpoints of the services.
pub(in crate::cbr) fn catalog(caller: &Caller, base: &str) -> wire::Catalog {
    wire::Catalog {
        catalog: entries(caller, base),
        links: link(format!("{base}/v3/auth/catalog")),
    }
}

fn entries(caller: &Caller, base: &str) -> Vec<wire::CatalogEntry> {
    let project = caller.tenant_id.simple();
    vec![
        entry("cbr", "cbr", format!("{base}/v3/{project}")),
        entry("ges", "ges", format!("{base}/v2/{project}")),
        entry("iam", "identity", format!("{base}/v3")),
    ]
}

fn entry(name: &'static str, kind: &'static str, url: String) -> wire::CatalogEntry {
    wire::CatalogEntry {
        endpoints: vec![wire::Endpoint {
            id: name,
            interface: "public",
            region: REGION,
            region_id: REGION,
            url,
        }],
        id: name,
        name,
        kind,
    }
}

fn link(this: String) -> wire::Link {
    wire::Link { this }
}

/// The caller's project under the name asked for: clients that know a region only look for the
/// project of that name.
pub(in crate::cbr) fn projects(caller: &Caller, name: Option<&str>, base: &str) -> wire::Projects {
    wire::Projects {
        links: link(format!("{base}/v3/projects")),
        projects: vec![project(caller, name, base)],
    }
}

/// The caller's project.
fn project(caller: &Caller, name: Option<&str>, base: &str) -> wire::Project {
    let id = caller.tenant_id.simple();
    wire::Project {
        description: "",
        domain_id: id.clone(),
        enabled: true,
        is_domain: false,
        links: link(format!("{base}/v3/projects/{id}")),
        name: name.unwrap_or(&caller.tenant_name).to_owned(),
        parent_id: id.clone(),
        id,
    }
}

/// The caller's domain, unless another one is asked for.
pub(in crate::cbr) fn domains(caller: &Caller, name: Option<&str>, base: &str) -> wire::Domains {
    let id = caller.tenant_id.simple();
    let own = wire::ListedDomain {
        description: "",
        enabled: true,
        links: link(format!("{base}/v3/domains/{id}")),
        name: caller.tenant_name.clone(),
        id,
    };
    let wanted = name.is_none_or(|it| it == own.name);
    wire::Domains {
        domains: wanted.then_some(own).into_iter().collect(),
        links: link(format!("{base}/v3/auth/domains")),
    }
}

/// What discovery finds at `/v3`.
pub(in crate::cbr) fn version_document(base: &str) -> wire::VersionEnvelope {
    let version = wire::Version {
        id: "v3.14",
        links: vec![version_link(base)],
        media_types: vec![wire::MediaType {
            base: "application/json",
            kind: "application/vnd.openstack.identity-v3+json",
        }],
        status: "stable",
        updated: "2020-04-07T00:00:00Z",
    };
    wire::VersionEnvelope { version }
}

/// CBR's versions.
pub(in crate::cbr) fn versions(base: &str) -> wire::VersionList {
    let version = wire::ListedVersion {
        id: "v3",
        links: vec![version_link(base)],
        status: "CURRENT",
    };
    wire::VersionList {
        versions: vec![version],
    }
}

fn version_link(base: &str) -> wire::VersionLink {
    wire::VersionLink {
        href: format!("{base}/v3/"),
        rel: "self",
    }
}
