//! The console over HTTP, served by the real `baton` as its users have it.

mod dead_letters;
mod guard;
mod import;
mod lists;
mod start;

use std::path::Path;
use std::process::Stdio;

use e2e::http::{self, Answer};
use e2e::{TestStack, binaries, wait};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::desk::Desk;

/// A console in a process of its own, which ends with the test.
pub(crate) struct Console {
    pub(crate) url: String,
    child: Child,
}

impl Console {
    /// Beside a test's stack, on a free port.
    pub(crate) async fn beside(stack: &TestStack) -> Self {
        let mut command = Command::new(binaries::path("baton"));
        command.arg("--data-dir").arg(stack.data_dir());
        command.env_remove("DATABASE_URL").env_remove("BATON_DATA_DIR").env_remove("BATON_CONSOLE_TOKEN");
        Self::start(command).await
    }

    /// In the folder of a desk, on a free port.
    pub(crate) async fn at(desk: &Desk, token: Option<&str>) -> Self {
        let mut command = desk.command(&[]);
        command.env_remove("BATON_CONSOLE_TOKEN");
        if let Some(token) = token {
            command.env("BATON_CONSOLE_TOKEN", token);
        }
        Self::start(command).await
    }

    /// In a folder, as somebody there calls it: neither where `baton` lies nor where the folder is stands on a page.
    pub(crate) async fn within(folder: &Path) -> Self {
        let mut command = Command::new(binaries::path("baton"));
        command.arg0("baton").current_dir(folder);
        command.env_remove("DATABASE_URL").env_remove("BATON_DATA_DIR").env_remove("BATON_CONSOLE_TOKEN");
        Self::start(command).await
    }

    /// As the command of somebody else's making would start it, on a free port.
    pub(crate) async fn start(mut command: Command) -> Self {
        command
            .args(["console", "--port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.next_line().await.unwrap().unwrap();
        Self { url, child }
    }

    /// The address of one of its pages.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.url.trim_end_matches('/'))
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().unwrap().try_into().unwrap()).unwrap()
    }

    /// A page, which has to be there. One that still reads a history looks again by itself, and so does this.
    pub(crate) async fn page(&self, path: &str) -> String {
        let is_read = |page: &String| !page.contains("is being read");
        wait::until("a page that has read its history", async || self.first_look(path).await, is_read).await
    }

    /// A page as it is at once.
    pub(crate) async fn first_look(&self, path: &str) -> String {
        let answer = http::send(&self.url, "GET", path, &[], "").await;
        assert_eq!(answer.status, 200, "{path}: {answer:#?}");
        answer.body
    }

    /// Sends a form as a page of the console does: with its origin and its secret.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf().await;
        let mut body = format!("csrf={csrf}");
        fields.iter().for_each(|(name, value)| body.push_str(&format!("&{name}={value}")));
        let origin = self.url.trim_end_matches('/');
        let headers = [("origin", origin), ("content-type", "application/x-www-form-urlencoded")];
        http::send(&self.url, "POST", path, &headers, &body).await
    }

    /// Sends a form, and reads the page that it leads to.
    pub(crate) async fn follow(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(path, fields).await;
        assert_eq!(answer.status, 303, "{path}: {answer:#?}");
        self.page(answer.header("location")).await
    }

    /// The secret of the console's forms, as the page has it that always has a form.
    pub(crate) async fn csrf(&self) -> String {
        let page = self.page("/upload").await;
        let (_, rest) = page.split_once("action=\"/upload?csrf=").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// Asks it to end; its exit code.
    pub(crate) async fn stop(mut self) -> Option<i32> {
        kill_process(self.pid(), Signal::TERM).unwrap();
        self.child.wait().await.unwrap().code()
    }
}
