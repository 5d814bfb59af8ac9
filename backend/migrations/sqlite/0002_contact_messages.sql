-- What visitors wrote. The database's clock says when: RFC 3339, UTC.

CREATE TABLE contact_messages (
    id          INTEGER PRIMARY KEY,
    received_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    name        TEXT NOT NULL,
    email       TEXT NOT NULL,
    message     TEXT NOT NULL
) STRICT;
