//! The only place where a wallet key is opened to sign: under a nonce taken in the same commit.

use super::Change;
use crate::{
    domain::{
        Error, Result, ladder,
        nonces::{self, Choice},
        preview::Facts,
        tracking,
    },
    keys::{PayloadBinding, Unsigned, UserKey, WalletBinding, WalletKey, payload},
    state::State,
    store::{self, Write, acknowledged_nonces, nonce_slots, payloads, transactions::Model, wallets},
    value::{CallData, Fees, Gas, Nonce, PayloadKind, SlotState, Time, Wei},
};

/// The code that lets an approval go on after a use of the wallet elsewhere.
const ACKNOWLEDGE_NONCE: &str = "nonce_used_elsewhere";

/// Whether a human has accepted that their wallet was used elsewhere.
pub(super) fn acknowledges_nonce(acknowledge: &[String]) -> bool {
    acknowledge.iter().any(|code| code == ACKNOWLEDGE_NONCE)
}

/// What can be refused before the code is looked at; it is all looked at again in the commit.
pub(super) async fn check_slots(
    read: &impl store::Read,
    row: &Model,
    facts: &Facts,
    acknowledged: bool,
) -> Result<Choice> {
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

/// Opens the key of the wallet that pays. It must derive the row's address.
pub(super) async fn open_wallet(state: &State, row: &Model, user_key: &UserKey) -> Result<WalletKey> {
    let wallet = wallets::find_for_user(&state.store, row.user_id, row.wallet_id).await?;
    let wallet = wallet.ok_or(Error::Integrity("wallet row"))?;
    let master = &state.keys.master;
    let binding = WalletBinding { user_id: row.user_id, wallet_id: row.wallet_id, address: row.address };
    WalletKey::open(master, &binding, user_key, &wallet.secret_key).map_err(|_| Error::Integrity("wallet key"))
}

/// A decision whose every check has passed. The wallet key is wiped when its owner lets go of it.
pub(super) struct Signing<'a> {
    pub(super) state: &'a State,
    pub(super) key: &'a WalletKey,
    pub(super) facts: &'a Facts,
    /// Whether uses of the wallet elsewhere are accepted.
    pub(super) acknowledged: bool,
}

impl Signing<'_> {
    /// Takes a nonce for a transaction and keeps its signed bytes. None when the tracker took the nonce in the same
    /// moment: then this commit is lost.
    pub(super) async fn sign(&self, change: &Change, row: &Model) -> Result<Option<Nonce>> {
        let choice = check_slots(&change.write, row, self.facts, self.acknowledged).await?;
        if !take(&change.write, &choice, row, change.at).await? {
            return Ok(None);
        }
        if self.acknowledged {
            // A node that lags takes nothing back.
            let known = acknowledged_nonces::below_nonce(&change.write, row.chain_id, row.address).await?;
            let below_nonce = Nonce(self.facts.account.nonce).max(known);
            let floor = acknowledged_nonces::Model { chain_id: row.chain_id, address: row.address, below_nonce };
            acknowledged_nonces::save(&change.write, floor).await?;
        }
        payloads::insert_all(&change.write, self.payloads(row, choice.nonce())?).await?;
        Ok(Some(choice.nonce()))
    }

    /// The ladder and the cancel, sealed, cheapest first.
    fn payloads(&self, row: &Model, nonce: Nonce) -> Result<Vec<payloads::Model>> {
        let rungs = ladder::rungs(row.fee_caps(), self.facts.market.now);
        // Without a rung there would be nothing to send; whoever comes here has checked the price.
        if rungs.is_empty() {
            return Err(Error::Busy);
        }
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
