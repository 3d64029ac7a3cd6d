//! Questions to the person at the terminal. Without a terminal nothing waits for an answer that cannot
//! come: the failure names the flag that would have given it.

use std::io::{self, BufRead, IsTerminal, Read};

use crate::exit::Failure;
use crate::output::Output;

/// The longest line taken from standard input, in bytes; the longest password has 1024.
const LONGEST_LINE: u64 = 4096;

/// Whether a person can be asked: standard input is a terminal, and so is standard error, where the
/// questions appear.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a line of visible text. `instead` names the argument that a script would use.
///
/// Fails without a terminal, and when the input has ended.
pub(crate) fn line(output: Output, question: &str, instead: &'static str) -> Result<String, Failure> {
    need_terminal(instead)?;
    output.question(question);
    Ok(next_line(instead)?.trim().to_owned())
}

/// Asks for a password, which is not echoed. `instead` names the flag that a script would use.
///
/// Fails without a terminal, and when the input has ended.
pub(crate) fn password(question: &str, instead: &'static str) -> Result<String, Failure> {
    need_terminal(instead)?;
    Ok(rpassword::prompt_password(format!("{question} "))?)
}

/// Asks whether to go on. Anything but a clear yes is a no, and so is the end of the input (Ctrl-D).
///
/// Fails without a terminal.
pub(crate) fn confirm(output: Output, question: &str, instead: &'static str) -> Result<bool, Failure> {
    match line(output, &format!("{question} [y/N]"), instead) {
        Ok(answer) => Ok(is_yes(&answer)),
        Err(Failure::NoAnswer { .. }) => {
            // The cursor stands behind the question: what comes next begins a line.
            output.show(|_| String::new());
            Ok(false)
        }
        Err(failure) => Err(failure),
    }
}

/// The next line of standard input without its line break. `flag` is the one that announced it.
///
/// Fails when the input has ended or the line is too long.
pub(crate) fn next_line(flag: &'static str) -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin().lock().take(LONGEST_LINE).read_line(&mut line)?;
    match line.strip_suffix('\n') {
        Some(content) => Ok(content.strip_suffix('\r').unwrap_or(content).to_owned()),
        None if line.is_empty() => Err(Failure::NoAnswer { flag }),
        None if line.len() as u64 == LONGEST_LINE => Err(Failure::LongLine),
        None => Ok(line),
    }
}

/// Refuses to ask when nobody can answer.
fn need_terminal(instead: &'static str) -> Result<(), Failure> {
    if is_possible() { Ok(()) } else { Err(Failure::NeedsTerminal { instead }) }
}

/// Whether an answer is a clear yes.
fn is_yes(answer: &str) -> bool {
    matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        assert!(["y", "Y", "yes", "YES"].iter().all(|answer| is_yes(answer)));
        assert!(["", "n", "no", "ye", "yep", "1", "y y"].iter().all(|answer| !is_yes(answer)));
    }
}
