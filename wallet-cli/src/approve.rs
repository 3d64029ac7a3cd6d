//! `tx approve`: show the whole transaction, ask, take the code, and approve exactly what was shown.

use agent_sdk::{Authorize, ErrorCode, Status, Transaction};
use clap::Args;
use uuid::Uuid;

use crate::app::{App, Session, now};
use crate::changes;
use crate::exit::Failure;
use crate::prompt;
use crate::review::{self, Objection};
use crate::secret_args::CodeArgs;
use crate::surroundings::Surroundings;
use crate::tx::print_state;

/// Approves transactions.
#[derive(Args)]
#[command(
    after_help = "Each is shown in full before anything is asked. Whatever is not a clear yes leaves it as it is.

Examples:
  wallet-cli tx approve 019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55
  totp-generator | wallet-cli tx approve 019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55 --yes --mfa-code-stdin"
)]
pub(crate) struct ApproveArgs {
    /// The transactions' ids
    #[arg(required = true, value_name = "TRANSACTION_ID")]
    transaction_ids: Vec<Uuid>,

    /// Approve without asking: you have reviewed them some other way
    ///
    /// What costs more by now than it is shown to cost is refused all the same.
    #[arg(long)]
    yes: bool,

    /// Approve in spite of a problem with this code, after reading what it says; may be repeated
    #[arg(long, value_name = "CODE")]
    acknowledge: Vec<String>,

    #[command(flatten)]
    code: CodeArgs,
}

/// Runs `tx approve`. A no to one transaction goes on to the next; a failure ends the command.
pub(crate) async fn run(app: &App, args: ApproveArgs) -> Result<(), Failure> {
    if args.transaction_ids.len() > 1 && args.code.is_only_one() {
        return Err(Failure::OneCodeForMany);
    }
    let session = app.session()?;
    let mut declined = false;
    for &transaction_id in &args.transaction_ids {
        match approve(app, &session, &args, transaction_id).await {
            Err(Failure::Declined) => declined = true,
            approved => approved?,
        }
    }
    if declined { Err(Failure::Declined) } else { Ok(()) }
}

/// Reviews one transaction and approves it.
async fn approve(app: &App, session: &Session, args: &ApproveArgs, transaction_id: Uuid) -> Result<(), Failure> {
    let client = &session.client;
    let mut shown = client.status(transaction_id).await?;
    check(&shown, transaction_id, session)?;
    match &shown.status {
        Status::Pending => {}
        Status::Authorized | Status::Submitted | Status::Mined | Status::Confirmed => {
            app.output.note("it was approved before");
            return print_state(app, &shown);
        }
        status => {
            return Err(Failure::Ended { transaction_id, status: status.to_string() });
        }
    }
    let around = Surroundings::of(client, &shown).await?;
    app.output.show(|paint| review::screen(&shown, &around, now(), paint));
    let mut must_ask = !args.yes;
    loop {
        if must_ask && !prompt::confirm(app.output, "\nApprove?", "--yes")? {
            return Err(Failure::Declined);
        }
        let fresh = match authorize(app, session, args, &shown).await {
            Ok(approved) => return print_state(app, &approved),
            Err(failure) => changed(failure)?,
        };
        check(&fresh, transaction_id, session)?;
        let object = |objection| Failure::Objection { transaction_id, objection };
        app.output.show(|paint| review::screen(&fresh, &around, now(), paint));
        let changes = |paint| changes::between(&shown, &fresh, &around.symbol, paint);
        app.output.try_show(changes).map_err(object)?;
        // --yes was said to the transaction as it was. The new one takes a person.
        must_ask = true;
        shown = fresh;
    }
}

/// Approves by the digest recomputed from what was shown.
async fn authorize(
    app: &App,
    session: &Session,
    args: &ApproveArgs,
    shown: &Transaction,
) -> Result<Transaction, Failure> {
    let approval = async |code| {
        let approval = Authorize::new(shown.transaction_id, code)
            .digest(shown.computed_digest())
            .acknowledge(args.acknowledge.iter());
        session.client.authorize(approval).await
    };
    args.code.try_codes(app.output, CodeArgs::read, approval).await
}

/// The transaction as it is now, when the failure is that it has changed and there is a person to ask anew.
fn changed(failure: Failure) -> Result<Transaction, Failure> {
    let Failure::Server(error) = &failure else {
        return Err(failure);
    };
    match error.transaction() {
        Some(fresh) if error.code() == Some(ErrorCode::PreviewChanged) && prompt::is_possible() => Ok(fresh.clone()),
        _ => Err(failure),
    }
}

/// Checks that the screen tells the truth about what an approval would sign.
fn check(transaction: &Transaction, transaction_id: Uuid, session: &Session) -> Result<(), Failure> {
    review::check(transaction, transaction_id, session.user_id)
        .map_err(|objection: Objection| Failure::Objection { transaction_id, objection })
}
