//! A user sends on their own: prepared, approved and submitted in one commit.

use serde_json::json;

use super::{
    Actor, Change, Transaction,
    draft::{self, Origin},
    sign::{self, Signing},
    view,
};
use crate::{
    chain::Chain,
    domain::{
        Error, Outcome, Result, User,
        attempts::Subject,
        chains, digest,
        idempotency::Creation,
        mfa::{self, Step},
        passwords,
        preview::{self, Facts},
        users,
    },
    keys::WalletKey,
    state::State,
    store::{
        nonce_slots, payloads, recipients,
        transactions::{self, Model},
        wallets,
    },
    value::{Action, Address, ChainId, IdempotencyKey, Password, SlotState, Status, TotpCode, TransactionId},
};

/// How often a send tries again when the tracker took its nonce in the same moment.
const TRIES: usize = 3;

/// Something a user may want to send.
#[derive(Debug)]
pub struct Draft {
    /// From which wallet.
    pub address: Address,
    /// On which chain; none: the only one.
    pub chain_id: Option<ChainId>,
    /// What to do.
    pub action: Action,
}

/// A user's wish to send something, with the proof that it is theirs.
#[derive(Debug)]
pub struct Send {
    /// What.
    pub draft: Draft,
    /// Proof that its owner asks, not only somebody with their token.
    pub password: Password,
    /// Proof that it is them, good for this once.
    pub code: TotpCode,
    /// The codes of what they were warned of and accept.
    pub acknowledge: Vec<String>,
    /// Names this creation.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// What a send would do. Nothing is stored.
///
/// Fails with [`Error::NotFound`], [`Error::UnknownChain`], [`Error::Invalid`], [`Error::Abi`],
/// [`Error::ChainUnavailable`], [`Error::SimulationFailed`], [`Error::InsufficientFunds`] when it cannot be tried.
pub async fn preview(state: &State, user: &User, draft: Draft) -> Result<Transaction> {
    let (_, row, _) = look(state, user, draft).await?;
    Ok(Transaction::new(Model { version: 0, ..row }, Vec::new()))
}

/// Sends at once, on the same nonces, ladder and tracker as an agent's transaction.
///
/// Password and code are looked at last: whatever fails before leaves the code good. Fails as [`preview`] does, and with
/// [`Error::InsufficientFunds`], [`Error::AcknowledgementRequired`], [`Error::NonceUsedElsewhere`],
/// [`Error::InvalidCredentials`], the errors of a code, [`Error::IdempotencyMismatch`].
pub async fn send(state: &State, user: &User, send: Send) -> Result<Outcome<Transaction>> {
    let Send { draft, password, code, acknowledge, idempotency_key } = send;
    let creation = idempotency_key.map(|key| {
        let Draft { address, chain_id, action } = &draft;
        let request = json!({ "address": address, "chain_id": chain_id, "action": action });
        Creation::new(state, user.user_id.0, "send", key, &request)
    });
    if let Some(known) = known(state, user, creation.as_ref()).await? {
        return Ok(Outcome::Known(known));
    }
    let person = users::load(state, user).await?;
    if person.totp_secret.is_none() {
        return Err(Error::MfaRequired);
    }
    let (_, row, facts) = look(state, user, draft).await?;
    let acknowledged = sign::acknowledges_nonce(&acknowledge);
    sign::check_slots(&state.store, &row, &facts, acknowledged).await?;
    let codes = preview::unacknowledged(&row.warnings.0, &acknowledge);
    if !codes.is_empty() {
        let shown = Transaction::new(Model { version: 0, ..row }, Vec::new());
        return Err(Error::AcknowledgementRequired { codes, transaction: Box::new(shown) });
    }
    let user_key = passwords::open(state, &person, &password, Subject::Password(user.user_id)).await?;
    let step = mfa::check(state, &person, &user_key, &code).await?;
    let key = sign::open_wallet(state, &row, &user_key).await?;
    let sending = Sending { state, step, key, facts, acknowledged, creation };
    for _ in 0..TRIES {
        match sending.commit(&row).await? {
            Committed::Sent(sent) => {
                state.nudges.ring(sent.chain_id);
                return Ok(Outcome::Created(view(state, *sent).await?));
            }
            Committed::Known => {
                let known = known(state, user, sending.creation.as_ref()).await?;
                return known.map(Outcome::Known).ok_or(Error::Busy);
            }
            Committed::NonceTaken => {}
        }
    }
    Err(Error::Busy)
}

async fn known(state: &State, user: &User, creation: Option<&Creation>) -> Result<Option<Transaction>> {
    let Some(creation) = creation else { return Ok(None) };
    let Some(id) = creation.find(state).await? else { return Ok(None) };
    let row = super::find_for_user(state, user, TransactionId(id)).await?;
    view(state, row).await.map(Some)
}

/// Asks the chain what the draft would do, and makes the row it would be.
async fn look<'state>(state: &'state State, user: &User, draft: Draft) -> Result<(&'state Chain, Model, Facts)> {
    let Draft { address, chain_id, action } = draft;
    let chain = chains::find_among(state, None, chain_id)?;
    let wallet = wallets::find_by_address(&state.store, user.user_id, address).await?;
    let wallet = wallet.ok_or(Error::NotFound("wallet"))?;
    let origin =
        Origin { chain, wallet, agent_id: None, action, memo: None, expires_in: state.policy.execution_window };
    let (row, facts) = draft::draft(state, origin).await?;
    Ok((chain, row, facts))
}

