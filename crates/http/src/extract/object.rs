//! JSON objects, and nothing else, read into structs.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// A `T` that was written as a JSON object. Serde by itself also takes an array for a struct, its
/// elements being the fields in order; no vendor does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_map(ObjectVisitor(PhantomData))
            .map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<fn() -> T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::from_json;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Label {
        name: String,
    }

    #[test]
    fn an_array_is_no_object_and_fields_are_still_named_by_their_path() {
        let read = |text: &str| from_json::<Object<Labels>>(text.as_bytes());
        let good = read(r#"{"labels": [{"name": "a"}]}"#).unwrap();
        assert_eq!(
            good.0.labels,
            [Object(Label {
                name: "a".to_owned()
            })]
        );
        for (text, field) in [
            (r"[[]]", ""),
            (r#"{"labels": [["a"]]}"#, "labels[0]"),
            (r#"{"labels": [{"name": 5}]}"#, "labels[0].name"),
            (r#"{"labels": [{}]}"#, "labels[0].name"),
        ] {
            assert_eq!(read(text).unwrap_err().field(), field, "{text}");
        }
    }

    #[derive(Debug, Deserialize)]
    struct Labels {
        labels: Vec<Object<Label>>,
    }
}
