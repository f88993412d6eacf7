//! The headlines of `reports/causes.md`, which `examples/causes` makes: how often the cause of growth is named right.

const REPORT: &str = include_str!("../../../../reports/causes.md");
/// What is taken from its tables: their columns, and what they are called here.
const COLUMNS: [(&str, &str); 6] = [
    ("services", "services"),
    ("identifiable", "identifiable"),
    ("of these named right", "of these named right"),
    ("wrong", "wrong"),
    ("none named where no covariate leaks", "none named where none leaks"),
    ("90 % interval holds", "90 % interval holds"),
];

/// Prints them.
pub(crate) fn print() {
    println!("\n## Which cause is named\n");
    println!(
        "Of simulated services with 2 to 60 kinds of request, as [causes.md](causes.md) has them with drifts, windows, restarts, collectors and delays. A cause is identifiable where every other explanation is expected to be worse by 12 in BIC.\n"
    );
    let names: Vec<&str> = COLUMNS.iter().map(|column| column.1).collect();
    println!("| kinds | {} |\n|{}", names.join(" | "), "---|".repeat(names.len() + 1));
    rows("family")
        .filter(|row| row[0] == "all")
        .chain(rows("kinds"))
        .for_each(|row| println!("| {} |", row.join(" | ")));
}

/// The rows of the first table with this name, with those columns.
fn rows(table: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let is_head = move |line: &&str| line.starts_with(&format!("| {table} |"));
    let mut lines = REPORT.lines().skip_while(move |line| !is_head(line));
    let head = cells(lines.next().unwrap_or_else(|| panic!("reports/causes.md has a table of {table}")));
    let place = |name: &str| {
        head.iter()
            .position(|cell| *cell == name)
            .unwrap_or_else(|| panic!("its table of {table} has a column `{name}`"))
    };
    let places: Vec<usize> = [0].into_iter().chain(COLUMNS.iter().map(|column| place(column.0))).collect();
    let rows = lines.skip(1).take_while(|line| line.starts_with('|')).map(cells);
    rows.map(move |row| places.iter().map(|place| row[*place]).collect())
}

fn cells(line: &'static str) -> Vec<&'static str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}
