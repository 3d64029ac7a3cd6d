//! The human's side: everything goes through `wallet-cli`, as it would for a person.

use std::io;
use std::time::Duration;

use agent_sdk::{Secret, address};
use alloy::primitives::{Address, hex};
use tokio::time::sleep;
use uuid::Uuid;

use crate::authenticator::{Authenticator, Code, Pace};
use crate::cli::{Answer, Cli, CliError, text};
use crate::failure::Failure;
use crate::output::Output;

/// The name of the account.
const NAME: &str = "ada";
/// The exit code of `wallet-cli` that means: not without a code.
const NEEDS_CODE: i32 = 5;
/// The exit code of `wallet-cli` that means, here: the person did not say yes.
const REFUSED: i32 = 1;
/// How often a person who reads for long gets a new code.
const CODES: usize = 3;

/// What the human said to a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Yes, with a code.
    Approved,
    /// Anything else.
    Declined,
}

/// A human with an account, a password and an authenticator.
pub(crate) struct Human {
    cli: Cli,
    password: Secret,
    authenticator: Authenticator,
}

impl Human {
    /// Opens an account, logs in, and sets up the authenticator.
    ///
    /// Fails when a command does.
    pub(crate) async fn new(output: &mut Output, cli: Cli) -> Result<Self, Failure> {
        let password = random_password()?;
        output.chapter("A human opens an account")?;
        output.say("With a long password, typed here by the demo on standard input: no secret is ever an argument.")?;
        let arguments = ["register", NAME, "--password-stdin", "--json"];
        let account = run(output, &cli, &arguments, &[&password]).await?;
        output.fact("user", account.text("user_id")?)?;
        output.fact("recovery", "a key that was shown this once; a person writes it down")?;
        let arguments = ["login", NAME, "--password-stdin", "--json"];
        let login = run(output, &cli, &arguments, &[&password]).await?;
        output.fact("session", &format!("until {}", login.text("expires_at")?))?;

        output.chapter("The human sets up an authenticator")?;
        output.say("Usually an app on a phone that scans a QR code. The demo plays the app.")?;
        let authenticator = enrol(output, &cli, &password).await?;
        Ok(Self { cli, password, authenticator })
    }

    /// Makes a wallet. Its address.
    pub(crate) async fn create_wallet(&self, output: &mut Output, label: &str) -> Result<Address, Failure> {
        let arguments = ["wallet", "create", "--label", label, "--password-stdin", "--json"];
        let wallet = run(output, &self.cli, &arguments, &[&self.password]).await?;
        read_address(wallet.text("address")?)
    }

    /// Makes an agent that may use one wallet. Its API key.
    pub(crate) async fn create_agent(
        &mut self,
        output: &mut Output,
        name: &str,
        wallet: Address,
    ) -> Result<Secret, Failure> {
        let code = self.code(output, Pace::Soonest).await?;
        let wallet = wallet.to_checksum(None);
        let arguments = ["agent", "create", name, "--wallet", &wallet, "--mfa-code-stdin", "--json"];
        Ok(run(output, &self.cli, &arguments, &[&code]).await?.text("api_key")?.into())
    }

    /// Reviews a transaction and says yes, as a script does.
    ///
    /// Fails when the command does: nobody is there to say no.
    pub(crate) async fn approve(&mut self, output: &mut Output, transaction_id: Uuid) -> Result<Decision, Failure> {
        output.say("Nobody is at a terminal, so the demo says yes, after this has been shown:")?;
        let code = self.code(output, Pace::Soonest).await?;
        let transaction_id = transaction_id.to_string();
        let arguments = ["tx", "approve", &transaction_id, "--yes", "--mfa-code-stdin", "--json"];
        let approved = run(output, &self.cli, &arguments, &[&code]).await?;
        output.quote(&approved.shown)?;
        output.fact("status", approved.text("status")?)?;
        Ok(Decision::Approved)
    }

