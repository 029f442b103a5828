//! What the OpenAPI document says about the native API as a whole.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses,
    openapi::{
        ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Response,
        ResponseBuilder, SecurityRequirement,
        schema::ComponentsBuilder,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::problem::{FieldProblem, Problem};

const DESCRIPTION: &str = "\
Backups, what they are of, where they are kept and how they are brought back. Times are RFC 3339 \
in UTC, sizes are bytes. Errors are RFC 9457 problems that name the fields at fault. Lists are \
read page by page: pass `next` of one page as `cursor` of the next. Long work is answered with \
202 and an operation to poll, or watch `/api/v1/events/stream`. Send `If-Match` with an `ETag` to \
change only what you have read, and `Idempotency-Key` with a `POST` that may be sent twice.";

/// The document without its paths.
pub(super) fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Strongroom")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .build();
    let components = ComponentsBuilder::new()
        .security_scheme(
            "token",
            SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
        )
        .schema(Problem::name(), Problem::schema())
        .schema(FieldProblem::name(), FieldProblem::schema())
        .build();
    let token = SecurityRequirement::new("token", Vec::<String>::new());
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .security(Some([token]))
        .build()
}

/// Every call may answer with a problem.
pub(super) struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("Problem")))
            .build();
        let problem = ResponseBuilder::new()
            .description("What is wrong")
            .content("application/problem+json", content)
            .build();
        BTreeMap::from([("default".to_owned(), problem.into())])
    }
}
