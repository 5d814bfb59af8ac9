//! The process is killed while it writes: what it acknowledged is there.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};

use serde_json::Value;

use crate::postgres;
use crate::process::Running;

const WRITERS: usize = 4;
/// After how many acknowledgements the process is killed, each time.
const KILLS: [usize; 5] = [1, 7, 23, 40, 61];

/// Sends a request on a connection of its own. `None` if no whole answer came.
pub(crate) fn ask(address: &str, request: &str) -> Option<String> {
    let mut connection = TcpStream::connect(address).ok()?;
    connection.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// Writes messages until the process is gone, and says which were acknowledged.
fn write(address: &str, name: &str, acknowledged: &Sender<String>) {
    for count in 0.. {
        let message = format!("{name}-{count}");
        let body = format!(r#"{{"name":"a","email":"a@b.example","message":"{message}"}}"#);
        let request = format!(
            "POST /api/v1/contact HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        match ask(address, &request) {
            Some(answer) if answer.starts_with("HTTP/1.1 202 ") => {
                if acknowledged.send(message).is_err() {
                    return;
                }
            }
            _ => return,
        }
    }
}

/// Every message that the database has.
fn kept(address: &str, token: &str) -> BTreeSet<String> {
    let mut kept = BTreeSet::new();
    for page in 1.. {
        let answer = ask(
            address,
            &format!(
                "GET /api/v1/editor/messages?per_page=100&page={page} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
            ),
        );
        let answer = answer.expect("an answer");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let list: Value = serde_json::from_str(body).expect("JSON");
        for message in list["messages"].as_array().expect("messages") {
            kept.insert(message["message"].as_str().expect("text").to_owned());
        }
        if list["next_page"].is_null() {
            break;
        }
    }
    kept
}

fn kill_and_look(command: &dyn Fn() -> Command) {
    let output = command()
        .args(["token", "create", "reader", "contact:read"])
        .output()
        .expect("a process");
    let token = String::from_utf8(output.stdout).expect("a token");
    let mut all = BTreeSet::new();
    for (round, kill) in KILLS.into_iter().enumerate() {
        let mut running = Running::start(&mut command());
        let address = running.address.clone();
        let (acknowledge, acknowledged) = channel();
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (acknowledge, address) = (acknowledge.clone(), &address);
                scope.spawn(move || write(address, &format!("{round}-{writer}"), &acknowledge));
            }
            drop(acknowledge);
            all.extend(acknowledged.iter().take(kill));
            running.child.kill().expect("SIGKILL");
            // What was acknowledged before the kill arrived.
            all.extend(acknowledged.iter());
        });
    }
    let running = Running::start(&mut command());
    let kept = kept(&running.address, token.trim());
    let lost: Vec<_> = all.difference(&kept).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(all.len() >= KILLS.iter().sum());
}

#[test]
fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    let directory = tempfile::tempdir().expect("a directory");
    postgres::on_each_program(directory.path(), kill_and_look);
}
