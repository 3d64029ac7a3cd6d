//! Wallets and what they hold.

use poem_openapi::{Object, OpenApi, param::Query, payload::Json};
use serde::Deserialize;

use super::{
    Tag,
    answers::{Creation, Cursor, Limit, List, page},
    auth::{CallerAuth, UserAuth},
    body::{Body, present},
    idempotency::Idempotency,
    problem::Problem,
};
use crate::{
    domain::{Caller, wallets},
    state::State,
    value::{Address, ChainId, Label, Password, Time, TotpCode, WalletId, Wei},
};

/// Operations on wallets.
pub struct WalletsApi(pub State);

/// A wish for a new wallet.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
struct CreateWallet {
    /// The caller's password.
    #[oai(write_only)]
    password: Password,
    /// What to call it.
    #[serde(default, deserialize_with = "present")]
    label: Option<Label>,
}

/// One key pair of one user. The key itself never leaves the server.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct Wallet {
    /// Which.
    wallet_id: WalletId,
    /// Its account, the same on every chain.
    address: Address,
    /// What its owner calls it.
    label: Option<Label>,
    /// When it was made.
    created_at: Time,
}

impl From<wallets::Wallet> for Wallet {
    fn from(row: wallets::Wallet) -> Self {
        let wallets::Wallet { wallet_id, user_id: _, address, label, secret_key: _, created_at, restored_at: _ } = row;
        Self { wallet_id, address, label, created_at }
    }
}

/// Which wallet to look at. A user gives all three; an agent at most the address.
#[derive(Object, Deserialize)]
#[oai(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
struct LoadWallet {
    /// The user's password; never with an API key.
    #[oai(write_only)]
    #[serde(default, deserialize_with = "present")]
    password: Option<Password>,
    /// The code of the user's authenticator app; never with an API key.
    #[oai(write_only)]
    #[serde(default, deserialize_with = "present")]
    mfa_code: Option<TotpCode>,
    /// The wallet's account. An agent may leave it out when there is only one it may use.
    #[serde(default, deserialize_with = "present")]
    address: Option<Address>,
}

/// A wallet and what it holds.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct LoadedWallet {
    /// Which.
    wallet_id: WalletId,
    /// Its account.
    address: Address,
    /// What its owner calls it.
    label: Option<Label>,
    /// What it holds, on every chain the caller may use.
    balances: Vec<Balance>,
}

/// What a wallet holds on one chain.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Balance {
    /// The chain.
    chain_id: ChainId,
    /// Its name.
    chain: String,
    /// The symbol of its native currency.
    symbol: String,
    /// How much of it, in wei, at the latest block; absent when the chain cannot be reached.
    balance: Option<Wei>,
    /// Whether the chain can be reached.
    available: bool,
}

impl From<wallets::Loaded> for LoadedWallet {
    fn from(loaded: wallets::Loaded) -> Self {
        let wallets::Loaded { wallet, balances } = loaded;
        let Wallet { wallet_id, address, label, created_at: _ } = wallet.into();
        Self { wallet_id, address, label, balances: balances.into_iter().map(Balance::from).collect() }
    }
}

impl From<wallets::Balance> for Balance {
    fn from(row: wallets::Balance) -> Self {
        let wallets::Balance { chain_id, chain, symbol, balance } = row;
        Self { chain_id, chain, symbol, balance, available: balance.is_some() }
    }
}

#[OpenApi(prefix_path = "/api", tag = "Tag::Wallets")]
impl WalletsApi {
    /// Create a wallet
    ///
    /// Makes a key pair that only its owner's presence opens.
    #[oai(path = "/create_wallet", method = "post", operation_id = "create_wallet")]
    async fn create_wallet(
        &self,
        UserAuth(user): UserAuth,
        /// Repeats of a request with the same key make nothing twice.
        #[oai(name = "Idempotency-Key")]
        Idempotency(idempotency_key): Idempotency,
        Body(request): Body<CreateWallet>,
    ) -> Result<Creation<Wallet>, Problem> {
        let CreateWallet { password, label } = request;
        let new = wallets::NewWallet { password, label, idempotency_key };
        Ok(Creation::of(wallets::create(&self.0, &user, new).await?, Wallet::from))
    }

    /// List wallets
    ///
    /// A user's own, or those that an agent may use, newest first.
    #[oai(path = "/wallets", method = "get", operation_id = "wallets")]
    async fn wallets(
        &self,
        CallerAuth(caller): CallerAuth,
        /// How many at most; 20 when absent.
        Query(limit): Query<Option<Limit>>,
        /// `next_cursor` of the part before.
        Query(cursor): Query<Option<Cursor>>,
    ) -> Result<Json<List<Wallet>>, Problem> {
        let wallets = wallets::list(&self.0, &caller, page(limit, cursor, WalletId)).await?;
        Ok(Json(List::of(wallets, Wallet::from, |id| id.0)))
    }

    /// Look at a wallet and its balances
    ///
    /// With an access token it takes the password and a code, and proves that the wallet's key can be opened. It never
    /// gives the key out.
    #[oai(path = "/load_wallet", method = "post", operation_id = "load_wallet")]
    async fn load_wallet(
        &self,
        CallerAuth(caller): CallerAuth,
        Body(request): Body<LoadWallet>,
    ) -> Result<Json<LoadedWallet>, Problem> {
        let loaded = match (caller, request) {
            (
                Caller::User(user),
                LoadWallet { password: Some(password), mfa_code: Some(code), address: Some(address) },
            ) => wallets::load_for_user(&self.0, &user, password, code, address).await?,
            (Caller::Agent(agent), LoadWallet { password: None, mfa_code: None, address }) => {
                wallets::load_for_agent(&self.0, &agent, address).await?
            }
            (Caller::User(_), _) => return Err(Problem::invalid("a user gives `password`, `mfa_code` and `address`")),
            (Caller::Agent(_), _) => return Err(Problem::invalid("an agent gives no `password` and no `mfa_code`")),
        };
        Ok(Json(loaded.into()))
    }
}
