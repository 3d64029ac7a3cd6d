use std::{collections::BTreeMap, fmt::Write as _};

use alloy::primitives::{Address, B256, Bytes, U256};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, QueryResult, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{gate::number, world::rpc},
    Finding,
};

/// A transaction in a block of the canonical chain.
#[derive(Debug, Clone)]
pub(crate) struct Included {
    pub(crate) hash: B256,
    pub(crate) block: B256,
    pub(crate) from: Address,
    pub(crate) nonce: u64,
    pub(crate) to: Option<Address>,
    pub(crate) value: U256,
    pub(crate) input: Bytes,
    pub(crate) succeeded: bool,
    pub(crate) gas_used: u64,
    pub(crate) gas_price: U256,
}

/// A transaction of the database.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) transaction_id: Uuid,
    pub(crate) status: String,
    pub(crate) waiting: Option<String>,
    pub(crate) address: Address,
    pub(crate) to: Option<Address>,
    pub(crate) value: U256,
    pub(crate) data: Vec<u8>,
    pub(crate) gas_limit: u64,
    pub(crate) max_fee_per_gas: U256,
    pub(crate) nonce: Option<u64>,
    pub(crate) block: Option<Value>,
}

impl Row {
    /// Whether the chain still has to decide.
    pub(crate) fn is_under_way(&self) -> bool {
        matches!(self.status.as_str(), "submitted" | "mined")
    }

    /// Whether it says that it was executed.
    pub(crate) fn says_paid(&self) -> bool {
        matches!(self.status.as_str(), "confirmed" | "reverted" | "mined")
    }
}

/// A signed form of the database.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) transaction_id: Uuid,
    pub(crate) hash: B256,
    pub(crate) kind: String,
    pub(crate) max_fee_per_gas: U256,
    pub(crate) gas_limit: u64,
}

impl Form {
    pub(crate) fn is_payment(&self) -> bool {
        self.kind == "payment"
    }
}

/// A nonce of the database.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) address: Address,
    pub(crate) nonce: u64,
    pub(crate) state: String,
    pub(crate) transaction_id: Uuid,
}

/// What node and database say.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) included: Vec<Included>,
    /// What the node says each of our wallets holds, and its next nonce.
    pub(crate) wallets: BTreeMap<Address, (U256, u64)>,
    pub(crate) rows: Vec<Row>,
    pub(crate) forms: Vec<Form>,
    pub(crate) slots: Vec<Slot>,
}

impl Facts {
    pub(crate) async fn read(node: &str, database: &str) -> Self {
        let connection = connect(database).await;
        let rows = read_rows(&connection).await;
        let forms = select(&connection, "SELECT transaction_id, hash, kind, max_fee_per_gas, gas_limit FROM payloads");
        let forms = forms.await.iter().map(form).collect();
        let slots = select(
            &connection,
            "SELECT address, nonce, state, transaction_id FROM nonce_slots ORDER BY address, nonce",
        )
        .await;
        let slots = slots.iter().map(slot).collect();
        let ours = select(&connection, "SELECT address FROM wallets").await;
        let mut wallets = BTreeMap::new();
        for wallet in &ours {
            let wallet: Address = parsed(wallet, "address");
            let balance = quantity(&rpc(node, "eth_getBalance", json!([wallet, "latest"])).await);
            let nonce = number(&rpc(node, "eth_getTransactionCount", json!([wallet, "latest"])).await);
            wallets.insert(wallet, (balance, nonce));
        }
        connection.close().await.expect("the database");
        Self { included: included(node).await, wallets, rows, forms, slots }
    }

    /// What was found, with what is known about it, for people.
    pub(super) fn told(&self, findings: &[Finding]) -> String {
        let mut told = String::from("the oracle found:\n");
        for finding in findings {
            let _ = writeln!(told, "  {finding:?}");
        }
        for Row { transaction_id, status, waiting, nonce, address, .. } in &self.rows {
            let waiting = waiting.as_deref().unwrap_or("-");
            let _ = writeln!(told, "  row {transaction_id} {address} nonce {nonce:?} {status} waiting {waiting}");
        }
        for Slot { address, nonce, state, .. } in &self.slots {
            let _ = writeln!(told, "  slot {address} {nonce} {state}");
        }
        for Included { hash, from, nonce, to, value, .. } in &self.included {
            let _ = writeln!(told, "  chain {hash} from {from} nonce {nonce} to {to:?} value {value}");
        }
        told
    }
}

/// Every row of the table of transactions.
pub(super) async fn rows(database: &str) -> Vec<Row> {
    let connection = connect(database).await;
    let rows = read_rows(&connection).await;
    connection.close().await.expect("the database");
    rows
}

