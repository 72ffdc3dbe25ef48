//! Tables for a terminal.

use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};

/// One line below the header: every column of a terminal counts.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table of these rows. The first columns, as many as `whole` says, are not broken into lines;
/// the rest gives way on a narrow terminal.
pub(crate) fn of<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    whole: usize,
) -> Table {
    let mut table = Table::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header)
        .add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if index < whole {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table
}
