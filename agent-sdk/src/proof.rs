//! What a user proves themselves with.

use alloy::primitives::Address;
use serde::Serialize;

use crate::call::{Call, Repeat};
use crate::{Error, address};

/// What a user proves themselves with, and for what. Each call sets its own fields.
#[derive(Default, Serialize)]
pub(crate) struct Proof<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mfa_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<&'a str>,
    #[serde(with = "address::optional", skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<Address>,
}

/// A POST that spends a code or a password attempt.
pub(crate) fn once(path: &'static str, body: &impl Serialize) -> Result<Call, Error> {
    Ok(Call::post(path, body)?.repeat(Repeat::Unprocessed))
}
