//! A human approves what an agent prepared, one transaction or several at once.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::{
    Actor, Change, Transaction, decide,
    sign::{self, Signing},
    view,
};
use crate::{
    domain::{
        Error, Result, User, digest,
        mfa::{self, Step},
        preview::{self, Effect, Facts, Sight},
        tracking, users,
    },
    keys::WalletKey,
    state::State,
    store::{
        recipients,
        transactions::{self, Model},
    },
    value::{Digest, Status, TotpCode, TransactionId},
};

/// How many transactions one code may approve at once.
const LARGEST_BATCH: usize = 20;

/// How often an approval tries again when the tracker took its nonce in the same moment.
const TRIES: usize = 3;

/// A human's yes to one transaction.
#[derive(Debug)]
pub struct Approval {
    /// To what.
    pub transaction_id: TransactionId,
    /// What they saw; none: whatever is stored.
    pub digest: Option<Digest>,
    /// The codes of what they were warned of and accept.
    pub acknowledge: Vec<String>,
}

/// Signs the fee ladder and the cancel of a transaction. Nothing is sent.
///
/// The checks come in the order of docs/SECURITY.md, the code last: whatever fails before it leaves the code good.
/// Fails with [`Error::NotFound`], [`Error::InvalidState`], [`Error::Expired`], [`Error::DigestMismatch`],
/// [`Error::ChainUnavailable`], [`Error::PreviewChanged`], [`Error::AcknowledgementRequired`],
/// [`Error::NonceUsedElsewhere`], [`Error::InsufficientFunds`], and the errors of a code.
pub async fn authorize(state: &State, user: &User, approval: Approval, code: TotpCode) -> Result<Transaction> {
    let approved = authorize_each(state, user, vec![approval], code).await.map_err(|error| match error {
        Error::InBatch { error, .. } => *error,
        other => other,
    })?;
    approved.into_iter().next().ok_or(Error::Integrity("approval"))
}

/// The same for several transactions with one code: all or none. What concerns one of them fails with
/// [`Error::InBatch`].
pub async fn authorize_all(
    state: &State,
    user: &User,
    approvals: Vec<Approval>,
    code: TotpCode,
) -> Result<Vec<Transaction>> {
    let ids: BTreeSet<_> = approvals.iter().map(|approval| approval.transaction_id.0).collect();
    if approvals.is_empty() || approvals.len() > LARGEST_BATCH || ids.len() < approvals.len() {
        return Err(Error::Invalid("transactions: expected 1 to 20, each once"));
    }
    authorize_each(state, user, approvals, code).await
}

async fn authorize_each(
    state: &State,
    user: &User,
    approvals: Vec<Approval>,
    code: TotpCode,
) -> Result<Vec<Transaction>> {
    let ids: Vec<_> = approvals.iter().map(|approval| approval.transaction_id).collect();
    let mut open = Vec::with_capacity(approvals.len());
    for approval in approvals {
        let id = approval.transaction_id;
        if let Some(row) = find_open(state, user, &approval).await.map_err(|error| in_batch(id, error))? {
            open.push((row, approval.acknowledge));
        }
    }
    if !open.is_empty() {
        if users::load(state, user).await?.totp_secret.is_none() {
            return Err(Error::MfaRequired);
        }
        let looks = open.into_iter().map(|(row, acknowledge)| look_again(state, row, acknowledge));
        let candidates = try_join_all(looks).await?;
        decide_on(state, user, code, candidates).await?;
    }
    let mut approved = Vec::with_capacity(ids.len());
    for id in ids {
        approved.push(view(state, super::find_for_user(state, user, id).await?).await?);
    }
    Ok(approved)
}

fn in_batch(transaction_id: TransactionId, error: Error) -> Error {
    Error::InBatch { transaction_id, error: Box::new(error) }
}

/// The transaction, when it waits for this decision; none when it was approved before.
async fn find_open(state: &State, user: &User, approval: &Approval) -> Result<Option<Model>> {
    let row = super::find_for_user(state, user, approval.transaction_id).await?;
    if decide::is_approved(&row)? {
        return Ok(None);
    }
    if decide::expire_if_late(state, &row).await? {
        return Err(Error::Expired);
    }
    if approval.digest.is_some_and(|digest| digest != row.digest) {
        return Err(Error::DigestMismatch);
    }
    Ok(Some(row))
}

/// A transaction whose every check but the code has passed.
#[derive(Debug)]
pub(in crate::domain) struct Candidate {
    pub(in crate::domain) row: Model,
    pub(in crate::domain) facts: Facts,
    pub(in crate::domain) acknowledge: Vec<String>,
}

