//! The calls that agents and users make alike.

use std::time::Duration;

use alloy::primitives::Address;
use serde::Serialize;
use uuid::Uuid;

use crate::call::Call;
use crate::chain::Chains;
use crate::http::Http;
use crate::{Chain, Error, Page, Paging, Token, Transaction, TransactionFilter, Wallet};

/// The body of the calls about one transaction.
#[derive(Serialize)]
pub(crate) struct TransactionId {
    pub(crate) transaction_id: Uuid,
}

impl Http {
    pub(crate) async fn wallets(&self, paging: Paging) -> Result<Page<Wallet>, Error> {
        self.send(Call::get("api/wallets").query(paging.query())).await
    }

    pub(crate) async fn chains(&self) -> Result<Vec<Chain>, Error> {
        let Chains { items } = self.send(Call::get("api/chains")).await?;
        Ok(items)
    }

    pub(crate) async fn token(&self, chain_id: Option<u64>, address: Address) -> Result<Token, Error> {
        let mut query = vec![("address", address.to_checksum(None))];
        query.extend(chain_id.map(|chain_id| ("chain_id", chain_id.to_string())));
        self.send(Call::get("api/token").query(query)).await
    }

    pub(crate) async fn transactions(&self, filter: TransactionFilter) -> Result<Page<Transaction>, Error> {
        self.send_for_transactions(Call::get("api/transactions").query(filter.query())).await
    }

    pub(crate) async fn status(
        &self,
        transaction_id: Uuid,
        known_version: Option<u64>,
        wait: Duration,
    ) -> Result<Transaction, Error> {
        self.send_for_transaction(Call::status(transaction_id, known_version, wait)).await
    }

    pub(crate) async fn cancel(&self, transaction_id: Uuid, burn: bool) -> Result<Transaction, Error> {
        #[derive(Serialize)]
        struct Body {
            transaction_id: Uuid,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            burn: bool,
        }
        self.send_for_transaction(Call::post("api/cancel_transaction", &Body { transaction_id, burn })?).await
    }
}
