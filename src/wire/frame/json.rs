//! Frames as JSON, written by hand: derived code for so many fields is three times as large.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// Writes a frame's object.
pub(super) struct Writer(String);

impl Writer {
    pub fn new(kind: &str) -> Writer {
        Writer(["{\"k\":\"", kind, "\""].concat())
    }

    /// Adds a field whose value is JSON already.
    pub fn json(mut self, name: &str, json: &str) -> Writer {
        for part in [",\"", name, "\":", json] {
            self.0.push_str(part);
        }
        self
    }

    pub fn value<T: Serialize + ?Sized>(self, name: &str, value: &T) -> Writer {
        // Text, numbers and lists of them: nothing that JSON could not hold.
        let json = serde_json::to_string(value).unwrap_or_default();
        self.json(name, &json)
    }

    pub fn text(self, name: &str, text: &str) -> Writer {
        self.value(name, text)
    }

    pub fn text_if(self, name: &str, text: Option<&String>) -> Writer {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    pub fn number(self, name: &str, number: u64) -> Writer {
        self.json(name, &number.to_string())
    }

    pub fn number_if(self, name: &str, number: Option<u64>) -> Writer {
        match number {
            Some(number) => self.number(name, number),
            None => self,
        }
    }

    pub fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// The fields of a frame's object. Only those that its kind has are parsed.
pub(super) struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Deserialize<'a> for Fields<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Fields<'a>, D::Error> {
        struct Object;

        impl<'a> Visitor<'a> for Object {
            type Value = Fields<'a>;

            fn expecting(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Fields<'a>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

impl<'a> Fields<'a> {
    pub fn json(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.0.iter().find(|(field, _)| field == name)?;
        Some(value.get())
    }

    pub fn value<T: Deserialize<'a>>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.json(name)?).ok()
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.value(name)
    }

    pub fn number<T: TryFrom<u64>>(&self, name: &str) -> Option<T> {
        let number: u64 = self.json(name)?.parse().ok()?;
        T::try_from(number).ok()
    }
}
