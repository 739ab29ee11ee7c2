//! A stack that has a task, until it is killed.

use std::fs;
use std::path::Path;

#[path = "../ecs/cluster.rs"]
mod cluster;

pub(crate) async fn run(dir: &Path) {
    let ecs = cluster::open(dir);
    cluster::register(&ecs, dir, "echo ready\nexec sleep 1000");
    let arn = cluster::run(&ecs).await;
    cluster::logged(dir, &arn, "ready").await;
    fs::write(dir.join("arn.new"), &arn).unwrap();
    fs::rename(dir.join("arn.new"), dir.join("arn")).unwrap();
    std::future::pending::<()>().await;
}
