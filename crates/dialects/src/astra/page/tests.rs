//! Filters, includes, order and limits over lists, as Astra documents them.

use serde_json::json;

use super::*;

fn parse(query: &str) -> Result<ListQuery> {
    ListQuery::parse(&strongroom_http::extract::pairs(query).unwrap())
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: u32,
    name: &'static str,
    total_bytes: Option<u64>,
    labels: Vec<&'static str>,
    metadata: Metadata,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    creation_timestamp: &'static str,
}

fn rows() -> Vec<Row> {
    let row = |id, name, total_bytes, labels: &[&'static str], creation_timestamp| Row {
        id,
        name,
        total_bytes,
        labels: labels.to_vec(),
        metadata: Metadata { creation_timestamp },
    };
    vec![
        row(1, "beta", Some(20), &["x", "y"], "2026-01-01T00:00:00Z"),
        row(2, "alpha", None, &[], "2026-01-02T00:00:00Z"),
        row(3, "gamma", Some(3), &["y"], "2026-01-03T00:00:00Z"),
    ]
}

fn ask(query: &str) -> Value {
    let list = parse(query).unwrap().apply(rows()).unwrap();
    serde_json::to_value(list).unwrap()
}

fn ids(query: &str) -> Vec<u64> {
    let list = ask(query);
    let items = list["items"].as_array().unwrap().iter();
    items.map(|it| it["id"].as_u64().unwrap()).collect()
}

#[test]
fn no_parameters_give_every_item_whole_and_an_empty_metadata_object() {
    assert_eq!(ids(""), [1, 2, 3]);
    assert_eq!(ask("")["metadata"], json!({}));
}

#[test]
fn include_gives_arrays_in_the_order_asked_with_null_for_what_is_not_there() {
    let list = ask("include=name,id,nothing,name");
    assert_eq!(list["items"][0], json!(["beta", 1, null, "beta"]));
    let filtered = ask("include=id&filter=name+eq+%27alpha%27");
    assert_eq!(filtered["items"], json!([[2]]));
}

#[test]
fn filters_compare_texts_numbers_times_and_elements() {
    for (filter, expected) in [
        ("name eq 'alpha'", vec![2]),
        ("name in 'et'", vec![1]),
        ("totalBytes gt '3'", vec![1]),
        ("totalBytes lte '20'", vec![1, 3]),
        ("totalBytes eq '3'", vec![3]),
        ("labels[*] eq 'y'", vec![1, 3]),
        ("labels eq 'x'", vec![1]),
        (
            "metadata.creationTimestamp gte '2026-01-02T00:00:00.000Z'",
            vec![2, 3],
        ),
        (
            "metadata.creationTimestamp lt '2026-01-02T00:00:00Z'",
            vec![1],
        ),
        ("name gt 'alpha',totalBytes lt '20'", vec![3]),
        ("nothing eq 'x'", vec![]),
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        assert_eq!(ids(&format!("filter={encoded}")), expected, "{filter}");
    }
    let twice = "filter=labels%20eq%20'y'&filter=name%20eq%20'gamma'";
    assert_eq!(ids(twice), [3], "several filter parameters must all hold");
}

#[test]
fn order_by_sorts_either_way_with_what_lacks_the_field_last() {
    assert_eq!(ids("orderBy=name"), [2, 1, 3]);
    assert_eq!(ids("orderBy=name+desc"), [3, 1, 2]);
    assert_eq!(ids("orderBy=totalBytes"), [3, 1, 2]);
    assert_eq!(ids("orderBy=totalBytes%20desc"), [1, 3, 2]);
    assert_eq!(ids("orderBy=metadata.creationTimestamp+desc"), [3, 2, 1]);
}

#[test]
fn pages_are_continued_to_the_end_and_counted_before_paging() {
    let first = ask("limit=2&count=true");
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    assert_eq!(first["metadata"]["count"], 3);
    let token = first["metadata"]["continue"].as_str().unwrap();
    let next = ask(&format!("limit=2&continue={token}"));
    assert_eq!(next["items"][0]["id"], 3);
    assert_eq!(next["metadata"], json!({}), "nothing follows the last page");

    assert_eq!(ids("skip=2"), [3]);
    assert_eq!(ids("skip=1&limit=1"), [2]);
    assert_eq!(ids("skip=100"), [0; 0], "past the end there is nothing");
    assert_eq!(ids("limit=18446744073709551615"), [1, 2, 3]);
}

#[test]
fn each_bad_value_is_named() {
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=abc", "limit"),
        ("limit=+5", "limit"),
        ("limit=07", "limit"),
        ("limit=99999999999999999999999", "limit"),
        ("limit=1&limit=2", "limit"),
        ("skip=0", "skip"),
        ("count=false", "count"),
        ("include=", "include"),
        ("include=a.b", "include"),
        ("orderBy=name+up", "orderBy"),
        ("orderBy=na-me", "orderBy"),
        ("continue=nonsense", "continue"),
        ("filter=name", "filter"),
        ("filter=name+eq+x", "filter"),
        ("filter=name+is+'x'", "filter"),
        ("filter=name+eq+'x'+and", "filter"),
        ("filter=a..b+eq+'x'", "filter"),
        ("filter=", "filter"),
    ] {
        match parse(query) {
            Err(Error::BadParameters(fields)) => assert_eq!(fields[0].field, name, "{query}"),
            other => panic!("{query}: {other:?}"),
        }
    }
}

#[test]
fn an_unknown_parameter_is_not_supported() {
    let unknown = parse("limit=0&color=red");
    assert!(matches!(unknown, Err(Error::UnknownParameters(fields)) if fields[0].field == "color"));
}
