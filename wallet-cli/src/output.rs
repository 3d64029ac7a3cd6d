//! The only place that prints. Results go to standard output and nothing else does; prompts, review
//! screens, notes and errors go to standard error. `--json` changes the format, not the channel.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::environment;
use crate::exit::Failure;
use crate::paint::Paint;
use crate::report::Report;
use crate::text::{clean, deceives};

/// How and where the program speaks.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    json: bool,
    stdout: Paint,
    stderr: Paint,
}

impl Output {
    /// Output as JSON or for people, coloured where a terminal reads it and `NO_COLOR` is unset.
    pub(crate) fn new(json: bool) -> Self {
        let colour = !environment::no_color();
        Self {
            json,
            stdout: Paint::new(colour && io::stdout().is_terminal()),
            stderr: Paint::new(colour && io::stderr().is_terminal()),
        }
    }

    /// Prints a result: one JSON document on one line, or the text made for people.
    ///
    /// Fails when standard output can no longer be written, other than by a closed pipe.
    pub(crate) fn result(
        self,
        result: &impl Serialize,
        for_people: impl FnOnce(Paint) -> String,
    ) -> Result<(), Failure> {
        let text = if self.json { json_line(result)? } else { for_people(self.stdout) };
        self.text(&text)
    }

    /// Prints a result that has only one form, such as a completion script.
    ///
    /// Fails when standard output can no longer be written, other than by a closed pipe.
    pub(crate) fn text(self, text: &str) -> Result<(), Failure> {
        write_line(io::stdout().lock(), text)?;
        Ok(())
    }

    /// Shows something that a person must see before answering a question.
    pub(crate) fn show(self, text: impl FnOnce(Paint) -> String) {
        ignore(write_line(io::stderr().lock(), &text(self.stderr)));
    }

    /// Shows something that a person must see, unless it cannot be made.
    ///
    /// Fails as the making of the text does.
    pub(crate) fn try_show<E>(self, text: impl FnOnce(Paint) -> Result<String, E>) -> Result<(), E> {
        let text = text(self.stderr)?;
        self.show(|_| text);
        Ok(())
    }

    /// Shows something to people only: a QR code is no use to a program.
    pub(crate) fn show_to_people(self, text: impl FnOnce(Paint) -> String) {
        if !self.json {
            self.show(text);
        }
    }

    /// A remark beside the result, for people only.
    pub(crate) fn note(self, text: &str) {
        self.show_to_people(|paint| format!("{} {text}", paint.faint("note:")));
    }

    /// Says how to see more of a list, when there is more.
    pub(crate) fn next_page(self, cursor: Option<&str>) {
        if let Some(cursor) = cursor {
            self.note(&format!("there is more: --cursor {}", clean(cursor)));
        }
    }

    /// Asks a question; the answer is read on the same line.
    pub(crate) fn question(self, text: &str) {
        let mut stderr = io::stderr().lock();
        ignore(write!(stderr, "{text} ").and_then(|()| stderr.flush()));
    }

    /// Says why the command ended without success.
    pub(crate) fn failure(self, failure: &Failure) {
        let report = Report::from(failure);
        if !self.json {
            self.show(|paint| report.for_people(paint));
        } else if let Ok(line) = json_line(&report) {
            self.show(|_| line);
        }
    }
}

/// One JSON document without line breaks. Characters that a terminal would obey are escaped, which
/// changes nothing for a program that reads them.
fn json_line(value: &impl Serialize) -> io::Result<String> {
    let plain = serde_json::to_string(value)?;
    let mut line = String::with_capacity(plain.len());
    for character in plain.chars() {
        if deceives(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                line.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            line.push(character);
        }
    }
    Ok(line)
}

/// Writes a line and sends it off at once, since a program may be waiting for it at the other end.
/// A reader that went away, as `head` does, is no failure.
fn write_line(mut stream: impl Write, text: &str) -> io::Result<()> {
    let written = stream
        .write_all(text.trim_end_matches('\n').as_bytes())
        .and_then(|()| stream.write_all(b"\n"))
        .and_then(|()| stream.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Standard error is where failures are told, so a failure to write there cannot be told anywhere.
fn ignore(written: io::Result<()>) {
    drop(written);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_harmless_to_a_terminal_and_means_the_same() {
        let memo = "a\u{1b}[2J\u{202e}b\u{7f}\u{e0041}\nc";
        let line = json_line(&memo).expect("a string serialises");
        assert!(!line.chars().any(deceives), "{line}");
        let read: String = serde_json::from_str(&line).expect("still JSON");
        assert_eq!(read, memo);
    }

    #[test]
    fn a_closed_pipe_is_silent() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert!(write_line(Closed, "text").is_ok());
    }
}
