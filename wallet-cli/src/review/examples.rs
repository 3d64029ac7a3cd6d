//! The transactions of docs/REVIEW.md, one for each action, as the server describes them.

use agent_sdk::Transaction;
use alloy::primitives::{hex, keccak256};
use serde_json::{Value, json};

/// Who is paid.
pub(crate) const RECIPIENT: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
/// The wallet.
const WALLET: &str = "0x52908400098527886E0F7030069857D2E4169EE7";
/// A token.
const USDC: &str = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
/// A contract that takes tokens.
const STAKING: &str = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512";
/// A contract that makes several calls.
const MULTICALL: &str = "0xcA11bde05977b3631167028862bE2a173976CA11";
/// Who may take tokens.
const SPENDER: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/// How an ERC-20 token's allowances are used.
const TRANSFER_FROM: &str = "transferFrom(address,address,uint256)";

/// Every example under the heading it has in docs/REVIEW.md.
pub(crate) fn all() -> Vec<(&'static str, Transaction)> {
    vec![
        ("A transfer", transfer()),
        ("A transfer that the approval sends", on_approval()),
        ("A token transfer", token_transfer()),
        ("A contract call with the agent's ABI", staking()),
        ("An unlimited allowance in raw bytes", allowance()),
        ("Several calls in one", multicall()),
        ("A deployment", deployment()),
        ("A call that would fail", failing()),
        ("A transaction without a preview", unexplained()),
    ]
}

/// A pending transfer of 0.05 coins without a preview, with `changes` made to its JSON and the digest put right.
pub(crate) fn transaction(changes: Value) -> Transaction {
    let mut object = json!({
        "transaction_id": "019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55",
        "version": 1,
        "status": "pending",
        "cancelling": false,
        "execute": "agent",
        "user_id": "019ab5f0-0000-7000-8000-000000000001",
        "agent_id": "019ab5f1-0000-7000-8000-000000000002",
        "wallet_id": "019ab5f1-0000-7000-8000-000000000003",
        "address": WALLET,
        "chain_id": 31337,
        "action": { "type": "transfer", "to_address": RECIPIENT, "amount": "50000000000000000" },
        "memo": "Invoice 4711 from the print shop, due on Friday; the second reminder came today.",
        "to": RECIPIENT,
        "value": "50000000000000000",
        "data": "0x",
        "gas_limit": 21000,
        "max_fee_per_gas": "12000000000",
        "max_priority_fee_per_gas": "1500000000",
        "worst_case_fee": "252000000000000",
        "digest": format!("0x{:064}", 0),
        "warnings": [],
        "transaction_hashes": [],
        "created_at": "2026-11-23T10:00:00Z",
        "expires_at": "2026-11-24T10:00:00.123456Z",
    });
    if let (Some(fields), Value::Object(changes)) = (object.as_object_mut(), changes) {
        fields.extend(changes);
        fields.retain(|_, value| !value.is_null());
    }
    let mut transaction: Transaction = serde_json::from_value(object).expect("a transaction");
    transaction.digest = transaction.computed_digest();
    transaction
}

/// 0.05 ETH to an address.
pub(crate) fn transfer() -> Transaction {
    let intent = format!("Send 0.05 ETH to {RECIPIENT}");
    transaction(json!({ "preview": {
        "intent": intent,
        "calls": [{ "depth": 0, "to": RECIPIENT, "value": "50000000000000000", "intent": intent }],
        "changes": [{
            "direction": "sends", "asset": "native", "amount": "50000000000000000", "text": "0.05 ETH",
            "counterparty": RECIPIENT,
        }],
        "simulation": succeeds(),
    } }))
}

/// The same, sent by the approval, for a fee that dwarfs the amount and a payment that was made before.
pub(crate) fn on_approval() -> Transaction {
    let mut transaction = transfer();
    transaction.execute = agent_sdk::Execute::OnApproval;
    transaction.max_fee_per_gas = alloy::primitives::U256::from(4_000_000_000_000_u64);
    let hash = format!("0x{}", "ab".repeat(32));
    let warnings = json!([
        warning("already_paid", "high", &format!("this wallet has made this very payment already, in {hash}")),
        warning("excessive_fee", "high", "its fee can be 0.084 ETH, more than the 0.05 ETH that it sends"),
    ]);
    transaction.warnings = serde_json::from_value(warnings).expect("warnings");
    transaction.digest = transaction.computed_digest();
    transaction
}

