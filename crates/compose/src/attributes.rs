//! A recipient's attributes, as templates see them.
//!
//! Names: each attribute by its own name (`{{ city }}`); all of them in `attributes`, for names that are no
//! identifiers (`{{ attributes["first name"] }}`); and `address`, the recipient's address, which hides
//! an attribute of that name. Attributes are a JSON object of texts; numbers and nested values are
//! taken as they are, null as an empty text.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, Serde};
use posthaste_core::address::Address;

/// One recipient's address and attributes.
#[derive(Debug, Clone)]
pub struct Attributes {
    address: Address,
    context: Value,
}

/// The stored attributes are not a JSON object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the attributes of {address} cannot be read ({what}): import the recipient again")]
pub struct NotAttributes {
    /// The recipient's address.
    pub address: String,
    /// What the JSON reader says.
    pub what: String,
}

impl Attributes {
    /// Reads the attributes of one recipient from a JSON object; an empty text stands for none.
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub fn parse(address: &Address, json: &str) -> Result<Self, NotAttributes> {
        let read = if json.is_empty() {
            Ok(serde_json::Map::new())
        } else {
            serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(json)
        };
        let object = read.map_err(|e| NotAttributes {
            address: address.original().to_owned(),
            what: e.to_string(),
        })?;
        Ok(Self::from_pairs(
            address,
            object
                .into_iter()
                .map(|(name, value)| (name, to_value(value))),
        ))
    }

    /// Attributes from texts: for previews and tests.
    #[must_use]
    pub fn from_texts(address: &Address, texts: &[(&str, &str)]) -> Self {
        let pairs = texts
            .iter()
            .map(|(name, text)| ((*name).to_owned(), Value::from(*text)));
        Self::from_pairs(address, pairs)
    }

    fn from_pairs(address: &Address, pairs: impl Iterator<Item = (String, Value)>) -> Self {
        let mut pairs: Vec<_> = pairs.collect();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        let address_value = Value::from(address.original());
        let all = Arc::new(All { pairs });
        Self {
            address: address.clone(),
            context: Value::from_object(Context {
                all_value: Value::from_dyn_object(Arc::clone(&all)),
                all,
                address: address_value,
            }),
        }
    }

    /// The recipient's address.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn context(&self) -> Value {
        self.context.clone()
    }
}

fn to_value(json: serde_json::Value) -> Value {
    if json.is_null() {
        return Value::from("");
    }
    match json {
        serde_json::Value::String(text) => Value::from(text),
        other @ (serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_)) => Value::from(Serde(&other)),
    }
}

/// All attributes, sorted by name.
#[derive(Debug)]
struct All {
    pairs: Vec<(String, Value)>,
}

impl All {
    fn find(&self, name: &str) -> Option<&Value> {
        let at = self
            .pairs
            .binary_search_by(|(n, _)| n.as_str().cmp(name))
            .ok()?;
        self.pairs.get(at).map(|(_, value)| value)
    }
}

impl Object for All {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.find(key.as_str()?).cloned()
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.find(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(
            self.pairs
                .iter()
                .map(|(name, _)| Value::from(name))
                .collect(),
        )
    }
}

/// What a template can name at its top level.
#[derive(Debug)]
struct Context {
    all: Arc<All>,
    all_value: Value,
    address: Value,
}

impl Object for Context {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key {
            "address" => Some(self.address.clone()),
            "attributes" => Some(self.all_value.clone()),
            name => self.all.find(name).cloned(),
        }
    }
}
