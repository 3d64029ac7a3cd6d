//! Functions that public standards and widely used contracts define: what their selectors mean, whoever says otherwise.

use std::{collections::HashMap, sync::LazyLock};

use alloy::json_abi::Function;

use super::{Contract, contract::Entry};

/// A function of a standard.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) entry: Entry<Function>,
    /// What people call the standard.
    pub(super) standard: &'static str,
}

/// Where ERC-20 and ERC-721 share a selector, the first names stand; what the token is decides what is shown.
const TABLE: &[(&str, &[&str])] = &[
    (
        "ERC-20",
        &[
            "transfer(address to, uint256 amount)",
            "transferFrom(address from, address to, uint256 amount)",
            "approve(address spender, uint256 amount)",
            "increaseAllowance(address spender, uint256 addedAmount)",
            "decreaseAllowance(address spender, uint256 subtractedAmount)",
            "increaseApproval(address spender, uint256 addedAmount)",
            "decreaseApproval(address spender, uint256 subtractedAmount)",
            "approveDelegation(address delegatee, uint256 amount)",
            "balanceOf(address owner)",
            "allowance(address owner, address spender)",
            "totalSupply()",
        ],
    ),
    (
        "ERC-1363",
        &[
            "transferAndCall(address to, uint256 amount)",
            "transferAndCall(address to, uint256 amount, bytes data)",
            "transferFromAndCall(address from, address to, uint256 amount)",
            "transferFromAndCall(address from, address to, uint256 amount, bytes data)",
            "approveAndCall(address spender, uint256 amount)",
            "approveAndCall(address spender, uint256 amount, bytes data)",
        ],
    ),
    ("ERC-223", &["transfer(address to, uint256 amount, bytes data)"]),
    (
        "ERC-777",
        &[
            "send(address recipient, uint256 amount, bytes data)",
            "operatorSend(address sender, address recipient, uint256 amount, bytes data, bytes operatorData)",
            "authorizeOperator(address operator)",
            "revokeOperator(address operator)",
        ],
    ),
    ("ERC-6909", &["setOperator(address spender, bool approved)"]),
    ("DSToken", &["approve(address spender)"]),
    ("Comet", &["allow(address manager, bool isAllowed)"]),
    ("Vat", &["hope(address operator)", "nope(address operator)", "rely(address ward)", "deny(address ward)"]),
    (
        "ERC-2612",
        &["permit(address owner, address spender, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)"],
    ),
    (
        "DAI",
        &[
            "permit(address holder, address spender, uint256 nonce, uint256 expiry, bool allowed, uint8 v, bytes32 r, bytes32 s)",
        ],
    ),
    ("WETH", &["deposit()", "withdraw(uint256 amount)"]),
    (
        "ERC-721",
        &[
            "safeTransferFrom(address from, address to, uint256 tokenId)",
            "safeTransferFrom(address from, address to, uint256 tokenId, bytes data)",
            "setApprovalForAll(address operator, bool approved)",
        ],
    ),
    (
        "ERC-1155",
        &[
            "safeTransferFrom(address from, address to, uint256 id, uint256 amount, bytes data)",
            "safeBatchTransferFrom(address from, address to, uint256[] ids, uint256[] amounts, bytes data)",
        ],
    ),
    (
        "Permit2",
        &[
            "approve(address token, address spender, uint160 amount, uint48 expiration)",
            "transferFrom(address from, address to, uint160 amount, address token)",
            "transferFrom((address,address,uint160,address)[] transferDetails)",
            "permit(address owner, ((address,uint160,uint48,uint48),address,uint256) permitSingle, bytes signature)",
            "permit(address owner, ((address,uint160,uint48,uint48)[],address,uint256) permitBatch, bytes signature)",
            "permitTransferFrom(((address,uint256),uint256,uint256) permit, (address,uint256) transferDetails, address owner, bytes signature)",
            "permitTransferFrom(((address,uint256)[],uint256,uint256) permit, (address,uint256)[] transferDetails, address owner, bytes signature)",
            "lockdown((address,address)[] approvals)",
            "permitWitnessTransferFrom(((address,uint256),uint256,uint256) permit, (address,uint256) transferDetails, address owner, bytes32 witness, string witnessTypeString, bytes signature)",
            "permitWitnessTransferFrom(((address,uint256)[],uint256,uint256) permit, (address,uint256)[] transferDetails, address owner, bytes32 witness, string witnessTypeString, bytes signature)",
            "invalidateNonces(address token, address spender, uint48 newNonce)",
            "invalidateUnorderedNonces(uint256 wordPos, uint256 mask)",
        ],
    ),
    (
        "Ownable",
        &[
            "transferOwnership(address newOwner)",
            "renounceOwnership()",
            "acceptOwnership()",
            "setOwner(address newOwner)",
            "changeOwner(address newOwner)",
            "setAuthority(address newAuthority)",
            "completeOwnershipHandover(address newOwner)",
            "nominateNewOwner(address newOwner)",
            "transferGovernance(address newGovernance)",
            "setGovernance(address newGovernance)",
            "setAdmin(address newAdmin)",
            "setPendingAdmin(address newAdmin)",
        ],
    ),
    (
        "AccessControl",
        &[
            "grantRole(bytes32 role, address account)",
            "revokeRole(bytes32 role, address account)",
            "renounceRole(bytes32 role, address account)",
            "beginDefaultAdminTransfer(address newAdmin)",
            "acceptDefaultAdminTransfer()",
        ],
    ),
    (
        "proxy",
        &[
            "upgradeTo(address newImplementation)",
            "upgradeToAndCall(address newImplementation, bytes data)",
            "upgrade(address proxy, address implementation)",
            "upgradeAndCall(address proxy, address implementation, bytes data)",
            "setImplementation(address newImplementation)",
            "_setImplementation(address newImplementation)",
            "changeImplementation(address newImplementation)",
            "upgradeBeaconTo(address newBeacon)",
            "upgradeBeaconToAndCall(address newBeacon, bytes data, bool forceCall)",
            "transferProxyOwnership(address newOwner)",
            "changeAdmin(address newAdmin)",
            "changeProxyAdmin(address proxy, address newAdmin)",
        ],
    ),
    ("ERC-2535", &["diamondCut((address,uint8,bytes4[])[] cuts, address init, bytes data)"]),
    (
        "Safe",
        &[
            "addOwnerWithThreshold(address owner, uint256 threshold)",
            "removeOwner(address prevOwner, address owner, uint256 threshold)",
            "swapOwner(address prevOwner, address oldOwner, address newOwner)",
            "changeThreshold(uint256 threshold)",
            "enableModule(address module)",
            "disableModule(address prevModule, address module)",
            "setGuard(address guard)",
            "setFallbackHandler(address handler)",
            "execTransactionFromModule(address to, uint256 value, bytes data, uint8 operation)",
            "execTransactionFromModuleReturnData(address to, uint256 value, bytes data, uint8 operation)",
            "execTransaction(address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver, bytes signatures)",
            "multiSend(bytes transactions)",
            "approveHash(bytes32 hashToApprove)",
            "setup(address[] owners, uint256 threshold, address to, bytes data, address fallbackHandler, address paymentToken, uint256 payment, address paymentReceiver)",
        ],
    ),
    ("CoW Protocol", &["setPreSignature(bytes orderUid, bool signed)"]),
    ("DSProxy", &["execute(address target, bytes data)"]),
    ("Morpho", &["setAuthorization(address authorized, bool newIsAuthorized)"]),
    ("Balancer", &["setRelayerApproval(address sender, address relayer, bool approved)"]),
    (
        "ENS",
        &[
            "setOwner(bytes32 node, address owner)",
            "setSubnodeOwner(bytes32 node, bytes32 label, address owner)",
            "reclaim(uint256 id, address owner)",
            "setAddr(bytes32 node, address addr)",
            "setText(bytes32 node, string key, string value)",
            "setContenthash(bytes32 node, bytes hash)",
        ],
    ),
    ("EntryPoint", &["withdrawTo(address withdrawAddress, uint256 withdrawAmount)", "depositTo(address account)"]),
    ("CryptoPunks", &["transferPunk(address to, uint256 punkIndex)"]),
    ("minting", &["addMinter(address account)"]),
    (
        "ERC-4626",
        &[
            "deposit(uint256 assets, address receiver)",
            "mint(uint256 shares, address receiver)",
            "withdraw(uint256 assets, address receiver, address owner)",
            "redeem(uint256 shares, address receiver, address owner)",
        ],
    ),
    (
        "Aave",
        &[
            "supply(address asset, uint256 amount, address onBehalfOf, uint16 referralCode)",
            "deposit(address asset, uint256 amount, address onBehalfOf, uint16 referralCode)",
            "withdraw(address asset, uint256 amount, address to)",
        ],
    ),
    (
        "Uniswap V2",
        &[
            "swapExactTokensForTokens(uint256 amountIn, uint256 amountOutMin, address[] path, address to, uint256 deadline)",
            "swapTokensForExactTokens(uint256 amountOut, uint256 amountInMax, address[] path, address to, uint256 deadline)",
            "swapExactTokensForETH(uint256 amountIn, uint256 amountOutMin, address[] path, address to, uint256 deadline)",
            "swapTokensForExactETH(uint256 amountOut, uint256 amountInMax, address[] path, address to, uint256 deadline)",
            "swapExactETHForTokens(uint256 amountOutMin, address[] path, address to, uint256 deadline)",
            "swapETHForExactTokens(uint256 amountOut, address[] path, address to, uint256 deadline)",
            "swapExactTokensForTokensSupportingFeeOnTransferTokens(uint256 amountIn, uint256 amountOutMin, address[] path, address to, uint256 deadline)",
            "swapExactTokensForETHSupportingFeeOnTransferTokens(uint256 amountIn, uint256 amountOutMin, address[] path, address to, uint256 deadline)",
            "swapExactETHForTokensSupportingFeeOnTransferTokens(uint256 amountOutMin, address[] path, address to, uint256 deadline)",
            "addLiquidity(address tokenA, address tokenB, uint256 amountADesired, uint256 amountBDesired, uint256 amountAMin, uint256 amountBMin, address to, uint256 deadline)",
            "addLiquidityETH(address token, uint256 amountTokenDesired, uint256 amountTokenMin, uint256 amountETHMin, address to, uint256 deadline)",
            "removeLiquidity(address tokenA, address tokenB, uint256 liquidity, uint256 amountAMin, uint256 amountBMin, address to, uint256 deadline)",
            "removeLiquidityETH(address token, uint256 liquidity, uint256 amountTokenMin, uint256 amountETHMin, address to, uint256 deadline)",
        ],
    ),
    (
        "Uniswap V3",
        &[
            "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160) params)",
            "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160) params)",
            "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160) params)",
            "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint160) params)",
            "exactInput((bytes,address,uint256,uint256,uint256) params)",
            "exactInput((bytes,address,uint256,uint256) params)",
            "exactOutput((bytes,address,uint256,uint256,uint256) params)",
            "exactOutput((bytes,address,uint256,uint256) params)",
            "unwrapWETH9(uint256 amountMinimum, address recipient)",
            "sweepToken(address token, uint256 amountMinimum, address recipient)",
            "refundETH()",
        ],
    ),
    ("Lido", &["requestWithdrawals(uint256[] amounts, address owner)"]),
    (
        "OP Stack bridge",
        &[
            "depositETHTo(address to, uint32 minGasLimit, bytes extraData)",
            "bridgeETHTo(address to, uint32 minGasLimit, bytes extraData)",
            "depositERC20To(address l1Token, address l2Token, address to, uint256 amount, uint32 minGasLimit, bytes extraData)",
            "bridgeERC20To(address localToken, address remoteToken, address to, uint256 amount, uint32 minGasLimit, bytes extraData)",
            "withdrawTo(address l2Token, address to, uint256 amount, uint32 minGasLimit, bytes extraData)",
        ],
    ),
    (
        "multicall",
        &[
            "multicall(bytes[] data)",
            "multicall(uint256 deadline, bytes[] data)",
            "multicall(bytes32 previousBlockhash, bytes[] data)",
            "batch(bytes[] calls, bool revertOnFail)",
        ],
    ),
    (
        "Multicall3",
        &[
            "aggregate((address,bytes)[] calls)",
            "blockAndAggregate((address,bytes)[] calls)",
            "tryAggregate(bool requireSuccess, (address,bytes)[] calls)",
            "tryBlockAndAggregate(bool requireSuccess, (address,bytes)[] calls)",
            "aggregate3((address,bool,bytes)[] calls)",
            "aggregate3Value((address,bool,uint256,bytes)[] calls)",
        ],
    ),
    (
        "smart account",
        &[
            "execute(address target, uint256 value, bytes data)",
            "executeBatch((address,uint256,bytes)[] calls)",
            "executeBatch(address[] targets, bytes[] data)",
            "executeBatch(address[] targets, uint256[] values, bytes[] data)",
            "execute(bytes32 mode, bytes executionCalldata)",
        ],
    ),
    (
        "timelock",
        &[
            "execute(address target, uint256 value, bytes data, bytes32 predecessor, bytes32 salt)",
            "executeBatch(address[] targets, uint256[] values, bytes[] data, bytes32 predecessor, bytes32 salt)",
            "schedule(address target, uint256 value, bytes data, bytes32 predecessor, bytes32 salt, uint256 delay)",
            "scheduleBatch(address[] targets, uint256[] values, bytes[] data, bytes32 predecessor, bytes32 salt, uint256 delay)",
        ],
    ),
];

