//! What a human sends on their own, without an agent.

use alloy::primitives::{Address, B256, U256};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::call::Call;
use crate::{AbiCall, Action, Error, Secret, Transaction, address};

const TRANSFER: &str = "api/transfer";
const TRANSFER_ERC20: &str = "api/transfer_erc20";
const CONTRACT_CALL: &str = "api/contract_call";

/// A transaction that a user sends on their own: prepared, approved and sent in one call.
///
/// It carries an idempotency key from the start: cloned or sent again, it is the same request, and
/// nothing is sent twice. Make a new one to send a second time.
///
/// Show it first, and send what was shown: the digest of the preview binds the two, so that no fee
/// or gas beyond it is signed, whatever happens in between.
///
/// ```
/// use agent_sdk::{Error, Secret, Send, Transaction, UserClient, address, amount};
///
/// # async fn send(user: UserClient, password: Secret, mfa_code: Secret) -> Result<Transaction, Box<dyn std::error::Error>> {
/// let savings = address::parse("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")?;
/// let shop = address::parse("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")?;
/// let shown = user.preview(&Send::transfer(savings, shop, amount::parse("1000000000000000")?)).await?;
/// println!("at most {} wei of fee", shown.worst_case_fee);
/// let sent = user.send(&Send::of_preview(&shown)?, &password, &mfa_code).await?;
/// # Ok(sent)
/// # }
/// ```
// Serialized, it is the request for a preview; the one that sends is `Body`.
#[derive(Clone, Debug, Serialize)]
pub struct Send {
    #[serde(with = "address")]
    address: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_id: Option<u64>,
    action: Action,
    #[serde(skip)]
    path: &'static str,
    #[serde(skip)]
    digest: Option<B256>,
    #[serde(skip)]
    acknowledge: Vec<String>,
    #[serde(skip)]
    idempotency_key: String,
}

/// The request that sends: the action's own fields beside the rest.
#[derive(Serialize)]
struct Body<'a> {
    password: &'a str,
    mfa_code: &'a str,
    #[serde(with = "address")]
    address: Address,
    #[serde(flatten)]
    fields: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<B256>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    acknowledge: &'a [String],
}

impl Send {
    /// `amount` wei of the chain's native coin, from the wallet with this address.
    #[must_use]
    pub fn transfer(from: Address, to_address: Address, amount: U256) -> Self {
        Self::new(TRANSFER, from, Action::Transfer { to_address, amount })
    }

    /// `amount` of an ERC-20 token, in its smallest unit.
    #[must_use]
    pub fn transfer_erc20(from: Address, token_address: Address, to_address: Address, amount: U256) -> Self {
        Self::new(TRANSFER_ERC20, from, Action::TransferErc20 { token_address, to_address, amount })
    }

    /// A call of a contract.
    #[must_use]
    pub fn contract_call(from: Address, call: AbiCall) -> Self {
        Self::new(CONTRACT_CALL, from, call.into())
    }

    /// What a [preview](crate::UserClient::preview) showed, and nothing else: from that wallet, on
    /// that chain, within the gas and fees of its digest.
    ///
    /// It is a new request with an idempotency key of its own. Fails when the transaction is of a
    /// kind that users do not send.
    pub fn of_preview(shown: &Transaction) -> Result<Self, Error> {
        let path = match shown.action {
            Action::Transfer { .. } => TRANSFER,
            Action::TransferErc20 { .. } => TRANSFER_ERC20,
            Action::ContractCall { .. } => CONTRACT_CALL,
            _ => return Err(Error::InvalidRequest("users send transfers and contract calls only")),
        };
        let send = Self::new(path, shown.address, shown.action.clone());
        Ok(send.chain_id(shown.chain_id).digest(shown.computed_digest()))
    }

    fn new(path: &'static str, address: Address, action: Action) -> Self {
        let idempotency_key = Uuid::now_v7().to_string();
        Self { address, chain_id: None, action, path, digest: None, acknowledge: Vec::new(), idempotency_key }
    }

    /// On the chain with this EIP-155 id. May be left out when the server has one chain.
    #[must_use]
    pub fn chain_id(mut self, chain_id: u64) -> Self {
        self.chain_id = Some(chain_id);
        self
    }

    /// Send only what was shown under this digest: that of a [preview](crate::UserClient::preview).
    ///
    /// The server answers `preview_changed` with the new preview when it would now cost more or do
    /// worse. Without a digest whatever it costs by then is signed.
    #[must_use]
    pub fn digest(mut self, digest: B256) -> Self {
        self.digest = Some(digest);
        self
    }

    /// Say that the human has seen the warnings with these codes.
    ///
    /// The server answers `acknowledgement_required` when one that matters is missing.
    #[must_use]
    pub fn acknowledge(mut self, codes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.acknowledge.extend(codes.into_iter().map(Into::into));
        self
    }

    /// Use this idempotency key (1 to 255 visible ASCII characters) instead of a random one.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = key.into();
        self
    }

    /// The call that shows what would be sent.
    pub(crate) fn preview(&self) -> Result<Call, Error> {
        Call::post("api/preview_transaction", self)
    }

    /// The call that sends it.
    ///
    /// It spends a code, and yet it is repeated freely: the server looks for the idempotency key
    /// before it looks at password and code. When an answer is lost, the repeat finds what the
    /// first attempt sent; when the first attempt never arrived, the code is still good.
    pub(crate) fn call(&self, password: &Secret, mfa_code: &Secret) -> Result<Call, Error> {
        let body = Body {
            password: password.expose(),
            mfa_code: mfa_code.expose(),
            address: self.address,
            fields: self.fields()?,
            chain_id: self.chain_id,
            digest: self.digest,
            acknowledge: &self.acknowledge,
        };
        Call::post(self.path, &body)?.idempotency_key(&self.idempotency_key)
    }

    /// The action's fields; the path says which kind it is.
    fn fields(&self) -> Result<Map<String, Value>, Error> {
        match serde_json::to_value(&self.action) {
            Ok(Value::Object(mut fields)) => {
                fields.remove("type");
                Ok(fields)
            }
            _ => Err(Error::InvalidRequest("not expressible as JSON")),
        }
    }
}
