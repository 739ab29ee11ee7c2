//! What the server's own `COPY … TO … (FORMAT csv, HEADER)` writes comes back as it was, without an option.

use serde_json::json;
use statemachine::ImportOptions;

use crate::report::Kind;
use crate::run::Run;

/// Rows of a file.
const ROWS: usize = 60;

/// How the server may be told to write what it has several forms for.
const SETTINGS: &[(&str, &str)] = &[
    ("", "as the server has it"),
    ("SET bytea_output = 'escape'; SET IntervalStyle = 'iso_8601'", "bytea escaped, intervals of ISO 8601"),
    ("SET IntervalStyle = 'postgres_verbose'; SET TIME ZONE 'Asia/Kathmandu'", "verbose intervals, a zone"),
    ("SET TIME ZONE 'Europe/Amsterdam'", "a zone with seconds in the past"),
];

/// Has the server read each row of `source` back by itself, into `own`. What it does not read itself is taken out: a time that
/// it rounded to the first one that is too late, say.
const OWN: &str = "
CREATE FUNCTION read_back(file text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE number bigint;
BEGIN
  FOR number IN SELECT id FROM source LOOP
    BEGIN
      EXECUTE format('COPY (SELECT * FROM source WHERE id = %s) TO %L (FORMAT csv)', number, file);
      EXECUTE format('COPY own FROM %L (FORMAT csv)', file);
    EXCEPTION WHEN OTHERS THEN
      DELETE FROM source WHERE id = number;
    END;
  END LOOP;
END $$";

/// Writes a table of each group of types, and imports it into an equal one.
pub(crate) fn come_back(run: &mut Run<'_>) {
    for number in 0..run.bench.types.len() {
        run.make_texts(number, ROWS);
    }
    run.bench.server.execute(OWN);
    for (setting, name) in SETTINGS {
        for group in run.groups(|_| true) {
            fill(run, &group);
            run.bench.server.execute(setting);
            run.bench.server.read_back();
            let file = run.bench.server.copy_out("source", "FORMAT csv, HEADER");
            run.bench.server.execute("RESET ALL; SET TIME ZONE 'UTC'");
            compare(run, &group, &file, name);
        }
    }
}

/// A table with all values of these types, over and over where a type has fewer than others.
fn fill(run: &Run<'_>, group: &[usize]) {
    let columns: Vec<_> = group
        .iter()
        .enumerate()
        .map(|(column, number)| format!("c{column} {}", run.bench.types[*number].sql))
        .collect();
    let value = |number: &usize| {
        let table = &run.bench.oracles[*number].table;
        format!(", (SELECT v FROM {table} ORDER BY id OFFSET g % (SELECT count(*) FROM {table}) LIMIT 1)")
    };
    let values: String = group.iter().map(value).collect();
    let columns = columns.join(", ");
    run.bench.server.execute(&format!(
        "DROP TABLE IF EXISTS source, own, t; CREATE TABLE source (id bigint PRIMARY KEY, {columns});
         INSERT INTO source SELECT g{values} FROM generate_series(1, {ROWS}) g;
         CREATE TABLE own (LIKE source); CREATE TABLE t (LIKE source)"
    ));
}

fn compare(run: &mut Run<'_>, group: &[usize], file: &[u8], way: &str) {
    let options: ImportOptions = serde_json::from_value(json!({"max_rejects": "100%"})).unwrap();
    run.bench.imports += 1;
    let id = run.bench.imports.to_string();
    let (result, findings) = run.bench.world.import_as(&id, file, "t", options);
    let names: Vec<_> = group.iter().map(|number| run.bench.types[*number].sql.clone()).collect();
    if let Err(failure) = result {
        run.bench.report.find(Kind::Failed, &names.join(", "), way, format!("{failure:?}"));
    }
    let rows: usize = run.bench.server.text("SELECT count(*) FROM source").parse().unwrap();
    let stored: usize = run.bench.server.text("SELECT count(*) FROM t").parse().unwrap();
    if stored + findings.first_rejects.len() != rows {
        run.bench.report.find(
            Kind::Lost,
            &names.join(", "),
            way,
            format!("{stored} of {rows} rows are there"),
        );
    }
    for reject in findings.first_rejects {
        let column =
            reject.column.as_deref().and_then(|column| column.strip_prefix('c')?.parse::<usize>().ok());
        let name = column.map_or_else(|| names.join(", "), |column| names[column].clone());
        run.bench.report.find(Kind::Refused, &name, way, format!("{:?}: {}", reject.value, reject.says));
    }
    for (column, (number, name)) in group.iter().zip(&names).enumerate() {
        for _ in 0..rows {
            run.bench.report.count(name, way);
        }
        let same = run.bench.types[*number].same(&format!("t.c{column}"), &format!("s.c{column}"));
        let others = run.bench.server.rows(&format!(
            "SELECT format('%s', s.c{column}), num_nulls(s.c{column}), format('%s', t.c{column}), num_nulls(t.c{column})
             FROM own s JOIN t ON t.id = s.id WHERE NOT {same}"
        ));
        for other in others {
            let shown = |value: usize| match other[value + 1].as_deref() {
                Some("0") => format!("{:?}", other[value].as_deref().unwrap_or_default()),
                _ => "NULL".to_owned(),
            };
            run.bench.report.find(
                Kind::Changed,
                name,
                way,
                format!("{} comes back as {}", shown(0), shown(2)),
            );
        }
    }
}
