//! OpenAPI schemas of the domain's enumerations, which know nothing of OpenAPI.

use std::borrow::Cow;

use strongroom_domain as domain;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, Type},
    },
};

macro_rules! enumerations {
    ($($name:ident = $of:ty,)*) => {$(
        /// Stands in the document for the enumeration of the same name.
        #[derive(Debug)]
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let values = <$of>::ALL.iter().map(|it| it.as_str());
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values)).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )*};
}

enumerations! {
    BackupState = domain::BackupState,
    ConflictPolicy = domain::restore::ConflictPolicy,
    CredentialKind = domain::credential::CredentialKind,
    Face = domain::Face,
    MissedRun = domain::schedule::MissedRun,
    OperationKind = domain::operation::OperationKind,
    OperationState = domain::operation::OperationState,
    RepositoryState = domain::repository::RepositoryState,
    ResourceKind = domain::ResourceKind,
    RestoreState = domain::restore::RestoreState,
    Role = domain::Role,
    Trigger = domain::Trigger,
}
