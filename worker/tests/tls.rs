//! TLS to PostgreSQL.

mod directory;
mod iam;

use std::path::Path;
use std::process::Command;

use worker::db::Database;

use crate::postgres::{Cluster, server_user};

/// Runs a program in this folder.
fn run(folder: &Path, command: &str) {
    let (program, arguments) = command.split_once(' ').unwrap();
    let output = Command::new(program).args(arguments.split(' ')).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("this test needs the program {program}: {error}"));
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A folder with the certificate and the key of a server on localhost, `server.pem` and `server.key`, the certificate of who
/// signed it, `ca.pem`, and that of somebody else, `other.pem`.
fn certificates() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let openssl = |arguments: &str| run(folder.path(), &format!("openssl {arguments}"));
    for authority in ["ca", "other"] {
        let files = format!("-keyout {authority}.key -out {authority}.pem");
        openssl(&format!("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={authority} {files}"));
    }
    std::fs::write(folder.path().join("names"), "subjectAltName=DNS:localhost").unwrap();
    openssl("req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr");
    let signed = "-CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out server.pem";
    openssl(&format!("x509 -req -in server.csr -days 2 {signed}"));
    // PostgreSQL takes no key that anybody else could read.
    if let Some(user) = server_user() {
        run(folder.path(), &format!("chown -R {user} ."));
    }
    folder
}

#[test]
fn the_worker_speaks_tls_to_a_server_that_it_can_verify_and_to_no_other() {
    let folder = certificates();
    let path = |file: &str| folder.path().join(file).display().to_string();
    let options = format!(
        "-F -c ssl=on -c ssl_cert_file={} -c ssl_key_file={}",
        path("server.pem"),
        path("server.key")
    );
    let cluster = Cluster::start(&options, &[]);
    let plain = cluster.create_database();
    let connect = |host: &str, parameters: &str| {
        let url = format!("{}?{parameters}", plain.replace("127.0.0.1", host));
        Database::parse(&url).unwrap().connect().map(drop).map_err(|failure| failure.to_string())
    };
    let verified = format!("sslmode=verify-full&sslrootcert={}", path("ca.pem"));
    connect("localhost", &verified).unwrap();
    connect("localhost", "sslmode=require").unwrap();

    let other = format!("sslmode=verify-full&sslrootcert={}", path("other.pem"));
    let refused = connect("localhost", &other).unwrap_err();
    assert!(refused.contains("invalid peer certificate: UnknownIssuer"), "{refused}");
    // The certificate is for localhost.
    let refused = connect("127.0.0.1", &verified).unwrap_err();
    assert!(refused.contains("certificate not valid for name"), "{refused}");
    // Its authority is trusted, whatever the name.
    let any_name = format!("sslmode=verify-ca&sslrootcert={}", path("ca.pem"));
    connect("127.0.0.1", &any_name).unwrap();
    let refused = connect("localhost", &any_name.replace("ca.pem", "other.pem")).unwrap_err();
    assert!(refused.contains("UnknownIssuer"), "{refused}");
    let refused = connect("localhost", "sslmode=verify-full&sslrootcert=missing.pem").unwrap_err();
    assert!(refused.contains("cannot read missing.pem"), "{refused}");
}
