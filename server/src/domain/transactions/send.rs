//! A user sends on their own: prepared, approved and submitted in one commit.

use std::{slice, sync::Arc, time::Duration};

use serde_json::json;

use super::{
    Actor, Change, Transaction,
    change::waiting_for,
    draft::{self, Origin},
    sign::{self, Accepted, Signing},
    view,
};
use crate::{
    domain::{
        Error, Outcome, Result, User,
        attempts::Subject,
        chains,
        idempotency::Creation,
        mfa::{self, Step},
        passwords,
        preview::{self, Facts},
        users,
    },
    state::State,
    store::{
        drafts, recipients,
        transactions::{self, Model},
        wallets,
    },
    value::{
        Action, Address, ChainId, Digest, Execute, IdempotencyKey, Password, Severity, SlotState, Status, TotpCode,
        TransactionId,
    },
};

/// How often a send tries again when the tracker took its nonce in the same moment.
const TRIES: usize = 3;

/// How long a send can be made as it was shown.
pub(super) const SHOWN_FOR: Duration = Duration::from_secs(15 * 60);

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
    /// What they were shown; none: they send without having looked.
    pub digest: Option<Digest>,
    /// The codes of what they were warned of and accept.
    pub acknowledge: Vec<String>,
    /// Names this creation.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// What a send would do. It is kept for 15 minutes, so that it can be sent as it was shown; nothing is signed.
///
/// Fails with [`Error::NotFound`], [`Error::UnknownChain`], [`Error::Invalid`], [`Error::Abi`],
/// [`Error::ChainUnavailable`], [`Error::SimulationFailed`], [`Error::InsufficientFunds`] when it cannot be tried.
pub async fn preview(state: &State, user: &User, draft: Draft) -> Result<Transaction> {
    let (row, _) = look(state, user, draft).await?;
    show(state, row).await
}

