//! How a command ends without success: why, and with which exit code.

use std::io;
use std::path::PathBuf;

use agent_sdk::ErrorCode;
use uuid::Uuid;

use crate::credentials::CredentialsError;
use crate::review::Objection;

/// Exit codes, the same for every command. 0 is done; 2, wrong usage, belongs to the parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The request was refused, or failed.
    Refused = 1,
    /// The server could not be reached.
    Unreachable = 3,
    /// There is no session, or it has ended.
    LogIn = 4,
    /// A code or an answer is needed and there is no terminal to ask at.
    NeedsTerminal = 5,
    /// The time given for waiting ran out.
    Pending = 8,
}

/// Why a command ended without success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The server refused, or could not be asked.
    #[error(transparent)]
    Server(#[from] agent_sdk::Error),
    /// The kept session could not be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// Standard input or output failed.
    #[error("input or output failed: {0}")]
    Stream(#[from] io::Error),
    /// A file named on the command line could not be read.
    #[error("cannot read {}: {source}", path.display())]
    UnreadableFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file named on the command line could not be written.
    #[error("cannot write {}: {source}", path.display())]
    UnwritableFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file is no keystore.
    #[error("the file is no keystore: expected a JSON object")]
    NotAKeystore,
    /// Nothing says where the session is to be kept.
    #[error("no directory for the login: neither XDG_CONFIG_HOME nor HOME is set")]
    NoConfigDir,
    /// No session at this server.
    #[error("not logged in at this server")]
    NotLoggedIn,
    /// The session is past its time.
    #[error("the session has ended")]
    SessionEnded,
    /// Somebody would have to be asked.
    #[error("there is no terminal to ask at; give {instead}")]
    NeedsTerminal {
        /// What a script gives instead of an answer.
        instead: &'static str,
    },
    /// Standard input ended before the answer.
    #[error("standard input ended before the line for {flag}")]
    NoAnswer {
        /// The flag that announced the line.
        flag: &'static str,
    },
    /// A line that no password or code can have.
    #[error("the line on standard input is too long")]
    LongLine,
    /// The two typed passwords differ.
    #[error("the two passwords differ")]
    PasswordsDiffer,
    /// The text cannot be a code.
    #[error("a code is 6 digits")]
    NotACode,
    /// A grave warning that nobody has accepted.
    #[error("not accepted: {warning}; a script accepts it with --acknowledge {name}")]
    NotAcknowledged {
        /// The warning, as it is shown.
        warning: String,
        /// Its code, and its subject where it has one.
        name: String,
    },
    /// Nothing says which of the wallets is meant.
    #[error("you have several wallets: choose one with --from")]
    WhichWallet,
    /// There is no wallet to pay from.
    #[error("you have no wallet")]
    NoWallet,
    /// No agent has this name.
    #[error("you have no agent with this name")]
    NoAgent,
    /// Several agents have this name.
    #[error("several agents have this name: give the id of the one that is meant")]
    WhichAgent,
    /// What is asked for cannot be said to the server.
    #[error("{0}")]
    Request(String),
    /// The answer to a send was lost: it may have been sent, or not.
    #[error("no answer, so it may or may not have been sent: {error}")]
    LostAnswer {
        /// What happened to the answer.
        error: String,
        /// The key under which the same request is never acted on twice.
        idempotency_key: String,
    },
    /// Something else was sent than was shown.
    #[error("{0} is not what was shown and confirmed")]
    SentAnother(Uuid),
    /// What the server shows must not be approved.
    #[error("refused to approve {transaction_id}: {objection}")]
    Objection {
        /// The transaction.
        transaction_id: Uuid,
        /// What is wrong with it.
        objection: Objection,
    },
    /// The person did not say yes.
    #[error("not approved")]
    Declined,
    /// The person did not say yes to a send.
    #[error("not sent")]
    NotSent,
    /// The transaction ended in another way than asked for.
    #[error("{transaction_id} is {status}")]
    Ended {
        /// The transaction.
        transaction_id: Uuid,
        /// How it ended.
        status: String,
    },
    /// The transaction has not come as far as asked for in the time given.
    #[error("{transaction_id} is still {status}")]
    StillPending {
        /// The transaction.
        transaction_id: Uuid,
        /// How far it is.
        status: String,
    },
}

impl Failure {
    /// The exit code of the program.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Server(error) if error.is_unreachable() => Exit::Unreachable,
            Self::Server(agent_sdk::Error::NotLoggedIn) => Exit::LogIn,
            Self::Server(error) => match error.code() {
                Some(ErrorCode::Unauthenticated) => Exit::LogIn,
                Some(ErrorCode::MfaInvalid | ErrorCode::MfaReplayed) => Exit::NeedsTerminal,
                _ => Exit::Refused,
            },
            Self::NotLoggedIn | Self::SessionEnded => Exit::LogIn,
            Self::LostAnswer { .. } => Exit::Unreachable,
            Self::NeedsTerminal { .. } | Self::NoAnswer { .. } | Self::NotACode => Exit::NeedsTerminal,
            Self::StillPending { .. } => Exit::Pending,
            _ => Exit::Refused,
        }
    }

    /// Whether the code was at fault, so that the same call with another may succeed.
    pub(crate) fn wants_another_code(&self) -> bool {
        let code = match self {
            Self::NotACode => return true,
            Self::Server(error) => error.code(),
            _ => None,
        };
        matches!(code, Some(ErrorCode::MfaInvalid | ErrorCode::MfaReplayed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A refusal as the server sends it.
    fn refused(status: u16, code: &str) -> Failure {
        let problem = json!({ "code": code, "status": status, "title": "", "detail": "" });
        let problem = serde_json::from_value(problem).expect("a problem");
        agent_sdk::Error::Refused { problem, retry_after: None }.into()
    }

    #[test]
    fn every_end_has_the_documented_exit_code() {
        for (failure, exit) in [
            (refused(409, "invalid_state"), 1),
            (refused(401, "invalid_credentials"), 1),
            (refused(418, "a_code_of_the_future"), 1),
            (Failure::Declined, 1),
            (Failure::NotSent, 1),
            (Failure::NotAcknowledged { warning: String::new(), name: String::new() }, 1),
            (Failure::LostAnswer { error: String::new(), idempotency_key: String::new() }, 3),
            (refused(401, "unauthenticated"), 4),
            (Failure::NotLoggedIn, 4),
            (Failure::SessionEnded, 4),
            (refused(401, "mfa_invalid"), 5),
            (refused(401, "mfa_replayed"), 5),
            (Failure::NeedsTerminal { instead: "--yes" }, 5),
            (Failure::NoAnswer { flag: "--mfa-code-stdin" }, 5),
            (Failure::StillPending { transaction_id: Uuid::nil(), status: String::new() }, 8),
        ] {
            assert_eq!(failure.exit() as u8, exit, "{failure}");
        }
    }
}
