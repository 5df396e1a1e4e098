//! The one printer of tables: Markdown with aligned columns, so that a run can be pasted into a page.

use std::fmt;

use serde_json::{Value, json};

/// Rows under a head; every row is as long as the head.
#[derive(Clone)]
pub struct Table {
    pub caption: String,
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new<const N: usize>(caption: impl Into<String>, head: [&str; N]) -> Self {
        let head = head.iter().map(|it| (*it).to_owned()).collect();
        Self { caption: caption.into(), head, rows: Vec::new() }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub fn to_json(&self) -> Value {
        json!({ "caption": self.caption, "head": self.head, "rows": self.rows })
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[column].chars().count());
        cells.chain([self.head[column].chars().count()]).max().unwrap_or(0)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<usize> = (0..self.head.len()).map(|column| self.width(column)).collect();
        let line = |f: &mut fmt::Formatter<'_>, cells: &[String]| {
            let cells = cells.iter().zip(&widths);
            let padded: Vec<String> =
                cells.map(|(cell, width)| format!("{cell:<width$}")).collect();
            writeln!(f, "| {} |", padded.join(" | "))
        };
        if !self.caption.is_empty() {
            writeln!(f, "{}\n", self.caption)?;
        }
        line(f, &self.head)?;
        line(f, &widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>())?;
        self.rows.iter().try_for_each(|row| line(f, row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new("", ["name", "ms"]);
        table.row(["a".to_owned(), "123456".to_owned()]);
        assert_eq!(table.to_string(), "| name | ms     |\n| ---- | ------ |\n| a    | 123456 |\n");
    }
}
