//! The overview and the list of imports.

use e2e::{http, rows};

use super::Console;
use crate::desk::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_and_the_list_tell_what_failed_and_text_of_a_file_is_text() {
    let desk = Desk::new();
    desk.execute("CREATE TABLE people (id integer PRIMARY KEY, name text)");
    desk.run("good", "id,name\n1,山田\n", &[]).await.expect(0, &[]);
    desk.run("bad", "id,<script>alert(1)</script>,x\u{202e}\n1,a,b\n", &[]).await.expect(1, &[]);
    let console = Console::at(&desk, None).await;
    for path in
        ["/", "/imports", "/imports?status=FAILURE&text=BAD", "/?fragment=now", "/imports?fragment=list"]
    {
        let page = console.page(path).await;
        assert!(
            page.contains("href=\"/imports/bad\"") && page.contains("Import.HeaderMismatch"),
            "{path}: {page}"
        );
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{path}: {page}");
        assert!(!page.contains("<script>alert") && !page.contains('\u{202e}'), "{path}: {page}");
    }
    let overview = console.page("/").await;
    assert!(overview.contains("1 succeeded, 1 failed"), "{overview}");
    assert!(overview.contains("No stack is up, so nothing moves"), "{overview}");
    let fragment = console.page("/imports?fragment=list").await;
    assert!(fragment.starts_with("<div class=\"live\" id=\"list\" data-live="), "{fragment}");

    let has =
        async |path: &str, id: &str| console.page(path).await.contains(&format!("href=\"/imports/{id}\""));
    for (query, good, bad) in [
        ("status=SUCCESS", true, false),
        ("table=people&file=bad.csv", false, true),
        ("error=Import.HeaderMismatch", false, true),
        ("until=1h", false, false),
        ("since=1h", true, true),
    ] {
        let path = format!("/imports?{query}");
        assert_eq!((has(&path, "good").await, has(&path, "bad").await), (good, bad), "{query}");
    }
    let wrong = console.page("/imports?since=soon").await;
    assert!(wrong.contains("is no moment"), "{wrong}");
    assert_eq!(http::send(&console.url, "GET", "/imports?text=%ff", &[], "").await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_read_page_by_page_and_each_import_stands_there_once() {
    let [desk, postgres] = Desk::both("CREATE TABLE people (id integer PRIMARY KEY, name text)");
    for desk in [desk, postgres] {
        desk.run("first", "id,name\n1,a\n", &[]).await.expect(0, &[]);
        let insert = "INSERT INTO \"baton_jobs\" (id, kind, input, subject, status, error, cause, created_at, finished_at) VALUES ";
        let values = (0..119).map(|number| {
            format!("('i-{number:03}', 'import', '{{\"source\":\"s3://b/a.csv\",\"table\":\"people\"}}', 'people', 'FAILURE', 'E', 'why', '2026-01-02 03:04:{:02}', '2026-01-02 04:00:00')",
                number % 7)
        });
        rows::execute(&desk.rows(), &format!("{insert}{}", values.collect::<Vec<_>>().join(",")));
        let console = Console::at(&desk, None).await;
        let mut path = "/imports?table=people".to_owned();
        let mut seen = Vec::new();
        for _ in 0..3 {
            let page = console.page(&path).await;
            seen.extend(
                page.split("class=\"id\" href=\"/imports/")
                    .skip(1)
                    .map(|rest| rest.split('"').next().unwrap().to_owned()),
            );
            let next = page.split("rel=\"next\" href=\"").nth(1).map(|rest| rest.split('"').next().unwrap());
            path = next.unwrap_or_default().replace("&amp;", "&");
        }
        assert_eq!((path.as_str(), seen.len()), ("", 120));
        assert_eq!(seen[0], "first", "the newest first");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 120);
        assert_eq!(console.stop().await, Some(0));
    }
}
