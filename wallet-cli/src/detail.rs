//! How much of a transaction is shown.

use clap::Args;

use crate::app::now;
use crate::paint::Paint;
use crate::review::{Detail, View};

/// How much of a transaction is shown.
#[derive(Args, Clone, Copy)]
pub(crate) struct DetailArgs {
    /// Show all bytes of the data and whole arguments, however long they are
    #[arg(long)]
    data: bool,
}

impl DetailArgs {
    /// The way to look at a transaction now.
    pub(crate) fn view(self, paint: Paint) -> View {
        let detail = if self.data { Detail::Full } else { Detail::Brief };
        View { detail, now: now(), paint }
    }
}
