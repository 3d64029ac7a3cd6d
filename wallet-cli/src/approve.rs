//! `tx approve`: show every transaction whole, ask, take the code, and approve exactly what was shown.

use agent_sdk::{Authorize, AuthorizeBatch, ErrorCode, Secret, Status, Transaction};
use clap::Args;
use uuid::Uuid;

use crate::acceptance::Acceptance;
use crate::app::{App, Session};
use crate::changes;
use crate::detail::DetailArgs;
use crate::exit::Failure;
use crate::prompt;
use crate::review::{self, Objection};
use crate::secret_args::CodeArgs;
use crate::surroundings::Surroundings;
use crate::tx::print_state;

/// The most transactions that one code approves.
const MOST: usize = 20;

/// Approves transactions.
#[derive(Args)]
#[command(
    after_help = "Each is shown in full before anything is asked. Whatever is not a clear yes leaves it as it is.
Several take one yes and one code together: all of them are approved, or none.

Examples:
  wallet-cli tx approve 019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55
  wallet-cli tx approve 019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55 019ab5f2-9d04-7b11-8a52-64c1d7e0f3aa
  totp-generator | wallet-cli tx approve 019ab5f2-7c1e-7d3a-9f00-3b7f4e2a1c55 --yes --mfa-code-stdin"
)]
pub(crate) struct ApproveArgs {
    /// The transactions' ids: 20 at most
    #[arg(required = true, num_args = 1..=MOST, value_name = "TRANSACTION_ID")]
    transaction_ids: Vec<Uuid>,

    /// Approve without asking: you have reviewed them some other way
    ///
    /// What costs more or does worse by now than it is shown is refused all the same, and every HIGH
    /// warning needs --acknowledge.
    #[arg(long)]
    yes: bool,

    /// Approve in spite of a warning or a problem with this code, after reading what it says; may be
    /// repeated
    #[arg(long, value_name = "CODE")]
    acknowledge: Vec<String>,

    #[command(flatten)]
    detail: DetailArgs,
    #[command(flatten)]
    code: CodeArgs,
}

/// A transaction that has been shown.
struct Reviewed {
    shown: Transaction,
    around: Surroundings,
    acceptance: Acceptance,
}

/// Runs `tx approve`.
pub(crate) async fn run(app: &App, args: ApproveArgs) -> Result<(), Failure> {
    let session = app.session()?;
    let mut pending = Vec::new();
    for transaction_id in unique(&args.transaction_ids) {
        let transaction = session.client.status(transaction_id).await?;
        check(&transaction, transaction_id, &session)?;
        match &transaction.status {
            Status::Pending => pending.push(transaction),
            Status::Authorized | Status::Submitted | Status::Mined | Status::Confirmed => {
                app.output.note("it was approved before");
                print_state(app, &transaction)?;
            }
            status => return Err(Failure::Ended { transaction_id, status: status.to_string() }),
        }
    }
    let mut all = Vec::new();
    let count = pending.len();
    for (number, shown) in pending.into_iter().enumerate() {
        if count > 1 {
            app.output.show(|paint| paint.strong(&format!("\n{} of {count}", number + 1)));
        }
        let around = Surroundings::of(&session.client, &shown).await?;
        app.output.show(|paint| review::screen(&shown, &around, args.detail.view(paint)));
        all.push(Reviewed { shown, around, acceptance: Acceptance::new(&args.acknowledge) });
    }
    if all.is_empty() { Ok(()) } else { decide(app, &session, &args, all).await }
}

/// Asks and approves, and asks again whenever one of them has changed in the meantime.
async fn decide(app: &App, session: &Session, args: &ApproveArgs, mut all: Vec<Reviewed>) -> Result<(), Failure> {
    // --yes is said to the transactions as they are. What changes afterwards takes a person.
    let mut must_ask = !args.yes;
    loop {
        let is_batch = all.len() > 1;
        for Reviewed { shown, acceptance, .. } in &mut all {
            if is_batch && acceptance.lacks(shown) {
                app.output.show(|paint| paint.strong(&format!("\nTransaction {}:", shown.transaction_id)));
            }
            if !acceptance.ask(app.output, shown, must_ask && prompt::is_possible())? {
                return Err(Failure::Declined);
            }
        }
        if must_ask && !prompt::confirm(app.output, &question(&all), "--yes")? {
            return Err(Failure::Declined);
        }
        let failure = match authorize(app, session, args, &all).await {
            Ok(approved) => return approved.iter().try_for_each(|transaction| print_state(app, transaction)),
            Err(failure) => failure,
        };
        show_again(app, session, args, &mut all, failure)?;
        must_ask = true;
    }
}

