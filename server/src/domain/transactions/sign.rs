//! The only place where a wallet key is opened to sign. A nonce is chosen, the forms are signed away from the threads that
//! answer requests, and a commit then takes the nonce only where it is still free.

use std::sync::Arc;

use super::Change;
use crate::{
    domain::{
        Error, Result, ladder,
        nonces::{self, Account, Choice},
        preview::Facts,
        tracking,
    },
    keys::{Master, PayloadBinding, Unsigned, UserKey, WalletBinding, WalletKey, payload},
    state::State,
    store::{self, Write, nonce_slots, payloads, transactions::Model, wallets},
    value::{CallData, Execute, Fees, Gas, Height, Nonce, PayloadKind, SlotState, Wei},
};

/// The code that lets an approval go on after a use of the wallet elsewhere.
const ACKNOWLEDGE_NONCE: &str = "nonce_used_elsewhere";

/// The code that lets go of a wallet that is held because the database came back from a backup.
const ACKNOWLEDGE_RESTORE: &str = "database_restored";

/// What a human has accepted beside the transaction itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Accepted {
    /// That their wallet was used elsewhere.
    pub(super) foreign_use: bool,
    /// That the database came back from a backup.
    pub(super) restore: bool,
}

impl Accepted {
    pub(super) fn of(acknowledge: &[String]) -> Self {
        let has = |wanted: &str| acknowledge.iter().any(|code| code == wanted);
        Self { foreign_use: has(ACKNOWLEDGE_NONCE), restore: has(ACKNOWLEDGE_RESTORE) }
    }
}

/// The account that pays a transaction.
pub(super) fn account_of(row: &Model) -> Account {
    Account { chain_id: row.chain_id, address: row.address }
}

/// Opens the key of the wallet that pays. It must derive the row's address.
pub(super) async fn open_wallet(state: &State, row: &Model, user_key: &UserKey) -> Result<WalletKey> {
    let wallet = wallets::find_for_user(&state.store, row.user_id, row.wallet_id).await?;
    let wallet = wallet.ok_or(Error::Integrity("wallet row"))?;
    let master = &state.keys.master;
    let binding = WalletBinding { user_id: row.user_id, wallet_id: row.wallet_id, address: row.address };
    WalletKey::open(master, &binding, user_key, &wallet.secret_key).map_err(|_| Error::Integrity("wallet key"))
}

/// One transaction of a decision. The wallet key is wiped when its last owner lets go of it.
#[derive(Clone)]
pub(super) struct Signing {
    pub(super) row: Model,
    pub(super) facts: Facts,
    pub(super) key: Arc<WalletKey>,
    pub(super) accepted: Accepted,
}

/// The nonce of a transaction and all that was signed with it, cheapest first.
pub(super) struct Signed {
    pub(super) choice: Choice,
    forms: Vec<payloads::Model>,
}

impl Signed {
    pub(super) fn nonce(&self) -> Nonce {
        self.choice.nonce()
    }
}

/// Chooses a nonce for each of several transactions, in their order, but the lowest for those that are sent at once: so
/// that nothing of the same decision stands before them.
///
/// Fails with the number of the transaction that gets none, and why.
pub(super) async fn choose<'a>(
    read: &impl store::Read,
    decided: impl Iterator<Item = (&'a Model, &'a Facts, Accepted)>,
) -> Result<Vec<Choice>, (usize, Error)> {
    let decided: Vec<_> = decided.collect();
    let mut order: Vec<usize> = (0..decided.len()).collect();
    order.sort_by_key(|&number| decided[number].0.execute == Execute::Agent);
    let mut choices: Vec<Option<Choice>> = vec![None; decided.len()];
    for number in order {
        let (row, facts, accepted) = decided[number];
        let account = account_of(row);
        let others = decided.iter().zip(&choices).filter(|((other, ..), _)| account_of(other) == account);
        let taken: Vec<Nonce> = others.filter_map(|(_, choice)| choice.as_ref().map(Choice::nonce)).collect();
        let latest = Nonce(facts.account.nonce);
        let choice = nonces::choose(read, account, latest, accepted.foreign_use, &taken).await;
        choices[number] = Some(choice.map_err(|error| (number, error))?);
    }
    Ok(choices.into_iter().flatten().collect())
}

