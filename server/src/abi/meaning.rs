//! What calls of public standards do to what people own.

use alloy::{
    dyn_abi::DynSolValue,
    primitives::{U256, aliases::U160},
};

use crate::value::{Address, TokenStandard};

/// What a call does to what people own. Which kind of token it is may still be open: ERC-20 and ERC-721 share selectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// Tokens move: an amount, or the one ERC-721 token with that id.
    TokenTransfer {
        /// The token's contract.
        token: Address,
        /// Whose; none: the caller's.
        from: Option<Address>,
        /// Who receives them.
        to: Address,
        /// How much, or which.
        amount: U256,
    },
    /// Tokens that are told apart by an id move.
    NftTransfer {
        /// The token's contract.
        token: Address,
        /// Whose.
        from: Address,
        /// Who receives them.
        to: Address,
        /// Which.
        token_id: U256,
        /// How many of it.
        amount: U256,
        /// ERC-721 or ERC-1155.
        standard: TokenStandard,
    },
    /// Somebody may take tokens from then on: an amount, or the one ERC-721 token with that id.
    Allowance {
        /// The token's contract.
        token: Address,
        /// Who may.
        spender: Address,
        /// How much at most, or which.
        amount: U256,
        /// The largest amount that the argument can hold.
        largest: U256,
        /// Whether it comes on top of what is allowed already.
        increase: bool,
    },
    /// Somebody may take every token of a contract from then on, or may no more.
    Operator {
        /// The token's contract.
        token: Address,
        /// Who.
        operator: Address,
        /// Whether they may.
        approved: bool,
    },
    /// Who controls a contract changes.
    Ownership {
        /// The contract.
        contract: Address,
        /// Who gains control; none: nobody, or it is not one address.
        new_owner: Option<Address>,
    },
    /// Somebody else can carry something out later, because the caller agrees to it now.
    Consent {
        /// Through which contract.
        contract: Address,
    },
    /// What a contract yields goes to somebody.
    Payout {
        /// The contract.
        contract: Address,
        /// To whom.
        to: Address,
    },
    /// The code of a contract changes.
    Upgrade {
        /// The contract.
        contract: Address,
        /// Whose code it gets; none: it is not one address.
        implementation: Option<Address>,
    },
}

/// Decoded values, read by position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a>(pub(super) &'a [DynSolValue]);

impl<'a> Values<'a> {
    pub(super) fn address(self, at: usize) -> Option<Address> {
        self.0.get(at)?.as_address().map(Address)
    }

    pub(super) fn number(self, at: usize) -> Option<U256> {
        self.0.get(at)?.as_uint().map(|(number, _)| number)
    }

    pub(super) fn yes(self, at: usize) -> Option<bool> {
        self.0.get(at)?.as_bool()
    }

    /// A `bytes32`.
    pub(super) fn word(self, at: usize) -> Option<[u8; 32]> {
        self.0.get(at)?.as_fixed_bytes()?.0.try_into().ok()
    }

    pub(super) fn bytes(self, at: usize) -> Option<&'a [u8]> {
        self.0.get(at)?.as_bytes()
    }

    /// The elements of an array or tuple.
    pub(super) fn inner(self, at: usize) -> Option<Values<'a>> {
        match self.0.get(at)? {
            DynSolValue::Array(values) | DynSolValue::FixedArray(values) | DynSolValue::Tuple(values) => {
                Some(Values(values))
            }
            _ => None,
        }
    }

    /// Each element, itself an array or tuple.
    pub(super) fn each(self) -> impl Iterator<Item = Values<'a>> {
        (0..self.0.len()).filter_map(move |at| self.inner(at))
    }
}

/// What a call of a standard's function means; nothing for those that move and allow nothing.
/// `caller` is who calls; none: the wallet.
pub(super) fn of(signature: &str, caller: Option<Address>, to: Address, values: Values<'_>) -> Vec<Meaning> {
    amounts(signature, caller, to, values)
        .map(|meaning| vec![meaning])
        .or_else(|| tokens(signature, to, values))
        .or_else(|| permits(signature, to, values))
        .or_else(|| control(signature, to, values).map(|meaning| vec![meaning]))
        .or_else(|| payout(signature, to, values).map(|meaning| vec![meaning]))
        .unwrap_or_default()
}

