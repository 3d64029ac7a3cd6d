//! Events of tokens and of contracts that change hands.

use std::sync::LazyLock;

use alloy::{
    dyn_abi::{DynSolType, DynSolValue},
    primitives::{B256, U256, address, keccak256},
};

use super::{decode, meaning::Values};
use crate::value::{Address, TokenStandard};

/// How many transfers of one batch are read: far more than are shown, so that it is told when some are not.
const MOST: usize = 1_024;

/// Something that a contract says has happened. A contract can say anything of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An amount has moved.
    Transfer {
        /// The token, or [`Address::NATIVE`].
        token: Address,
        /// From whom.
        from: Address,
        /// To whom.
        to: Address,
        /// How much.
        amount: U256,
    },
    /// Something that is told apart by an id has moved.
    NftTransfer {
        /// The token.
        token: Address,
        /// ERC-721 or ERC-1155.
        standard: TokenStandard,
        /// From whom.
        from: Address,
        /// To whom.
        to: Address,
        /// Which.
        token_id: U256,
        /// How many of it.
        amount: U256,
    },
    /// Somebody may take an amount.
    Approval {
        /// The token.
        token: Address,
        /// From whom.
        owner: Address,
        /// Who may.
        spender: Address,
        /// How much.
        amount: U256,
    },
    /// Somebody may take one ERC-721 token.
    NftApproval {
        /// The token.
        token: Address,
        /// From whom.
        owner: Address,
        /// Who may.
        approved: Address,
        /// Which.
        token_id: U256,
    },
    /// Somebody may take everything, or may no more.
    ApprovalForAll {
        /// The token.
        token: Address,
        /// From whom.
        owner: Address,
        /// Who may.
        operator: Address,
        /// Whether they may.
        approved: bool,
    },
    /// A contract has changed hands.
    OwnershipTransferred {
        /// The contract.
        contract: Address,
        /// Whose it was.
        previous: Address,
        /// Whose it is.
        new: Address,
    },
    /// A contract has other code.
    Upgraded {
        /// The contract.
        contract: Address,
        /// Whose code it has.
        implementation: Address,
    },
}

impl Event {
    /// The token that it is about.
    pub fn token(&self) -> Option<Address> {
        match *self {
            Self::Transfer { token, .. }
            | Self::NftTransfer { token, .. }
            | Self::Approval { token, .. }
            | Self::NftApproval { token, .. }
            | Self::ApprovalForAll { token, .. } => Some(token),
            Self::OwnershipTransferred { .. } | Self::Upgraded { .. } => None,
        }
    }

    /// Who loses something by it, now or later.
    pub fn giver(&self) -> Option<Address> {
        match *self {
            Self::Transfer { from, .. } | Self::NftTransfer { from, .. } => Some(from),
            Self::Approval { owner, .. } | Self::NftApproval { owner, .. } | Self::ApprovalForAll { owner, .. } => {
                Some(owner)
            }
            Self::OwnershipTransferred { .. } | Self::Upgraded { .. } => None,
        }
    }

    /// Who receives something by it.
    pub fn taker(&self) -> Option<Address> {
        match *self {
            Self::Transfer { to, .. } | Self::NftTransfer { to, .. } => Some(to),
            _ => None,
        }
    }
}

/// Permit2, which has the same address on every chain. Whoever else emits its events says something about nothing.
const PERMIT2: Address = Address(address!("000000000022d473030f116ddee9f6b43ac78ba3"));

/// Keccak-256 of the events' signatures.
struct Topics {
    transfer: B256,
    transfer_single: B256,
    transfer_batch: B256,
    approval: B256,
    permit2_approval: B256,
    permit2_permit: B256,
    approval_for_all: B256,
    ownership_transferred: B256,
    upgraded: B256,
}

static TOPICS: LazyLock<Topics> = LazyLock::new(|| Topics {
    transfer: keccak256("Transfer(address,address,uint256)"),
    transfer_single: keccak256("TransferSingle(address,address,address,uint256,uint256)"),
    transfer_batch: keccak256("TransferBatch(address,address,address,uint256[],uint256[])"),
    approval: keccak256("Approval(address,address,uint256)"),
    permit2_approval: keccak256("Approval(address,address,address,uint160,uint48)"),
    permit2_permit: keccak256("Permit(address,address,address,uint160,uint48,uint48)"),
    approval_for_all: keccak256("ApprovalForAll(address,address,bool)"),
    ownership_transferred: keccak256("OwnershipTransferred(address,address)"),
    upgraded: keccak256("Upgraded(address)"),
});

