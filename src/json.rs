//! JSON as a tree, read by `serde_json`'s parser.
//!
//! This parser is compiled anew for every type that is read with it, and an error of a type brings a printer of all numbers.
//! So everything is read as a [`Json`], and taken from there.

use core::fmt;

use litemap::LiteMap;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// An object. Of several values with one name, the last counts.
pub type Object = LiteMap<String, Json>;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Flag(bool),
    /// A number. Nobody asks which.
    Number,
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Object(Object),
}

impl Json {
    /// Reads one value.
    ///
    /// # Errors
    /// The text is not JSON, is nested too deep, or has a number that is too large. The error says where.
    pub fn parse(text: &str) -> Result<Json, serde_json::Error> {
        Ok(match parse(text, Whole::Tree)? {
            Node::Json(json) => json,
            Node::Fields(_) => Json::Null,
        })
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The flag, if it is one.
    pub fn as_flag(&self) -> Option<bool> {
        match self {
            Json::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The entries, if it is a list.
    pub fn as_list(&self) -> Option<&[Json]> {
        match self {
            Json::List(list) => Some(list),
            _ => None,
        }
    }

    /// The texts, if it is a list of texts.
    pub fn as_texts(&self) -> Option<Vec<String>> {
        let texts = self.as_list()?.iter();
        texts.map(|text| Some(text.as_text()?.to_owned())).collect()
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Json::Object(object) => Some(object),
            _ => None,
        }
    }
}

/// The fields of an object in their order, with values that are not parsed yet; `None` if `text` is something else.
pub fn fields(text: &str) -> Option<Vec<(String, &str)>> {
    match parse(text, Whole::Fields) {
        Ok(Node::Fields(fields)) => Some(fields),
        _ => None,
    }
}

/// A text with quotes around it.
pub fn quoted(text: &str) -> String {
    // A text is nothing that JSON could not hold.
    serde_json::to_string(text).unwrap_or_default()
}

/// An object on one line, of values that are JSON.
#[cfg(any(feature = "export", feature = "api"))]
pub fn object<'a>(fields: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut json = String::from("{");
    for (name, value) in fields {
        if json.len() > 1 {
            json.push_str(", ");
        }
        json.push_str(&quoted(name));
        json.push_str(": ");
        json.push_str(&value);
    }
    json.push('}');
    json
}

/// A list on lines of its own, of values that are JSON.
#[cfg(any(feature = "export", feature = "api"))]
pub fn list(values: impl IntoIterator<Item = String>) -> String {
    let mut json = String::from("[");
    for value in values {
        json.push_str(if json.len() > 1 { ",\n" } else { "\n" });
        json.push_str(&value);
    }
    json.push_str("\n]");
    json
}

/// Valid JSON without the space between its parts.
pub fn compact(json: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    let keeps = |letter: &char| {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_text = !in_text,
            _ => {}
        }
        in_text || !letter.is_ascii_whitespace()
    };
    json.chars().filter(keeps).collect()
}

fn parse(text: &str, whole: Whole) -> Result<Node<'_>, serde_json::Error> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let node = whole.deserialize(&mut parser)?;
    parser.end()?;
    Ok(node)
}

/// How much of a value is parsed.
#[derive(Clone, Copy)]
enum Whole {
    /// All of it becomes a tree.
    Tree,
    /// It is an object whose values are not parsed.
    Fields,
}

