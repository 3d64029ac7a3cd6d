//! How the small types look on the wire and in the specification.

use std::borrow::Cow;

use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type},
};
use serde_json::Value;

use super::schema::{formatted, hash, id, integer, pattern, schema, sized, text};
use crate::value::{
    Address, AgentId, Arguments, AssetKind, BlockHash, CallData, ChainId, ChangeDirection, ContractAbi, DecodingSource,
    Digest, Evidence, Execute, Gas, IdempotencyKey, Label, MfaCode, Nonce, Password, Severity, SimulationMethod,
    SimulationOutcome, Status, Text, Time, TokenAmount, TokenStandard, TotpCode, TransactionHash, TransactionId,
    UserId, Username, WaitingReason, WalletId, Wei,
};

/// What poem-openapi's derive asks for; bodies are really read by `Body`.
macro_rules! read_json {
    ($($type:ty),+ $(,)?) => {$(
        impl ParseFromJSON for $type {
            fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
                serde_json::from_value(value.unwrap_or_default()).map_err(|_| ParseError::custom("not valid"))
            }
        }
    )+};
}

/// A type that is a JSON string, or an integer, both ways, and may be a parameter.
macro_rules! both_ways {
    ($($type:ty),+ $(,)?) => {$(
        impl ToJSON for $type {
            fn to_json(&self) -> Option<Value> {
                serde_json::to_value(self).ok()
            }
        }

        impl ParseFromParameter for $type {
            fn parse_from_parameter(value: &str) -> ParseResult<Self> {
                value.parse().map_err(ParseError::custom)
            }
        }
    )+};
}

/// A type that is any JSON, and never a parameter.
macro_rules! json_both_ways {
    ($($type:ty),+ $(,)?) => {$(
        impl ToJSON for $type {
            fn to_json(&self) -> Option<Value> {
                serde_json::to_value(self).ok()
            }
        }
    )+};
}

/// A type that callers only read.
macro_rules! answered {
    ($type:ty, $written:expr) => {
        impl ToJSON for $type {
            fn to_json(&self) -> Option<Value> {
                let written: fn(&Self) -> Value = $written;
                Some(written(self))
            }
        }

        impl ParseFromJSON for $type {
            fn parse_from_json(_value: Option<Value>) -> ParseResult<Self> {
                Err(ParseError::custom("only answered"))
            }
        }
    };
}

schema!(
    Address,
    "Address",
    pattern(
        "An account: 0x and 40 hex digits. Mixed case must satisfy EIP-55; answers always do.",
        "^0x[0-9a-fA-F]{40}$",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    )
);
schema!(
    Wei,
    "Wei",
    pattern(
        "An amount in wei: decimal digits, at most 2^256 - 1, without leading zeros.",
        "^(0|[1-9][0-9]{0,77})$",
        "1000000000000000000"
    )
);
schema!(
    TokenAmount,
    "TokenAmount",
    pattern(
        "An amount in the smallest unit of its asset, or an id: decimal digits, at most 2^256 - 1, without leading \
         zeros.",
        "^(0|[1-9][0-9]{0,77})$",
        "25000000"
    )
);
schema!(
    ContractAbi,
    "ContractAbi",
    MetaSchema {
        description: Some(
            "A contract's interface: a JSON ABI (an array of entries, or one entry), or a string that holds such JSON \
             or a human-readable signature such as `function stake(uint256 amount)`, or an array of such signatures. At \
             most 262144 bytes and 16 levels deep.",
        ),
        example: Some("function stake(uint256 amount)".into()),
        ..MetaSchema::ANY
    }
);
schema!(
    Arguments,
    "Arguments",
    MetaSchema {
        description: Some(
            "Arguments in order. Numbers as decimal or 0x strings, or as JSON integers up to 2^53; addresses and bytes \
             as 0x strings; tuples as arrays, or objects by component names. At most 262144 bytes and 16 levels deep.",
        ),
        items: Some(Box::new(MetaSchemaRef::Inline(Box::new(MetaSchema::ANY)))),
        ..MetaSchema::new("array")
    }
);
schema!(
    CallData,
    "CallData",
    pattern(
        "Bytes: 0x and an even number of hex digits, at most 131072 bytes.",
        "^0x([0-9a-fA-F]{2}){0,131072}$",
        "0xd0e30db0"
    )
);
schema!(Digest, "Digest", hash("SHA-256 over everything that decides what a transaction does."));
schema!(TransactionHash, "TransactionHash", hash("The hash of a signed transaction."));
schema!(BlockHash, "BlockHash", hash("The hash of a block."));
schema!(UserId, "UserId", id("A user."));
schema!(AgentId, "AgentId", id("An agent."));
schema!(WalletId, "WalletId", id("A wallet."));
schema!(TransactionId, "TransactionId", id("A transaction."));
schema!(ChainId, "ChainId", integer("An EIP-155 chain id.", 1, ChainId::MAX));
schema!(
    TotpCode,
    "TotpCode",
    pattern("The six digits that the authenticator app shows (RFC 6238).", "^[0-9]{6}$", "492039")
);
schema!(MfaCode, "MfaCode", sized(6..=64, text("Six digits of the authenticator app, or a backup code.", "492039")));
schema!(
    Password,
    "Password",
    sized(
        1..=1024,
        formatted("A password, at most 1024 bytes in UTF-8. One that is chosen has at least 12.", "password", "")
    )
);
schema!(
    Username,
    "Username",
    sized(
        3..=64,
        pattern(
            "3 to 64 letters, digits, dots, underscores, dashes, beginning with a letter or digit; kept in lower case.",
            "^[a-zA-Z0-9][a-zA-Z0-9._-]*$",
            "ada"
        )
    )
);
schema!(
    Label,
    "Label",
    sized(
        1..=64,
        text(
            "1 to 64 characters; no control, invisible or direction-changing ones, no space at either end.",
            "savings"
        )
    )
);
schema!(
    Text,
    "Text",
    sized(
        0..=280,
        text("At most 280 characters; control, invisible and direction-changing ones are taken out.", "March invoice")
    )
);
schema!(
    IdempotencyKey,
    "IdempotencyKey",
    sized(1..=255, pattern("1 to 255 visible ASCII characters.", "^[!-~]+$", "5f1c7a90-invoice-2026-03"))
);
schema!(
    Status,
    "Status",
    text(
        "`pending`, `authorized`, `submitted` and `mined` go on; `confirmed`, `reverted`, `rejected`, `expired`, \
     `cancelled`, `superseded` and `failed` are final. New words may be added.",
        "pending"
    )
);
schema!(
    Time,
    "Time",
    formatted("A time in UTC (RFC 3339), to the microsecond.", "date-time", "2026-11-23T10:00:00.123456Z")
);