static BY_SELECTOR: LazyLock<HashMap<[u8; 4], Known>> = LazyLock::new(|| {
    let known = TABLE.iter().flat_map(|(standard, signatures)| {
        signatures.iter().map(|signature| Known { entry: Contract::known(&format!("function {signature}")), standard })
    });
    known.map(|known| (known.entry.item.selector().0, known)).collect()
});

/// The function that a selector means by a standard.
pub(super) fn by_selector(selector: [u8; 4]) -> Option<&'static Known> {
    BY_SELECTOR.get(&selector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_of_the_table_has_a_selector_of_its_own() {
        let all: usize = TABLE.iter().map(|(_, signatures)| signatures.len()).sum();
        assert_eq!(BY_SELECTOR.len(), all);
        for (selector, signature) in [
            ([0xa9, 0x05, 0x9c, 0xbb], "transfer(address,uint256)"),
            ([0x09, 0x5e, 0xa7, 0xb3], "approve(address,uint256)"),
            ([0xa2, 0x2c, 0xb4, 0x65], "setApprovalForAll(address,bool)"),
            ([0x36, 0x59, 0xcf, 0xe6], "upgradeTo(address)"),
            ([0x82, 0xad, 0x56, 0xcb], "aggregate3((address,bool,bytes)[])"),
            ([0xac, 0x96, 0x50, 0xd8], "multicall(bytes[])"),
        ] {
            assert_eq!(by_selector(selector).expect("a known one").entry.item.signature(), signature);
        }
    }
}