/// Sends at once, on the same nonces, ladder and tracker as an agent's transaction.
///
/// With a digest it is what was shown or nothing; a repeat with the digest of what was sent already gives that. Grave
/// warnings must have been shown, so they need one.
///
/// Password and code are looked at last: whatever fails before leaves the code good. Fails as [`preview`] does, and with
/// [`Error::DigestMismatch`], [`Error::PreviewChanged`], [`Error::InsufficientFunds`],
/// [`Error::AcknowledgementRequired`], [`Error::NonceUsedElsewhere`], [`Error::InvalidCredentials`], the errors of a
/// code, [`Error::IdempotencyMismatch`].
pub async fn send(state: &State, user: &User, send: Send) -> Result<Outcome<Transaction>> {
    let Send { draft, password, code, digest, acknowledge, idempotency_key } = send;
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
    let (row, facts) = match digest {
        None => look(state, user, draft).await?,
        Some(digest) => match shown(state, user, &draft, digest).await? {
            Shown::Sent(sent) => return Ok(Outcome::Known(*sent)),
            Shown::Open(row, facts) => (*row, *facts),
            Shown::Changed => {
                let (fresh, _) = look(state, user, draft).await?;
                return Err(Error::PreviewChanged(Box::new(show(state, fresh).await?)));
            }
        },
    };
    let accepted = Accepted::of(&acknowledge);
    sign::check_balance(&state.store, &row, &facts).await?;
    sign::choose(&state.store, std::iter::once((&row, &facts, accepted))).await.map_err(|(_, error)| error)?;
    let codes = preview::unacknowledged(&row.warnings.0, &acknowledge);
    if !codes.is_empty() {
        let transaction = match digest {
            None => show(state, row).await?,
            // It is kept already.
            Some(_) => preview_of(row),
        };
        return Err(Error::AcknowledgementRequired { codes, transaction: Box::new(transaction) });
    }
    if digest.is_none() && row.warnings.0.iter().any(|warning| warning.severity == Severity::High) {
        return Err(Error::Invalid("digest: required, because there is a grave warning: send what was shown with it"));
    }
    let user_key = passwords::open(state, &person, &password, Subject::Password(user.user_id)).await?;
    let step = mfa::check(state, &person, &user_key, &code).await?;
    let key = Arc::new(sign::open_wallet(state, &row, &user_key).await?);
    let sending = Sending { state, step, signing: Signing { row, facts, key, accepted }, creation };
    for _ in 0..TRIES {
        match sending.commit().await? {
            Committed::Sent(sent) => {
                state.nudges.ring(sent.chain_id, sent.address);
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

async fn origin(state: &State, user: &User, draft: Draft) -> Result<Origin> {
    let Draft { address, chain_id, action } = draft;
    let chain = chains::find_among(state, None, chain_id)?;
    let wallet = wallets::find_by_address(&state.store, user.user_id, address).await?;
    let wallet = wallet.ok_or(Error::NotFound("wallet"))?;
    let execute = Execute::OnApproval;
    let chain = chain.clone();
    Ok(Origin { chain, wallet, agent_id: None, action, memo: None, expires_in: SHOWN_FOR, execute })
}

/// Asks the chain what the draft would do, and makes the row it would be.
async fn look(state: &State, user: &User, draft: Draft) -> Result<(Model, Facts)> {
    draft::draft(state, origin(state, user, draft).await?).await
}

/// Keeps what the server chose for a draft, and gives what its user is shown.
async fn show(state: &State, row: Model) -> Result<Transaction> {
    let kept = drafts::Model {
        user_id: row.user_id,
        digest: row.digest,
        transaction_id: row.transaction_id,
        gas_limit: row.gas_limit,
        max_fee_per_gas: row.max_fee_per_gas,
        max_priority_fee_per_gas: row.max_priority_fee_per_gas,
        warnings: row.warnings.clone(),
        preview: row.preview.clone().ok_or(Error::Integrity("draft"))?,
        created_at: row.created_at,
        expires_at: row.expires_at,
    };
    let write = state.store.write().await?;
    drafts::insert(&write, kept).await?;
    write.commit().await?;
    Ok(preview_of(row))
}

fn preview_of(row: Model) -> Transaction {
    Transaction::new(Model { version: 0, ..row }, Vec::new(), false)
}

/// What has become of something a user was shown.
enum Shown {
    /// It was sent already.
    Sent(Box<Transaction>),
    /// It still does and costs no more than was shown.
    Open(Box<Model>, Box<Facts>),
    Changed,
}

/// Rebuilds what a user was shown, and asks the chain whether it still holds.
///
/// Fails with [`Error::DigestMismatch`] when this user was not shown it in the last 15 minutes, or asks for anything
/// else now.
async fn shown(state: &State, user: &User, draft: &Draft, digest: Digest) -> Result<Shown> {
    let Draft { address, chain_id, ref action } = *draft;
    let kept = drafts::find_for_user(&state.store, user.user_id, digest, state.clock.now()).await?;
    let kept = kept.ok_or(Error::DigestMismatch)?;
    let origin = origin(state, user, Draft { address, chain_id, action: action.clone() }).await?;
    let chain = origin.chain.clone();
    let row = draft::rebuild(origin, kept)?;
    if row.digest != digest {
        return Err(Error::DigestMismatch);
    }
    if let Some(sent) = transactions::find_for_user(&state.store, user.user_id, row.transaction_id).await? {
        return Ok(Shown::Sent(Box::new(view(state, sent).await?)));
    }
    let (now, facts) = draft::look_again(state, &chain, &row).await?;
    if !facts.fit(&row) || preview::is_worse(&row, &now) {
        return Ok(Shown::Changed);
    }
    Ok(Shown::Open(Box::new(row), Box::new(facts)))
}

/// A send whose every check has passed. The wallet key is wiped when it ends.
struct Sending<'state> {
    state: &'state State,
    step: Step,
    signing: Signing,
    creation: Option<Creation>,
}

enum Committed {
    Sent(Box<Model>),
    /// The same request was faster elsewhere.
    Known,
    NonceTaken,
}

impl Sending<'_> {
    /// Chooses a nonce and signs; then spends the code, takes the nonce, and marks the cheapest bytes as about to leave,
    /// all in one commit.
    async fn commit(&self) -> Result<Committed> {
        let Self { state, step, signing, creation } = self;
        let Signing { row, facts, accepted, .. } = signing;
        let choices = sign::choose(&state.store, std::iter::once((row, facts, *accepted))).await;
        let signed = sign::sign(state, slice::from_ref(signing), choices.map_err(|(_, error)| error)?).await?;
        let signed = signed.into_iter().next().ok_or(Error::Integrity("signing"))?;

        let change = Change::begin(state, row.user_id).await?;
        if let Some(creation) = creation
            && !creation.bind(&change.write, row.transaction_id.0, row.created_at).await?
        {
            return Ok(Committed::Known);
        }
        let change = Change { write: step.spend(change.write).await?, ..change };
        let status = Status::Submitted;
        let sent = Model {
            status,
            waiting_reason: waiting_for(status),
            waiting_since: Some(change.at),
            decided_at: Some(change.at),
            nonce: Some(signed.nonce()),
            ..row.clone()
        };
        // The row comes first: slot and payloads refer to it.
        let sent = change.insert(Actor::User, "submitted", sent).await?;
        if !signing.keep(&change, &signed, &[], SlotState::Sent).await? {
            return Ok(Committed::NonceTaken);
        }
        recipients::insert_all(&change.write, row.user_id, &preview::recipients_of(row)?, change.at).await?;
        change.commit().await?;
        Ok(Committed::Sent(Box::new(sent)))
    }
}
