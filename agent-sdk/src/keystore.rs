//! Keys in and out, as Web3 Secret Storage files.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::call::Call;
use crate::{Error, Secret};

/// A key to bring: a Web3 Secret Storage file of version 3, as geth, cast, ethers and eth-account
/// write it, with its passphrase.
///
/// It carries an idempotency key from the start: cloned or sent again, it is the same request.
#[derive(Clone, Debug)]
pub struct ImportWallet {
    keystore: Value,
    passphrase: Secret,
    label: Option<String>,
    idempotency_key: String,
}

impl ImportWallet {
    /// The file, parsed, and its passphrase.
    #[must_use]
    pub fn new(keystore: Value, passphrase: impl Into<Secret>) -> Self {
        let idempotency_key = Uuid::now_v7().to_string();
        Self { keystore, passphrase: passphrase.into(), label: None, idempotency_key }
    }

    /// The user's name for the wallet: 1 to 64 characters.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Use this idempotency key (1 to 255 visible ASCII characters) instead of a random one.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = key.into();
        self
    }

    /// The request. Repeating it does no harm: a known key answers before anything else is looked
    /// at.
    pub(crate) fn call(&self, password: &Secret, mfa_code: &Secret) -> Result<Call, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            password: &'a str,
            mfa_code: &'a str,
            keystore: &'a Value,
            keystore_passphrase: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            label: Option<&'a str>,
        }
        let Self { keystore, passphrase, label, idempotency_key } = self;
        let body = Body {
            password: password.expose(),
            mfa_code: mfa_code.expose(),
            keystore,
            keystore_passphrase: passphrase.expose(),
            label: label.as_deref(),
        };
        Call::post("api/import_wallet", &body)?.idempotency_key(idempotency_key)
    }
}

/// The answer to an export.
#[derive(Deserialize)]
pub(crate) struct Exported {
    pub(crate) keystore: Value,
}
