//! The flags and variables through which a script hands over a password or a code. None of them puts a
//! secret on a command line, where every process on the machine could read it.

use std::fs;
use std::path::{Path, PathBuf};

use agent_sdk::Secret;
use clap::Args;

use crate::environment;
use crate::exit::Failure;
use crate::output::Output;
use crate::prompt;

/// Names the ways to give a password, for a script that gave none.
const PASSWORD_FLAGS: &str = "--password-stdin, --password-file or WALLET_PASSWORD";
/// Names the ways to give a keystore's passphrase, for a script that gave none.
const PASSPHRASE_FLAGS: &str = "--passphrase-stdin or --passphrase-file";
/// Names the ways to give a code, for a script that gave none.
const CODE_FLAGS: &str = "--mfa-code-stdin or WALLET_MFA_CODE";

/// How often a person may mistype a code.
const ATTEMPTS: usize = 3;

/// Where the password comes from; from the terminal unless one of these is used.
#[derive(Args, Clone)]
pub(crate) struct PasswordArgs {
    /// Read the password from the next line of standard input
    ///
    /// With --mfa-code-stdin as well, the password comes first and the code on the line after it.
    #[arg(long, conflicts_with = "password_file")]
    password_stdin: bool,

    /// Read the password from the first line of a file
    ///
    /// WALLET_PASSWORD works too, but the environment of a process can be read by its children and
    /// by everything else that runs as the same user: prefer a file that only you can read.
    #[arg(long, value_name = "PATH")]
    password_file: Option<PathBuf>,
}

impl PasswordArgs {
    /// The password of an account that exists.
    ///
    /// Fails when it cannot be read, and when there is nobody to ask.
    pub(crate) fn read(&self) -> Result<Secret, Failure> {
        match self.given()? {
            Some(password) => Ok(password),
            None => Ok(prompt::password("Password:", PASSWORD_FLAGS)?.into()),
        }
    }

    /// A password to be set, typed twice by a person.
    ///
    /// Fails when it cannot be read, when the two differ, and when there is nobody to ask.
    pub(crate) fn read_new(&self) -> Result<Secret, Failure> {
        if let Some(password) = self.given()? {
            return Ok(password);
        }
        let password = prompt::password("New password (12 characters or more):", PASSWORD_FLAGS)?;
        let repeated = prompt::password("The same again:", PASSWORD_FLAGS)?;
        if password == repeated { Ok(password.into()) } else { Err(Failure::PasswordsDiffer) }
    }

    /// The password that a script gave, if it gave one.
    fn given(&self) -> Result<Option<Secret>, Failure> {
        if self.password_stdin {
            return prompt::next_line("--password-stdin").map(|line| Some(line.into()));
        }
        match &self.password_file {
            Some(path) => first_line(path).map(Some),
            None => Ok(environment::variable(environment::PASSWORD).map(Secret::from)),
        }
    }
}

/// Where the passphrase of a keystore comes from; from the terminal unless one of these is used.
#[derive(Args, Clone)]
pub(crate) struct PassphraseArgs {
    /// Read the keystore's passphrase from the next line of standard input
    #[arg(long, conflicts_with = "passphrase_file")]
    passphrase_stdin: bool,

    /// Read the keystore's passphrase from the first line of a file
    #[arg(long, value_name = "PATH")]
    passphrase_file: Option<PathBuf>,
}

impl PassphraseArgs {
    /// The passphrase of a file that exists.
    ///
    /// Fails when it cannot be read, and when there is nobody to ask.
    pub(crate) fn read(&self) -> Result<Secret, Failure> {
        match self.given()? {
            Some(passphrase) => Ok(passphrase),
            None => Ok(prompt::password("The keystore's passphrase:", PASSPHRASE_FLAGS)?.into()),
        }
    }

    /// A passphrase to be set, typed twice by a person.
    ///
    /// Fails when it cannot be read, when the two differ, and when there is nobody to ask.
    pub(crate) fn read_new(&self) -> Result<Secret, Failure> {
        if let Some(passphrase) = self.given()? {
            return Ok(passphrase);
        }
        let passphrase = prompt::password("Passphrase for the keystore (12 characters or more):", PASSPHRASE_FLAGS)?;
        let repeated = prompt::password("The same again:", PASSPHRASE_FLAGS)?;
        if passphrase == repeated { Ok(passphrase.into()) } else { Err(Failure::PasswordsDiffer) }
    }