/// What a log says; nothing when it is none of these, or malformed.
pub fn read_log(address: Address, topics: &[B256], data: &[u8]) -> Vec<Event> {
    let kind = topics.first().copied().unwrap_or_default();
    if kind == TOPICS.transfer_single || kind == TOPICS.transfer_batch {
        return transfers(address, topics, data).unwrap_or_default();
    }
    one(address, kind, topics, data).into_iter().collect()
}

fn one(contract: Address, kind: B256, topics: &[B256], data: &[u8]) -> Option<Event> {
    let (token, topics) = (contract, topics.get(1..)?);
    let party = |at: usize| party(topics.get(at)?);
    let number = || <&[u8; 32]>::try_from(data).ok().map(|word| U256::from_be_bytes(*word));
    let first = || data.first_chunk::<32>().map(|word| U256::from_be_bytes(*word));
    let topics_are = |count: usize| (topics.len() == count).then_some(());
    Some(match kind {
        kind if kind == TOPICS.transfer => match topics {
            [_, _] => Event::Transfer { token, from: party(0)?, to: party(1)?, amount: number()? },
            [_, _, id] if data.is_empty() => {
                let (standard, token_id) = (TokenStandard::Erc721, U256::from_be_bytes(id.0));
                let (from, to, amount) = (party(0)?, party(1)?, U256::ONE);
                Event::NftTransfer { token, standard, from, to, token_id, amount }
            }
            _ => return None,
        },
        kind if kind == TOPICS.approval => match topics {
            [_, _] => Event::Approval { token, owner: party(0)?, spender: party(1)?, amount: number()? },
            [_, _, id] if data.is_empty() => {
                let token_id = U256::from_be_bytes(id.0);
                Event::NftApproval { token, owner: party(0)?, approved: party(1)?, token_id }
            }
            _ => return None,
        },
        kind if kind == TOPICS.permit2_approval || kind == TOPICS.permit2_permit => {
            topics_are(3).filter(|()| contract == PERMIT2)?;
            Event::Approval { token: party(1)?, owner: party(0)?, spender: party(2)?, amount: first()? }
        }
        kind if kind == TOPICS.approval_for_all => {
            topics_are(2)?;
            let approved = !number()?.is_zero();
            Event::ApprovalForAll { token, owner: party(0)?, operator: party(1)?, approved }
        }
        kind if kind == TOPICS.ownership_transferred => {
            topics_are(2)?;
            Event::OwnershipTransferred { contract, previous: party(0)?, new: party(1)? }
        }
        kind if kind == TOPICS.upgraded => {
            topics_are(1)?;
            Event::Upgraded { contract, implementation: party(0)? }
        }
        _ => return None,
    })
}

/// ERC-1155: one kind of token, or several at once.
fn transfers(token: Address, topics: &[B256], data: &[u8]) -> Option<Vec<Event>> {
    let [kind, _operator, from, to] = topics else { return None };
    let (from, to) = (party(from)?, party(to)?);
    let number = || DynSolType::Uint(256);
    let types = if *kind == TOPICS.transfer_single {
        vec![number(), number()]
    } else {
        vec![DynSolType::Array(Box::new(number())), DynSolType::Array(Box::new(number()))]
    };
    let values = decode::decode(&types, data)?;
    let pairs: Vec<(U256, U256)> = match values.as_slice() {
        [DynSolValue::Uint(id, _), DynSolValue::Uint(amount, _)] => vec![(*id, *amount)],
        [DynSolValue::Array(ids), DynSolValue::Array(amounts)] => {
            let (ids, amounts) = (Values(ids), Values(amounts));
            (0..ids.0.len().min(MOST)).filter_map(|at| Some((ids.number(at)?, amounts.number(at)?))).collect()
        }
        _ => return None,
    };
    let event =
        |(token_id, amount)| Event::NftTransfer { token, standard: TokenStandard::Erc1155, from, to, token_id, amount };
    Some(pairs.into_iter().map(event).collect())
}

/// An address in a topic, where nothing but zeros stands before it.
fn party(topic: &B256) -> Option<Address> {
    let address = alloy::primitives::Address::from_word(*topic);
    (address.into_word() == *topic).then_some(Address(address))
}