schema!(Gas, "Gas", integer("An amount of gas.", 0, 1 << 53));
schema!(Nonce, "Nonce", integer("The number of an account's transaction, from 0.", 0, 1 << 53));
schema!(Severity, "Severity", text("How much it matters: `low`, `medium` or `high`. New words may be added.", "high"));
schema!(
    WaitingReason,
    "WaitingReason",
    text(
        "`decision`, `execution`, `in_pool`, `not_sent`, `fee_too_low`, `insufficient_funds`, `behind_nonce`, \
     `node_unreachable`, `refused`, `finality`, `nonce_used_elsewhere` or `needs_owner`. New words may be added.",
        "decision"
    )
);

schema!(Execute, "Execute", text("`agent`, when it is ready, or `on_approval`, at once.", "agent"));
schema!(
    Evidence,
    "Evidence",
    text(
        "`single`: one node has shown it; `agreed`: several have, and none anything else; `owner`: its owner said so. \
     New words may be added.",
        "single"
    )
);

schema!(
    DecodingSource,
    "DecodingSource",
    text(
        "Where names come from: `standard`, a public standard; `given_abi`, the caller's ABI, whose words are the \
         caller's. New words may be added.",
        "standard"
    )
);
schema!(
    TokenStandard,
    "TokenStandard",
    text("`erc20`, `erc721`, `erc1155` or `unknown`, as the contract says. New words may be added.", "erc20")
);
schema!(
    ChangeDirection,
    "ChangeDirection",
    text(
        "`sends`: it leaves the wallet; `receives`: it reaches the wallet; `allows`: somebody may take it from then on. \
         New words may be added.",
        "sends"
    )
);
schema!(AssetKind, "AssetKind", text("`native`, `erc20`, `erc721` or `erc1155`. New words may be added.", "erc20"));
schema!(
    SimulationMethod,
    "SimulationMethod",
    text(
        "`eth_simulateV1`: with everything it moves; `eth_call`: only whether it succeeds. New words may be added.",
        "eth_simulateV1"
    )
);
schema!(
    SimulationOutcome,
    "SimulationOutcome",
    text("`success`, `reverted`, or `unknown` when it could not be tried. New words may be added.", "success")
);

answered!(Time, |time| time.to_string().into());
answered!(Gas, |gas| gas.0.into());
answered!(Nonce, |nonce| nonce.0.into());

both_ways!(
    Address,
    Wei,
    CallData,
    Digest,
    TransactionHash,
    BlockHash,
    UserId,
    AgentId,
    WalletId,
    TransactionId,
    ChainId,
    Username,
    Label,
    Text,
    Status,
    Severity,
    WaitingReason,
    Execute,
    Evidence,
    TokenAmount,
    DecodingSource,
    TokenStandard,
    ChangeDirection,
    AssetKind,
    SimulationMethod,
    SimulationOutcome,
);
read_json!(
    Address,
    Wei,
    CallData,
    Digest,
    TransactionHash,
    BlockHash,
    UserId,
    AgentId,
    WalletId,
    TransactionId,
    ChainId,
    Username,
    Label,
    Text,
    Status,
    Severity,
    WaitingReason,
    Execute,
    Evidence,
    TokenAmount,
    DecodingSource,
    TokenStandard,
    ChangeDirection,
    AssetKind,
    SimulationMethod,
    SimulationOutcome,
    ContractAbi,
    Arguments,
    TotpCode,
    MfaCode,
    Password,
);
json_both_ways!(ContractAbi, Arguments);
