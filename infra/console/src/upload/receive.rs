//! A form with a file, as it comes: the file goes to S3 in parts while it is sent, so that it lies nowhere else, and no more
//! than one part of it is in memory.

mod writing;

use axum::extract::multipart::{Field, MultipartRejection};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use ops::submit;

use super::object;
use crate::error::PageError;
use crate::fields::Fields;
use crate::state::Shared;
use writing::Writing;

/// The most bytes that all fields but the file have.
const MAX_FIELDS: usize = 256 * 1024;

/// What a form has sent. If there was a file in it, the field `object` is its key in S3, and `size` its size.
pub(super) struct Received {
    pub(super) fields: Fields,
}

impl FromRequest<Shared> for Received {
    type Rejection = PageError;

    async fn from_request(request: Request, console: &Shared) -> Result<Self, PageError> {
        let kind =
            request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        // A form that names an object of before has no file.
        if !kind.starts_with("multipart/") {
            return Ok(Self { fields: Fields::from_request(request, console).await? });
        }
        let broken = |_: MultipartRejection| PageError::bad_request("The form could not be read.");
        let mut form = Multipart::from_request(request, console).await.map_err(broken)?;
        let mut fields = Fields::default();
        let mut left = MAX_FIELDS;
        let mut uploaded = None;
        while let Some(mut field) = form.next_field().await.map_err(|_| broken_off())? {
            let name = field.name().unwrap_or_default().to_owned();
            if name == "file" {
                // An empty choice is sent as a file without a name.
                if let Some(file) = field.file_name().filter(|name| !name.is_empty()).map(str::to_owned) {
                    uploaded = Some(upload(console, &file, &mut field).await?);
                }
                continue;
            }
            let text = text(&mut field, left).await?;
            left -= text.len();
            fields.push(&name, text);
        }
        if let Some((key, bytes)) = uploaded {
            fields.set("object", key);
            fields.set("size", bytes.to_string());
        }
        Ok(Self { fields })
    }
}

async fn text(field: &mut Field<'_>, most: usize) -> Result<String, PageError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|_| broken_off())? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > most {
            return Err(PageError::too_large());
        }
    }
    String::from_utf8(bytes)
        .map_err(|_| PageError::bad_request("The form could not be read: it is not in UTF-8."))
}

/// Puts the file into S3; its key and its size.
async fn upload(console: &Shared, name: &str, field: &mut Field<'_>) -> Result<(String, u64), PageError> {
    let key = submit::object_key(&submit::new_id("upload")?, &plain(name));
    let mut object = Writing::new(&console.target, key.clone());
    while let Some(chunk) = field.chunk().await.map_err(|_| broken_off())? {
        if object.bytes() + chunk.len() as u64 > submit::MAX_PUT_BYTES {
            return Err(PageError::too_large());
        }
        if object.hold(&chunk) {
            object.write_part().await?;
        }
    }
    object.finish().await?;
    Ok((key, object.bytes()))
}

/// The name of a file without folders and without what no name of an object should have.
fn plain(name: &str) -> String {
    let name = object::name_of(name.rsplit('\\').next().unwrap_or(name));
    let name: String = name.chars().map(|sign| if sign.is_control() { '_' } else { sign }).collect();
    let name = name.trim_start_matches('.').trim();
    if name.is_empty() { "file.csv".to_owned() } else { name.to_owned() }
}

fn broken_off() -> PageError {
    PageError::bad_request("The upload broke off; nothing was imported. Send the file once more.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_name_and_nothing_else_that_the_browser_says() {
        for (sent, kept) in [
            ("顧客.csv", "顧客.csv"),
            ("C:\\fakepath\\people.csv", "people.csv"),
            ("../../etc/passwd", "passwd"),
            ("..", "file.csv"),
            (".hidden.csv", "hidden.csv"),
            ("a\nb.csv", "a_b.csv"),
            ("", "file.csv"),
        ] {
            assert_eq!(plain(sent), kept);
            assert!(object::is_of_upload(&submit::object_key(
                &submit::new_id("upload").unwrap(),
                &plain(sent)
            )));
        }
    }
}
