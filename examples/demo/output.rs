//! What the demo says, all on standard output and each line at once. The only file that prints.

use std::io::{self, IsTerminal, StdoutLock, Write};

use agent_sdk::Secret;

/// The columns that a paragraph may take.
const WIDTH: usize = 92;

/// A program that talks. Every method fails when standard output can no longer be written.
pub(crate) struct Output {
    chapter: usize,
    colour: bool,
}

impl Output {
    /// Speaks in colour to a terminal, unless `NO_COLOR` is set (<https://no-color.org>).
    #[expect(clippy::disallowed_methods, reason = "a terminal's preference, not a setting of the demo")]
    pub(crate) fn new() -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { chapter: 0, colour: io::stdout().is_terminal() && !no_color }
    }

    /// A numbered heading.
    pub(crate) fn chapter(&mut self, title: &str) -> io::Result<()> {
        self.chapter += 1;
        let heading = self.paint("1", &format!("{}. {title}", self.chapter));
        self.write(|out| writeln!(out, "\n{heading}"))
    }

    /// A paragraph.
    pub(crate) fn say(&mut self, text: &str) -> io::Result<()> {
        self.write(|out| wrap(text, WIDTH - 3).iter().try_for_each(|line| writeln!(out, "   {line}")))
    }

    /// A command line that is about to run.
    pub(crate) fn command(&mut self, program: &str, arguments: &[&str]) -> io::Result<()> {
        let line = self.paint("36", &format!("$ {program} {}", arguments.join(" ")));
        self.write(|out| writeln!(out, "   {line}"))
    }

    /// A name and a value.
    pub(crate) fn fact(&mut self, name: &str, value: &str) -> io::Result<()> {
        let name = self.paint("2", &format!("{name:<9}"));
        self.write(|out| writeln!(out, "   {name} {value}"))
    }

    /// One line of a table: a name and two columns of numbers.
    pub(crate) fn row(&mut self, name: &str, left: &str, right: &str) -> io::Result<()> {
        self.write(|out| writeln!(out, "   {name:<9} {left:>24} {right:>26}"))
    }

    /// Something that went as it should.
    pub(crate) fn success(&mut self, text: &str) -> io::Result<()> {
        let line = self.paint("1;32", text);
        self.write(|out| writeln!(out, "\n{line}"))
    }

    /// What another program wrote for people.
    pub(crate) fn quote(&mut self, text: &str) -> io::Result<()> {
        let bar = self.paint("2", "|");
        self.write(|out| text.lines().try_for_each(|line| writeln!(out, "   {bar} {line}")))
    }

    /// A code, as an authenticator app shows it.
    pub(crate) fn code(&mut self, code: &Secret) -> io::Result<()> {
        let (front, back) = code.expose().split_at(code.expose().len() / 2);
        let code = self.paint("1;33", &format!("{front} {back}"));
        self.write(|out| writeln!(out, "   authenticator: {code}"))
    }

    /// How long something still takes: one line that changes on a terminal, else one line at the start.
    pub(crate) fn countdown(&mut self, what: &str, seconds: u64, is_first: bool) -> io::Result<()> {
        if io::stdout().is_terminal() {
            return self.write(|out| write!(out, "\r   {what} in {seconds:2} s "));
        }
        if is_first { self.say(&format!("{what} in {seconds} s")) } else { Ok(()) }
    }

    /// Takes the last countdown away.
    pub(crate) fn countdown_over(&mut self) -> io::Result<()> {
        if io::stdout().is_terminal() {
            // Erase in line (ECMA-48 section 8.3.41).
            return self.write(|out| write!(out, "\r\u{1b}[K"));
        }
        Ok(())
    }

    /// Why the demo ends without success.
    pub(crate) fn failure(&mut self, text: &str) {
        let line = self.paint("1;31", text);
        // When standard output is gone, there is nobody left to tell.
        drop(self.write(|out| writeln!(out, "\n{line}")));
    }

    /// Select Graphic Rendition (ECMA-48 section 8.3.117) around the text, where colour is wanted.
    fn paint(&self, style: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{style}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn write(&self, text: impl FnOnce(&mut StdoutLock<'_>) -> io::Result<()>) -> io::Result<()> {
        let mut out = io::stdout().lock();
        text(&mut out)?;
        out.flush()
    }
}

/// Lines of at most `width` columns, unless a word is longer.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_broken_between_words_only() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a 0123456789 b", 4), ["a", "0123456789", "b"]);
        assert_eq!(wrap("short", 80), ["short"]);
    }
}
