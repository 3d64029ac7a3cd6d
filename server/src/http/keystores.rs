//! Keys in and out.

use std::borrow::Cow;

use poem_openapi::{
    Object, OpenApi,
    payload::Json,
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Tag,
    answers::Creation,
    auth::UserAuth,
    body::{Body, present},
    idempotency::Idempotency,
    problem::Problem,
    schema::schema,
    wallets::Wallet,
};
use crate::{
    domain::keystores,
    state::State,
    value::{Address, Label, Password, TotpCode},
};

/// Operations on keys.
pub struct KeystoresApi(pub State);

/// A Web3 Secret Storage file.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Map<String, Value>")]
struct Keystore(Value);

impl From<Map<String, Value>> for Keystore {
    fn from(fields: Map<String, Value>) -> Self {
        Self(Value::Object(fields))
    }
}

schema!(
    Keystore,
    "Keystore",
    MetaSchema {
        description: Some(
            "A Web3 Secret Storage file of version 3: aes-128-ctr under scrypt (at most 256 MiB and 2^22 steps) or \
             pbkdf2 (at most 2000000 rounds).",
        ),
        ..MetaSchema::new("object")
    }
);

impl ToJSON for Keystore {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.clone())
    }
}

impl ParseFromJSON for Keystore {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value {
            Some(Value::Object(fields)) => Ok(fields.into()),
            _ => Err(ParseError::custom("not valid")),
        }
    }
}

/// Which wallet's key to give out, and under what.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
struct ExportWallet {
    /// The user's password.
    #[oai(write_only)]
    password: Password,
    /// The code of the user's authenticator app. One code is good for one export.
    #[oai(write_only)]
    mfa_code: TotpCode,
    /// The wallet's account.
    address: Address,
    /// What the file is encrypted with; as strong as a password here has to be.
    #[oai(write_only)]
    keystore_passphrase: Password,
}

/// A key under a passphrase.
#[derive(Debug, Object)]
struct ExportedWallet {
    /// The file. With its passphrase it signs anywhere, without this server.
    keystore: Keystore,
}

/// A key to take in.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
struct ImportWallet {
    /// The user's password.
    #[oai(write_only)]
    password: Password,
    /// The code of the user's authenticator app. One code is good for one import.
    #[oai(write_only)]
    mfa_code: TotpCode,
    /// The file.
    #[oai(write_only)]
    keystore: Keystore,
    /// What it is encrypted with.
    #[oai(write_only)]
    keystore_passphrase: Password,
    /// What to call the wallet.
    #[serde(default, deserialize_with = "present")]
    label: Option<Label>,
}

#[OpenApi(prefix_path = "/api", tag = "Tag::Wallets")]
impl KeystoresApi {
    /// Give a wallet's key out
    ///
    /// Only encrypted, as a Web3 Secret Storage file that geth, cast and others read. The wallet stays here.
    #[oai(path = "/export_wallet", method = "post", operation_id = "export_wallet")]
    async fn export_wallet(
        &self,
        UserAuth(user): UserAuth,
        Body(request): Body<ExportWallet>,
    ) -> Result<Json<ExportedWallet>, Problem> {
        let ExportWallet { password, mfa_code: code, address, keystore_passphrase: passphrase } = request;
        let export = keystores::Export { address, password, code, passphrase };
        Ok(Json(ExportedWallet { keystore: Keystore(keystores::export(&self.0, &user, export).await?) }))
    }

    /// Bring a key
    ///
    /// Makes a wallet of the key in a Web3 Secret Storage file, sealed like one that was made here.
    #[oai(path = "/import_wallet", method = "post", operation_id = "import_wallet")]
    async fn import_wallet(
        &self,
        UserAuth(user): UserAuth,
        /// Repeats of a request with the same key make nothing twice.
        #[oai(name = "Idempotency-Key")]
        Idempotency(idempotency_key): Idempotency,
        Body(request): Body<ImportWallet>,
    ) -> Result<Creation<Wallet>, Problem> {
        let ImportWallet { password, mfa_code: code, keystore, keystore_passphrase: passphrase, label } = request;
        let keystore = keystore.0;
        let import = keystores::Import { keystore, passphrase, label, password, code, idempotency_key };
        Ok(Creation::of(keystores::import(&self.0, &user, import).await?, Wallet::from))
    }
}