    /// Lets the person at the terminal review a transaction and decide.
    ///
    /// Fails when the command does for another reason than a no.
    pub(crate) async fn decide(&mut self, output: &mut Output, transaction_id: Uuid) -> Result<Decision, Failure> {
        output.say(
            "Now you are the human. Read what would be signed; y and the code approve it, anything else does not. \
             The code is good for a minute. If you read for longer, press Enter at its prompt until there is a \
             new one.",
        )?;
        let transaction_id = transaction_id.to_string();
        let arguments = ["tx", "approve", transaction_id.as_str()];
        let mut codes_left = CODES;
        loop {
            self.code(output, Pace::Lasting).await?;
            output.command("wallet-cli", &arguments)?;
            let status = self.cli.at_terminal(&arguments).await?;
            codes_left -= 1;
            match status.code() {
                Some(0) => return Ok(Decision::Approved),
                Some(REFUSED) => return Ok(Decision::Declined),
                Some(NEEDS_CODE) if codes_left > 0 => output.say("A new code:")?,
                _ => return Err(CliError::Failed { status, said: "see above".to_owned() }.into()),
            }
        }
    }

    /// The next code of the authenticator, shown, and waited for if need be.
    async fn code(&mut self, output: &mut Output, pace: Pace) -> Result<Secret, Failure> {
        next_code(output, &mut self.authenticator, pace).await
    }
}

/// Runs a command, after showing it.
async fn run(output: &mut Output, cli: &Cli, arguments: &[&str], lines: &[&Secret]) -> Result<Answer, Failure> {
    output.command("wallet-cli", arguments)?;
    Ok(cli.run(arguments, lines).await?)
}

/// Sets up the authenticator: the command gives the secret, the authenticator a code made from it.
async fn enrol(output: &mut Output, cli: &Cli, password: &Secret) -> Result<Authenticator, Failure> {
    let arguments = ["mfa", "enrol", "--password-stdin", "--mfa-code-stdin", "--json"];
    output.command("wallet-cli", &arguments)?;
    let mut conversation = cli.converse(&arguments)?;
    conversation.say(password).await?;
    let Some(setup) = conversation.hear().await? else {
        conversation.end().await?;
        return Err(CliError::Unexpected("a secret").into());
    };
    let mut authenticator = Authenticator::from_uri(text(&setup, "mfa_uri")?)?;
    let code = next_code(output, &mut authenticator, Pace::Soonest).await?;
    conversation.say(&code).await?;
    let answer = conversation.hear().await?;
    conversation.end().await?;
    let codes = answer.as_ref().and_then(|answer| answer["backup_codes"].as_array());
    let codes = codes.ok_or(CliError::Unexpected("backup_codes"))?.len();
    output.fact("backup", &format!("{codes} codes that were shown this once, for a lost phone"))?;
    Ok(authenticator)
}

/// The next code, shown, and waited for if need be.
async fn next_code(output: &mut Output, authenticator: &mut Authenticator, pace: Pace) -> Result<Secret, Failure> {
    let mut is_first = true;
    loop {
        let wait = match authenticator.code(pace) {
            Code::Ready(code) => {
                if !is_first {
                    output.countdown_over()?;
                }
                output.code(&code)?;
                return Ok(code);
            }
            Code::In(wait) => wait,
        };
        let seconds = (wait + Duration::from_millis(999)).as_secs();
        output.countdown("A code is good for one decision. The next one is there", seconds, is_first)?;
        is_first = false;
        // Then the clock is asked again: it decides, not the sum of these naps.
        sleep(wait.min(Duration::from_secs(1))).await;
    }
}

/// A password that nobody has to remember.
fn random_password() -> io::Result<Secret> {
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes).into())
}

/// An address as the server writes it.
fn read_address(text: &str) -> Result<Address, Failure> {
    Ok(address::parse(text).map_err(|_| CliError::Unexpected("an address"))?)
}
