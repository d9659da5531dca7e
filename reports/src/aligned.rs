//! Cells that stand beneath each other.

/// The rows as lines, with two spaces between the columns. `sides` says of each column whether its cells go left (`l`) or right (`r`).
/// What goes left in the last column is not filled up.
pub(crate) fn lines(rows: &[Vec<String>], sides: &str) -> Vec<String> {
    let sides: Vec<char> = sides.chars().collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..sides.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).zip(&sides).map(|((cell, &width), side)| match side {
            'r' => format!("{cell:>width$}"),
            _ => format!("{cell:<width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