/// Whether the account holds enough for the transaction beside everything that is approved already.
pub(super) async fn check_balance(read: &impl store::Read, row: &Model, facts: &Facts) -> Result<()> {
    let free = tracking::free_balance(read, account_of(row), &facts.account).await?;
    if free < row.value.saturating_add(row.worst_case_fee()) { Err(Error::InsufficientFunds) } else { Ok(()) }
}

/// Signs the ladders and cancels of several transactions, each with its nonce.
pub(super) async fn sign(state: &State, signings: &[Signing], choices: Vec<Choice>) -> Result<Vec<Signed>> {
    let (master, signings) = (state.keys.master.clone(), signings.to_vec());
    let signed = tokio::task::spawn_blocking(move || {
        let each = signings.iter().zip(choices).map(|(signing, choice)| {
            let forms = signing.forms(&master, choice.nonce())?;
            Ok(Signed { choice, forms })
        });
        each.collect()
    });
    signed.await.map_err(|_| Error::Integrity("signing"))?
}

impl Signing {
    /// Takes the nonce of a signed transaction and keeps the bytes, as far as `to` says they may go. False when somebody
    /// took the nonce in the same moment, or when the nonces below it are not what they were when it was chosen: then
    /// this commit is lost. `batch` are the nonces that the same commit takes.
    ///
    /// Fails with [`Error::InsufficientFunds`].
    pub(super) async fn keep(
        &self,
        change: &Change,
        signed: &Signed,
        batch: &[(Account, Nonce)],
        to: SlotState,
    ) -> Result<bool> {
        let Self { row, facts, accepted, .. } = self;
        check_balance(&change.write, row, facts).await?;
        if !self.follows(change, signed.nonce(), batch).await? || !self.take(change, &signed.choice, to).await? {
            return Ok(false);
        }
        if accepted.restore {
            wallets::acknowledge_restore(&change.write, row.wallet_id).await?;
        }
        if accepted.foreign_use {
            nonces::acknowledge(&change.write, account_of(row), Nonce(facts.account.nonce)).await?;
        }
        payloads::insert_all(&change.write, signed.forms.clone()).await?;
        if to == SlotState::Sent {
            let first = signed.forms.first().ok_or(Error::Integrity("payloads"))?;
            payloads::mark_sent(&change.write, row.transaction_id, first.hash, change.at).await?;
        }
        Ok(true)
    }

    /// Whether the nonce just below is the account's next one, or one of ours: a chain that was forgotten since the nonce was
    /// chosen leaves a hole there, behind which nothing would ever be mined.
    async fn follows(&self, change: &Change, nonce: Nonce, batch: &[(Account, Nonce)]) -> Result<bool> {
        let Some(below) = nonce.0.checked_sub(1).map(Nonce).filter(|below| below.0 >= self.facts.account.nonce) else {
            return Ok(true);
        };
        let account = account_of(&self.row);
        if batch.contains(&(account, below)) {
            return Ok(true);
        }
        let slot = nonce_slots::find(&change.write, account.chain_id, account.address, below).await?;
        Ok(slot.is_some())
    }

    /// Takes the nonce: a new slot, or a void one whose old bytes are deleted. False when somebody was faster.
    async fn take(&self, change: &Change, choice: &Choice, to: SlotState) -> Result<bool> {
        let Self { row, facts, .. } = self;
        let slot = nonce_slots::Model {
            chain_id: row.chain_id,
            address: row.address,
            nonce: choice.nonce(),
            state: to,
            transaction_id: row.transaction_id,
            changed_at: change.at,
            taken_at_height: facts.height.map(Height),
            used_by: None,
            used_at_height: None,
        };
        match choice {
            Choice::Fresh(_) => match nonce_slots::insert(&change.write, slot).await {
                Ok(()) => Ok(true),
                Err(store::Error::Conflict) => Ok(false),
                Err(unavailable) => Err(unavailable.into()),
            },
            Choice::Reused(void) => {
                forget_bytes(&change.write, void).await?;
                let slot = nonce_slots::Model { taken_at_height: void.taken_at_height, ..slot };
                Ok(nonce_slots::save(&change.write, void, &slot).await?)
            }
        }
    }

