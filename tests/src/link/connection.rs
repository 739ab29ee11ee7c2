//! One connection of a link: two streams, and bytes from each to the other until one of them ends or the link breaks it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::OnceLock;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

use super::trouble::{Direction, Troubles, Verdict};

/// The link breaks the connection.
struct Broken;

/// Passes bytes until the connection ends.
pub(super) async fn pass(mut client: TcpStream, target: SocketAddr, troubles: Arc<Troubles>) {
    let _counted = troubles.count();
    // Before the server is connected, so that a cut meanwhile is not overlooked.
    let mut mood = troubles.mood();
    let now = *mood.borrow_and_update();
    if now.is_gone {
        return reset(&client);
    }
    let begun = now.cuts;
    let cut = async move { drop(mood.wait_for(|mood| mood.cuts != begun).await) };
    tokio::pin!(cut);
    let server = tokio::select! {
        server = TcpStream::connect(target) => server,
        () = &mut cut => return reset(&client),
    };
    let Ok(mut server) = server else { return reset(&client) };
    // A small answer must not wait for the acknowledgement of the one before.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let is_broken = tokio::select! {
        ended = both(&mut client, &mut server, &troubles, begun) => ended.is_err(),
        () = cut => true,
    };
    if is_broken {
        reset(&client);
        reset(&server);
    }
}

/// Has the stream end by a reset when it is dropped, as it does where the machine behind it is gone.
fn reset(stream: &TcpStream) {
    // A stream that has ended takes no options, and needs none.
    let _ = stream.set_zero_linger();
}

async fn both(
    client: &mut TcpStream,
    server: &mut TcpStream,
    troubles: &Troubles,
    begun: u64,
) -> Result<(), Broken> {
    let at_answer = OnceLock::new();
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let one_way = |direction| OneWay { direction, troubles, begun, at_answer: &at_answer };
    tokio::try_join!(
        one_way(Direction::ToServer).run(from_client, to_server),
        one_way(Direction::ToClient).run(from_server, to_client),
    )?;
    Ok(())
}

struct OneWay<'a> {
    direction: Direction,
    troubles: &'a Troubles,
    begun: u64,
    /// Set where the next answer is to break the connection, or all of them.
    at_answer: &'a OnceLock<AtAnswer>,
}

enum AtAnswer {
    Break,
    BreakAll,
}

impl OneWay<'_> {
    async fn run(self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> Result<(), Broken> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let length = from.read(&mut buffer).await.map_err(|_| Broken)?;
            let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) else {
                // The other way may go on for a while. One who has gone needs not be told the end.
                let _ = to.shutdown().await;
                return Ok(());
            };
            match self.at_answer.get().filter(|_| self.direction == Direction::ToClient) {
                Some(AtAnswer::Break) => return Err(Broken),
                Some(AtAnswer::BreakAll) => {
                    self.troubles.set_gone(true);
                    return Err(Broken);
                }
                None => {}
            }
            let verdict = self.troubles.judge(self.direction, bytes);
            self.while_stalled().await?;
            let (passing, breaks) = match verdict {
                Verdict::Pass => (bytes, false),
                Verdict::PassAndCut(count) => (&bytes[..count], true),
                Verdict::PassAndCutAtAnswer => (self.then(AtAnswer::Break, bytes), false),
                Verdict::PassAndGoAtAnswer => (self.then(AtAnswer::BreakAll, bytes), false),
            };
            // Counted first: whoever hears the answer finds that the question has passed.
            self.troubles.add_passed(self.direction, passing.len());
            to.write_all(passing).await.map_err(|_| Broken)?;
            if breaks {
                return Err(Broken);
            }
        }
    }

    fn then<'b>(&self, at_answer: AtAnswer, passing: &'b [u8]) -> &'b [u8] {
        // One that was to break already needs no second reason.
        let _ = self.at_answer.set(at_answer);
        passing
    }

    /// Waits while the link is stalled; a cut ends the wait.
    async fn while_stalled(&self) -> Result<(), Broken> {
        let mut mood = self.troubles.mood();
        let may_go_on = mood.wait_for(|mood| !mood.is_stalled || mood.cuts != self.begun).await;
        if may_go_on.is_ok_and(|mood| mood.cuts == self.begun) { Ok(()) } else { Err(Broken) }
    }
}
