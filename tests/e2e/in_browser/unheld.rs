//! An upload as a form without script sends it, by hand: its body goes through the console without lying anywhere in it.

use e2e::memory::high_water_mark;
use e2e::{Backend, TestStack, http, wait};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Console, uploads};

const BOUNDARY: &str = "a-boundary";
/// Far more than the console may take of the memory for it, in bytes.
const BODY: usize = 96 * 1024 * 1024;
/// What an upload may take of the memory, in KiB: a part of S3's, its copies on their way, and some room.
const MOST: u32 = 48 * 1024;

/// The console's secret, as the form has it.
async fn secret(console: &Console) -> String {
    let page = console.page("/upload").await;
    page.split_once("?csrf=").unwrap().1.chars().take_while(char::is_ascii_hexdigit).collect()
}

/// Sends the head of a form and `bytes` of its file; the connection, with the form not yet at its end.
async fn begin(console: &Console, csrf: &str, bytes: usize) -> (TcpStream, String) {
    let address = console.url.trim_start_matches("http://").trim_end_matches('/');
    let field = |name: &str, value: &str| {
        format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let head = format!(
        "{}{}--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"people.csv\"\r\n\r\nid,name\n",
        field("do", "check"),
        field("table", "people")
    );
    let tail = format!("\r\n--{BOUNDARY}--\r\n");
    let length = head.len() + BODY + tail.len();
    let request = format!(
        "POST /upload?csrf={csrf} HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\nconnection: close\r\n\
         content-type: multipart/form-data; boundary={BOUNDARY}\r\ncontent-length: {length}\r\n\r\n{head}"
    );
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let piece = "1,a name\n".repeat(BODY / 9 / 96 + 1);
    let mut left = bytes;
    while left > 0 {
        let piece = piece.as_bytes().get(..left).unwrap_or(piece.as_bytes());
        connection.write_all(piece).await.unwrap();
        left -= piece.len();
    }
    (connection, tail)
}

/// What S3 holds of uploads that have not ended.
fn unfinished(stack: &TestStack) -> usize {
    let objects = std::fs::read_dir(stack.data_dir().join("stack/s3")).unwrap().flatten();
    objects.filter(|entry| entry.file_name().to_string_lossy().contains("upload_id")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_through_the_console_without_lying_in_its_memory() {
    let stack = TestStack::start(Backend::Sqlite).await;
    // What comes of it is not looked at here.
    stack.feed_function(false).await;
    let console = Console::beside(&stack).await;
    let csrf = secret(&console).await;
    let before = high_water_mark(console.pid()).unwrap();
    let (mut connection, tail) = begin(&console, &csrf, BODY).await;
    connection.write_all(tail.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 303") && answer.contains("location: /upload/check/people-"),
        "{answer}"
    );
    let used = high_water_mark(console.pid()).unwrap() - before;
    assert!(used < MOST, "{used} KiB for an upload of {} KiB", BODY / 1024);
    let keys = uploads(&stack).await;
    let head = stack.s3.head_object().bucket(&stack.resources.bucket).key(&keys[0]).send().await.unwrap();
    let expected = i64::try_from("id,name\n".len() + BODY).unwrap();
    assert_eq!((keys.len(), head.content_length), (1, Some(expected)));
    assert_eq!(unfinished(&stack), 0);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_breaks_off_leaves_no_object_no_part_and_no_import() {
    let stack = TestStack::start(Backend::Sqlite).await;
    // What comes of it is not looked at here.
    stack.feed_function(false).await;
    let console = Console::beside(&stack).await;
    let csrf = secret(&console).await;
    let (connection, _) = begin(&console, &csrf, BODY / 4).await;
    wait::until("parts of the file in S3", async || unfinished(&stack), |count| *count > 1).await;
    drop(connection);
    wait::until("the parts to be gone", async || unfinished(&stack), |count| *count == 0).await;
    assert_eq!(uploads(&stack).await, [] as [String; 0]);
    assert_eq!(stack.messages(&stack.resources.queue_url).await, 0);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_another_site_sends_is_refused_before_anything_of_it_is_kept() {
    let stack = TestStack::start(Backend::Sqlite).await;
    let console = Console::beside(&stack).await;
    let csrf = secret(&console).await;
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let form = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\na\n\r\n--{BOUNDARY}--\r\n"
    );
    let own = console.url.trim_end_matches('/').to_owned();
    for (origin, secret) in
        [("http://elsewhere.example", csrf.as_str()), (own.as_str(), "wrong"), (own.as_str(), "")]
    {
        let headers = [("content-type", kind.as_str()), ("origin", origin)];
        let path = format!("/upload?csrf={secret}");
        assert_eq!(http::request(&own, "POST", &path, &headers, &form).await.0, 403, "{origin} {secret}");
    }
    assert_eq!(uploads(&stack).await, [] as [String; 0]);
    stack.stop().await;
}