/// Amounts of ERC-20 and of what came before and after it.
fn amounts(signature: &str, caller: Option<Address>, token: Address, values: Values<'_>) -> Option<Meaning> {
    let largest = U256::MAX;
    let allowance = |spender, amount, increase| Meaning::Allowance { token, spender, amount, largest, increase };
    let operator = |approved| Some(Meaning::Operator { token, operator: values.address(0)?, approved });
    Some(match signature {
        "transfer(address,uint256)"
        | "transfer(address,uint256,bytes)"
        | "send(address,uint256,bytes)"
        | "transferAndCall(address,uint256)"
        | "transferAndCall(address,uint256,bytes)" => {
            Meaning::TokenTransfer { token, from: caller, to: values.address(0)?, amount: values.number(1)? }
        }
        "transferFrom(address,address,uint256)"
        | "operatorSend(address,address,uint256,bytes,bytes)"
        | "transferFromAndCall(address,address,uint256)"
        | "transferFromAndCall(address,address,uint256,bytes)" => {
            let (from, to) = (values.address(0), values.address(1)?);
            Meaning::TokenTransfer { token, from, to, amount: values.number(2)? }
        }
        "approve(address,uint256)"
        | "approveDelegation(address,uint256)"
        | "approveAndCall(address,uint256)"
        | "approveAndCall(address,uint256,bytes)" => allowance(values.address(0)?, values.number(1)?, false),
        "increaseAllowance(address,uint256)" | "increaseApproval(address,uint256)" => {
            allowance(values.address(0)?, values.number(1)?, true)
        }
        "approve(address)" => allowance(values.address(0)?, largest, false),
        "setAuthorization(address,bool)" => operator(values.yes(1)?)?,
        "setRelayerApproval(address,address,bool)" => {
            Meaning::Operator { token, operator: values.address(1)?, approved: values.yes(2)? }
        }
        "authorizeOperator(address)" | "hope(address)" => operator(true)?,
        "revokeOperator(address)" | "nope(address)" => operator(false)?,
        "setApprovalForAll(address,bool)" | "setOperator(address,bool)" | "allow(address,bool)" => {
            operator(values.yes(1)?)?
        }
        _ => return None,
    })
}

fn tokens(signature: &str, token: Address, values: Values<'_>) -> Option<Vec<Meaning>> {
    let item = |token_id, amount, standard| {
        let (from, to) = (values.address(0)?, values.address(1)?);
        Some(Meaning::NftTransfer { token, from, to, token_id, amount, standard })
    };
    let one = match signature {
        "safeTransferFrom(address,address,uint256)" | "safeTransferFrom(address,address,uint256,bytes)" => {
            item(values.number(2)?, U256::ONE, TokenStandard::Erc721)?
        }
        "safeTransferFrom(address,address,uint256,uint256,bytes)" => {
            item(values.number(2)?, values.number(3)?, TokenStandard::Erc1155)?
        }
        "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)" => {
            let (ids, amounts) = (values.inner(2)?, values.inner(3)?);
            let pairs = (0..ids.0.len()).filter_map(|at| Some((ids.number(at)?, amounts.number(at)?)));
            return pairs.map(|(id, amount)| item(id, amount, TokenStandard::Erc1155)).collect();
        }
        _ => return None,
    };
    Some(vec![one])
}