/// The question that decides.
fn question(all: &[Reviewed]) -> String {
    match all.len() {
        1 => "\nApprove?".to_owned(),
        count => format!("\nApprove all {count}?"),
    }
}

/// Approves by the digests recomputed from what was shown: one transaction, or all of them or none.
async fn authorize(
    app: &App,
    session: &Session,
    args: &ApproveArgs,
    all: &[Reviewed],
) -> Result<Vec<Transaction>, Failure> {
    let approve = async |code: Secret| {
        if let [Reviewed { shown, acceptance, .. }] = all {
            let approval = Authorize::new(shown.transaction_id, code)
                .digest(shown.computed_digest())
                .acknowledge(acceptance.codes(shown));
            return session.client.authorize(approval).await.map(|approved| vec![approved]);
        }
        let batch = all.iter().fold(AuthorizeBatch::new(code), |batch, Reviewed { shown, acceptance, .. }| {
            batch.add_acknowledging(shown, acceptance.codes(shown))
        });
        session.client.authorize_all(batch).await
    };
    args.code.try_codes(app.output, CodeArgs::read, approve).await
}

/// Shows what a transaction has become, and what is different, when that is why the approval failed and there is
/// a person to ask anew.
fn show_again(
    app: &App,
    session: &Session,
    args: &ApproveArgs,
    all: &mut [Reviewed],
    failure: Failure,
) -> Result<(), Failure> {
    let Some(fresh) = changed(&failure).cloned() else {
        return Err(failure);
    };
    let transaction_id = fresh.transaction_id;
    let Some(reviewed) = all.iter_mut().find(|one| one.shown.transaction_id == transaction_id) else {
        return Err(Failure::Objection { transaction_id, objection: Objection::AnotherTransaction });
    };
    check(&fresh, transaction_id, session)?;
    if is_acknowledgement(&failure) && !reviewed.acceptance.lacks(&fresh) {
        // Everything that can be accepted here has been.
        return Err(failure);
    }
    let Reviewed { shown, around, .. } = reviewed;
    app.output.show(|paint| review::screen(&fresh, around, args.detail.view(paint)));
    let changes = |paint| changes::between(shown, &fresh, &around.symbol, paint);
    app.output.try_show(changes).map_err(|objection| Failure::Objection { transaction_id, objection })?;
    *shown = fresh;
    Ok(())
}

/// The transaction as it is now, when the failure is that it has changed and there is a person to ask anew.
pub(crate) fn changed(failure: &Failure) -> Option<&Transaction> {
    let Failure::Server(error) = failure else {
        return None;
    };
    let asks_anew = matches!(error.code(), Some(ErrorCode::PreviewChanged | ErrorCode::AcknowledgementRequired));
    error.transaction().filter(|_| asks_anew && prompt::is_possible())
}

/// Whether the failure is that a warning has not been accepted.
pub(crate) fn is_acknowledgement(failure: &Failure) -> bool {
    matches!(failure, Failure::Server(error) if error.code() == Some(ErrorCode::AcknowledgementRequired))
}

/// The ids in their order, each once.
fn unique(ids: &[Uuid]) -> Vec<Uuid> {
    let mut unique = Vec::new();
    for id in ids {
        if !unique.contains(id) {
            unique.push(*id);
        }
    }
    unique
}

/// Checks that the screen tells the truth about what an approval would sign.
fn check(transaction: &Transaction, transaction_id: Uuid, session: &Session) -> Result<(), Failure> {
    review::check(transaction, transaction_id, session.user_id)
        .map_err(|objection: Objection| Failure::Objection { transaction_id, objection })
}
