//! Keys in and out, as Web3 Secret Storage files. No operation ever gives a bare key.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{
    Error, Outcome, Result, attempts::Subject, idempotency::Creation, mfa, passwords, sessions::User, users,
    wallets::Wallet,
};
use crate::{
    keys::{WalletBinding, WalletKey, keystore},
    state::State,
    store::{self, account_marks, audit_log, users as user_rows, wallets},
    value::{Address, IdempotencyKey, Label, Nonce, Password, TotpCode, WalletId},
};

/// A user's wish to have a wallet's key.
#[derive(Debug)]
pub struct Export {
    /// Which wallet.
    pub address: Address,
    /// Proof that its owner asks, not only somebody with their token.
    pub password: Password,
    /// Proof that it is them, good for this once.
    pub code: TotpCode,
    /// What the file is encrypted with.
    pub passphrase: Password,
}

/// Gives a wallet's key out, encrypted. Whoever has file and passphrase signs without this server and without anybody's
/// approval; what they do is noticed by the next approval here.
///
/// Fails with [`Error::WeakPassword`] for the passphrase, [`Error::NotFound`], [`Error::InvalidCredentials`], the errors
/// of a code, [`Error::Integrity`].
pub async fn export(state: &State, user: &User, export: Export) -> Result<Value> {
    let Export { address, password, code, passphrase } = export;
    let row = users::load(state, user).await?;
    if !passphrase.is_strong_for(&row.username) {
        return Err(Error::WeakPassword);
    }
    if row.totp_secret.is_none() {
        return Err(Error::MfaRequired);
    }
    let wallet = wallets::find_by_address(&state.store, user.user_id, address).await?;
    let wallet = wallet.ok_or(Error::NotFound("wallet"))?;
    let user_key = passwords::open(state, &row, &password, Subject::Password(user.user_id)).await?;
    let step = mfa::check(state, &row, &user_key, &code).await?;
    let binding = WalletBinding { user_id: user.user_id, wallet_id: wallet.wallet_id, address };
    let key = WalletKey::open(&state.keys.master, &binding, &user_key, &wallet.secret_key)
        .map_err(|_| Error::Integrity("wallet key"))?;
    let file = keystore::export(&state.keys.kdf, &key, &passphrase).await?;
    // Recorded before it leaves: an export that nobody can find later must not exist.
    let write = state.store.write().await?;
    user_rows::lock(&write, user.user_id).await?;
    let write = step.spend(write).await?;
    let entry = audit_log::Model::by_user(user.user_id, state.clock.now(), "export_wallet").on(wallet.wallet_id.0);
    audit_log::append(&write, entry).await?;
    write.commit().await?;
    Ok(file)
}

/// A user's wish to bring a key.
#[derive(Debug)]
pub struct Import {
    /// The file.
    pub keystore: Value,
    /// What it is encrypted with.
    pub passphrase: Password,
    /// What they call the wallet.
    pub label: Option<Label>,
    /// Proof that it is the user, not only somebody with their token.
    pub password: Password,
    /// Proof that it is them, good for this once.
    pub code: TotpCode,
    /// Names this creation.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// Takes a key in, sealed like one that was made here. What its account has done before is taken as known.
///
/// The password is checked before the file, which may cost as much again, and the code last: whatever fails before
/// leaves it good. Fails with [`Error::InvalidCredentials`], [`Error::Keystore`], [`Error::WalletExists`], the errors of a
/// code, [`Error::IdempotencyMismatch`].
pub async fn import(state: &State, user: &User, import: Import) -> Result<Outcome<Wallet>> {
    let Import { keystore, passphrase, label, password, code, idempotency_key } = import;
    let creation = idempotency_key.map(|key| {
        let request = json!({ "keystore": keystore, "label": label });
        Creation::new(state, user.user_id.0, "import_wallet", key, &request)
    });
    if let Some(known) = known(state, user, creation.as_ref()).await? {
        return Ok(Outcome::Known(known));
    }
    let row = users::load(state, user).await?;
    if row.totp_secret.is_none() {
        return Err(Error::MfaRequired);
    }
    let user_key = passwords::open(state, &row, &password, Subject::Password(user.user_id)).await?;
    let key = keystore::import(&state.keys.kdf, &keystore, &passphrase).await??;
    let step = mfa::check(state, &row, &user_key, &code).await?;
    let history = history(state, key.address()).await;

    let (wallet_id, created_at) = (WalletId::new(), state.clock.now());
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
    let write = step.spend(write).await?;
    wallets::insert(&write, wallet.clone()).await.map_err(|error| match error {
        store::Error::Conflict => Error::WalletExists,
        other => other.into(),
    })?;
    for floor in history {
        account_marks::save(&write, floor).await?;
    }
    let entry = audit_log::Model::by_user(user.user_id, created_at, "import_wallet").on(wallet_id.0);
    audit_log::append(&write, entry).await?;
    write.commit().await?;
    Ok(Outcome::Created(wallet))
}

async fn known(state: &State, user: &User, creation: Option<&Creation>) -> Result<Option<Wallet>> {
    let Some(creation) = creation else { return Ok(None) };
    let Some(id) = creation.find(state).await? else { return Ok(None) };
    let wallet = wallets::find_for_user(&state.store, user.user_id, WalletId(id)).await?;
    wallet.map(Some).ok_or(Error::NotFound("wallet"))
}

/// How far an account was used before it came here, on every chain that answers. On one that does not, the first approval
/// asks its owner.
async fn history(state: &State, address: Address) -> Vec<account_marks::Model> {
    let asked = state.chains.iter().map(async |chain| {
        let nonce = chain.account(address).await.ok()?.nonce;
        let explained_below = Nonce(nonce);
        (nonce > 0).then(|| account_marks::Model { chain_id: chain.id(), address, explained_below })
    });
    join_all(asked).await.into_iter().flatten().collect()
}
