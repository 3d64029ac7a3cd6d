//! `call`: a function of a contract.

use std::fs;
use std::path::{Path, PathBuf};

use agent_sdk::AbiCall;
use alloy::primitives::{Address, U256};
use clap::Args;
use serde_json::Value;

use super::signature::{Function, SignatureError, exact};
use super::{Payment, SendingArgs, send};
use crate::amount::parse_coins;
use crate::app::App;
use crate::exit::Failure;

/// Calls a contract.
#[derive(Args)]
#[command(after_help = "It is shown in full before anything is asked. Whatever is not a clear yes sends nothing.
Arguments: numbers as decimal digits, addresses and bytes with 0x, true or false, and arrays and tuples
as JSON, with large numbers in quotation marks.

Examples:
  wallet-cli call 0x5FbDB2315678afecb367f032d93F642f64180aa3 'function stake(uint256 amount)' 25500000
  wallet-cli call 0x5FbDB2315678afecb367f032d93F642f64180aa3 \\
      --abi Staking.json --function stake --args '[\"25500000\"]' --amount 0.05")]
pub(crate) struct CallArgs {
    /// The contract
    #[arg(value_parser = agent_sdk::address::parse)]
    contract: Address,

    /// The function, as 'function stake(uint256 amount)'
    #[arg(value_name = "FUNCTION", required_unless_present = "abi")]
    signature: Option<String>,

    /// Its arguments, in order
    #[arg(value_name = "ARGUMENT", allow_negative_numbers = true)]
    arguments: Vec<String>,

    /// Take the function from this file instead: a JSON ABI, or a compiler's output with one in it
    #[arg(long, value_name = "FILE", conflicts_with = "signature", requires = "function")]
    abi: Option<PathBuf>,

    /// Its name in that file, or its full signature where several have the name
    #[arg(long, value_name = "NAME", requires = "abi")]
    function: Option<String>,

    /// Its arguments as a JSON array
    #[arg(long, value_name = "JSON", requires = "abi", default_value = "[]", hide_default_value = true)]
    args: String,

    /// Coins to send along [default: none]
    #[arg(long, value_name = "COINS", value_parser = parse_coins)]
    amount: Option<U256>,

    #[command(flatten)]
    sending: SendingArgs,
}

/// Runs `call`.
pub(crate) async fn run(app: &App, args: CallArgs) -> Result<(), Failure> {
    let CallArgs { contract, signature, arguments, abi, function, args: json, amount, sending } = args;
    let call = match (abi, function) {
        (Some(path), Some(function)) => AbiCall::new(contract, read_abi(&path)?, function, json_arguments(&json)?),
        _ => typed(contract, signature.as_deref().unwrap_or_default(), &arguments)?,
    };
    let call = amount.into_iter().fold(call, AbiCall::amount);
    send(app, &app.session()?, &sending, Payment::Call(call)).await
}

/// A function and its arguments from the command line.
fn typed(contract: Address, signature: &str, arguments: &[String]) -> Result<AbiCall, Failure> {
    let wrong = |error: SignatureError| Failure::Request(error.to_string());
    let function = Function::parse(signature).map_err(wrong)?;
    let arguments = function.arguments(arguments).map_err(wrong)?;
    Ok(AbiCall::new(contract, function.signature, function.name, arguments))
}

/// Reads `--args`.
fn json_arguments(json: &str) -> Result<Vec<Value>, Failure> {
    let wrong = || Failure::Request("--args: write a JSON array, like [\"25500000\", true]".to_owned());
    match exact(serde_json::from_str(json).map_err(|_| wrong())?) {
        Ok(Value::Array(arguments)) => Ok(arguments),
        Ok(_) => Err(wrong()),
        Err(error) => Err(Failure::Request(format!("--args: {error}"))),
    }
}

/// An ABI from a file: JSON, the `abi` in a compiler's JSON, or lines of signatures.
fn read_abi(path: &Path) -> Result<Value, Failure> {
    let text = fs::read_to_string(path);
    let text = text.map_err(|source| Failure::UnreadableFile { path: path.to_owned(), source })?;
    Ok(abi(&text))
}

fn abi(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(Value::Object(mut artifact)) => match artifact.remove("abi") {
            Some(abi) => abi,
            None => Value::Object(artifact),
        },
        Ok(abi) => abi,
        Err(_) => text.lines().map(str::trim).filter(|line| !line.is_empty()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_abi_is_found_in_what_compilers_write_and_in_plain_lines() {
        let entry = json!([{ "type": "function", "name": "stake" }]);
        assert_eq!(abi(&entry.to_string()), entry);
        assert_eq!(abi(&json!({ "bytecode": "0x", "abi": entry }).to_string()), entry);
        assert_eq!(
            abi("function stake(uint256 amount)\n\n  function exit()\n"),
            json!(["function stake(uint256 amount)", "function exit()"])
        );
    }

    #[test]
    fn arguments_are_a_json_array_without_inexact_numbers() {
        assert_eq!(json_arguments(r#"["1", true]"#).ok(), Some(vec![json!("1"), json!(true)]));
        for json in ["", "{}", "1", "[1e30]", "[123456789012345678901]"] {
            assert!(json_arguments(json).is_err(), "{json}");
        }
    }
}
