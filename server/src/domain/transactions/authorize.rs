//! A human approves: the only place where a wallet key is opened to sign.

use super::{Actor, Change, Transaction, decide, view};
use crate::{
    domain::{
        Error, Result, User, digest, ladder,
        mfa::{self, Step},
        nonces::{self, Choice},
        preview::{self, Effect, Facts},
        tracking, users,
    },
    keys::{PayloadBinding, Unsigned, UserKey, WalletBinding, WalletKey, payload},
    state::State,
    store::{
        self, Json, Write, acknowledged_nonces, nonce_slots, payloads,
        transactions::{self, Model},
        wallets,
    },
    value::{CallData, Digest, Fees, Gas, Nonce, PayloadKind, SlotState, Status, Time, TotpCode, TransactionId, Wei},
};

/// The code that lets an approval go on after a use of the wallet elsewhere.
const ACKNOWLEDGE_NONCE: &str = "nonce_used_elsewhere";

/// How often an approval tries again when the tracker took its nonce in the same moment.
const TRIES: usize = 3;

/// A human's yes.
#[derive(Debug)]
pub struct Approval {
    /// To what.
    pub transaction_id: TransactionId,
    /// Proof that it is them, good for this once.
    pub code: TotpCode,
    /// What they saw; none: whatever is stored.
    pub digest: Option<Digest>,
    /// The codes of what they were warned of and accept.
    pub acknowledge: Vec<String>,
}

/// Signs the fee ladder and the cancel of a transaction. Nothing is sent.
///
/// The checks come in the order of docs/SECURITY.md, the code last: whatever fails before it leaves the code good.
/// Fails with [`Error::NotFound`], [`Error::InvalidState`], [`Error::Expired`], [`Error::DigestMismatch`],
/// [`Error::ChainUnavailable`], [`Error::PreviewChanged`], [`Error::NonceUsedElsewhere`], [`Error::InsufficientFunds`],
/// and the errors of a code.
pub async fn authorize(state: &State, user: &User, approval: Approval) -> Result<Transaction> {
    let row = super::find_for_user(state, user, approval.transaction_id).await?;
    if decide::is_approved(&row)? {
        return view(state, row).await;
    }
    if decide::expire_if_late(state, &row).await? {
        return Err(Error::Expired);
    }
    if approval.digest.is_some_and(|digest| digest != row.digest) {
        return Err(Error::DigestMismatch);
    }
    if users::load(state, user).await?.totp_secret.is_none() {
        return Err(Error::MfaRequired);
    }
    let chain = state.chains.get(row.chain_id).ok_or(Error::UnknownChain)?;
    let facts = Facts::ask(chain, row.address, &effect(&row)).await?;
    let approved = decide_on(state, user, approval, row, facts).await?;
    view(state, approved).await
}

/// All of an approval that follows once the chain has been asked; no network from here on.
pub(in crate::domain) async fn decide_on(
    state: &State,
    user: &User,
    approval: Approval,
    row: Model,
    facts: Facts,
) -> Result<Model> {
    if !facts.fit(&row) {
        let refreshed = refresh(state, &row, &facts).await?;
        return Err(Error::PreviewChanged(Box::new(refreshed)));
    }
    let acknowledged = approval.acknowledge.iter().any(|code| code == ACKNOWLEDGE_NONCE);
    check_slots(&state.store, &row, &facts, acknowledged).await?;

    let person = users::load(state, user).await?;
    let user_key = user.open_key(state)?;
    let step = mfa::check(state, &person, &user_key, &approval.code).await?;
    let key = open_wallet(state, &row, &user_key).await?;
    let signing = Signing { state, key, facts, step, acknowledged };
    for _ in 0..TRIES {
        if let Some(approved) = signing.commit(&row).await? {
            return Ok(approved);
        }
    }
    Err(Error::Busy)
}

fn effect(row: &Model) -> Effect {
    Effect { to: row.to_address, value: row.value, data: CallData(row.data.clone()) }
}

/// Shows the market as it is now, under a new digest.
async fn refresh(state: &State, row: &Model, facts: &Facts) -> Result<Transaction> {
    let caps = facts.caps();
    let mut after = Model {
        gas_limit: facts.gas_limit(&effect(row)),
        max_fee_per_gas: caps.max_fee_per_gas.into(),
        max_priority_fee_per_gas: caps.max_priority_fee_per_gas.into(),
        ..row.clone()
    };
    let free = tracking::free_balance(&state.store, &after, &facts.account).await?;
    after.warnings = Json(preview::warnings(&after, free));
    after.digest = digest::digest(&after);
    let change = Change::begin(state, row.user_id).await?;
    let after = change.save(Actor::Server, "preview_changed", row, after).await?;
    change.commit().await?;
    view(state, after).await
}

/// What can be refused before the code is looked at; it is all looked at again in the commit.
async fn check_slots(read: &impl store::Read, row: &Model, facts: &Facts, acknowledged: bool) -> Result<Choice> {
    let latest = facts.account.nonce;
    let below = if acknowledged {
        Nonce(latest)
    } else {
        acknowledged_nonces::below_nonce(read, row.chain_id, row.address).await?
    };
    let slots = nonce_slots::list_for_account(read, row.chain_id, row.address).await?;
    let choice = nonces::choose(&slots, Nonce(latest), below).map_err(|_| Error::NonceUsedElsewhere)?;
    let free = tracking::free_balance(read, row, &facts.account).await?;
    if free < row.value.saturating_add(row.worst_case_fee()) {
        return Err(Error::InsufficientFunds);
    }
    Ok(choice)
}

