//! Records of NDJSON: one JSON object a line, its members being the columns.

use std::fmt;
use std::io::Read;

use posthaste_store::Recipients;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::columns::{json_text, renamed};
use super::lines::{LONGEST, Lines};
use super::rejects::Rejects;
use super::row::{Row, is_named_like_an_address};
use super::writer::ListWriter;
use super::{ImportError, Options};

/// Imports an NDJSON source. Objects may differ in their members; one without an address makes a
/// recipient without an address. A source in which no object has one is refused.
pub(super) fn import<S: Recipients + ?Sized>(
    source: impl Read,
    options: &Options,
    writer: &mut ListWriter<'_, S>,
    rejects: &mut Rejects,
) -> Result<(), ImportError> {
    let mut lines = Lines::new(source);
    let (mut any, mut first_names, mut any_address) = (false, None, false);
    while let Some(line) = lines.next_line()? {
        if line.is_blank() {
            continue;
        }
        any = true;
        let read = if line.too_long {
            Err(format!("the line is longer than {LONGEST} bytes"))
        } else {
            members(&line.bytes)
        };
        let row = read.and_then(|members| {
            any_address |= address_of(&members, options).is_some();
            if first_names.is_none() {
                first_names = Some(names(&members));
            }
            row(members, options)
        });
        match row.and_then(Row::into_recipient) {
            Ok(recipient) => writer.add(line.number, recipient)?,
            Err(why) => {
                rejects.add(line.number, &why, &line.bytes)?;
                writer.rejected()?;
            }
        }
    }
    match (any, any_address, first_names) {
        (false, _, _) => Err(ImportError::Empty),
        (true, false, Some(columns)) => Err(ImportError::NoAddressColumn { columns }),
        _ => Ok(()),
    }
}

fn names(members: &[(String, Scalar)]) -> String {
    let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.join(", ")
}

/// The place of the member that holds the address.
fn address_of(members: &[(String, Scalar)], options: &Options) -> Option<usize> {
    if let Some(given) = &options.address_column {
        return members.iter().position(|(name, _)| name == given);
    }
    let ranked = members.iter().enumerate();
    ranked
        .filter_map(|(at, (name, _))| is_named_like_an_address(name).map(|rank| (rank, at)))
        .min()
        .map(|(_, at)| at)
}

fn members(line: &[u8]) -> Result<Vec<(String, Scalar)>, String> {
    let text = std::str::from_utf8(line).map_err(|_| {
        "the line is not text in the charset of the file; declare its charset".to_owned()
    })?;
    let Members(members) =
        serde_json::from_str(text).map_err(|e| format!("the line is not a JSON object: {e}"))?;
    for (at, (name, value)) in members.iter().enumerate() {
        if members.iter().take(at).any(|(earlier, _)| earlier == name) {
            return Err(format!("the member {name:?} is there twice"));
        }
        if matches!(value, Scalar::Nested) {
            return Err(format!(
                "the member {name:?} is an array or an object; attributes are texts, numbers, \
                 true, false or null"
            ));
        }
    }
    Ok(members)
}

fn row(members: Vec<(String, Scalar)>, options: &Options) -> Result<Row, String> {
    let address = address_of(&members, options);
    let mut row = Row::default();
    for (at, (name, value)) in members.into_iter().enumerate() {
        let text = value.into_text();
        let name = renamed(&name, options);
        let mark = if row.attributes.is_empty() { '{' } else { ',' };
        row.attributes.push(mark);
        row.attributes.push_str(&json_text(name));
        row.attributes.push(':');
        row.attributes.push_str(&json_text(&text));
        if address == Some(at) {
            row.address.clone_from(&text);
        }
        match name.to_lowercase().as_str() {
            "quality" => row.quality = Some(text),
            "denylisted" => row.denylisted = Some(text),
            _ => {}
        }
    }
    if row.attributes.is_empty() {
        return Err("the object has no members".to_owned());
    }
    row.attributes.push('}');
    Ok(row)
}

/// The members of an object in their order, doubles included.
struct Members(Vec<(String, Scalar)>);

/// The value of a member.
enum Scalar {
    Text(String),
    Null,
    Nested,
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Null | Self::Nested => String::new(),
        }
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Scalar, E> {
        Ok(Scalar::Text(value))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nested)
    }
}
