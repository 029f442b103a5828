//! Keystone's JSON, as far as clients of CBR and GES use it, and CBR's own list of versions.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `{"auth": {…}}`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::AuthRequest)]
pub(in crate::cbr) struct AuthRequest {
    /// Who logs in, and to what.
    pub(in crate::cbr) auth: Login,
}

/// Who logs in, and to what.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::Login)]
pub(in crate::cbr) struct Login {
    /// Who.
    pub(in crate::cbr) identity: Identity,
    /// To what; the user's own project if nothing. Keystone also takes the word `unscoped`.
    pub(in crate::cbr) scope: Option<Scope>,
}

/// Who logs in.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::Identity)]
pub(in crate::cbr) struct Identity {
    /// `password` or `token`.
    pub(in crate::cbr) methods: Vec<String>,
    /// A name and password.
    pub(in crate::cbr) password: Option<PasswordMethod>,
    /// A token.
    pub(in crate::cbr) token: Option<TokenMethod>,
}

/// A name and password.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::PasswordMethod)]
pub(in crate::cbr) struct PasswordMethod {
    /// Whose.
    pub(in crate::cbr) user: UserRef,
}

/// A user with its password.
#[derive(Deserialize, ToSchema)]
#[schema(as = cbr::UserRef)]
pub(in crate::cbr) struct UserRef {
    /// Its login name.
    pub(in crate::cbr) name: Option<String>,
    /// Its password.
    pub(in crate::cbr) password: String,
    /// The tenant it belongs to.
    pub(in crate::cbr) domain: Option<DomainRef>,
}

impl fmt::Debug for UserRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRef")
            .field("name", &self.name)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

/// A token.
#[derive(Deserialize, ToSchema)]
#[schema(as = cbr::TokenMethod)]
pub(in crate::cbr) struct TokenMethod {
    /// Its text.
    pub(in crate::cbr) id: String,
}

impl fmt::Debug for TokenMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenMethod").finish_non_exhaustive()
    }
}

/// A domain (here: a tenant) by id or name.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[schema(as = cbr::DomainRef)]
pub(in crate::cbr) struct DomainRef {
    /// Its id.
    pub(in crate::cbr) id: Option<String>,
    /// Its name.
    pub(in crate::cbr) name: Option<String>,
}

/// What a login is for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = cbr::Scope)]
pub(in crate::cbr) struct Scope {
    /// A project.
    pub(in crate::cbr) project: Option<ProjectRef>,
    /// A whole domain.
    pub(in crate::cbr) domain: Option<DomainRef>,
}

/// A project by id, or by name within a domain.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = cbr::ProjectRef)]
pub(in crate::cbr) struct ProjectRef {
    /// Its id.
    pub(in crate::cbr) id: Option<String>,
    /// Its name.
    pub(in crate::cbr) name: Option<String>,
    /// Its domain.
    pub(in crate::cbr) domain: Option<DomainRef>,
}

/// `{"token": …}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::TokenEnvelope)]
pub(in crate::cbr) struct TokenEnvelope {
    /// What the token stands for; its text is in the header `X-Subject-Token`.
    pub(in crate::cbr) token: Token,
}

/// What a token stands for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::Token)]
pub(in crate::cbr) struct Token {
    /// The endpoints of the services.
    pub(in crate::cbr) catalog: Vec<CatalogEntry>,
    /// When it ends, RFC 3339.
    pub(in crate::cbr) expires_at: Option<String>,
    /// When it was issued, RFC 3339.
    pub(in crate::cbr) issued_at: Option<String>,
    /// How it was obtained.
    pub(in crate::cbr) methods: Vec<String>,
    /// The project it is for.
    pub(in crate::cbr) project: ScopedProject,
    /// What its user may do.
    pub(in crate::cbr) roles: Vec<Role>,
    /// Whose it is.
    pub(in crate::cbr) user: TokenUser,
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::TokenUser)]
pub(in crate::cbr) struct TokenUser {
    /// The tenant it belongs to.
    pub(in crate::cbr) domain: Domain,
    /// Its id.
    pub(in crate::cbr) id: String,
    /// Its login name.
    pub(in crate::cbr) name: String,
}

/// A domain: here a tenant.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = cbr::Domain)]
pub(in crate::cbr) struct Domain {
    /// Its id.
    pub(in crate::cbr) id: String,
    /// Its name.
    pub(in crate::cbr) name: String,
}

/// The project that a token is for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::ScopedProject)]
pub(in crate::cbr) struct ScopedProject {
    /// Its domain.
    pub(in crate::cbr) domain: Domain,
    /// Its id, as in paths.
    pub(in crate::cbr) id: String,
    /// Its name.
    pub(in crate::cbr) name: String,
}

/// What a user may do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::Role)]
pub(in crate::cbr) struct Role {
    /// The same as the name.
    pub(in crate::cbr) id: &'static str,
    /// `viewer`, `operator` or `owner`.
    pub(in crate::cbr) name: &'static str,
}

