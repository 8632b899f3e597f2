//! Frames as JSON, written by hand: derived code for so many fields is three times as large.

use crate::json::{self, Json, quoted};

/// Writes a frame's object.
pub(super) struct Writer(String);

impl Writer {
    pub fn new(kind: &str) -> Writer {
        Writer::with("k", kind)
    }

    /// Begins an object with a field that has this word as its value.
    pub fn with(name: &str, word: &str) -> Writer {
        Writer(["{\"", name, "\":\"", word, "\""].concat())
    }

    /// Adds a field whose value is JSON already.
    pub fn json(mut self, name: &str, json: &str) -> Writer {
        for part in [",\"", name, "\":", json] {
            self.0.push_str(part);
        }
        self
    }

    pub fn text(self, name: &str, text: &str) -> Writer {
        self.json(name, &quoted(text))
    }

    pub fn texts(self, name: &str, texts: &[String]) -> Writer {
        let all: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
        self.json(name, &["[", &all.join(","), "]"].concat())
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
pub(super) struct Fields<'a>(Vec<(String, &'a str)>);

impl<'a> Fields<'a> {
    pub fn parse(text: &'a str) -> Option<Fields<'a>> {
        json::fields(text).map(Fields)
    }

    pub fn json(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.0.iter().find(|(field, _)| field == name)?;
        Some(value)
    }

    pub fn value(&self, name: &str) -> Option<Json> {
        Json::parse(self.json(name)?).ok()
    }

    pub fn text(&self, name: &str) -> Option<String> {
        match self.value(name)? {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text; `None` also if the field is there twice.
    pub fn only_text(&self, name: &str) -> Option<String> {
        let several = self.0.iter().filter(|(field, _)| field == name).count();
        self.text(name).filter(|_| several == 1)
    }

    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        self.value(name)?.as_texts()
    }

    pub fn number<T: TryFrom<u64>>(&self, name: &str) -> Option<T> {
        let number: u64 = self.json(name)?.parse().ok()?;
        T::try_from(number).ok()
    }
}
