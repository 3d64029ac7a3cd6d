//! What the other endpoints of a chain say about what one of them calls final.
//!
//! A final word needs two endpoints that say the same and none that is believed and says otherwise. Whoever is contradicted
//! by two is not believed for a while. While nobody else answers, one counts after a time.

use std::time::Duration;

use futures_util::future::join_all;

use super::account::Tracked;
use crate::{
    chain::{BlockRef, NonceAt, Receipt, Round},
    domain::nonces::Account,
    store::chain_marks,
    value::{BlockHash, Evidence},
};

/// What one endpoint says to what another one claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// The same.
    Agrees,
    /// Something else: it has this block in that place, or other things in the same block.
    Contradicts(BlockHash),
    /// Nothing: it is behind, has forgotten, or does not answer.
    Silent,
}

/// What follows from the words of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Counts(Evidence),
    /// Nobody else has said so yet, or they disagree.
    Waits,
    /// Two others say the same, and it is not what was claimed.
    Wrong,
}

/// Whether a claim counts that was first made `waited` ago. With one endpoint there is nobody to ask.
fn weigh(words: &[Word], waited: Duration, alone_after: Duration) -> Verdict {
    let agreeing = 1 + words.iter().filter(|word| **word == Word::Agrees).count();
    let against = words.iter().filter_map(|word| match word {
        Word::Contradicts(block) => Some(*block),
        Word::Agrees | Word::Silent => None,
    });
    let against: Vec<BlockHash> = against.collect();
    let most = against.iter().map(|block| against.iter().filter(|other| *other == block).count()).max();
    match most {
        None if agreeing > 1 => Verdict::Counts(Evidence::Agreed),
        None if waited >= alone_after => Verdict::Counts(Evidence::Single),
        None => Verdict::Waits,
        Some(most) if agreeing > most && agreeing > 1 => Verdict::Counts(Evidence::Agreed),
        Some(most) if most > agreeing => Verdict::Wrong,
        Some(_) => Verdict::Waits,
    }
}

/// For how long a claim has been made, and after how long it counts though nobody else answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    pub(super) waited: Duration,
    pub(super) alone_after: Duration,
}

/// The evidence that a form is final in the block of a receipt; none while it is not enough.
pub(super) async fn of_inclusion(round: &Round, receipt: &Receipt, wait: Wait) -> Option<Evidence> {
    let others = round.others().await;
    let words = join_all(others.iter().map(|other| about_inclusion(other, receipt))).await;
    judge(round, others, &words, wait)
}

/// The evidence that something that is not ours used a nonce for good in this block; none while it is not enough.
pub(super) async fn of_use(
    round: &Round,
    account: Account,
    open: &Tracked,
    block: BlockRef,
    wait: Wait,
) -> Option<Evidence> {
    let others = round.others().await;
    let words = join_all(others.iter().map(|other| about_use(other, account, open, block))).await;
    judge(round, others, &words, wait)
}

fn judge(round: &Round, others: &[Round], words: &[Word], wait: Wait) -> Option<Evidence> {
    const WHY: &str = "other endpoints contradict it about a final block";
    match weigh(words, wait.waited, wait.alone_after) {
        Verdict::Counts(evidence) => {
            let wrong = others.iter().zip(words).filter(|(_, word)| matches!(word, Word::Contradicts(_)));
            wrong.for_each(|(other, _)| other.outvote(WHY));
            Some(evidence)
        }
        Verdict::Waits => None,
        Verdict::Wrong => {
            round.outvote(WHY);
            None
        }
    }
}

/// Whether an endpoint has this block, and has it as final.
async fn about_block(round: &Round, block: BlockRef) -> Word {
    if round.final_height < block.number {
        return Word::Silent;
    }
    match round.block_hash(block.number).await {
        Ok(Some(hash)) if hash == block.hash => Word::Agrees,
        Ok(Some(hash)) => Word::Contradicts(hash),
        Ok(None) | Err(_) => Word::Silent,
    }
}

async fn about_inclusion(round: &Round, receipt: &Receipt) -> Word {
    let block = BlockRef { number: receipt.block_number, hash: receipt.block_hash };
    let word = about_block(round, block).await;
    if word != Word::Agrees {
        return word;
    }
    match round.receipts(&[receipt.transaction_hash]).await.pop() {
        Some(Ok(Some(found))) if found.block_hash != receipt.block_hash => Word::Silent,
        Some(Ok(Some(found))) if found.succeeded == receipt.succeeded => Word::Agrees,
        Some(Ok(Some(_))) => Word::Contradicts(block.hash),
        _ => Word::Silent,
    }
}

