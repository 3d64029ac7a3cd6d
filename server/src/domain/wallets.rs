//! Key pairs and what they hold.

use futures_util::future::join_all;
use serde_json::json;

use super::{
    Agent, Caller, Error, Outcome, Page, PageOf, Result, attempts::Subject, idempotency::Creation, mfa, passwords,
    sessions::User, users,
};
use crate::{
    keys::{WalletBinding, WalletKey},
    state::State,
    store::{audit_log, users as user_rows, wallets},
    value::{Address, ChainId, IdempotencyKey, Label, Password, TotpCode, WalletId, Wei},
};

/// A key pair.
pub type Wallet = wallets::Model;

/// What a user asks for with a new wallet.
#[derive(Debug)]
pub struct NewWallet {
    /// Proof that its owner asks, not only somebody with their token.
    pub password: Password,
    /// What they call it.
    pub label: Option<Label>,
    /// Names this creation.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// Makes a key pair that only its owner's presence opens.
///
/// Fails with [`Error::InvalidCredentials`], [`Error::RateLimited`], [`Error::IdempotencyMismatch`].
pub async fn create(state: &State, user: &User, new: NewWallet) -> Result<Outcome<wallets::Model>> {
    let NewWallet { password, label, idempotency_key } = new;
    let creation = idempotency_key
        .map(|key| Creation::new(state, user.user_id.0, "create_wallet", key, &json!({ "label": label })));
    if let Some(known) = known(state, user, creation.as_ref()).await? {
        return Ok(Outcome::Known(known));
    }
    let row = users::load(state, user).await?;
    let user_key = passwords::open(state, &row, &password, Subject::Password(user.user_id)).await?;
    let (wallet_id, key) = (WalletId::new(), WalletKey::generate());
    let created_at = state.clock.now();
    let wallet = wallets::Model {
        wallet_id,
        user_id: user.user_id,
        address: key.address(),
        label,
        secret_key: key.seal(&state.keys.master, user.user_id, wallet_id, &user_key),
        created_at,
        restored_at: None,
    };
    let write = state.store.write().await?;
    user_rows::lock(&write, user.user_id).await?;
    if let Some(creation) = &creation
        && !creation.bind(&write, wallet_id.0, created_at).await?
    {
        drop(write);
        return known(state, user, Some(creation)).await?.map(Outcome::Known).ok_or(Error::Busy);
    }
    wallets::insert(&write, wallet.clone()).await?;
    let entry = audit_log::Model::by_user(user.user_id, created_at, "create_wallet").on(wallet_id.0);
    audit_log::append(&write, entry).await?;
    write.commit().await?;
    Ok(Outcome::Created(wallet))
}

async fn known(state: &State, user: &User, creation: Option<&Creation>) -> Result<Option<wallets::Model>> {
    let Some(creation) = creation else { return Ok(None) };
    let Some(id) = creation.find(state).await? else { return Ok(None) };
    let wallet = wallets::find_for_user(&state.store, user.user_id, WalletId(id)).await?;
    wallet.map(Some).ok_or(Error::NotFound("wallet"))
}

/// The caller's wallets: all of a user's, or those an agent may ask for.
pub async fn list(state: &State, caller: &Caller, page: Page<WalletId>) -> Result<PageOf<wallets::Model, WalletId>> {
    let only = match caller {
        Caller::User(_) => None,
        Caller::Agent(agent) => agent.wallets.as_ref().map(|wallets| wallets.0.as_slice()),
    };
    let rows = wallets::list_for_user(&state.store, caller.user_id(), only, page.before, page.limit + 1).await?;
    Ok(PageOf::from_one_more(rows, page.limit, |wallet| wallet.wallet_id))
}

/// A wallet and what it holds.
#[derive(Debug)]
pub struct Loaded {
    /// The wallet.
    pub wallet: wallets::Model,
    /// On every chain the caller may use, by chain id.
    pub balances: Vec<Balance>,
}

/// What a wallet holds on one chain.
#[derive(Debug)]
pub struct Balance {
    /// The chain.
    pub chain_id: ChainId,
    /// Its name.
    pub chain: String,
    /// The symbol of its native currency.
    pub symbol: String,
    /// How much of it, at the latest block; none when the chain cannot be reached.
    pub balance: Option<Wei>,
}

/// A user's own look at a wallet. It opens the key once, so that a damaged record is found before it is needed.
///
/// Fails with [`Error::NotFound`], [`Error::InvalidCredentials`], the errors of a code, [`Error::Integrity`].
pub async fn load_for_user(
    state: &State,
    user: &User,
    password: Password,
    code: TotpCode,
    address: Address,
) -> Result<Loaded> {
    let wallet = wallets::find_by_address(&state.store, user.user_id, address).await?;
    let wallet = wallet.ok_or(Error::NotFound("wallet"))?;
    let row = users::load(state, user).await?;
    let user_key = passwords::open(state, &row, &password, Subject::Password(user.user_id)).await?;
    let step = mfa::check(state, &row, &user_key, &code).await?;
    let master = &state.keys.master;
    let binding = WalletBinding { user_id: user.user_id, wallet_id: wallet.wallet_id, address };
    WalletKey::open(master, &binding, &user_key, &wallet.secret_key).map_err(|_| Error::Integrity("wallet key"))?;
    let write = state.store.write().await?;
    user_rows::lock(&write, user.user_id).await?;
    step.spend(write).await?.commit().await?;
    let balances = balances(state, address, None).await;
    Ok(Loaded { wallet, balances })
}

/// An agent's look at a wallet it may ask for: `address`, or its only one.
///
/// Fails with [`Error::NotFound`], and [`Error::Invalid`] when it has several and names none.
pub async fn load_for_agent(state: &State, agent: &Agent, address: Option<Address>) -> Result<Loaded> {
    let wallet = find_for_agent(state, agent, address).await?;
    let chains = agent.chains.as_ref().map(|chains| chains.0.as_slice());
    let balances = balances(state, wallet.address, chains).await;
    Ok(Loaded { wallet, balances })
}

/// The wallet an agent means.
pub(super) async fn find_for_agent(state: &State, agent: &Agent, address: Option<Address>) -> Result<wallets::Model> {
    let allowed = agent.wallets.as_ref().map(|wallets| wallets.0.as_slice());
    if let Some(address) = address {
        if allowed.is_some_and(|allowed| !allowed.contains(&address)) {
            return Err(Error::NotFound("wallet"));
        }
        let wallet = wallets::find_by_address(&state.store, agent.user_id, address).await?;
        return wallet.ok_or(Error::NotFound("wallet"));
    }
    let mut rows = wallets::list_for_user(&state.store, agent.user_id, allowed, None, 2).await?;
    match (rows.pop(), rows.pop()) {
        (Some(wallet), None) => Ok(wallet),
        (None, _) => Err(Error::NotFound("wallet")),
        _ => Err(Error::Invalid("address: required, because there are several wallets")),
    }
}

async fn balances(state: &State, address: Address, only: Option<&[ChainId]>) -> Vec<Balance> {
    let chains = state.chains.iter().filter(|chain| only.is_none_or(|only| only.contains(&chain.id())));
    join_all(chains.map(async |chain| Balance {
        chain_id: chain.id(),
        chain: chain.name().to_owned(),
        symbol: chain.symbol().to_owned(),
        balance: chain.account(address).await.ok().map(|account| account.balance),
    }))
    .await
}
