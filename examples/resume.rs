//! An agent that may be stopped at any moment: started again, it continues the same payment.
//!
//! ```sh
//! export WALLET_SERVER=http://127.0.0.1:8080 WALLET_API_KEY=wak_…
//! cargo run --bin resume -- invoice-4711.json 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 1000000000000000
//! ```
//!
//! One file is one payment, for ever. It holds the idempotency key before anything is asked, so that a
//! question whose answer was lost is the same question when it is asked again; and then the transaction's
//! id. Everything else the server knows. Kill this program wherever you like, and run the same line again.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write, stdout};
use std::path::Path;

use agent_sdk::{AgentClient, PrepareTransaction, Status, Transaction, address, amount};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What has to outlive this program.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Payment {
    to_address: String,
    amount_wei: String,
    idempotency_key: String,
    transaction_id: Option<Uuid>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let agent = AgentClient::new(setting("WALLET_SERVER")?, setting("WALLET_API_KEY")?)?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, to_address, wei] = arguments.as_slice() else {
        return Err("usage: resume PAYMENT_FILE TO_ADDRESS AMOUNT_IN_WEI".into());
    };

    let request = PrepareTransaction::transfer(address::parse(to_address)?, amount::parse(wei)?);
    let file = Path::new(file);
    let mut payment = Payment::open(file, to_address, wei)?;
    let transaction_id = match payment.transaction_id {
        Some(transaction_id) => transaction_id,
        None => {
            let prepared = agent.prepare(request.idempotency_key(&payment.idempotency_key)).await;
            let transaction_id = prepared.map_err(|error| error.to_string())?.transaction_id;
            payment.transaction_id = Some(transaction_id);
            payment.keep(file)?;
            transaction_id
        }
    };
    let ended = continue_with(&agent, transaction_id).await.map_err(|error| error.to_string())?;
    match ended.status {
        Status::Confirmed => writeln!(stdout(), "paid in {}", ended.transaction_hash.unwrap_or_default())?,
        status => return Err(format!("not paid: {status}; to ask anew, use another file").into()),
    }
    Ok(())
}

/// Takes the transaction from wherever it is to its end. Each of these calls may be repeated.
async fn continue_with(agent: &AgentClient, transaction_id: Uuid) -> Result<Transaction, agent_sdk::Error> {
    let mut transaction = agent.status(transaction_id).await?;
    while !transaction.status.is_final() {
        drop(writeln!(stdout(), "{transaction_id} is {}", transaction.status));
        transaction = match transaction.status {
            Status::Authorized => agent.execute(transaction_id).await?,
            Status::Submitted | Status::Mined => agent.wait_until_confirmed(transaction_id).await?,
            _ => agent.wait_until_decided(transaction_id).await?,
        };
    }
    Ok(transaction)
}

impl Payment {
    /// The payment kept in the file, or a new one, kept before anyone hears of it.
    ///
    /// Fails when the file holds another payment.
    fn open(file: &Path, to_address: &str, amount_wei: &str) -> Result<Self, Box<dyn Error>> {
        let payment = match fs::read(file) {
            Ok(json) => serde_json::from_slice(&json)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let idempotency_key = Uuid::now_v7().to_string();
                let (to_address, amount_wei) = (to_address.to_owned(), amount_wei.to_owned());
                let new = Self { to_address, amount_wei, idempotency_key, transaction_id: None };
                new.keep(file)?;
                new
            }
            Err(error) => return Err(error.into()),
        };
        if payment.to_address != to_address || payment.amount_wei != amount_wei {
            return Err(format!("{} is another payment", file.display()).into());
        }
        Ok(payment)
    }

    /// Replaces the file as a whole: whenever the power fails, it is the old one or the new one.
    fn keep(&self, file: &Path) -> io::Result<()> {
        let draft = file.with_extension("tmp");
        let mut content = File::create(&draft)?;
        content.write_all(&serde_json::to_vec_pretty(self)?)?;
        content.sync_all()?;
        fs::rename(&draft, file)?;
        let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// A setting from the environment. Fails when it is not there.
#[expect(clippy::disallowed_methods, reason = "an example reads its settings where it uses them")]
fn setting(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} is not set"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TO: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

    #[test]
    fn a_payment_is_the_same_after_a_restart_and_its_file_takes_no_other() {
        let directory = std::env::temp_dir().join(format!("resume-{}", Uuid::now_v7()));
        fs::create_dir(&directory).expect("created");
        let file = directory.join("invoice.json");

        let mut payment = Payment::open(&file, TO, "5").expect("a new one");
        assert_eq!(Payment::open(&file, TO, "5").expect("kept at once"), payment);
        payment.transaction_id = Some(Uuid::from_u128(7));
        payment.keep(&file).expect("kept");
        assert_eq!(Payment::open(&file, TO, "5").expect("kept"), payment);

        assert!(Payment::open(&file, TO, "6").is_err());
        assert!(Payment::open(&file, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "5").is_err());
        assert_eq!(fs::read_dir(&directory).expect("listed").count(), 1, "no draft is left");
        fs::remove_dir_all(&directory).expect("removed");
    }
}