    /// The ladder and the cancel, sealed, cheapest first.
    fn forms(&self, master: &Master, nonce: Nonce) -> Result<Vec<payloads::Model>> {
        let rungs = ladder::rungs(self.row.fee_caps(), self.facts.market.now);
        // Without a rung there would be nothing to send; whoever comes here has checked the price.
        if rungs.is_empty() {
            return Err(Error::Busy);
        }
        let mut signed = Vec::with_capacity(rungs.len() + 1);
        for (rung, fees) in (0..).zip(rungs) {
            signed.push(self.sign_one(master, nonce, Form { kind: PayloadKind::Payment, rung, fees })?);
        }
        let rung = i32::try_from(signed.len()).unwrap_or(i32::MAX);
        let cancel = Form { kind: PayloadKind::Cancel, rung, fees: self.row.fee_caps() };
        signed.push(self.sign_one(master, nonce, cancel)?);
        Ok(signed)
    }

    fn sign_one(&self, master: &Master, nonce: Nonce, form: Form) -> Result<payloads::Model> {
        let Self { row, facts, key, .. } = self;
        let (to, value, data, gas) = match form.kind {
            PayloadKind::Payment => (row.to_address, row.value, row.data.clone(), row.gas_limit),
            PayloadKind::Cancel => (Some(row.address), Wei::ZERO, Vec::new(), facts.cancel_gas.min(row.gas_limit)),
        };
        let unsigned = Unsigned {
            chain_id: row.chain_id,
            nonce: nonce.0,
            to,
            value,
            data: CallData(data),
            gas_limit: gas.0,
            fees: form.fees,
            legacy: facts.market.legacy,
        };
        sign_form(master, key, &unsigned, row, &form)
    }
}

/// A signed form of a transaction: what it does, and its place on the ladder.
pub(super) struct Form {
    pub(super) kind: PayloadKind,
    pub(super) rung: i32,
    pub(super) fees: Fees,
}

/// Signs and seals one form.
pub(super) fn sign_form(
    master: &Master,
    key: &WalletKey,
    unsigned: &Unsigned,
    row: &Model,
    form: &Form,
) -> Result<payloads::Model> {
    let Form { kind, rung, fees } = *form;
    let signed = key.sign(unsigned).map_err(|_| Error::Integrity("signature"))?;
    let binding = PayloadBinding {
        transaction_id: row.transaction_id,
        address: row.address,
        chain_id: row.chain_id,
        nonce: unsigned.nonce,
        hash: signed.hash,
        kind,
        rung,
    };
    Ok(payloads::Model {
        transaction_id: row.transaction_id,
        hash: signed.hash,
        chain_id: row.chain_id,
        address: row.address,
        nonce: Nonce(unsigned.nonce),
        kind,
        rung,
        max_fee_per_gas: fees.max_fee_per_gas.into(),
        max_priority_fee_per_gas: fees.max_priority_fee_per_gas.into(),
        gas_limit: Gas(unsigned.gas_limit),
        bytes: Some(payload::seal(master, &binding, &signed.bytes)),
        sent_at: None,
        accepted_at: None,
    })
}

/// Deletes everything that was signed with a nonce for the transaction that had it.
async fn forget_bytes(write: &Write, slot: &nonce_slots::Model) -> Result<()> {
    payloads::delete_bytes(write, slot.transaction_id, PayloadKind::Payment).await?;
    Ok(payloads::delete_bytes(write, slot.transaction_id, PayloadKind::Cancel).await?)
}
