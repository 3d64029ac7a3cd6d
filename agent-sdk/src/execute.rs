//! Who sets an approved transaction going.

use serde::{Deserialize, Serialize};

/// Who sets a transaction going once it is approved. The digest covers it, so a word that this
/// version does not know is an unreadable answer, and never guessed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Execute {
    /// The agent that prepared it, by [`execute`](crate::AgentClient::execute), before
    /// [`execute_by`](crate::Transaction::execute_by).
    #[default]
    Agent,
    /// The approval itself: it is sent as soon as the human has said yes. A user's own sends are
    /// always of this kind.
    OnApproval,
}

impl Execute {
    /// The word on the wire, and in the digest.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::OnApproval => "on_approval",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_in_the_digest_is_the_word_on_the_wire() {
        for execute in [Execute::Agent, Execute::OnApproval] {
            assert_eq!(serde_json::to_value(execute).expect("json"), execute.as_str());
        }
    }
}
