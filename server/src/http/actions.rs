//! What an agent asks for, as the wire has it.

use std::borrow::Cow;

use poem_openapi::{
    Object,
    registry::{MetaDiscriminatorObject, MetaSchema, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

use super::{body::present, scalars::schema};
use crate::value::{self, Address, CallData, Wei};

/// The one value that a variant's `type` can have.
macro_rules! tag {
    ($name:ident, $text:literal) => {
        #[derive(Debug, Clone, Copy)]
        struct $name;

        schema!($name, $text, MetaSchema { enum_items: vec![$text.into()], ..MetaSchema::new("string") });

        impl ToJSON for $name {
            fn to_json(&self) -> Option<Value> {
                Some($text.into())
            }
        }

        impl ParseFromJSON for $name {
            fn parse_from_json(_value: Option<Value>) -> ParseResult<Self> {
                Ok(Self)
            }
        }
    };
}

tag!(TransferTag, "transfer");
tag!(RawTag, "raw");

/// Native currency to an address.
#[derive(Debug, Clone, Object)]
struct TransferAction {
    /// Always `transfer`.
    #[oai(rename = "type")]
    kind: TransferTag,
    /// Who receives it.
    to_address: Address,
    /// How much, in wei.
    amount: Wei,
}

/// Any call, or a deployment.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
struct RawAction {
    /// Always `raw`.
    #[oai(rename = "type")]
    kind: RawTag,
    /// The account that is called. Leave it out to deploy `data` as init code.
    to_address: Option<Address>,
    /// Native currency sent along, in wei.
    amount: Wei,
    /// The call's input, or the init code, which must not be empty.
    data: CallData,
}

/// What an agent asks for, told apart by `type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action(pub value::Action);

impl Type for Action {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "Action".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(Self::name().into_owned())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(Self::name().into_owned(), |registry| {
            TransferAction::register(registry);
            RawAction::register(registry);
            let to = |name: &str, schema: MetaSchemaRef| {
                (name.to_owned(), format!("#/components/schemas/{}", schema.unwrap_reference()))
            };
            MetaSchema {
                description: Some("What an agent asks for, told apart by `type`. New types may be added."),
                one_of: vec![TransferAction::schema_ref(), RawAction::schema_ref()],
                discriminator: Some(MetaDiscriminatorObject {
                    property_name: "type",
                    mapping: vec![to("transfer", TransferAction::schema_ref()), to("raw", RawAction::schema_ref())],
                }),
                ..MetaSchema::ANY
            }
        });
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ToJSON for Action {
    fn to_json(&self) -> Option<Value> {
        match self.0.clone() {
            value::Action::Transfer(value::TransferAction { to_address, amount }) => {
                TransferAction { kind: TransferTag, to_address, amount }.to_json()
            }
            value::Action::Raw(value::RawAction { to_address, amount, data }) => {
                RawAction { kind: RawTag, to_address, amount, data }.to_json()
            }
        }
    }
}

impl ParseFromJSON for Action {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        serde_json::from_value(value.unwrap_or_default()).map_err(|_| ParseError::custom("not valid"))
    }
}

/// Every field of every variant. Reading them all at once, in any order, keeps the name of a wrong one; buffering
/// until the tag is known would lose it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(default, deserialize_with = "present")]
    to_address: Option<Address>,
    amount: Wei,
    #[serde(default, deserialize_with = "present")]
    data: Option<CallData>,
}

// Read from a string: serde's own reading of an enum would also take the object `{"transfer": null}`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
enum Kind {
    Transfer,
    Raw,
}

impl TryFrom<String> for Kind {
    type Error = value::Invalid;

    fn try_from(text: String) -> Result<Self, value::Invalid> {
        match text.as_str() {
            "transfer" => Ok(Self::Transfer),
            "raw" => Ok(Self::Raw),
            _ => Err(value::Invalid("expected `transfer` or `raw`")),
        }
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object with a type")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Fields, A::Error> {
                Fields::deserialize(MapAccessDeserializer::new(map))
            }
        }

        let Fields { kind, to_address, amount, data } = deserializer.deserialize_map(Object)?;
        match (kind, to_address, data) {
            (Kind::Transfer, Some(to_address), None) => {
                Ok(Self(value::Action::Transfer(value::TransferAction { to_address, amount })))
            }
            (Kind::Transfer, None, _) => Err(D::Error::custom("missing field `to_address`")),
            (Kind::Transfer, _, Some(_)) => Err(D::Error::custom("a transfer has no `data`")),
            (Kind::Raw, _, None) => Err(D::Error::custom("missing field `data`")),
            (Kind::Raw, None, Some(data)) if data.0.is_empty() => {
                Err(D::Error::custom("a deployment needs init code in `data`"))
            }
            (Kind::Raw, to_address, Some(data)) => {
                Ok(Self(value::Action::Raw(value::RawAction { to_address, amount, data })))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_written_as_it_was_read() {
        for text in [
            r#"{"type":"transfer","to_address":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed","amount":"1"}"#,
            r#"{"type":"raw","amount":"0","data":"0x6080"}"#,
            r#"{"type":"raw","to_address":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed","amount":"0","data":"0x"}"#,
        ] {
            let action: Action = serde_json::from_str(text).expect("a valid action");
            let written = action.to_json().expect("an object");
            assert_eq!(written, serde_json::from_str::<Value>(text).expect("JSON"));
        }
    }

    #[test]
    fn a_field_of_another_type_and_a_missing_one_are_refused() {
        for text in [
            r#"{"type":"transfer","amount":"1"}"#,
            r#"{"type":"transfer","to_address":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed","amount":"1","data":"0x"}"#,
            r#"{"type":"raw","amount":"0","data":"0x"}"#,
            r#"{"type":"raw","to_address":null,"amount":"0","data":"0x60"}"#,
            r#"{"type":"raw","amount":"0"}"#,
            r#"{"type":{"raw":null},"amount":"0","data":"0x60"}"#,
            r#"{"type":"mint","amount":"0","data":"0x60"}"#,
            r#"{"amount":"0","data":"0x60"}"#,
            r#"["raw",null,"0","0x60"]"#,
        ] {
            assert!(serde_json::from_str::<Action>(text).is_err(), "{text}");
        }
    }
}