/// Allowances by signature, and Permit2, where the token is an argument.
fn permits(signature: &str, to: Address, values: Values<'_>) -> Option<Vec<Meaning>> {
    let largest = U256::from(U160::MAX);
    let bounded = |token, spender, amount| Meaning::Allowance { token, spender, amount, largest, increase: false };
    let moved = |token, from, to, amount| Meaning::TokenTransfer { token, from: Some(from), to, amount };
    let one = match signature {
        "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)" => {
            let (spender, amount) = (values.address(1)?, values.number(2)?);
            Meaning::Allowance { token: to, spender, amount, largest: U256::MAX, increase: false }
        }
        "permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)" => {
            let amount = if values.yes(4)? { U256::MAX } else { U256::ZERO };
            let spender = values.address(1)?;
            Meaning::Allowance { token: to, spender, amount, largest: U256::MAX, increase: false }
        }
        "approve(address,address,uint160,uint48)" => bounded(values.address(0)?, values.address(1)?, values.number(2)?),
        "transferFrom(address,address,uint160,address)" => {
            moved(values.address(3)?, values.address(0)?, values.address(1)?, values.number(2)?)
        }
        "transferFrom((address,address,uint160,address)[])" => {
            let each = values.inner(0)?.each();
            return each
                .map(|one| Some(moved(one.address(3)?, one.address(0)?, one.address(1)?, one.number(2)?)))
                .collect();
        }
        "permit(address,((address,uint160,uint48,uint48),address,uint256),bytes)" => {
            let permit = values.inner(1)?;
            let details = permit.inner(0)?;
            bounded(details.address(0)?, permit.address(1)?, details.number(1)?)
        }
        "permit(address,((address,uint160,uint48,uint48)[],address,uint256),bytes)" => {
            let permit = values.inner(1)?;
            let spender = permit.address(1)?;
            let each = permit.inner(0)?.each();
            return each.map(|details| Some(bounded(details.address(0)?, spender, details.number(1)?))).collect();
        }
        "permitTransferFrom(((address,uint256),uint256,uint256),(address,uint256),address,bytes)"
        | "permitWitnessTransferFrom(((address,uint256),uint256,uint256),(address,uint256),address,bytes32,string,bytes)" =>
        {
            let (token, details) = (values.inner(0)?.inner(0)?.address(0)?, values.inner(1)?);
            moved(token, values.address(2)?, details.address(0)?, details.number(1)?)
        }
        "permitTransferFrom(((address,uint256)[],uint256,uint256),(address,uint256)[],address,bytes)"
        | "permitWitnessTransferFrom(((address,uint256)[],uint256,uint256),(address,uint256)[],address,bytes32,string,bytes)" =>
        {
            let (tokens, details, owner) = (values.inner(0)?.inner(0)?, values.inner(1)?, values.address(2)?);
            let pairs = tokens.each().zip(details.each());
            return pairs
                .map(|(token, detail)| Some(moved(token.address(0)?, owner, detail.address(0)?, detail.number(1)?)))
                .collect();
        }
        _ => return None,
    };
    Some(vec![one])
}

fn control(signature: &str, contract: Address, values: Values<'_>) -> Option<Meaning> {
    let owner = |contract, new_owner| Meaning::Ownership { contract, new_owner };
    let code = |contract, implementation| Meaning::Upgrade { contract, implementation };
    Some(match signature {
        "transferOwnership(address)"
        | "setOwner(address)"
        | "changeOwner(address)"
        | "setAuthority(address)"
        | "beginDefaultAdminTransfer(address)"
        | "changeAdmin(address)"
        | "addOwnerWithThreshold(address,uint256)"
        | "completeOwnershipHandover(address)"
        | "nominateNewOwner(address)"
        | "transferGovernance(address)"
        | "setGovernance(address)"
        | "setAdmin(address)"
        | "setPendingAdmin(address)"
        | "transferProxyOwnership(address)"
        | "rely(address)"
        | "setGuard(address)"
        | "addMinter(address)"
        | "enableModule(address)" => owner(contract, values.address(0)),
        "setup(address[],uint256,address,bytes,address,address,uint256,address)" => owner(contract, None),
        "setOwner(bytes32,address)" | "reclaim(uint256,address)" => owner(contract, values.address(1)),
        "setSubnodeOwner(bytes32,bytes32,address)" => owner(contract, values.address(2)),
        "approveHash(bytes32)" => Meaning::Consent { contract },
        "setPreSignature(bytes,bool)" if values.yes(1)? => Meaning::Consent { contract },
        // Code of somebody else's choice, run as the contract itself.
        "execute(address,bytes)" => code(contract, values.address(0)),
        "renounceOwnership()"
        | "deny(address)"
        | "disableModule(address,address)"
        | "changeThreshold(uint256)"
        | "removeOwner(address,address,uint256)"
        | "revokeRole(bytes32,address)"
        | "renounceRole(bytes32,address)" => owner(contract, None),
        "grantRole(bytes32,address)" => owner(contract, values.address(1)),
        "swapOwner(address,address,address)" => owner(contract, values.address(2)),
        "changeProxyAdmin(address,address)" => owner(values.address(0)?, values.address(1)),
        "upgradeTo(address)"
        | "upgradeToAndCall(address,bytes)"
        | "upgradeBeaconTo(address)"
        | "upgradeBeaconToAndCall(address,bytes,bool)"
        | "setImplementation(address)"
        | "_setImplementation(address)"
        | "changeImplementation(address)"
        | "setFallbackHandler(address)" => code(contract, values.address(0)),
        "upgrade(address,address)" | "upgradeAndCall(address,address,bytes)" => {
            code(values.address(0)?, values.address(1))
        }
        "diamondCut((address,uint8,bytes4[])[],address,bytes)" => code(contract, None),
        _ => return None,
    })
}