/// 25 USDC to an address.
pub(crate) fn token_transfer() -> Transaction {
    let amount = 25_000_000_u64;
    let data = call_data("transfer(address,uint256)", &[&word(RECIPIENT), &number(amount)]);
    transaction(json!({
        "action": { "type": "transfer_erc20", "token_address": USDC, "to_address": RECIPIENT, "amount": "25000000" },
        "to": USDC, "value": "0", "data": data, "gas_limit": 65000,
        "preview": {
            "intent": sends_usdc_to(RECIPIENT),
            "calls": [{
                "depth": 0, "to": USDC, "value": "0", "selector": data[..10], "signature": "transfer(address,uint256)",
                "source": "standard", "standard": "ERC-20", "intent": sends_usdc_to(RECIPIENT),
                "arguments": [
                    { "name": "to", "type": "address", "value": RECIPIENT },
                    { "name": "amount", "type": "uint256", "value": "25000000", "text": "25 USDC" },
                ],
            }],
            "tokens": [usdc()],
            "changes": [sends_usdc(RECIPIENT)],
            "simulation": succeeds(),
        },
        "warnings": [warning("first_time_recipient", "medium", &format!("you have approved nothing to {RECIPIENT} before"))],
    }))
}

/// A function of a contract that no standard knows, named by the agent.
pub(crate) fn staking() -> Transaction {
    let signature = "stake(uint256,address)";
    let data = call_data(signature, &[&number(25_000_000), &word(SPENDER)]);
    let intent = format!("Call stake (the caller's name for it) of {STAKING}");
    transaction(json!({
        "action": {
            "type": "contract_call", "contract_address": STAKING, "function_name": "stake",
            "contract_abi": "function stake(uint256 amount, address beneficiary)",
            "function_args": ["25000000", SPENDER],
        },
        "memo": "Staking the month's surplus, as agreed.",
        "to": STAKING, "value": "0", "data": data, "gas_limit": 120_000,
        "preview": {
            "intent": intent,
            "calls": [{
                "depth": 0, "to": STAKING, "value": "0", "selector": data[..10], "signature": signature,
                "source": "given_abi", "intent": intent,
                "arguments": [
                    { "name": "amount", "type": "uint256", "value": "25000000" },
                    { "name": "beneficiary", "type": "address", "value": SPENDER },
                ],
            }],
            "tokens": [usdc()],
            "changes": [sends_usdc(STAKING)],
            "simulation": succeeds(),
            "data_fee": "3100000000000",
        },
    }))
}

/// An ERC-20 approval of everything, which the agent calls something else.
pub(crate) fn allowance() -> Transaction {
    let signature = "approve(address,uint256)";
    let most = alloy::primitives::U256::MAX;
    let data = call_data(signature, &[&word(SPENDER), &format!("{most:064x}")]);
    let intent = format!("Let {SPENDER} take unlimited USDC (token {USDC})");
    transaction(json!({
        "action": { "type": "raw", "to_address": USDC, "amount": "0", "data": data },
        "memo": "Activates the cashback programme.",
        "to": USDC, "value": "0", "data": data, "gas_limit": 65000,
        "preview": {
            "intent": intent,
            "calls": [{
                "depth": 0, "to": USDC, "value": "0", "selector": data[..10], "signature": signature,
                "source": "standard", "standard": "ERC-20", "intent": intent,
                "arguments": [
                    { "name": "spender", "type": "address", "value": SPENDER },
                    { "name": "amount", "type": "uint256", "value": most.to_string(), "text": "unlimited USDC" },
                ],
            }],
            "tokens": [usdc()],
            "changes": [{
                "direction": "allows", "asset": "erc20", "token_address": USDC, "amount": most.to_string(),
                "text": "unlimited USDC", "counterparty": SPENDER,
            }],
            "simulation": succeeds(),
        },
        "warnings": [
            warning("first_time_recipient", "medium", &format!("you have approved nothing to {SPENDER} before")),
            warning("unlimited_allowance", "high",
                &format!("{SPENDER} could take all of the token {USDC} that this wallet ever holds")),
        ],
    }))
}

