//! Words of others, before they are printed.

/// On one line, without the characters that change how the text around them is shown: controls
/// (escape sequences begin with one), bidirectional marks (Unicode Standard Annex #9) and invisible
/// ones.
pub(crate) fn clean(text: &str) -> String {
    let spaced = text.chars().map(|character| if matches!(character, '\n' | '\r' | '\t') { ' ' } else { character });
    spaced.filter(|&character| !deceives(character)).collect()
}

fn deceives(character: char) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_or_hides_text_is_left() {
        assert_eq!(clean("too\u{1b}[2K dear\u{202e}\nask\u{200b} again"), "too[2K dear ask again");
        assert_eq!(clean("Größe: 5 €"), "Größe: 5 €");
    }
}
