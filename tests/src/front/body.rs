//! A body that does not come to its end.

use std::io;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

/// What comes in place of the rest.
#[derive(Clone, Copy)]
pub(super) enum Damage {
    /// The connection breaks.
    Cut,
    /// Nothing, as long as the connection is open.
    Stall,
}

/// The response, with what stands in its head, and of its body the first `after` bytes.
pub(super) fn damaged(response: Response, after: u64, damage: Damage) -> Response {
    response.map(|body| {
        let mut left = usize::try_from(after).unwrap_or(usize::MAX);
        let beginning = body.into_data_stream().map_err(io::Error::other).map_ok(move |mut bytes: Bytes| {
            bytes.truncate(left);
            left -= bytes.len();
            bytes
        });
        // Of what is cut off nothing is left but empty pieces: the first of them ends the beginning.
        let beginning = beginning.take_while(|piece| {
            let has_bytes = piece.as_ref().is_ok_and(|bytes| !bytes.is_empty());
            async move { has_bytes }
        });
        let rest = match damage {
            // What came before is sent while this waits for its next turn; else it could be lost with the connection.
            Damage::Cut => stream::once(async {
                tokio::task::yield_now().await;
                Err(io::Error::other("cut by the test"))
            })
            .boxed(),
            Damage::Stall => stream::pending().boxed(),
        };
        Body::from_stream(beginning.chain(rest))
    })
}