/// Who receives what a swap, a withdrawal, a deposit or a bridge yields. Some routers mean themselves or their caller by the
/// first few addresses.
fn payout(signature: &str, contract: Address, values: Values<'_>) -> Option<Meaning> {
    let to = match signature {
        "withdrawTo(address,uint256)"
        | "transferPunk(address,uint256)"
        | "depositETHTo(address,uint32,bytes)"
        | "bridgeETHTo(address,uint32,bytes)" => values.address(0)?,
        "deposit(uint256,address)"
        | "mint(uint256,address)"
        | "withdraw(uint256,address,address)"
        | "redeem(uint256,address,address)"
        | "requestWithdrawals(uint256[],address)"
        | "unwrapWETH9(uint256,address)"
        | "withdrawTo(address,address,uint256,uint32,bytes)"
        // Whom a name stands for is who is paid by it.
        | "setAddr(bytes32,address)" => values.address(1)?,
        "withdraw(address,uint256,address)"
        | "supply(address,uint256,address,uint16)"
        | "deposit(address,uint256,address,uint16)"
        | "sweepToken(address,uint256,address)"
        | "depositERC20To(address,address,address,uint256,uint32,bytes)"
        | "bridgeERC20To(address,address,address,uint256,uint32,bytes)"
        | "swapExactETHForTokens(uint256,address[],address,uint256)"
        | "swapETHForExactTokens(uint256,address[],address,uint256)"
        | "swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,address[],address,uint256)" => {
            values.address(2)?
        }
        "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
        | "swapTokensForExactTokens(uint256,uint256,address[],address,uint256)"
        | "swapExactTokensForETH(uint256,uint256,address[],address,uint256)"
        | "swapTokensForExactETH(uint256,uint256,address[],address,uint256)"
        | "swapExactTokensForTokensSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)"
        | "swapExactTokensForETHSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)" => {
            values.address(3)?
        }
        "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)"
        | "removeLiquidityETH(address,uint256,uint256,uint256,address,uint256)" => values.address(4)?,
        "removeLiquidity(address,address,uint256,uint256,uint256,address,uint256)" => values.address(5)?,
        "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)" => values.address(6)?,
        "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
        | "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
        | "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
        | "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint160))" => {
            values.inner(0)?.address(3)?
        }
        "exactInput((bytes,address,uint256,uint256,uint256))"
        | "exactInput((bytes,address,uint256,uint256))"
        | "exactOutput((bytes,address,uint256,uint256,uint256))"
        | "exactOutput((bytes,address,uint256,uint256))" => values.inner(0)?.address(1)?,
        _ => return None,
    };
    let is_symbol = to.as_bytes()[..19].iter().all(|&byte| byte == 0) && to.as_bytes()[19] <= 2;
    (!is_symbol && to != contract).then_some(Meaning::Payout { contract, to })
}
