use std::io::ErrorKind;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

/// A server that answers each byte by the next one.
async fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                while let Ok(byte) = stream.read_u8().await {
                    stream.write_u8(byte + 1).await.unwrap();
                }
            });
        }
    });
    address
}

async fn ask(stream: &mut TcpStream, byte: u8) -> std::io::Result<u8> {
    stream.write_u8(byte).await?;
    stream.read_u8().await
}

#[tokio::test]
async fn bytes_pass_both_ways_until_the_link_is_cut_or_refuses() {
    let link = Link::to(server().await);
    let mut stream = TcpStream::connect(link.address()).await.unwrap();
    assert_eq!(ask(&mut stream, 1).await.unwrap(), 2);
    assert_eq!((link.passed(Direction::ToServer), link.passed(Direction::ToClient)), (1, 1));

    link.refuse().await;
    let refused = TcpStream::connect(link.address()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(ask(&mut stream, 3).await.unwrap(), 4);

    link.cut();
    assert_eq!(stream.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    link.accept();
    let mut stream = TcpStream::connect(link.address()).await.unwrap();
    assert_eq!(ask(&mut stream, 5).await.unwrap(), 6);
}

#[tokio::test]
async fn a_stalled_link_passes_later_what_was_sent() {
    let link = Link::to(server().await);
    let mut stream = TcpStream::connect(link.address()).await.unwrap();
    assert_eq!(ask(&mut stream, 1).await.unwrap(), 2);
    link.once(Direction::ToServer, |bytes| bytes == [7], Fault::Stall);
    stream.write_u8(7).await.unwrap();
    link.faults(1).await;
    assert_eq!(link.passed(Direction::ToServer), 1);
    link.resume();
    assert_eq!(stream.read_u8().await.unwrap(), 8);
}

#[tokio::test]
async fn a_connection_breaks_at_the_byte_that_was_named() {
    let link = Link::to(server().await);
    link.cut_after(Direction::ToServer, 2);
    let mut stream = TcpStream::connect(link.address()).await.unwrap();
    assert_eq!(ask(&mut stream, 1).await.unwrap(), 2);
    assert_eq!(ask(&mut stream, 2).await.unwrap(), 3);
    assert!(ask(&mut stream, 3).await.is_err());
    link.faults(1).await;
    assert_eq!(link.passed(Direction::ToServer), 2);
}

#[tokio::test]
async fn what_is_cut_at_its_answer_has_reached_the_server() {
    let link = Link::to(server().await);
    link.once(Direction::ToServer, has("C"), Fault::CutAtAnswer);
    let mut stream = TcpStream::connect(link.address()).await.unwrap();
    assert_eq!(ask(&mut stream, b'A').await.unwrap(), b'B');
    assert_eq!(ask(&mut stream, b'C').await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!((link.passed(Direction::ToServer), link.passed(Direction::ToClient)), (2, 1));
}

#[tokio::test]
async fn a_server_that_is_gone_at_its_answer_is_gone_for_all_until_it_is_back() {
    let link = Link::to(server().await);
    link.once(Direction::ToServer, has("C"), Fault::GoneAtAnswer);
    let mut stream = TcpStream::connect(link.address()).await.unwrap();
    let mut other = TcpStream::connect(link.address()).await.unwrap();
    assert_eq!(ask(&mut other, 1).await.unwrap(), 2);
    assert!(ask(&mut stream, b'C').await.is_err());
    assert!(ask(&mut other, 1).await.is_err());
    let mut third = TcpStream::connect(link.address()).await.unwrap();
    assert!(ask(&mut third, 1).await.is_err());
    link.accept();
    let mut fourth = TcpStream::connect(link.address()).await.unwrap();
    assert_eq!(ask(&mut fourth, 1).await.unwrap(), 2);
}
