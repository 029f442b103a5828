//! What the OpenAPI document says about the native API as a whole.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses,
    openapi::{
        ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required, Response,
        ResponseBuilder, SecurityRequirement,
        path::{ParameterBuilder, ParameterIn},
        schema::{ComponentsBuilder, ObjectBuilder, Type},
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

/// Documents the headers that the extractors take on every path: a key on each POST, a version on
/// each change of something that has one.
pub(super) fn add_headers(document: &mut OpenApi) {
    let header = |name: &str, description: &str| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .build()
    };
    let key = header("Idempotency-Key", "The same key gets the same answer");
    let version = header("If-Match", "The `ETag` of what was read");
    for item in document.paths.paths.values_mut() {
        // What has a version is shown with it.
        let changes = if item.get.is_some() {
            vec![&mut item.patch, &mut item.delete]
        } else {
            Vec::new()
        };
        let changes = changes.into_iter().map(|it| (it, &version));
        for (operation, parameter) in changes.chain([(&mut item.post, &key)]) {
            let Some(operation) = operation else { continue };
            let parameters = operation.parameters.get_or_insert_default();
            parameters.push(parameter.clone().into());
        }
    }
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
