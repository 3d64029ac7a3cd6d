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

use super::{body::present, schema::schema};
use crate::value::{self, Address, Arguments, CallData, ContractAbi, TokenAmount, Wei};

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
tag!(TransferErc20Tag, "transfer_erc20");
tag!(ContractCallTag, "contract_call");
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

/// An ERC-20 token to an address.
#[derive(Debug, Clone, Object)]
struct TransferErc20Action {
    /// Always `transfer_erc20`.
    #[oai(rename = "type")]
    kind: TransferErc20Tag,
    /// The token's contract.
    token_address: Address,
    /// Who receives it.
    to_address: Address,
    /// How much, in the token's smallest unit.
    amount: TokenAmount,
}

/// A function of a contract, by its ABI.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
struct ContractCallAction {
    /// Always `contract_call`.
    #[oai(rename = "type")]
    kind: ContractCallTag,
    /// The contract.
    contract_address: Address,
    /// Its interface.
    contract_abi: ContractAbi,
    /// The function: its name, or its full signature, such as `mint(address,uint256)`, where several have the name.
    function_name: String,
    /// Its arguments, in order.
    function_args: Arguments,
    /// Native currency sent along, in wei; nothing when absent.
    amount: Option<Wei>,
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
    /// The contract's interface, to name what the data says. Where the bytes do not fit it, it is not used.
    contract_abi: Option<ContractAbi>,
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
            TransferErc20Action::register(registry);
            ContractCallAction::register(registry);
            RawAction::register(registry);
            let to = |name: &str, schema: MetaSchemaRef| {
                (name.to_owned(), format!("#/components/schemas/{}", schema.unwrap_reference()))
            };
            MetaSchema {
                description: Some("What an agent asks for, told apart by `type`. New types may be added."),
                one_of: vec![
                    TransferAction::schema_ref(),
                    TransferErc20Action::schema_ref(),
                    ContractCallAction::schema_ref(),
                    RawAction::schema_ref(),
                ],
                discriminator: Some(MetaDiscriminatorObject {
                    property_name: "type",
                    mapping: vec![
                        to("transfer", TransferAction::schema_ref()),
                        to("transfer_erc20", TransferErc20Action::schema_ref()),
                        to("contract_call", ContractCallAction::schema_ref()),
                        to("raw", RawAction::schema_ref()),
                    ],
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
            value::Action::TransferErc20(action) => {
                let value::TransferErc20Action { token_address, to_address, amount } = action;
                TransferErc20Action { kind: TransferErc20Tag, token_address, to_address, amount }.to_json()
            }
            value::Action::ContractCall(action) => {
                let kind = ContractCallTag;
                let value::ContractCallAction { contract_address, contract_abi, function_name, function_args, amount } =
                    action;
                ContractCallAction { kind, contract_address, contract_abi, function_name, function_args, amount }
                    .to_json()
            }
            value::Action::Raw(value::RawAction { to_address, amount, data, contract_abi }) => {
                RawAction { kind: RawTag, to_address, amount, data, contract_abi }.to_json()
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
    #[serde(default, deserialize_with = "present")]
    token_address: Option<Address>,
    #[serde(default, deserialize_with = "present")]
    contract_address: Option<Address>,
    #[serde(default, deserialize_with = "present")]
    contract_abi: Option<ContractAbi>,
    #[serde(default, deserialize_with = "present")]
    function_name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    function_args: Option<Arguments>,
    #[serde(default, deserialize_with = "present")]
    amount: Option<Wei>,
    #[serde(default, deserialize_with = "present")]
    data: Option<CallData>,
}

// Read from a string: serde's own reading of an enum would also take the object `{"transfer": null}`.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
enum Kind {
    Transfer,
    TransferErc20,
    ContractCall,
    Raw,
}

impl TryFrom<String> for Kind {
    type Error = value::Invalid;

    fn try_from(text: String) -> Result<Self, value::Invalid> {
        match text.as_str() {
            "transfer" => Ok(Self::Transfer),
            "transfer_erc20" => Ok(Self::TransferErc20),
            "contract_call" => Ok(Self::ContractCall),
            "raw" => Ok(Self::Raw),
            _ => Err(value::Invalid("expected `transfer`, `transfer_erc20`, `contract_call` or `raw`")),
        }
    }
}

impl Fields {
    /// The action. Fails with the name of the field that is missing or that this type does not have.
    fn into_action(mut self) -> Result<value::Action, String> {
        let action = match self.kind {
            Kind::Transfer => value::Action::Transfer(value::TransferAction {
                to_address: need("to_address", &mut self.to_address)?,
                amount: need("amount", &mut self.amount)?,
            }),
            Kind::TransferErc20 => value::Action::TransferErc20(value::TransferErc20Action {
                token_address: need("token_address", &mut self.token_address)?,
                to_address: need("to_address", &mut self.to_address)?,
                amount: TokenAmount(need("amount", &mut self.amount)?.0),
            }),
            Kind::ContractCall => value::Action::ContractCall(value::ContractCallAction {
                contract_address: need("contract_address", &mut self.contract_address)?,
                contract_abi: need("contract_abi", &mut self.contract_abi)?,
                function_name: need("function_name", &mut self.function_name)?,
                function_args: need("function_args", &mut self.function_args)?,
                amount: self.amount.take(),
            }),
            Kind::Raw => value::Action::Raw(value::RawAction {
                to_address: self.to_address.take(),
                amount: need("amount", &mut self.amount)?,
                data: need("data", &mut self.data)?,
                contract_abi: self.contract_abi.take(),
            }),
        };
        match (self.left_over(), &action) {
            (Some(field), _) => Err(format!("this type of action has no `{field}`")),
            (None, value::Action::Raw(raw)) if raw.to_address.is_none() && raw.data.0.is_empty() => {
                Err("a deployment needs init code in `data`".to_owned())
            }
            (None, _) => Ok(action),
        }
    }

    fn left_over(&self) -> Option<&'static str> {
        let given = [
            ("to_address", self.to_address.is_some()),
            ("token_address", self.token_address.is_some()),
            ("contract_address", self.contract_address.is_some()),
            ("contract_abi", self.contract_abi.is_some()),
            ("function_name", self.function_name.is_some()),
            ("function_args", self.function_args.is_some()),
            ("amount", self.amount.is_some()),
            ("data", self.data.is_some()),
        ];
        given.into_iter().find_map(|(field, given)| given.then_some(field))
    }
}

fn need<T>(name: &str, field: &mut Option<T>) -> Result<T, String> {
    field.take().ok_or_else(|| format!("missing field `{name}`"))
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

        deserializer.deserialize_map(Object)?.into_action().map(Self).map_err(D::Error::custom)
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
            r#"{"type":"transfer_erc20","token_address":"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359","to_address":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed","amount":"1"}"#,
            r#"{"type":"contract_call","contract_address":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed","contract_abi":"function f(uint8)","function_name":"f","function_args":["1"],"amount":"2"}"#,
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
            r#"{"type":"transfer_erc20","to_address":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed","amount":"1"}"#,
            r#"{"type":"contract_call","contract_address":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed","contract_abi":"f()","function_name":"f"}"#,
            r#"{"type":"mint","amount":"0","data":"0x60"}"#,
            r#"{"amount":"0","data":"0x60"}"#,
            r#"["raw",null,"0","0x60"]"#,
        ] {
            assert!(serde_json::from_str::<Action>(text).is_err(), "{text}");
        }
    }
}
