//! A human approves what an agent prepared, one transaction or several at once.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    Actor, Change, Transaction, decide, draft,
    sign::{self, Accepted, Signed, Signing},
    view,
};
use crate::{
    chain::Chain,
    domain::{
        Error, Result, User, digest,
        mfa::{self, Step},
        nonces::{Account, Choice},
        preview::{self, Effect, Facts, Sight},
        tracking, users,
    },
    state::State,
    store::{
        Read, recipients,
        transactions::{self, Model},
    },
    value::{Digest, Execute, Nonce, SessionId, Severity, SlotState, Status, TotpCode, TransactionId, Warning},
};

/// How many transactions one code may approve at once.
const LARGEST_BATCH: usize = 20;

/// How many transactions of a batch are looked at at once: no more than one user may have under way.
const LOOKS_AT_ONCE: usize = 4;

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
        let looks = open.into_iter().map(|(row, acknowledge)| look_again(state, user, row, acknowledge));
        let candidates = stream::iter(looks).buffered(LOOKS_AT_ONCE).try_collect().await?;
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
    check_integrity(&row)?;
    if approval.digest.is_some_and(|digest| digest != row.digest) {
        return Err(Error::DigestMismatch);
    }
    if decide::is_approved(&row)? {
        return Ok(None);
    }
    if decide::expire_if_late(state, &row).await? {
        return Err(Error::Expired);
    }
    if approval.digest.is_none() {
        check_undigested(state, user, &row).await?;
    }
    Ok(Some(row))
}

/// A stored digest proves nothing: somebody may have written to the row since it was shown. What it says is asked for
/// must be what would be signed, and that what it has the digest of.
fn check_integrity(row: &Model) -> Result<()> {
    let Effect { to, value, data } = Effect::of(&row.action.0).map_err(|_| Error::Integrity("transaction row"))?;
    let is_sound = digest::digest(row) == row.digest && (to, value, &data.0) == (row.to_address, row.value, &row.data);
    if is_sound { Ok(()) } else { Err(Error::Integrity("transaction row")) }
}

/// Without a digest nothing says what the human has seen: a price that was changed after it was prepared must have been
/// shown in this session, and a grave warning needs a digest.
async fn check_undigested(state: &State, user: &User, row: &Model) -> Result<()> {
    // A balance that is too low is refused by itself.
    let is_grave = |warning: &Warning| warning.severity == Severity::High && warning.code != "insufficient_balance";
    if row.warnings.0.iter().any(is_grave) {
        return Err(Error::Invalid("digest: required where a warning is high"));
    }
    if row.repriced_for.is_none_or(|session_id| session_id == user.session_id) {
        return Ok(());
    }
    let change = Change::begin(state, row.user_id).await?;
    let shown = Model { repriced_for: Some(user.session_id), ..row.clone() };
    let shown = change.save(Actor::User, "shown", row, shown).await?;
    change.commit().await?;
    Err(Error::PreviewChanged(Box::new(view(state, shown).await?)))
}

/// A transaction whose every check but the code has passed.
#[derive(Debug)]
pub(in crate::domain) struct Candidate {
    pub(in crate::domain) row: Model,
    pub(in crate::domain) facts: Facts,
    pub(in crate::domain) acknowledge: Vec<String>,
}

/// Asks the chain what the transaction would do and cost now, and whether that is still what was shown.
async fn look_again(state: &State, user: &User, row: Model, acknowledge: Vec<String>) -> Result<Candidate> {
    let id = row.transaction_id;
    let look = async {
        let chain = crate::domain::chains::served(state, row.chain_id)?;
        let asked = ask(state.clone(), chain.clone(), row.clone(), user.session_id);
        let (facts, worse) = draft::with_nodes(state, chain.id(), user.user_id.0, Box::pin(asked)).await?;
        if let Some(worse) = worse {
            let refreshed = refresh(state, &row, worse).await?;
            return Err(Error::PreviewChanged(Box::new(view(state, refreshed).await?)));
        }
        let missing = preview::unacknowledged(&row.warnings.0, &acknowledge);
        // A balance that is too low is refused by itself, acknowledged or not.
        let missing: Vec<_> = missing.into_iter().filter(|code| code != "insufficient_balance").collect();
        if !missing.is_empty() {
            let transaction = Box::new(view(state, row.clone()).await?);
            return Err(Error::AcknowledgementRequired { codes: missing, transaction });
        }
        Ok(facts)
    };
    let facts = look.await.map_err(|error| in_batch(id, error))?;
    Ok(Candidate { row, facts, acknowledge })
}

