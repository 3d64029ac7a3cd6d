//! What the server warns of, the worst first.

use agent_sdk::{Severity, Transaction, Warning};

use crate::paint::Paint;
use crate::sheet::Sheet;
use crate::text::words;

/// The warnings under their label.
pub(super) fn warnings(sheet: Sheet, transaction: &Transaction) -> Sheet {
    let mut warnings: Vec<&Warning> = transaction.warnings.iter().collect();
    if warnings.is_empty() {
        return sheet.row("Warnings", "none");
    }
    warnings.sort_by_key(|warning| rank(warning));
    let labels = ["Warnings"].into_iter().chain(std::iter::repeat(""));
    warnings.iter().zip(labels).fold(sheet, |sheet, (warning, label)| {
        let style = match warning.severity {
            Severity::Low => |_: Paint, line: &str| line.to_owned(),
            Severity::Medium => Paint::caution,
            _ => Paint::danger,
        };
        sheet.styled(label, [in_words(warning)], style)
    })
}

/// A warning in one line: how grave, what, and its code.
pub(crate) fn in_words(warning: &Warning) -> String {
    let Warning { code, severity, detail, .. } = warning;
    format!("{}: {} ({})", words(severity.as_str()).to_uppercase(), words(detail), words(code))
}

/// Whether a person has to accept it by itself. So does anything graver that only later servers know.
pub(crate) fn must_be_accepted(warning: &Warning) -> bool {
    rank(warning) == 0
}

/// How soon a warning is shown; 0 is the first.
fn rank(warning: &Warning) -> u8 {
    match warning.severity {
        Severity::Low => 2,
        Severity::Medium => 1,
        _ => 0,
    }
}