pub(crate) async fn connect(database: &str) -> DatabaseConnection {
    Database::connect(database.to_owned()).await.expect("the database of the test")
}

pub(crate) async fn select(connection: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(connection.get_database_backend(), sql.to_owned());
    connection.query_all_raw(statement).await.expect("the server's schema")
}

async fn read_rows(connection: &DatabaseConnection) -> Vec<Row> {
    let columns = "transaction_id, status, waiting_reason, address, to_address, value, data, gas_limit, \
                   max_fee_per_gas, nonce, block";
    let rows = select(connection, &format!("SELECT {columns} FROM transactions ORDER BY transaction_id")).await;
    rows.iter().map(row).collect()
}

fn row(row: &QueryResult) -> Row {
    let nonce: Option<i64> = row.try_get("", "nonce").expect("a number");
    let to: Option<String> = row.try_get("", "to_address").expect("text");
    let block: Option<String> = row.try_get("", "block").expect("text");
    Row {
        transaction_id: row.try_get("", "transaction_id").expect("an id"),
        status: row.try_get("", "status").expect("text"),
        waiting: row.try_get("", "waiting_reason").expect("text"),
        address: parsed(row, "address"),
        to: to.map(|to| to.parse().expect("an address")),
        value: parsed(row, "value"),
        data: row.try_get("", "data").expect("bytes"),
        gas_limit: whole(row, "gas_limit"),
        max_fee_per_gas: parsed(row, "max_fee_per_gas"),
        nonce: nonce.map(|nonce| u64::try_from(nonce).expect("a nonce")),
        block: block.map(|block| serde_json::from_str(&block).expect("JSON")),
    }
}

fn form(row: &QueryResult) -> Form {
    Form {
        transaction_id: row.try_get("", "transaction_id").expect("an id"),
        hash: parsed(row, "hash"),
        kind: row.try_get("", "kind").expect("text"),
        max_fee_per_gas: parsed(row, "max_fee_per_gas"),
        gas_limit: whole(row, "gas_limit"),
    }
}

fn slot(row: &QueryResult) -> Slot {
    Slot {
        address: parsed(row, "address"),
        nonce: whole(row, "nonce"),
        state: row.try_get("", "state").expect("text"),
        transaction_id: row.try_get("", "transaction_id").expect("an id"),
    }
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(row: &QueryResult, column: &str) -> T {
    let text: String = row.try_get("", column).expect("text");
    text.parse().expect("the server's own form")
}

fn whole(row: &QueryResult, column: &str) -> u64 {
    let number: i64 = row.try_get("", column).expect("a number");
    u64::try_from(number).expect("not below zero")
}

/// Every transaction of every block.
async fn included(node: &str) -> Vec<Included> {
    let newest = number(&rpc(node, "eth_blockNumber", json!([])).await);
    let mut included = Vec::new();
    for height in 0..=newest {
        let at = format!("0x{height:x}");
        let block = rpc(node, "eth_getBlockByNumber", json!([at, true])).await;
        let transactions = block["transactions"].as_array().cloned().unwrap_or_default();
        if transactions.is_empty() {
            continue;
        }
        let receipts = rpc(node, "eth_getBlockReceipts", json!([at])).await;
        let receipts = receipts.as_array().cloned().unwrap_or_default();
        assert_eq!(receipts.len(), transactions.len(), "a receipt for each transaction of block {height}");
        included
            .extend(transactions.iter().zip(&receipts).map(|(transaction, receipt)| of(&block, transaction, receipt)));
    }
    included
}

fn of(block: &Value, transaction: &Value, receipt: &Value) -> Included {
    assert_eq!(transaction["hash"], receipt["transactionHash"]);
    let read = |value: &Value| serde_json::from_value(value.clone()).expect("a hash");
    Included {
        hash: read(&transaction["hash"]),
        block: read(&block["hash"]),
        from: serde_json::from_value(transaction["from"].clone()).expect("an address"),
        nonce: number(&transaction["nonce"]),
        to: serde_json::from_value(transaction["to"].clone()).expect("an address or none"),
        value: quantity(&transaction["value"]),
        input: serde_json::from_value(transaction["input"].clone()).expect("bytes"),
        succeeded: receipt["status"] == "0x1",
        gas_used: number(&receipt["gasUsed"]),
        gas_price: quantity(&receipt["effectiveGasPrice"]),
    }
}

fn quantity(value: &Value) -> U256 {
    serde_json::from_value(value.clone()).expect("a quantity")
}
