//! The bytes themselves, for who can read them.

use alloy::primitives::hex;

/// Bytes on one line: a word of the contract ABI.
const BYTES_A_LINE: usize = 32;
/// Words shown of data that is explained elsewhere on the screen.
const FIRST_WORDS: usize = 4;

/// How much of what is long is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// The beginning, and how much follows.
    Brief,
    /// All of it.
    Full,
}

impl Detail {
    /// The most to show of something that is usually cut after `brief`.
    pub(super) fn most(self, brief: usize) -> usize {
        match self {
            Self::Brief => brief,
            Self::Full => usize::MAX,
        }
    }
}

/// The data's length and its bytes. Call data puts the 4-byte selector first, and words after it.
pub(super) fn data_lines(data: &[u8], detail: Detail) -> Vec<String> {
    if data.is_empty() {
        return vec!["none".to_owned()];
    }
    let selector = if data.len() % BYTES_A_LINE == 4 { 4 } else { 0 };
    let shown = data.get(..detail.most(selector + FIRST_WORDS * BYTES_A_LINE)).unwrap_or(data);
    let (first, words) = shown.split_at(selector);
    let pieces = Some(first).filter(|first| !first.is_empty()).into_iter().chain(words.chunks(BYTES_A_LINE));
    let digits = pieces.map(hex::encode).enumerate().map(|(number, digits)| {
        let prefix = if number == 0 { "0x" } else { "  " };
        format!("{prefix}{digits}")
    });
    let left_out = data.len() - shown.len();
    let rest = (left_out > 0).then(|| format!("and {left_out} more bytes, shown with --data"));
    std::iter::once(format!("{} bytes", data.len())).chain(digits).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_data_is_cut_after_four_words_and_says_so() {
        let data = [&[0xab; 4][..], &[0; 6 * 32]].concat();
        let brief = data_lines(&data, Detail::Brief);
        assert_eq!(brief.len(), 1 + 1 + 4 + 1);
        assert_eq!(brief.first().map(String::as_str), Some("196 bytes"));
        assert_eq!(brief.last().map(String::as_str), Some("and 64 more bytes, shown with --data"));
        let full = data_lines(&data, Detail::Full);
        assert_eq!(full[1..].iter().map(|line| (line.trim_start_matches("0x").trim().len()) / 2).sum::<usize>(), 196);
    }

    #[test]
    fn data_of_odd_length_is_shown_whole() {
        assert_eq!(data_lines(&[0x60, 0], Detail::Brief), ["2 bytes", "0x6000"]);
        assert_eq!(data_lines(&[], Detail::Brief), ["none"]);
    }
}