enum Node<'a> {
    Json(Json),
    Fields(Vec<(String, &'a str)>),
}

impl<'a> DeserializeSeed<'a> for Whole {
    type Value = Node<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Node<'a>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Deserialize<'a> for Json {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Json, D::Error> {
        Ok(match Whole::Tree.deserialize(deserializer)? {
            Node::Json(json) => json,
            Node::Fields(_) => Json::Null,
        })
    }
}

impl<'a> Visitor<'a> for Whole {
    type Value = Node<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node<'a>, E> {
        Ok(Node::Json(Json::Null))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node<'a>, E> {
        Ok(Node::Json(Json::Flag(flag)))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node<'a>, E> {
        Ok(Node::Json(Json::Number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node<'a>, E> {
        Ok(Node::Json(Json::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node<'a>, E> {
        Ok(Node::Json(Json::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node<'a>, E> {
        Ok(Node::Json(Json::Text(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Node<'a>, A::Error> {
        let mut list = Vec::new();
        while let Some(json) = seq.next_element()? {
            list.push(json);
        }
        Ok(Node::Json(Json::List(list)))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Node<'a>, A::Error> {
        let mut fields = Vec::new();
        let mut object = Object::new();
        while let Some(name) = map.next_key::<String>()? {
            match self {
                Whole::Tree => {
                    object.insert(name, map.next_value()?);
                }
                Whole::Fields => fields.push((name, map.next_value::<&RawValue>()?.get())),
            }
        }
        Ok(match self {
            Whole::Tree => Node::Json(Json::Object(object)),
            Whole::Fields => Node::Fields(fields),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn same(json: &Json, value: &Value) -> bool {
        match (json, value) {
            (Json::Null, Value::Null) | (Json::Number, Value::Number(_)) => true,
            (Json::Flag(json), Value::Bool(value)) => json == value,
            (Json::Text(json), Value::String(value)) => json == value,
            (Json::List(json), Value::Array(value)) => {
                json.len() == value.len() && json.iter().zip(value).all(|(a, b)| same(a, b))
            }
            (Json::Object(json), Value::Object(value)) => {
                json.len() == value.len()
                    && value
                        .iter()
                        .all(|(name, value)| json.get(name).is_some_and(|json| same(json, value)))
            }
            _ => false,
        }
    }

    /// Texts that are JSON, or nearly.
    fn nearly_json() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("{"),
            Just("}"),
            Just("["),
            Just("]"),
            Just(","),
            Just(":"),
            Just("\"a\""),
            Just("\"\\ud800\""),
            Just("\"\\u00e9\""),
            Just("null"),
            Just("true"),
            Just("-1.5e3"),
            Just("1e999"),
            Just("007"),
            Just(" "),
            Just("{\"a\":1,\"a\":[{}]}"),
            Just("\u{0}"),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_json_reads(text in nearly_json()) {
            let value = serde_json::from_str::<Value>(&text);
            match (Json::parse(&text), value) {
                (Ok(json), Ok(value)) => prop_assert!(same(&json, &value), "{text}"),
                (Err(json), Err(value)) => prop_assert_eq!(json.to_string(), value.to_string()),
                (json, value) => prop_assert!(false, "{text}: {json:?}, but {value:?}"),
            }
        }
    }

    #[test]
    fn json_that_is_nested_too_deep_is_refused() {
        for (depth, is_read) in [(127, true), (128, false), (100_000, false)] {
            let text = ["[".repeat(depth), "]".repeat(depth)].concat();
            assert_eq!(Json::parse(&text).is_ok(), is_read);
            assert_eq!(serde_json::from_str::<Value>(&text).is_ok(), is_read);
        }
    }

    #[test]
    fn fields_keep_their_order_and_their_text() {
        let all = fields(r#"{"b": [1, 2.50] ,"a":"x","b":{}}"#);
        let wanted = [("b", "[1, 2.50]"), ("a", "\"x\""), ("b", "{}")];
        assert_eq!(
            all,
            Some(wanted.map(|(name, json)| (name.to_owned(), json)).into())
        );
        for text in ["[]", "null", "{", "{} {}", "{\"a\":}", "\"a\""] {
            assert_eq!(fields(text), None, "{text}");
        }
        assert_eq!(quoted("a\"\n"), r#""a\"\n""#);
        let one = object([("a\"", quoted("b")), ("c", "1".to_owned())]);
        assert_eq!(one, r#"{"a\"": "b", "c": 1}"#);
        let list = list([one, object([])]);
        assert_eq!(compact(&list), r#"[{"a\"":"b","c":1},{}]"#);
        assert_eq!(
            compact(" { \"a \\\" b\": [ 1,\n2 ] } "),
            r#"{"a \" b":[1,2]}"#
        );
    }
}
