//! Columns of text, aligned, for lists.

use crate::paint::Paint;
use crate::text::{clean, columns};

/// Columns of space between two columns of text.
const GAP: usize = 2;

/// Lays out rows below their headings. Every cell is made harmless first.
pub(crate) fn table<const N: usize>(paint: Paint, headings: [&str; N], rows: Vec<[String; N]>) -> String {
    let rows: Vec<[String; N]> = rows.into_iter().map(|row| row.map(|cell| clean(&cell))).collect();
    let mut widths = headings.map(columns);
    for row in &rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(columns(cell));
        }
    }
    let mut text = paint.faint(&line(&headings, &widths));
    for row in &rows {
        text.push('\n');
        text.push_str(&line(&row.each_ref().map(String::as_str), &widths));
    }
    text
}

/// One row, padded to the widths of its columns.
fn line(cells: &[&str], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<0$}", width + GAP));
    padded.collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_cells_are_harmless() {
        let rows = vec![["1", "rent"], ["100", "a\u{1b}[1mb\n2"]].into_iter().map(|row| row.map(String::from));
        let text = table(Paint::new(false), ["ID", "NAME"], rows.collect());
        assert_eq!(text, "ID   NAME\n1    rent\n100  ab 2");
    }
}
