//! The operations: those of `s3s-fs`, the conditions that it lacks, and the announcement of created objects.

use std::path::PathBuf;

use axum::http::{Extensions, HeaderMap, Method, Uri};
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use tracing::error;

use super::create_only::CreateOnly;
use super::notification::{Created, Notification};
use super::{body, keys};

/// Objects as files.
pub(super) struct Objects {
    files: FileSystem,
    /// Where they are: a folder for each bucket.
    dir: PathBuf,
    notification: Option<Notification>,
    create_only: CreateOnly,
}

impl Objects {
    pub(super) fn new(files: FileSystem, dir: PathBuf, notification: Option<Notification>) -> Self {
        Self { files, dir, notification, create_only: CreateOnly::default() }
    }

    /// Refuses a key of which the file system has something else: a folder of other objects, or the file of the key without its slash.
    fn expect_own(&self, bucket: &str, key: &str) -> S3Result<()> {
        let path = self.dir.join(bucket).join(key.trim_end_matches('/'));
        let is_another = if key.ends_with('/') { path.is_file() } else { path.is_dir() };
        if is_another { Err(s3_error!(NoSuchKey, "there is no object of this key")) } else { Ok(()) }
    }

    /// Refuses a version: the bucket has none, and what lies there now is not what was asked for.
    fn expect_no_version(version_id: Option<&str>) -> S3Result<()> {
        match version_id {
            None | Some("null") => Ok(()),
            Some(_) => Err(s3_error!(NoSuchVersion, "the bucket has no versions")),
        }
    }

    /// Announces an object that has just been written.
    async fn announce(&self, how: &'static str, bucket: String, key: String) {
        let Some(notification) = self.notification.as_ref().filter(|_| Notification::concerns(&key)) else {
            return;
        };
        // What was written is asked for, since a request that streams its body need not tell the size.
        let input =
            HeadObjectInput { bucket: bucket.clone(), key: key.clone(), ..HeadObjectInput::default() };
        match self.files.head_object(inner_request(input)).await {
            Ok(S3Response { output: head, .. }) => {
                let size = head.content_length.unwrap_or_default();
                let e_tag = head.e_tag.map(ETag::into_value).unwrap_or_default();
                notification.announce(Created { how, bucket, key, size, e_tag }).await;
            }
            Err(error) => error!("Failed to announce s3://{bucket}/{key}: {error}"),
        }
    }
}

fn inner_request<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: Method::HEAD,
        uri: Uri::default(),
        headers: HeaderMap::default(),
        extensions: Extensions::default(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}

/// Operations that go to the file system as they are.
macro_rules! as_files_do {
    ($($operation:ident: $input:ident -> $output:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for Objects {
            $(async fn $operation(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                self.files.$operation(request).await
            })*

            async fn get_object(
                &self,
                request: S3Request<GetObjectInput>,
            ) -> S3Result<S3Response<GetObjectOutput>> {
                let condition = request.input.if_match.clone();
                Self::expect_no_version(request.input.version_id.as_deref())?;
                self.expect_own(&request.input.bucket, &request.input.key)?;
                let path = self.dir.join(&request.input.bucket).join(&request.input.key);
                let range = request.input.range;
                let mut response = self.files.get_object(request).await?;
                // A reader that resumes must not go on in another object than it began.
                let is_another = match (condition, &response.output.e_tag) {
                    (Some(ETagCondition::ETag(expected)), Some(found)) => !found.strong_cmp(&expected),
                    _ => false,
                };
                if is_another {
                    return Err(s3_error!(PreconditionFailed, "ETag does not match"));
                }
                body::in_large_pieces(&path, range, &mut response.output).await?;
                Ok(response)
            }

            async fn head_object(
                &self,
                request: S3Request<HeadObjectInput>,
            ) -> S3Result<S3Response<HeadObjectOutput>> {
                Self::expect_no_version(request.input.version_id.as_deref())?;
                self.expect_own(&request.input.bucket, &request.input.key)?;
                self.files.head_object(request).await
            }

            async fn delete_object(
                &self,
                request: S3Request<DeleteObjectInput>,
            ) -> S3Result<S3Response<DeleteObjectOutput>> {
                Self::expect_no_version(request.input.version_id.as_deref())?;
                self.files.delete_object(request).await
            }

            async fn put_object(
                &self,
                request: S3Request<PutObjectInput>,
            ) -> S3Result<S3Response<PutObjectOutput>> {
                let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
                let path = self.dir.join(&bucket).join(&key);
                let writing = self.create_only.hold(&request.input, path)?;
                let response = self.files.put_object(request).await?;
                drop(writing);
                self.announce("Put", bucket, key).await;
                Ok(response)
            }

            async fn copy_object(
                &self,
                request: S3Request<CopyObjectInput>,
            ) -> S3Result<S3Response<CopyObjectOutput>> {
                if let CopySource::Bucket { bucket, key, version_id } = &request.input.copy_source {
                    keys::check(bucket, key)?;
                    Self::expect_no_version(version_id.as_deref())?;
                }
                let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
                let response = self.files.copy_object(request).await?;
                self.announce("Copy", bucket, key).await;
                Ok(response)
            }

            async fn upload_part_copy(
                &self,
                request: S3Request<UploadPartCopyInput>,
            ) -> S3Result<S3Response<UploadPartCopyOutput>> {
                if let CopySource::Bucket { bucket, key, .. } = &request.input.copy_source {
                    keys::check(bucket, key)?;
                }
                self.files.upload_part_copy(request).await
            }

            async fn delete_bucket(
                &self,
                request: S3Request<DeleteBucketInput>,
            ) -> S3Result<S3Response<DeleteBucketOutput>> {
                // `s3s-fs` would take what is in it along.
                let bucket = request.input.bucket.clone();
                let input = ListObjectsV2Input { bucket, max_keys: Some(1), ..ListObjectsV2Input::default() };
                let listed = self.files.list_objects_v2(inner_request(input)).await?;
                if listed.output.contents.is_some_and(|objects| !objects.is_empty()) {
                    return Err(s3_error!(BucketNotEmpty));
                }
                self.files.delete_bucket(request).await
            }

            async fn delete_objects(
                &self,
                request: S3Request<DeleteObjectsInput>,
            ) -> S3Result<S3Response<DeleteObjectsOutput>> {
                for object in &request.input.delete.objects {
                    keys::check(&request.input.bucket, &object.key)?;
                    Self::expect_no_version(object.version_id.as_deref())?;
                }
                self.files.delete_objects(request).await
            }

            async fn complete_multipart_upload(
                &self,
                request: S3Request<CompleteMultipartUploadInput>,
            ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
                let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
                let response = self.files.complete_multipart_upload(request).await?;
                self.announce("CompleteMultipartUpload", bucket, key).await;
                Ok(response)
            }
        }
    };
}

as_files_do! {
    abort_multipart_upload: AbortMultipartUploadInput -> AbortMultipartUploadOutput;
    create_bucket: CreateBucketInput -> CreateBucketOutput;
    create_multipart_upload: CreateMultipartUploadInput -> CreateMultipartUploadOutput;
    get_bucket_location: GetBucketLocationInput -> GetBucketLocationOutput;
    head_bucket: HeadBucketInput -> HeadBucketOutput;
    list_buckets: ListBucketsInput -> ListBucketsOutput;
    list_objects: ListObjectsInput -> ListObjectsOutput;
    list_objects_v2: ListObjectsV2Input -> ListObjectsV2Output;
    list_parts: ListPartsInput -> ListPartsOutput;
    upload_part: UploadPartInput -> UploadPartOutput;
}