async fn about_use(round: &Round, account: Account, open: &Tracked, block: BlockRef) -> Word {
    let word = about_block(round, block).await;
    if word != Word::Agrees {
        return word;
    }
    let (address, nonce) = (account.address, open.slot.nonce.0);
    let is_ours = |hash| open.forms.iter().any(|form| form.hash == hash);
    let Ok(Some(whole)) = round.block(block.number).await else { return Word::Silent };
    if whole.hash != block.hash || whole.transactions.iter().any(|transaction| is_ours(transaction.hash)) {
        return Word::Contradicts(block.hash);
    }
    if whole.transactions.iter().any(|transaction| transaction.uses(address, nonce)) {
        return Word::Agrees;
    }
    // A contract to which the account delegates used it: only the account's count before and after tells.
    let Some(before) = block.number.checked_sub(1) else { return Word::Silent };
    match (round.nonce_at(address, before).await, round.nonce_at(address, block.number).await) {
        (Ok(NonceAt::Nonce(before)), Ok(NonceAt::Nonce(after))) if before <= nonce && nonce < after => Word::Agrees,
        (Ok(NonceAt::Nonce(_)), Ok(NonceAt::Nonce(_))) => Word::Contradicts(block.hash),
        _ => Word::Silent,
    }
}

/// What the endpoints say about a block that was relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is there.
    Stands,
    /// All that answer have another one in its place, at least two.
    Contradicted,
    /// So does the only one that answers.
    ContradictedByOne,
    /// The endpoint has another one, and some other endpoint has it: the endpoint is not believed any more.
    Outvoted,
}

/// Whether a block that was relied on is still there, where the chain has several endpoints.
pub(super) async fn of_mark(round: &Round, height: u64, hash: BlockHash) -> Standing {
    let block = BlockRef { number: height, hash };
    if !matches!(about_block(round, block).await, Word::Contradicts(_)) {
        return Standing::Stands;
    }
    let others = round.others().await;
    let words = join_all(others.iter().map(|other| about_block(other, block))).await;
    if words.contains(&Word::Agrees) {
        round.outvote("it lacks a block that was final");
        Standing::Outvoted
    } else if words.iter().any(|word| matches!(word, Word::Contradicts(_))) {
        Standing::Contradicted
    } else {
        Standing::ContradictedByOne
    }
}

/// Whether another endpoint answers, and none of those that do still has the newest block that is remembered.
pub(super) async fn lacks(round: &Round, marks: &[chain_marks::Model]) -> bool {
    let Some(newest) = marks.first() else { return true };
    let others = round.others().await;
    let shown = join_all(others.iter().map(|other| other.block_hash(newest.height.0))).await;
    let mut shown = shown.into_iter().filter_map(Result::ok).peekable();
    shown.peek().is_some() && shown.all(|hash| hash != Some(newest.hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    fn weighed(words: &[Word]) -> Verdict {
        weigh(words, Duration::ZERO, LONG)
    }

    fn block(number: u8) -> BlockHash {
        BlockHash([number; 32].into())
    }

    #[test]
    fn two_that_agree_and_none_against_are_enough() {
        use Word::{Agrees, Contradicts, Silent};
        let agreed = Verdict::Counts(Evidence::Agreed);
        assert_eq!(weighed(&[Agrees]), agreed);
        assert_eq!(weighed(&[Silent, Agrees]), agreed);
        assert_eq!(weighed(&[]), Verdict::Waits);
        assert_eq!(weighed(&[Silent, Silent]), Verdict::Waits);
        assert_eq!(weighed(&[Contradicts(block(1))]), Verdict::Waits, "one against one");
        assert_eq!(weighed(&[Contradicts(block(1)), Silent]), Verdict::Waits);
    }

    #[test]
    fn one_counts_after_a_time_unless_it_is_contradicted() {
        let weighed = |words: &[Word]| weigh(words, LONG, LONG);
        assert_eq!(weighed(&[Word::Silent]), Verdict::Counts(Evidence::Single));
        assert_eq!(weighed(&[]), Verdict::Counts(Evidence::Single));
        assert_eq!(weighed(&[Word::Contradicts(block(1))]), Verdict::Waits);
    }

    #[test]
    fn the_many_are_believed_against_the_one() {
        use Word::{Agrees, Contradicts};
        assert_eq!(weighed(&[Agrees, Contradicts(block(1))]), Verdict::Counts(Evidence::Agreed));
        assert_eq!(weighed(&[Contradicts(block(1)), Contradicts(block(1))]), Verdict::Wrong);
        assert_eq!(weighed(&[Contradicts(block(1)), Contradicts(block(2))]), Verdict::Waits, "each says another thing");
        let split = [Agrees, Contradicts(block(1)), Contradicts(block(1))];
        assert_eq!(weighed(&split), Verdict::Waits, "two against two");
    }
}
