//! Labelled lines that fit a terminal 80 columns wide. Whatever goes in is made harmless on the way.

use crate::paint::Paint;
use crate::text::{clean, columns, hang};

/// Columns taken by the label.
const LABEL_WIDTH: usize = 12;
/// Columns left for the value: a 32-byte hash in hex fits exactly.
pub(crate) const VALUE_WIDTH: usize = 66;

/// The furthest that a value is indented in the column of values.
const DEEPEST_INDENT: usize = 16;

/// A sheet of labelled lines, built from top to bottom.
pub(crate) struct Sheet {
    paint: Paint,
    text: String,
}

impl Sheet {
    /// An empty sheet.
    pub(crate) fn new(paint: Paint) -> Self {
        Self { paint, text: String::new() }
    }

    /// A line above others.
    pub(crate) fn title(self, text: &str) -> Self {
        let title = self.paint.strong(&clean(text));
        self.push(&title)
    }

    /// An empty line.
    pub(crate) fn gap(self) -> Self {
        self.push("")
    }

    /// A label and its value, broken between words where it is long.
    pub(crate) fn row(self, label: &str, value: &str) -> Self {
        self.rows(label, [value])
    }

    /// A label and several values below each other.
    pub(crate) fn rows<V: AsRef<str>>(self, label: &str, values: impl IntoIterator<Item = V>) -> Self {
        self.styled(label, values, |_, line| line.to_owned())
    }

    /// The same, with every line of the value in a style.
    pub(crate) fn styled<V: AsRef<str>>(
        mut self,
        label: &str,
        values: impl IntoIterator<Item = V>,
        style: impl Fn(Paint, &str) -> String,
    ) -> Self {
        let lines = values.into_iter().flat_map(|value| fit(clean(value.as_ref())));
        for (number, line) in lines.enumerate() {
            let label = if number == 0 { label } else { "" };
            let label = format!("{label:<LABEL_WIDTH$}");
            let label = match label.trim() {
                "" => label,
                _ => self.paint.faint(&label),
            };
            let line = format!("{label}{}", style(self.paint, &line));
            self = self.push(&line);
        }
        self
    }

    /// A label and its value, when there is one.
    pub(crate) fn optional(self, label: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.row(label, value.as_ref()),
            None => self,
        }
    }

    /// The styles of the sheet.
    pub(crate) fn paint(&self) -> Paint {
        self.paint
    }

    /// The finished lines of another sheet below those of this.
    pub(crate) fn append(mut self, lines: &str) -> Self {
        self.text.push_str(lines);
        self
    }

    /// The sheet as text.
    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn push(mut self, line: &str) -> Self {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
        self
    }
}

/// A value that fits stays as it is, with its indentation; a longer one goes on further in.
fn fit(value: String) -> Vec<String> {
    if columns(&value) <= VALUE_WIDTH {
        return vec![value];
    }
    let indent = value.chars().take_while(|character| *character == ' ').count();
    hang(&value, indent.min(DEEPEST_INDENT), VALUE_WIDTH)
}
