//! An object that is written while its file comes, and given up if that does not come whole.

use std::error::Error;
use std::future::Future;
use std::ops::{Deref, DerefMut};

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use ops::error::words_of_aws;
use ops::target::Target;
use statemachine::Source;
use worker::multipart::{Calls, ObjectWriter};

/// An object on its way.
pub(super) struct Writing(ObjectWriter<Once>);

/// A call is made once: whoever uploads sees that it failed, and does so again.
pub(super) struct Once {
    place: Source,
}

impl Writing {
    pub(super) fn new(target: &Target, key: String) -> Self {
        let place = Source { bucket: target.resources.bucket.clone(), key };
        Self(ObjectWriter::new(target.s3.clone(), place.clone(), None, Once { place }))
    }
}

impl Deref for Writing {
    type Target = ObjectWriter<Once>;

    fn deref(&self) -> &ObjectWriter<Once> {
        &self.0
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut ObjectWriter<Once> {
        &mut self.0
    }
}

impl Calls for Once {
    type Error = anyhow::Error;

    async fn make<T, E, F>(&self, call: impl Fn() -> F + Send) -> anyhow::Result<T>
    where
        T: Send,
        E: Error + ProvideErrorMetadata + Send + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    {
        call().await.map_err(|error| self.failed(words_of_aws(&error)))
    }

    fn too_large(&self) -> anyhow::Error {
        self.failed("the file has more parts than S3 takes".to_owned())
    }
}

impl Once {
    fn failed(&self, why: String) -> anyhow::Error {
        anyhow::anyhow!(why).context(format!("failed to upload to {}", self.place))
    }
}

impl Drop for Writing {
    /// Gives the upload up, also when the browser has gone and nobody waits for this any more.
    fn drop(&mut self) {
        let Some(abort) = self.0.give_up() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = abort.send().await {
                    tracing::warn!(error = words_of_aws(&error), "Failed to give an upload up");
                }
            });
        }
    }
}