/// A send whose every check has passed. The wallet key is wiped when it ends.
struct Sending<'state> {
    state: &'state State,
    step: Step,
    key: WalletKey,
    facts: Facts,
    acknowledged: bool,
    creation: Option<Creation>,
}

enum Committed {
    Sent(Box<Model>),
    /// The same request was faster elsewhere.
    Known,
    NonceTaken,
}

impl Sending<'_> {
    /// Spends the code, takes a nonce, signs, and marks the cheapest bytes as about to leave, all in one commit.
    async fn commit(&self, row: &Model) -> Result<Committed> {
        let change = Change::begin(self.state, row.user_id).await?;
        if let Some(creation) = &self.creation
            && !creation.bind(&change.write, row.transaction_id.0, row.created_at).await?
        {
            return Ok(Committed::Known);
        }
        let change = Change { write: self.step.spend(change.write).await?, ..change };
        let row = Model { status: Status::Submitted, decided_at: Some(change.at), ..row.clone() };
        // The row comes first: slot and payloads refer to it.
        transactions::insert(&change.write, row.clone()).await?;
        let Self { state, key, facts, acknowledged, .. } = self;
        let signing = Signing { state, key, facts, acknowledged: *acknowledged };
        let Some(nonce) = signing.sign(&change, &row).await? else { return Ok(Committed::NonceTaken) };
        let id = row.transaction_id;
        let slot = nonce_slots::find_for_transaction(&change.write, id).await?;
        let slot = slot.ok_or(Error::Integrity("nonce slot"))?;
        if !nonce_slots::save(&change.write, &slot, SlotState::Sent, id, change.at).await? {
            return Ok(Committed::NonceTaken);
        }
        let ladder = payloads::list_for_transactions(&change.write, &[id]).await?;
        let first = ladder.first().ok_or(Error::Integrity("payloads"))?;
        payloads::mark_sent(&change.write, id, first.hash, change.at).await?;
        recipients::insert_all(&change.write, row.user_id, &preview::recipients_of(&row)?, change.at).await?;
        let sent = Model { nonce: Some(nonce), ..row.clone() };
        debug_assert_eq!(digest::digest(&sent), sent.digest);
        let sent = change.finish_insert(Actor::User, "submitted", sent).await?;
        change.commit().await?;
        Ok(Committed::Sent(Box::new(sent)))
    }
}
