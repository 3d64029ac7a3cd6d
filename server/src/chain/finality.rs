//! Up to which height an endpoint calls its blocks final.
//!
//! By the `finalized` tag where it moves. Where a node does not know the tag, gives nothing for it, or lets it stand still
//! for long while blocks come, a depth counts instead, and that is told. A lower height than before takes nothing back.

use std::time::{Duration, Instant};

use alloy::transports::{TransportError, TransportResult};

use super::{
    endpoint::BlockRef,
    round::{Header, is_absent_tag},
};

/// The depth where a chain does not say what is final: two epochs of Ethereum.
pub(super) const USUAL_DEPTH: u64 = 64;

/// By what an endpoint's blocks are final.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FinalBy {
    /// The `finalized` tag.
    #[default]
    Tag,
    /// A depth that is set, or that everybody knows of a development node.
    Depth,
    /// 64 blocks, because the node does not know the tag.
    UnknownTag,
    /// 64 blocks, because the tag has given nothing, or stood still, for long.
    DeadTag,
}

impl FinalBy {
    /// The word for it on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Depth => "depth",
            Self::UnknownTag => "unknown_tag",
            Self::DeadTag => "dead_tag",
        }
    }

    /// What people should know of it.
    pub fn warning(self) -> Option<&'static str> {
        match self {
            Self::Tag | Self::Depth => None,
            Self::UnknownTag => Some("the node does not say which blocks are final: 64 blocks count instead"),
            Self::DeadTag => Some("the node's final block stands still: 64 blocks count instead"),
        }
    }
}

/// How an endpoint's `finalized` tag has moved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tag {
    /// The highest final block that it named.
    height: u64,
    /// Since when it names no higher one.
    since: Option<Instant>,
    /// The head at that time.
    head: u64,
    is_dead: bool,
}

impl Tag {
    /// Takes note of what the tag says while the chain's head is `head`. Gives the height up to which blocks are final, by
    /// what, and the final block where the node named one.
    pub(super) fn see(
        &mut self,
        head: BlockRef,
        said: TransportResult<Option<Header>>,
        dead_after: Duration,
    ) -> (u64, FinalBy, Option<BlockRef>) {
        let named = match said {
            Ok(Some(header)) => Ok(BlockRef::from(header)),
            // The tag is known and nothing is final yet.
            Ok(None) => Err(false),
            Err(error) => Err(is_unknown_tag(&error)),
        };
        let block = named.ok();
        let moved = block.is_some_and(|block| block.number > self.height);
        if moved || self.since.is_none() {
            (self.since, self.head, self.is_dead) = (Some(Instant::now()), head.number, false);
        }
        self.height = self.height.max(block.map_or(0, |block| block.number));
        let by_depth = at_depth(head.number, USUAL_DEPTH);
        if named == Err(true) && self.height == 0 {
            return (by_depth, FinalBy::UnknownTag, None);
        }
        // A chain that makes no blocks makes none final.
        let has_stood = self.since.is_some_and(|since| since.elapsed() >= dead_after);
        self.is_dead |= has_stood && head.number > self.head && by_depth > self.height;
        if self.is_dead {
            return (by_depth.max(self.height).min(head.number), FinalBy::DeadTag, block);
        }
        (self.height.min(head.number), FinalBy::Tag, block)
    }
}

/// `depth` 1 makes the latest block itself final.
pub(super) fn at_depth(number: u64, depth: u64) -> u64 {
    number.saturating_add(1).saturating_sub(depth.max(1))
}

/// Whether a node does not know the tag. Only then is it trusted by depth at once: a busy one must not make anything final
/// sooner.
fn is_unknown_tag(error: &TransportError) -> bool {
    const UNKNOWN: [&str; 5] = ["invalid argument", "invalid block", "invalid params", "not supported", "unsupported"];
    error.as_error_resp().is_some_and(|refusal| {
        let message = refusal.message.to_lowercase();
        // -32602: invalid params (JSON-RPC 2.0 §5.1).
        !is_absent_tag(refusal) && (refusal.code == -32602 || UNKNOWN.iter().any(|words| message.contains(words)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    fn block(number: u64) -> BlockRef {
        BlockRef { number, hash: crate::value::BlockHash([7; 32].into()) }
    }

    fn named(number: u64) -> TransportResult<Option<Header>> {
        let text = format!(r#"{{"number":"0x{number:x}","hash":"{}"}}"#, block(number).hash);
        Ok(Some(serde_json::from_str(&text).expect("a header")))
    }

    fn final_by(tag: &mut Tag, head: u64, said: TransportResult<Option<Header>>, after: Duration) -> (u64, FinalBy) {
        let (height, by, _) = tag.see(block(head), said, after);
        (height, by)
    }

    #[test]
    fn depth_one_makes_the_latest_block_final_and_nothing_underflows() {
        assert_eq!(at_depth(10, 1), 10);
        assert_eq!(at_depth(10, 0), 10);
        assert_eq!(at_depth(10, 3), 8);
        assert_eq!(at_depth(10, 64), 0);
    }

    #[test]
    fn a_tag_that_stands_still_while_blocks_come_is_replaced_by_a_depth_until_it_moves_again() {
        let mut tag = Tag::default();
        assert_eq!(final_by(&mut tag, 100, named(90), LONG), (90, FinalBy::Tag));
        assert_eq!(final_by(&mut tag, 1_000, named(90), LONG), (90, FinalBy::Tag), "not yet");
        assert_eq!(final_by(&mut tag, 1_000, named(90), Duration::ZERO), (937, FinalBy::DeadTag));
        assert_eq!(final_by(&mut tag, 1_001, Ok(None), LONG), (938, FinalBy::DeadTag), "it stays so");
        assert_eq!(final_by(&mut tag, 1_002, named(950), LONG), (950, FinalBy::Tag), "it moves again");
    }

    #[test]
    fn a_chain_that_makes_no_blocks_makes_none_final() {
        let mut tag = Tag::default();
        assert_eq!(final_by(&mut tag, 1_000, named(90), Duration::ZERO), (90, FinalBy::Tag));
        assert_eq!(final_by(&mut tag, 1_000, named(90), Duration::ZERO), (90, FinalBy::Tag));
    }

    #[test]
    fn a_tag_that_never_names_a_block_is_dead_in_the_end() {
        let mut tag = Tag::default();
        assert_eq!(final_by(&mut tag, 1_000, Ok(None), LONG), (0, FinalBy::Tag));
        assert_eq!(final_by(&mut tag, 1_001, Ok(None), LONG), (0, FinalBy::Tag));
        assert_eq!(final_by(&mut tag, 1_001, Ok(None), Duration::ZERO), (938, FinalBy::DeadTag));
    }
}