/// A token transfer out of the wallet and a call that nobody can read, in one.
pub(crate) fn multicall() -> Transaction {
    let signature = "aggregate3((address,bool,bytes)[])";
    let taking = call_data(TRANSFER_FROM, &[&word(WALLET), &word(RECIPIENT), &number(25_000_000)]);
    let calls = format!(r#"[["{USDC}",false,"{taking}"],["{STAKING}",false,"0x3d18b912"]]"#);
    let first = [word(USDC), number(0), number(96), number(100), format!("{:0<256}", &taking[2..])].concat();
    let second = [word(STAKING), number(0), number(96), number(4), format!("{:0<64}", "3d18b912")].concat();
    let data = call_data(signature, &[&number(32), &number(2), &number(64), &number(320), &first, &second]);
    let take = sends_usdc_to(RECIPIENT);
    let harvest = format!("Call an unknown function, 0x3d18b912, of {STAKING}");
    let intent = format!("Make 2 calls in one, through {MULTICALL}");
    transaction(json!({
        "action": { "type": "raw", "to_address": MULTICALL, "amount": "0", "data": data },
        "memo": null,
        "to": MULTICALL, "value": "0", "data": data, "gas_limit": 210_000,
        "preview": {
            "intent": intent,
            "calls": [
                {
                    "depth": 0, "to": MULTICALL, "value": "0", "selector": data[..10], "signature": signature,
                    "source": "standard", "standard": "Multicall3", "intent": intent,
                    "arguments": [{ "name": "calls", "type": "(address,bool,bytes)[]", "value": calls }],
                },
                {
                    "depth": 1, "to": USDC, "value": "0", "selector": "0x23b872dd",
                    "signature": TRANSFER_FROM,
                    "source": "standard", "standard": "ERC-20", "intent": take,
                    "arguments": [
                        { "name": "from", "type": "address", "value": WALLET },
                        { "name": "to", "type": "address", "value": RECIPIENT },
                        { "name": "amount", "type": "uint256", "value": "25000000", "text": "25 USDC" },
                    ],
                },
                { "depth": 1, "to": STAKING, "value": "0", "selector": "0x3d18b912", "intent": harvest },
            ],
            "tokens": [usdc()],
            "changes": [
                sends_usdc(RECIPIENT),
                { "direction": "receives", "asset": "native", "amount": "1200000000000000", "text": "0.0012 ETH",
                  "counterparty": STAKING },
            ],
            "simulation": succeeds(),
        },
        "warnings": [warning("unknown_calldata", "high",
            "a part of the data cannot be read: what it makes the contract do is not known")],
    }))
}

/// A contract that does not exist yet.
pub(crate) fn deployment() -> Transaction {
    let data = format!("0x{}", "6080604052348015600e575f5ffd5b50".repeat(40));
    let intent = "Deploy a contract from 640 bytes of code";
    transaction(json!({
        "action": { "type": "raw", "amount": "0", "data": data },
        "memo": "The escrow for order 88.",
        "to": null, "value": "0", "data": data, "gas_limit": 480_000,
        "preview": {
            "intent": intent,
            "calls": [{ "depth": 0, "value": "0", "intent": intent }],
            "simulation": { "method": "debug_traceCall", "outcome": "success" },
        },
        "warnings": [warning("contract_creation", "medium", "it deploys a new contract")],
    }))
}

/// A token transfer that the token refuses.
pub(crate) fn failing() -> Transaction {
    let mut transaction = token_transfer();
    if let Some(preview) = &mut transaction.preview {
        preview.changes.clear();
        preview.simulation.outcome = "reverted".into();
        preview.simulation.revert_reason = Some("ERC20InsufficientBalance(needed: 25000000, balance: 300)".to_owned());
    }
    let reverts = warning(
        "would_revert",
        "high",
        "it would fail and cost its fee: ERC20InsufficientBalance(needed: 25000000, balance: 300)",
    );
    transaction.warnings = vec![serde_json::from_value(reverts).expect("a warning")];
    transaction
}

/// The same bytes from a server that explains nothing.
pub(crate) fn unexplained() -> Transaction {
    let mut transaction = token_transfer();
    transaction.preview = None;
    transaction
}

fn succeeds() -> Value {
    json!({ "method": "eth_simulateV1", "outcome": "success", "block_number": 1207 })
}

fn usdc() -> Value {
    json!({ "address": USDC, "standard": "erc20", "symbol": "USDC", "name": "USD Coin", "decimals": 6 })
}

fn sends_usdc(to: &str) -> Value {
    json!({
        "direction": "sends", "asset": "erc20", "token_address": USDC, "amount": "25000000", "text": "25 USDC",
        "counterparty": to,
    })
}

fn sends_usdc_to(to: &str) -> String {
    format!("Send 25 USDC (token {USDC}) to {to}")
}

/// A warning as the server sends it.
pub(crate) fn warning(code: &str, severity: &str, detail: &str) -> Value {
    json!({ "code": code, "severity": severity, "detail": detail })
}

/// Call data: the selector of a signature, and words in hexadecimal.
fn call_data(signature: &str, words: &[&str]) -> String {
    format!("0x{}{}", hex::encode(&keccak256(signature)[..4]), words.concat())
}

/// An address as a word.
fn word(address: &str) -> String {
    format!("{:0>64}", address[2..].to_lowercase())
}

/// A number as a word.
fn number(number: u64) -> String {
    format!("{number:064x}")
}
