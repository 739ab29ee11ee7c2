//! The README's imports, as they stand there.

use std::os::unix::fs::symlink;

use crate::desk::Desk;
use crate::golden::scrub::scrubbed;
use crate::workspace::top;

const PROGRAM: &str = "./target/laptop/baton";

/// The commands of `baton run` in a README that import an example.
fn commands(readme: &str) -> Vec<Vec<&str>> {
    let from = |(at, _)| readme.get(at..).unwrap();
    let lines = readme.match_indices("baton run examples/").map(from);
    lines.map(|line| line.split(['\n', '`']).next().unwrap().split_whitespace().skip(1).collect()).collect()
}

/// The outputs of these in it.
fn outputs(readme: &str) -> Vec<&str> {
    let blocks = readme.split("```\n").filter(|block| block.starts_with("imported "));
    blocks.collect()
}

#[tokio::test]
async fn the_commands_of_the_readmes_print_what_stands_below_them() {
    let desk = Desk::new();
    symlink(top().canonicalize().unwrap().join("examples"), desk.path().join("examples")).unwrap();
    let read = |file| std::fs::read_to_string(top().join(file)).unwrap();
    let readme = read("README.md");
    // The table of costs names a command without its table.
    let commands: Vec<_> =
        commands(&readme).into_iter().filter(|command| command.contains(&"--table")).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    let mut printed = Vec::new();
    for command in commands {
        let ended = desk.baton(&command).await;
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        printed.push(scrubbed(&ended.stdout, desk.path()));
    }
    for file in ["README.md", "README.ja.md"] {
        let readme = read(file).replace(PROGRAM, "baton").replace('…', "<FOLDER>");
        let expected: Vec<_> =
            outputs(&readme).into_iter().map(|output| scrubbed(output, desk.path())).collect();
        assert_eq!(expected, printed, "{file}");
    }
}