    fn given(&self) -> Result<Option<Secret>, Failure> {
        if self.passphrase_stdin {
            return prompt::next_line("--passphrase-stdin").map(|line| Some(line.into()));
        }
        self.passphrase_file.as_deref().map(first_line).transpose()
    }
}

/// The first line of a file that holds a secret.
fn first_line(path: &Path) -> Result<Secret, Failure> {
    let content = fs::read_to_string(path).map(Secret::from);
    let content = content.map_err(|source| Failure::UnreadableFile { path: path.to_owned(), source })?;
    Ok(content.expose().lines().next().unwrap_or_default().into())
}

/// Where the 6-digit code comes from; from the terminal unless one of these is used.
#[derive(Args, Clone)]
pub(crate) struct CodeArgs {
    /// Read the 6-digit code from the next line of standard input
    ///
    /// WALLET_MFA_CODE works too. A code is good for one decision and for about a minute, so little
    /// is lost when someone sees it later.
    #[arg(long)]
    mfa_code_stdin: bool,
}

impl CodeArgs {
    /// The code now shown by the user's authenticator.
    ///
    /// Fails when it cannot be read, is not six digits, or there is nobody to ask.
    pub(crate) fn read(&self, output: Output) -> Result<Secret, Failure> {
        let code = match environment::variable(environment::MFA_CODE) {
            Some(code) if !self.mfa_code_stdin => code,
            _ => self.read_next(output, "6-digit code:")?,
        };
        six_digits(&code)
    }

    /// The first code of an authenticator that is only now being set up, which no variable can hold.
    ///
    /// Fails when it cannot be read, is not six digits, or there is nobody to ask.
    pub(crate) fn read_first(&self, output: Output) -> Result<Secret, Failure> {
        six_digits(&self.read_next(output, "6-digit code from the authenticator:")?)
    }

    /// The current code, or a backup code, from a user about to replace the authenticator.
    ///
    /// Fails when it cannot be read, and when there is nobody to ask.
    pub(crate) fn read_or_backup(&self, output: Output) -> Result<Secret, Failure> {
        match environment::variable(environment::MFA_CODE) {
            Some(code) if !self.mfa_code_stdin => Ok(code.into()),
            _ => Ok(self.read_next(output, "Current 6-digit code, or a backup code:")?.into()),
        }
    }

    /// Whether every code comes from the environment, which holds only one.
    fn is_only_one(&self) -> bool {
        !self.mfa_code_stdin && environment::variable(environment::MFA_CODE).is_some()
    }

    /// Makes a call that takes a code. A person who mistypes it may try again, a script may not.
    ///
    /// Fails as the reading of the code and the call do.
    pub(crate) async fn try_codes<T>(
        &self,
        output: Output,
        read: impl Fn(&Self, Output) -> Result<Secret, Failure>,
        call: impl AsyncFn(Secret) -> Result<T, agent_sdk::Error>,
    ) -> Result<T, Failure> {
        let mut attempts_left = if self.are_typed() { ATTEMPTS } else { 1 };
        loop {
            attempts_left -= 1;
            let outcome = match read(self, output) {
                Ok(code) => call(code).await.map_err(Failure::from),
                Err(failure) => Err(failure),
            };
            match outcome {
                Err(failure) if failure.wants_another_code() && attempts_left > 0 => {
                    output.failure(&failure);
                }
                outcome => return outcome,
            }
        }
    }

    /// Whether a person types the codes.
    fn are_typed(&self) -> bool {
        !self.mfa_code_stdin && !self.is_only_one() && prompt::is_possible()
    }

    /// A code from standard input where that was asked for, else from a person.
    fn read_next(&self, output: Output, question: &str) -> Result<String, Failure> {
        if self.mfa_code_stdin {
            prompt::next_line("--mfa-code-stdin").map(|line| line.trim().to_owned())
        } else {
            prompt::line(output, question, CODE_FLAGS)
        }
    }
}

/// Takes `123 456` for `123456`, as authenticators show it, and refuses what cannot be a code.
fn six_digits(text: &str) -> Result<Secret, Failure> {
    let code: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    let good = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
    if good { Ok(code.into()) } else { Err(Failure::NotACode) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_six_digits_however_it_is_spaced() {
        assert!(six_digits(" 123 456").is_ok_and(|code| code.expose() == "123456"));
        for text in ["", "12345", "1234567", "12345a", "١٢٣٤٥٦"] {
            assert!(matches!(six_digits(text), Err(Failure::NotACode)), "{text}");
        }
    }
}
