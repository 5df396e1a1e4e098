//! The one printer of tables: Markdown with aligned columns, so that a run can be pasted into a page.

use std::fmt;

use serde_json::{Value, json};

/// Rows under a head; every row is as long as the head.
pub struct Table {
    pub head: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    pub fn to_json(&self) -> Value {
        json!({ "head": self.head, "rows": self.rows })
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
        let head: Vec<String> = self.head.iter().map(|it| (*it).to_owned()).collect();
        line(f, &head)?;
        line(f, &widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>())?;
        self.rows.iter().try_for_each(|row| line(f, row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![vec!["a".to_owned(), "123456".to_owned()]];
        let table = Table { head: vec!["name", "ms"], rows };
        assert_eq!(table.to_string(), "| name | ms     |\n| ---- | ------ |\n| a    | 123456 |\n");
    }
}
