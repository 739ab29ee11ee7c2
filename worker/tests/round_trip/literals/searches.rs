//! Types of searches, paths and the server's own business.

const WORDS: &[&str] = &[
    "a fat cat",
    "'a':1 'b':2A",
    "a:1,2,3",
    "'a b':1",
    "a:16384",
    "a:0",
    "a:x",
    "",
    " ",
    "'",
    "''",
    "'a'':1",
    "東京:1",
    "a\\:b",
    "a:1B,1A b",
];

const QUERIES: &[&str] = &[
    "a & b",
    "a | !b",
    "a <-> b",
    "a <2> b",
    "a:*AB",
    "(a",
    "a &",
    "",
    " ",
    "'a b'",
    "a b",
    "!",
    "a <x> b",
    "東京",
    "a <16385> b",
];

const PATHS: &[&str] = &[
    "$",
    "$.a",
    "$.a[*] ? (@ > 1)",
    "strict $.a",
    "lax $",
    "$.a.",
    "",
    "$[0 to last]",
    "@.a",
    "$.a.type()",
    "$ ? (@ like_regex \"a\" flag \"i\")",
    "$.\"a b\"",
    "$.1",
    "1 + 2",
    "\"x\"",
    "$.a ? (@ == \"\\u00e9\")",
    "$[0x1F]",
    "$[1_000]",
    "$ ? (@ like_regex \"(\")",
    "null",
];

const GRANTS: &[&str] = &[
    "baton=r/baton",
    "=r/baton",
    "baton=arwdDxt/baton",
    "baton=r*w/baton",
    "nobody=r/baton",
    "baton=z/baton",
    "baton",
    "",
    "baton=/baton",
];

const SNAPSHOTS: &[&str] = &[
    "10:20:10,14,15",
    "1:1:",
    "10:20:",
    "20:10:",
    "10:20:9",
    "10:20:15,14",
    "",
    "1",
    "0:0:",
    "1:18446744073709551615:",
];

const NUMBERS: &[&str] = &["1|2", "1&2", "!1", "1&(2|3)", "", "1|", "a"];

pub(super) fn list(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "tsvector" => WORDS,
        "tsquery" => QUERIES,
        "jsonpath" => PATHS,
        "aclitem" => GRANTS,
        "pg_snapshot" | "txid_snapshot" => SNAPSHOTS,
        "query_int" => NUMBERS,
        _ => return None,
    })
}
