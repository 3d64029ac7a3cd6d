//! Text from elsewhere made safe to print, and text laid out for a terminal 80 columns wide.

use std::iter::Peekable;
use std::str::Chars;

/// How much further in the lines after the first are, where a value goes on.
const HANGING: usize = 4;

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

/// The same with every gap between words one space wide, so that nothing is pushed out of sight.
pub(crate) fn words(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same between quotation marks that it cannot end.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", words(text).replace('"', "'"))
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
            | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
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

/// The columns that text takes at most. What is counted too low would run over the edge of the terminal
/// and go on in the first column, where the labels are.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// The columns that one character takes at most: two for those of East Asian scripts and pictures
/// (Unicode Standard Annex #11, the blocks that hold wide characters).
fn width(character: char) -> usize {
    match character {
        '\u{1100}'..='\u{11ff}'
        | '\u{231a}'..='\u{23ff}'
        | '\u{2600}'..='\u{27bf}'
        | '\u{2b00}'..='\u{2bff}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe10}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ffef}'
        | '\u{16fe0}'..='\u{18dff}'
        | '\u{1aff0}'..='\u{1b2ff}'
        | '\u{1d300}'..='\u{1d37f}'
        | '\u{1f000}'..='\u{1faff}'
        | '\u{20000}'..='\u{3ffff}' => 2,
        _ => 1,
    }
}

/// Lays text out below itself: the first line `indent` columns in, what does not fit on it four columns
/// further. So no words can pass for the beginning of a line.
pub(crate) fn hang(text: &str, indent: usize, width: usize) -> Vec<String> {
    let space = width.saturating_sub(indent + HANGING).max(1);
    let mut lines = wrap(text, space + HANGING);
    if lines.len() > 1 {
        let first = lines.swap_remove(0);
        let rest = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let rest = rest.strip_prefix(first.as_str()).unwrap_or_default().to_owned();
        lines = std::iter::once(first).chain(wrap(&rest, space)).collect();
    }
    let indents = std::iter::once(indent).chain(std::iter::repeat(indent + HANGING));
    lines.iter().zip(indents).map(|(line, indent)| format!("{:indent$}{line}", "")).collect()
}

/// Breaks text between words into lines of at most `width` columns; a longer word is cut.
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

/// Cuts a word into pieces of at most `width` columns, or of one character where that is wider.
pub(crate) fn cut(word: &str, width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut length = 0;
    for character in word.chars() {
        let columns = self::width(character);
        if !piece.is_empty() && length + columns > width {
            pieces.push(std::mem::take(&mut piece));
            length = 0;
        }
        piece.push(character);
        length += columns;
    }
    pieces.push(piece);
    pieces
}

/// The beginning of a text of at most `most` characters, and how many characters it lacks.
pub(crate) fn shorten(text: &str, most: usize) -> (String, usize) {
    let left_out = text.chars().count().saturating_sub(most);
    (text.chars().take(most).collect(), left_out)
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

    #[test]
    fn what_does_not_fit_goes_on_further_in() {
        assert_eq!(hang("to someone", 2, 20), ["  to someone"]);
        assert_eq!(hang("pays aaaa bbbb cccc dddd", 2, 16), ["  pays aaaa bbbb", "      cccc dddd"]);
        assert_eq!(hang(&"x".repeat(30), 0, 20), ["x".repeat(20), format!("    {}", "x".repeat(10))]);
    }

    #[test]
    fn wide_characters_cannot_run_over_the_edge_of_the_terminal() {
        for text in ["支払い".repeat(40), "🏠 ".repeat(60), "한국어 ".repeat(30)] {
            assert!(wrap(&text, 40).iter().all(|line| columns(line) <= 40));
            assert!(wrap(&text, 40)[0].chars().filter(|character| !character.is_whitespace()).count() <= 20);
        }
        assert_eq!(columns("Miete für März, إيجار"), 21);
    }
}
