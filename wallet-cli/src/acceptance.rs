//! Grave warnings: a person accepts each by itself, a script names the code of each.

use agent_sdk::{Transaction, Warning};

use crate::exit::Failure;
use crate::output::Output;
use crate::paint::Paint;
use crate::prompt;
use crate::review::{in_words, must_be_accepted};
use crate::text::hang;

/// Columns of a question.
const WIDTH: usize = 78;

/// What has been accepted so far.
pub(crate) struct Acceptance {
    /// The codes given on the command line.
    given: Vec<String>,
    /// The warnings that a person has said yes to, word for word.
    answered: Vec<Warning>,
}

impl Acceptance {
    /// Nothing but what the command line accepts.
    pub(crate) fn new(given: &[String]) -> Self {
        Self { given: given.to_vec(), answered: Vec::new() }
    }

    /// Whether a grave warning is left that nobody has accepted. One that reads differently than the one that
    /// was accepted is another one.
    pub(crate) fn lacks(&self, transaction: &Transaction) -> bool {
        self.missing(transaction).next().is_some()
    }

    /// Asks for each grave warning that is not accepted yet. Whether all of them are accepted now.
    ///
    /// Fails where nobody may be asked.
    pub(crate) fn ask(&mut self, output: Output, transaction: &Transaction, may_ask: bool) -> Result<bool, Failure> {
        let missing: Vec<Warning> = self.missing(transaction).cloned().collect();
        for warning in missing {
            let words = in_words(&warning);
            if !may_ask {
                return Err(Failure::NotAcknowledged { warning: words, name: warning.acknowledgement() });
            }
            output.show(|paint| question(&words, paint));
            if !prompt::confirm(output, "Accept this?", "--acknowledge")? {
                return Ok(false);
            }
            self.answered.push(warning);
        }
        Ok(true)
    }

    /// The codes to acknowledge: those of the command line, and those that were accepted here.
    pub(crate) fn codes(&self, transaction: &Transaction) -> Vec<String> {
        let answered = self.answered.iter().filter(|warning| transaction.warnings.contains(warning));
        let mut codes = self.given.clone();
        codes.extend(answered.map(Warning::acknowledgement));
        codes.sort();
        codes.dedup();
        codes
    }

    fn missing<'a>(&'a self, transaction: &'a Transaction) -> impl Iterator<Item = &'a Warning> {
        let grave = || transaction.warnings.iter().filter(|warning| must_be_accepted(warning));
        // A code alone names what it can only mean.
        let is_given = move |warning: &Warning| {
            let is_one = grave().filter(|other| other.code == warning.code).count() == 1;
            self.given.contains(&warning.acknowledgement()) || is_one && self.given.contains(&warning.code)
        };
        grave().filter(move |warning| !is_given(warning) && !self.answered.contains(warning))
    }
}

/// A warning as it is shown before the question, one line apart from what was before.
fn question(words: &str, paint: Paint) -> String {
    let lines: Vec<String> = hang(words, 0, WIDTH).iter().map(|line| paint.danger(line)).collect();
    format!("\n{}", lines.join("\n"))
}
