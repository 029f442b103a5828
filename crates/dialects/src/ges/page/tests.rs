//! Pages, days and bad values of the lists.

use axum::http::Request;
use strongroom_domain::Start;

use super::*;
use crate::ges::error::V1;

async fn jobs(query: &str) -> Result<JobQuery<V1>> {
    let request = Request::get(format!("/?{query}")).body(()).unwrap();
    let read = JobQuery::from_request_parts(&mut request.into_parts().0, &()).await;
    read.map_err(|refused: Refused<V1>| refused.0)
}

#[tokio::test]
async fn a_page_is_ten_rows_from_the_first_unless_the_client_says_otherwise() {
    assert_eq!(jobs("").await.unwrap().page, Page::offset(10, 0));
    assert_eq!(
        jobs("limit=120&offset=7").await.unwrap().page,
        Page::offset(120, 7)
    );
    let far = jobs("offset=9223372036854775807").await.unwrap().page;
    assert_eq!(far.start, Start::Offset(i64::MAX.unsigned_abs()));
}

#[tokio::test]
async fn each_bad_value_is_an_incorrect_parameter_and_is_named() {
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=abc", "limit"),
        ("limit=", "limit"),
        ("limit=+5", "limit"),
        ("limit=1001", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("offset=-1", "offset"),
        ("offset=1.5", "offset"),
        ("offset=9223372036854775808", "offset"),
        ("startTime=yesterday", "startTime"),
        ("endTime=2026-02-30", "endTime"),
        ("status=done", "status"),
    ] {
        match jobs(query).await {
            Err(Error::Rejected(rejection)) => assert_eq!(rejection.field(), name, "{query}"),
            other => panic!("{query}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn days_include_their_first_and_last_instant() {
    let read = jobs("startTime=2026-03-01&endTime=2026-03-02&graph_name=g")
        .await
        .unwrap();
    let time = |text: &str| Value::Time(text.parse().unwrap());
    let created = |op, text| Filter::Compare(OperationField::CreatedAt, op, time(text));
    assert_eq!(
        read.filter,
        Filter::All(vec![
            created(Op::Ge, "2026-03-01T00:00:00Z"),
            created(Op::Lt, "2026-03-03T00:00:00Z"),
        ])
    );
    assert_eq!(read.graph_name.as_deref(), Some("g"));
}