/// `{"catalog": […]}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::Catalog)]
pub(in crate::cbr) struct Catalog {
    /// The endpoints of the services.
    pub(in crate::cbr) catalog: Vec<CatalogEntry>,
    /// Where this is.
    pub(in crate::cbr) links: Link,
}

/// A service.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = cbr::CatalogEntry)]
pub(in crate::cbr) struct CatalogEntry {
    /// Where it is.
    pub(in crate::cbr) endpoints: Vec<Endpoint>,
    /// An id of its own.
    pub(in crate::cbr) id: &'static str,
    /// Its name.
    pub(in crate::cbr) name: &'static str,
    /// `cbr`, `ges` or `identity`.
    #[serde(rename = "type")]
    pub(in crate::cbr) kind: &'static str,
}

/// Where a service is.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = cbr::Endpoint)]
pub(in crate::cbr) struct Endpoint {
    /// An id of its own.
    pub(in crate::cbr) id: &'static str,
    /// `public`.
    pub(in crate::cbr) interface: &'static str,
    /// The region.
    pub(in crate::cbr) region: &'static str,
    /// The same.
    pub(in crate::cbr) region_id: &'static str,
    /// Its URL, on the listener that answers.
    pub(in crate::cbr) url: String,
}

/// Where something is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::Link)]
pub(in crate::cbr) struct Link {
    /// Its URL.
    #[serde(rename = "self")]
    pub(in crate::cbr) this: String,
}

/// `{"projects": […]}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::Projects)]
pub(in crate::cbr) struct Projects {
    /// Where this is.
    pub(in crate::cbr) links: Link,
    /// The caller's only one.
    pub(in crate::cbr) projects: Vec<Project>,
}

/// A project: a tenant's share of a region.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::Project)]
pub(in crate::cbr) struct Project {
    /// Empty.
    pub(in crate::cbr) description: &'static str,
    /// Its domain.
    pub(in crate::cbr) domain_id: String,
    /// Yes.
    pub(in crate::cbr) enabled: bool,
    /// Its id, as in paths.
    pub(in crate::cbr) id: String,
    /// No.
    pub(in crate::cbr) is_domain: bool,
    /// Where it is.
    pub(in crate::cbr) links: Link,
    /// Its name.
    pub(in crate::cbr) name: String,
    /// Its domain.
    pub(in crate::cbr) parent_id: String,
}

/// `{"domains": […]}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::Domains)]
pub(in crate::cbr) struct Domains {
    /// The caller's only one.
    pub(in crate::cbr) domains: Vec<ListedDomain>,
    /// Where this is.
    pub(in crate::cbr) links: Link,
}

/// A domain in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::ListedDomain)]
pub(in crate::cbr) struct ListedDomain {
    /// Empty.
    pub(in crate::cbr) description: &'static str,
    /// Yes.
    pub(in crate::cbr) enabled: bool,
    /// Its id.
    pub(in crate::cbr) id: String,
    /// Where it is.
    pub(in crate::cbr) links: Link,
    /// Its name.
    pub(in crate::cbr) name: String,
}

/// `{"version": …}`: what discovery finds at `/v3`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::VersionEnvelope)]
pub(in crate::cbr) struct VersionEnvelope {
    /// The version.
    pub(in crate::cbr) version: Version,
}

/// A version of Keystone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::Version)]
pub(in crate::cbr) struct Version {
    /// `v3.14`.
    pub(in crate::cbr) id: &'static str,
    /// Where it is.
    pub(in crate::cbr) links: Vec<VersionLink>,
    /// What it speaks.
    #[serde(rename = "media-types")]
    pub(in crate::cbr) media_types: Vec<MediaType>,
    /// `stable`.
    pub(in crate::cbr) status: &'static str,
    /// When it was last changed.
    pub(in crate::cbr) updated: &'static str,
}

/// What a version speaks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::MediaType)]
pub(in crate::cbr) struct MediaType {
    /// `application/json`.
    pub(in crate::cbr) base: &'static str,
    /// Its vendor form.
    #[serde(rename = "type")]
    pub(in crate::cbr) kind: &'static str,
}

/// Where a version is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::VersionLink)]
pub(in crate::cbr) struct VersionLink {
    /// Its URL.
    pub(in crate::cbr) href: String,
    /// `self`.
    pub(in crate::cbr) rel: &'static str,
}

/// `{"versions": […]}`: CBR's own versions, at `/`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::VersionList)]
pub(in crate::cbr) struct VersionList {
    /// The only one.
    pub(in crate::cbr) versions: Vec<ListedVersion>,
}

/// A version of CBR.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::ListedVersion)]
pub(in crate::cbr) struct ListedVersion {
    /// `v3`.
    pub(in crate::cbr) id: &'static str,
    /// Where it is.
    pub(in crate::cbr) links: Vec<VersionLink>,
    /// `CURRENT`.
    pub(in crate::cbr) status: &'static str,
}