/// What the chain says of a transaction now, and the transaction as it would be, when that is worse than what was shown.
async fn ask(state: State, chain: Chain, row: Model, session_id: SessionId) -> Result<(Facts, Option<Model>)> {
    let effect = Effect::stored(&row);
    let sight = Sight::ask(&chain, row.address, &row.action.0, &effect, Some(&row)).await?;
    let free = tracking::free_balance(&state.store, sign::account_of(&row), &sight.facts.account).await?;
    let mut now = row.clone();
    sight.describe(&state, &chain, &mut now, free).await?;
    if sight.facts.fit(&row) && !preview::is_worse(&row, &now) {
        return Ok((sight.facts, None));
    }
    let mut now = Model { repriced_for: Some(session_id), ..repriced(&row, &sight.facts) };
    sight.describe(&state, &chain, &mut now, free).await?;
    Ok((sight.facts, Some(now)))
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
    choose(&state.store, &candidates).await?;
    for Candidate { row, facts, .. } in &candidates {
        let checked = sign::check_balance(&state.store, row, facts).await;
        checked.map_err(|error| in_batch(row.transaction_id, error))?;
    }
    let person = users::load(state, user).await?;
    let user_key = user.open_key(state)?;
    let step = mfa::check(state, &person, &user_key, &code).await?;
    let mut signings = Vec::with_capacity(candidates.len());
    for Candidate { row, facts, acknowledge } in &candidates {
        let key = Arc::new(sign::open_wallet(state, row, &user_key).await?);
        let accepted = Accepted::of(acknowledge);
        signings.push(Signing { row: row.clone(), facts: facts.clone(), key, accepted });
    }
    for _ in 0..TRIES {
        let choices = choose(&state.store, &candidates).await?;
        let signed = sign::sign(state, &signings, choices).await?;
        if let Some(approved) = commit(state, &step, &candidates, &signings, &signed).await? {
            for row in approved.iter().filter(|row| row.status == Status::Submitted) {
                state.nudges.ring(row.chain_id, row.address);
            }
            return Ok(approved);
        }
    }
    Err(Error::Busy)
}

async fn choose(read: &impl Read, candidates: &[Candidate]) -> Result<Vec<Choice>> {
    let decided =
        candidates.iter().map(|Candidate { row, facts, acknowledge }| (row, facts, Accepted::of(acknowledge)));
    let chosen = sign::choose(read, decided).await;
    chosen.map_err(|(number, error)| in_batch(candidates[number].row.transaction_id, error))
}

/// Spends the code, takes the nonces, keeps what was signed, and marks the transactions approved, all in one commit. None
/// when somebody took a nonce in the same moment: everything is rolled back, the code unspent.
async fn commit(
    state: &State,
    step: &Step,
    candidates: &[Candidate],
    signings: &[Signing],
    signed: &[Signed],
) -> Result<Option<Vec<Model>>> {
    let Some(first) = candidates.first() else { return Ok(Some(Vec::new())) };
    let change = Change::begin(state, first.row.user_id).await?;
    let change = Change { write: step.spend(change.write).await?, ..change };
    let nonces = signings.iter().zip(signed).map(|(signing, signed)| (sign::account_of(&signing.row), signed.nonce()));
    let batch: Vec<_> = nonces.collect();
    let mut approved = Vec::with_capacity(candidates.len());
    for (candidate, signed) in candidates.iter().zip(signings.iter().zip(signed)) {
        let outcome = approve(state, &change, candidate, signed, &batch).await;
        match outcome.map_err(|error| in_batch(candidate.row.transaction_id, error))? {
            Some(row) => approved.push(row),
            None => return Ok(None),
        }
    }
    change.commit().await?;
    Ok(Some(approved))
}

/// One transaction of that commit.
async fn approve(
    state: &State,
    change: &Change,
    candidate: &Candidate,
    (signing, signed): (&Signing, &Signed),
    batch: &[(Account, Nonce)],
) -> Result<Option<Model>> {
    let shown = &candidate.row;
    let row = transactions::find_for_user(&change.write, shown.user_id, shown.transaction_id).await?;
    let row = row.ok_or(Error::NotFound("transaction"))?;
    if decide::is_approved(&row)? {
        return Ok(Some(row));
    }
    if row.version != shown.version || digest::digest(&row) != shown.digest {
        return Err(Error::DigestMismatch);
    }
    if row.expires_at <= change.at {
        return Err(Error::Expired);
    }
    let (to, status, event, execute_by) = match row.execute {
        Execute::Agent => {
            let execute_by = change.at + state.policy.execution_window;
            (SlotState::Held, Status::Authorized, "authorized", Some(execute_by))
        }
        Execute::OnApproval => (SlotState::Sent, Status::Submitted, "submitted", None),
    };
    if !signing.keep(change, signed, batch, to).await? {
        return Ok(None);
    }
    recipients::insert_all(&change.write, row.user_id, &preview::recipients_of(&row)?, change.at).await?;
    let after = Model { status, nonce: Some(signed.nonce()), decided_at: Some(change.at), execute_by, ..row.clone() };
    change.save(Actor::User, event, &row, after).await.map(Some)
}