/// Asks the chain what the transaction would do and cost now, and whether that is still what was shown.
async fn look_again(state: &State, row: Model, acknowledge: Vec<String>) -> Result<Candidate> {
    let id = row.transaction_id;
    let look = async {
        let chain = crate::domain::chains::served(state, row.chain_id)?;
        let effect = Effect::stored(&row);
        let sight = Sight::ask(chain, row.address, &row.action.0, &effect).await?;
        let free = tracking::free_balance(&state.store, &row, &sight.facts.account).await?;
        let mut now = row.clone();
        sight.describe(state, chain, &mut now, free).await?;
        if !sight.facts.fit(&row) || preview::is_worse(&row, &now) {
            let mut now = repriced(&row, &sight.facts);
            sight.describe(state, chain, &mut now, free).await?;
            let refreshed = refresh(state, &row, now).await?;
            return Err(Error::PreviewChanged(Box::new(view(state, refreshed).await?)));
        }
        let missing = preview::unacknowledged(&row.warnings.0, &acknowledge);
        // A balance that is too low is refused by itself, acknowledged or not.
        let missing: Vec<_> = missing.into_iter().filter(|code| code != "insufficient_balance").collect();
        if !missing.is_empty() {
            let transaction = Box::new(view(state, row.clone()).await?);
            return Err(Error::AcknowledgementRequired { codes: missing, transaction });
        }
        Ok(sight.facts)
    };
    let facts = look.await.map_err(|error| in_batch(id, error))?;
    Ok(Candidate { row, facts, acknowledge })
}

/// The transaction at today's price.
pub(in crate::domain) fn repriced(row: &Model, facts: &Facts) -> Model {
    let caps = facts.caps();
    Model {
        gas_limit: facts.gas_limit(&Effect::stored(row)).unwrap_or(row.gas_limit),
        max_fee_per_gas: caps.max_fee_per_gas.into(),
        max_priority_fee_per_gas: caps.max_priority_fee_per_gas.into(),
        ..row.clone()
    }
}

/// Stores the transaction as it would be now, under a new digest.
pub(in crate::domain) async fn refresh(state: &State, row: &Model, mut now: Model) -> Result<Model> {
    now.digest = digest::digest(&now);
    let change = Change::begin(state, row.user_id).await?;
    let now = change.save(Actor::Server, "preview_changed", row, now).await?;
    change.commit().await?;
    Ok(now)
}

/// All of an approval that follows once the chain has been asked; no network from here on.
pub(in crate::domain) async fn decide_on(
    state: &State,
    user: &User,
    code: TotpCode,
    candidates: Vec<Candidate>,
) -> Result<Vec<Model>> {
    for Candidate { row, facts, acknowledge } in &candidates {
        let checked = sign::check_slots(&state.store, row, facts, sign::acknowledges_nonce(acknowledge)).await;
        checked.map_err(|error| in_batch(row.transaction_id, error))?;
    }
    let person = users::load(state, user).await?;
    let user_key = user.open_key(state)?;
    let step = mfa::check(state, &person, &user_key, &code).await?;
    let mut keys = Vec::with_capacity(candidates.len());
    for candidate in &candidates {
        keys.push(sign::open_wallet(state, &candidate.row, &user_key).await?);
    }
    for _ in 0..TRIES {
        if let Some(approved) = commit(state, &step, &candidates, &keys).await? {
            return Ok(approved);
        }
    }
    Err(Error::Busy)
}

/// Spends the code, takes the nonces, signs, and marks the transactions approved, all in one commit. None when the
/// tracker took a nonce in the same moment: everything is rolled back, the code unspent.
async fn commit(
    state: &State,
    step: &Step,
    candidates: &[Candidate],
    keys: &[WalletKey],
) -> Result<Option<Vec<Model>>> {
    let Some(first) = candidates.first() else { return Ok(Some(Vec::new())) };
    let change = Change::begin(state, first.row.user_id).await?;
    let change = Change { write: step.spend(change.write).await?, ..change };
    let mut approved = Vec::with_capacity(candidates.len());
    for (candidate, key) in candidates.iter().zip(keys) {
        let outcome = approve(state, &change, candidate, key).await;
        match outcome.map_err(|error| in_batch(candidate.row.transaction_id, error))? {
            Some(row) => approved.push(row),
            None => return Ok(None),
        }
    }
    change.commit().await?;
    Ok(Some(approved))
}

/// One transaction of that commit.
async fn approve(state: &State, change: &Change, candidate: &Candidate, key: &WalletKey) -> Result<Option<Model>> {
    let Candidate { row: shown, facts, acknowledge } = candidate;
    let row = transactions::find_for_user(&change.write, shown.user_id, shown.transaction_id).await?;
    let row = row.ok_or(Error::NotFound("transaction"))?;
    if decide::is_approved(&row)? {
        return Ok(Some(row));
    }
    if row.version != shown.version {
        return Err(Error::DigestMismatch);
    }
    if row.expires_at <= change.at {
        return Err(Error::Expired);
    }
    let signing = Signing { state, key, facts, acknowledged: sign::acknowledges_nonce(acknowledge) };
    let Some(nonce) = signing.sign(change, &row).await? else { return Ok(None) };
    recipients::insert_all(&change.write, row.user_id, &preview::recipients_of(&row)?, change.at).await?;
    let after = Model {
        status: Status::Authorized,
        nonce: Some(nonce),
        decided_at: Some(change.at),
        execute_by: Some(change.at + state.policy.execution_window),
        ..row.clone()
    };
    change.save(Actor::User, "authorized", &row, after).await.map(Some)
}
