//! Why a contract's interface, a function or its arguments make no sense.

use std::fmt;

/// What is wrong, and where: `function_args[1].recipient: expected an address`. Repeats names of the caller's ABI, which
/// are plain words, and nothing else of what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbiError {
    path: String,
    wrong: String,
}

impl AbiError {
    pub(super) fn new(path: impl Into<String>, wrong: impl Into<String>) -> Self {
        Self { path: path.into(), wrong: wrong.into() }
    }

    pub(super) fn interface(wrong: impl Into<String>) -> Self {
        Self::new("contract_abi", wrong)
    }
}

impl fmt::Display for AbiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.wrong)
    }
}

impl std::error::Error for AbiError {}
