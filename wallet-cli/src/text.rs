//! Text from elsewhere made safe to print, and text laid out for a terminal 80 columns wide.

use std::iter::Peekable;
use std::str::Chars;

/// Text that came from the server or an agent, on one line and harmless to a terminal: escape
/// sequences, control characters and every character that reorders or hides text are gone.
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\u{1b}' => skip_escape(&mut rest),
            '\u{9b}' => skip_control_sequence(&mut rest),
            '\n' | '\r' | '\t' => cleaned.push(' '),
            _ if deceives(character) => {}
            _ => cleaned.push(character),
        }
    }
    cleaned
}

/// Whether a character can change how its neighbours look instead of being seen itself: controls,
/// bidirectional controls (Unicode Standard Annex #9), line separators and invisible characters.
pub(crate) fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Skips what follows an ESC when it is a control sequence, so that `ESC [31m` leaves no `[31m`.
fn skip_escape(rest: &mut Peekable<Chars<'_>>) {
    if rest.next_if_eq(&'[').is_some() {
        skip_control_sequence(rest);
    }
}

/// Skips the parameters and the final byte of a control sequence (ECMA-48 §5.4).
fn skip_control_sequence(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|next| matches!(next, ' '..='?')).is_some() {}
    rest.next_if(|next| matches!(next, '@'..='~'));
}

/// The columns that text takes, counting one a character.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// Breaks text between words into lines of at most `width` characters; a longer word is cut.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for piece in text.split_whitespace().flat_map(|word| cut(word, width)) {
        let piece_length = columns(&piece);
        if length > 0 && length + 1 + piece_length > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(&piece);
        length += piece_length;
    }
    if length > 0 || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Cuts a word into pieces of at most `width` characters.
pub(crate) fn cut(word: &str, width: usize) -> Vec<String> {
    let characters: Vec<char> = word.chars().collect();
    characters.chunks(width).map(|piece| piece.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_leave_nothing_behind() {
        assert_eq!(clean("pay \u{1b}[31;1mnow\u{1b}[0m"), "pay now");
        assert_eq!(clean("a\u{9b}2Jb"), "ab");
        assert_eq!(clean("\u{1b}]0;title\u{7}x"), "]0;titlex");
        assert_eq!(clean("\u{1b}["), "");
    }

    #[test]
    fn nothing_reorders_or_hides_text() {
        assert_eq!(clean("abc\u{202e}fed\u{2066}\u{200b}\u{feff}\u{e0041}"), "abcfed");
        assert_eq!(clean("bell\u{7} null\u{0} delete\u{7f}"), "bell null delete");
    }

    #[test]
    fn a_line_break_cannot_forge_a_line_of_the_screen() {
        assert_eq!(clean("rent\nDigest  0x00\r\tx"), "rent Digest  0x00  x");
    }

    #[test]
    fn ordinary_text_in_any_script_stays_as_it_is() {
        let text = "Miete für März, 家賃, إيجار, 🏠";
        assert_eq!(clean(text), text);
    }

    #[test]
    fn lines_never_exceed_the_width() {
        let text = format!("a bb ccc {} dddd eeeee", "x".repeat(25));
        for width in 1..30 {
            let lines = wrap(&text, width);
            assert!(lines.iter().all(|line| line.chars().count() <= width));
            let letters = |text: &str| text.replace(' ', "");
            assert_eq!(letters(&lines.concat()), letters(&text));
        }
        assert_eq!(wrap("", 10), [""]);
    }
}
