//! Addresses and figures.

use crate::random::Random;

const ADDRESSES: &[&str] = &[
    "10.0.0.1",
    "10.0.0.0/8",
    "10.0.0.1/8",
    "10.1/16",
    "10",
    "192.168.1.256",
    "::1",
    "::",
    "2001:db8::/32",
    "2001:db8::1/32",
    "::ffff:1.2.3.4",
    "::ffff:1.2.3.4/128",
    "10.0.0.1/33",
    "10.0.0.1/32",
    "::1/129",
    " 10.0.0.1",
    "10.0.0.1 ",
    "10.0.0.01",
    "",
    "host",
    "connection refused",
    "1.2.3",
    "fe80::1%eth0",
    "１０.0.0.1",
    "0.0.0.0/0",
    "10.0.0.0/",
    "/8",
];

const MACS: &[&str] = &[
    "08:00:2b:01:02:03",
    "08-00-2b-01-02-03",
    "08002b:010203",
    "08002b-010203",
    "0800.2b01.0203",
    "0800-2b01-0203",
    "08002b010203",
    "08:00:2b:01:02",
    "08:00:2b:01:02:0g",
    "08:00:2b:01:02:03:04:05",
    "08002b0102030405",
    " 08:00:2b:01:02:03 ",
    "8:0:2b:1:2:3",
    "",
    "08:00:2b:ff:fe:01:02:03",
];

const FIGURES: &[&str] = &[
    "(1,2)",
    "1,2",
    " ( 1 , 2 ) ",
    "(1,2),(3,4)",
    "((1,2),(3,4))",
    "[(1,2),(3,4)]",
    "[(0,0),(1,1),(2,0)]",
    "((0,0),(1,1),(2,0))",
    "<(1,2),3>",
    "((1,2),3)",
    "<(1,2),-3>",
    "{1,2,3}",
    "{0,0,3}",
    "(NaN,1)",
    "(Infinity,-Infinity)",
    "(1e400,0)",
    "(1,2",
    "(1)",
    "1",
    "",
    "()",
    "[]",
    "(1,2,3)",
    "{1,-1,0}",
    "[(1,1),(1,1)]",
    "(3,4),(1,2)",
    "<(1,2),inf>",
    "(-0,0)",
    "1 2",
    "(0x1,2)",
    "(1,2)x",
];

const CUBES: &[&str] = &[
    "(1,2)",
    "(1,2),(3,4)",
    "1",
    "[1,2]",
    "(1,2),(3)",
    "()",
    "1 .. 2",
    "1..2",
    "<1",
    "~1.5",
    "1.5 (+-) 0.5",
    "x",
    "",
];

pub(super) fn list(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "inet" | "cidr" => ADDRESSES,
        "macaddr" | "macaddr8" => MACS,
        "point" | "line" | "lseg" | "box" | "path" | "polygon" | "circle" => FIGURES,
        "cube" | "seg" => CUBES,
        _ => return None,
    })
}

pub(super) fn made(name: &str, random: &mut Random) -> Option<String> {
    let mut number = || (random.below(2000) as f64 - 1000.0) / 8.0;
    let point = format!("({},{})", number(), number());
    let other = format!("({},{})", number(), number());
    Some(match name {
        "inet" => {
            format!("{}.{}.{}.{}", random.below(256), random.below(256), random.below(256), random.below(256))
        }
        "cidr" => format!("{}.{}.0.0/16", random.below(256), random.below(256)),
        "macaddr" => {
            format!("08:00:2b:{:02x}:{:02x}:{:02x}", random.below(256), random.below(256), random.below(256))
        }
        "macaddr8" => format!("08:00:2b:ff:fe:{:02x}:{:02x}:00", random.below(256), random.below(256)),
        "point" => point,
        "lseg" | "path" => format!("[{point},{other}]"),
        "box" => format!("{point},{other}"),
        "polygon" => format!("({point},{other},(0,0))"),
        "circle" => format!("<{point},{}>", random.below(100)),
        "line" => format!("{{{},1,{}}}", random.below(100), random.below(100)),
        _ => return None,
    })
}