async fn open_wallet(state: &State, row: &Model, user_key: &UserKey) -> Result<WalletKey> {
    let wallet = wallets::find_for_user(&state.store, row.user_id, row.wallet_id).await?;
    let wallet = wallet.ok_or(Error::Integrity("wallet row"))?;
    let master = &state.keys.master;
    let binding = WalletBinding { user_id: row.user_id, wallet_id: row.wallet_id, address: row.address };
    WalletKey::open(master, &binding, user_key, &wallet.secret_key).map_err(|_| Error::Integrity("wallet key"))
}

/// An approval whose every check has passed. The wallet key is wiped when it ends.
struct Signing<'state> {
    state: &'state State,
    key: WalletKey,
    facts: Facts,
    step: Step,
    acknowledged: bool,
}

impl Signing<'_> {
    /// Spends the code, takes a nonce, signs, and marks the transaction approved, all in one commit. None when the
    /// tracker took the nonce in the same moment: everything is rolled back, the code unspent.
    async fn commit(&self, shown: &Model) -> Result<Option<Model>> {
        let change = Change::begin(self.state, shown.user_id).await?;
        let change = Change { write: self.step.spend(change.write).await?, ..change };
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
        let choice = check_slots(&change.write, &row, &self.facts, self.acknowledged).await?;
        if !take(&change.write, &choice, &row, change.at).await? {
            return Ok(None);
        }
        if self.acknowledged {
            // A node that lags takes nothing back.
            let known = acknowledged_nonces::below_nonce(&change.write, row.chain_id, row.address).await?;
            let below_nonce = Nonce(self.facts.account.nonce).max(known);
            let floor = acknowledged_nonces::Model { chain_id: row.chain_id, address: row.address, below_nonce };
            acknowledged_nonces::save(&change.write, floor).await?;
        }
        payloads::insert_all(&change.write, self.sign(&row, choice.nonce())?).await?;
        let after = Model {
            status: Status::Authorized,
            nonce: Some(choice.nonce()),
            decided_at: Some(change.at),
            execute_by: Some(change.at + self.state.policy.execution_window),
            ..row.clone()
        };
        let after = change.save(Actor::User, "authorized", &row, after).await?;
        change.commit().await?;
        Ok(Some(after))
    }

    /// The ladder and the cancel, sealed, cheapest first.
    fn sign(&self, row: &Model, nonce: Nonce) -> Result<Vec<payloads::Model>> {
        let rungs = ladder::rungs(row.fee_caps(), self.facts.market.now);
        let mut signed = Vec::with_capacity(rungs.len() + 1);
        for (rung, fees) in (0..).zip(rungs) {
            signed.push(self.sign_one(row, nonce, Form { kind: PayloadKind::Payment, rung, fees })?);
        }
        let rung = i32::try_from(signed.len()).unwrap_or(i32::MAX);
        signed.push(self.sign_one(row, nonce, Form { kind: PayloadKind::Cancel, rung, fees: row.fee_caps() })?);
        Ok(signed)
    }

    fn sign_one(&self, row: &Model, nonce: Nonce, form: Form) -> Result<payloads::Model> {
        let Form { kind, rung, fees } = form;
        let (to, value, data, gas) = match kind {
            PayloadKind::Payment => (row.to_address, row.value, row.data.clone(), row.gas_limit),
            PayloadKind::Cancel => (Some(row.address), Wei::ZERO, Vec::new(), self.facts.cancel_gas.min(row.gas_limit)),
        };
        let unsigned = Unsigned {
            chain_id: row.chain_id,
            nonce: nonce.0,
            to,
            value,
            data: CallData(data),
            gas_limit: gas.0,
            fees,
            legacy: self.facts.market.legacy,
        };
        let signed = self.key.sign(&unsigned).map_err(|_| Error::Integrity("signature"))?;
        let binding = PayloadBinding {
            transaction_id: row.transaction_id,
            address: row.address,
            chain_id: row.chain_id,
            nonce: nonce.0,
            hash: signed.hash,
        };
        Ok(payloads::Model {
            transaction_id: row.transaction_id,
            hash: signed.hash,
            chain_id: row.chain_id,
            address: row.address,
            nonce,
            kind,
            rung,
            max_fee_per_gas: fees.max_fee_per_gas.into(),
            max_priority_fee_per_gas: fees.max_priority_fee_per_gas.into(),
            gas_limit: Gas(unsigned.gas_limit),
            bytes: Some(payload::seal(&self.state.keys.master, &binding, &signed.bytes)),
            sent_at: None,
        })
    }
}

struct Form {
    kind: PayloadKind,
    rung: i32,
    fees: Fees,
}

/// Takes the nonce: a new slot, or a void one whose old bytes are deleted. False when somebody was faster.
async fn take(write: &Write, choice: &Choice, row: &Model, at: Time) -> Result<bool> {
    match choice {
        Choice::Fresh(nonce) => {
            let slot = nonce_slots::Model {
                chain_id: row.chain_id,
                address: row.address,
                nonce: *nonce,
                state: SlotState::Held,
                transaction_id: row.transaction_id,
                changed_at: at,
            };
            match nonce_slots::insert(write, slot).await {
                Ok(()) => Ok(true),
                Err(store::Error::Conflict) => Ok(false),
                Err(unavailable) => Err(unavailable.into()),
            }
        }
        Choice::Reused(void) => {
            payloads::delete_bytes(write, void.transaction_id, PayloadKind::Payment).await?;
            payloads::delete_bytes(write, void.transaction_id, PayloadKind::Cancel).await?;
            Ok(nonce_slots::save(write, void, SlotState::Held, row.transaction_id, at).await?)
        }
    }
}
