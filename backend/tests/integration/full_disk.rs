//! A disk without room: nothing is written, reading goes on, and all is well again
//! once there is room.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::killed::ask;
use crate::portfolio::{Portfolio, on_each_database};
use crate::postgres;
use crate::process::{Running, backend, directory};

/// A small file system, as long as this lives.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    /// Nothing where it cannot be mounted.
    #[expect(clippy::print_stdout, reason = "says what is not tested")]
    fn mount(directory: &'a Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"])
            .arg(directory)
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(directory));
        }
        let is_gate = std::env::vars_os().any(|(name, _)| name == "CI");
        assert!(!is_gate, "the gate mounts file systems");
        println!("not tested with a full disk: no file system can be mounted");
        None
    }

    /// Writes until there is no room left.
    fn fill(&self) {
        let mut file = fs_err::File::create(self.0.join("filler")).expect("a file");
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        fs_err::remove_file(self.0.join("filler")).expect("a file");
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

fn send_message(address: &str) -> String {
    let message = "m".repeat(4000);
    let body = format!(r#"{{"name": "Ada", "email": "ada@example.com", "message": "{message}"}}"#);
    let request = format!(
        "POST /api/v1/contact HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    ask(address, &request).expect("an answer")
}

fn get(address: &str, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    ask(address, &request).expect("an answer")
}

#[test]
fn a_full_disk_stops_writing_and_nothing_else_until_there_is_room() {
    let directory = directory();
    let Some(disk) = SmallDisk::mount(directory.path()) else {
        return;
    };
    let mut command = backend(directory.path());
    // What cannot be kept must not count either.
    command.env("PORTFOLIO_CONTACT_PER_ADDRESS", "2");
    let mut running = Running::start(&mut command);
    assert!(send_message(&running.address).starts_with("HTTP/1.1 202 "));
    disk.fill();
    for _ in 0..5 {
        let answer = send_message(&running.address);
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains("\"storage_full\""), "{answer}");
        assert!(answer.contains("\r\nretry-after: 60\r\n"), "{answer}");
    }
    let line = running.wait_for_line(
        "the database has no room left: nothing is written until it has, and reading goes on",
    );
    assert_eq!(line["level"], "ERROR");
    for path in ["/readyz", "/api/v1/search?q=tidewater", "/"] {
        assert!(
            get(&running.address, path).starts_with("HTTP/1.1 200 "),
            "{path}"
        );
    }
    disk.make_room();
    assert!(send_message(&running.address).starts_with("HTTP/1.1 202 "));
    assert!(send_message(&running.address).starts_with("HTTP/1.1 429 "));
    drop(running);
}

#[tokio::test]
async fn what_postgresql_says_of_its_disk_its_end_and_its_locks_is_told_apart() {
    if postgres::new_database().is_none() {
        return;
    }
    on_each_database(async |portfolio: Portfolio| {
        if portfolio.database.tamper("SELECT version()").await.is_err() {
            // SQLite has no such function.
            return;
        }
        portfolio
            .database
            .tamper(
                "CREATE TABLE raised (code TEXT);
                 CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 RAISE EXCEPTION USING ERRCODE = (SELECT code FROM raised); END $$;
                 CREATE TRIGGER refuse BEFORE INSERT ON contact_messages
                 FOR EACH ROW EXECUTE FUNCTION refuse();",
            )
            .await
            .expect("a trigger");
        let message = json!({"name": "a", "email": "a@b.example", "message": "m"}).to_string();
        for (raised, status, code) in [
            ("53100", 503, "storage_full"),
            ("55P03", 503, "overloaded"),
            ("57P01", 503, "unavailable"),
            ("22012", 500, "internal"),
        ] {
            let sql = format!("DELETE FROM raised; INSERT INTO raised VALUES ('{raised}')");
            let raised = portfolio.database.tamper(sql.leak()).await;
            raised.expect("a change");
            let problem = portfolio.write(message.clone()).await.problem(status);
            assert_eq!(problem["code"], code);
        }
    })
    .await;
}
