-- Everything that an editor writes is a document; what was there becomes one.

CREATE TABLE documents (
    kind         TEXT    NOT NULL,
    slug         TEXT    NOT NULL,
    -- JSON, as an editor sends it.
    body         TEXT    NOT NULL,
    position     INTEGER NOT NULL,
    -- From when everybody sees it (RFC 3339, UTC, milliseconds); null: a draft.
    visible_from TEXT,
    -- New with every change.
    version      TEXT    NOT NULL,
    updated_at   TEXT    NOT NULL,
    PRIMARY KEY (kind, slug)
) STRICT;
CREATE INDEX documents_in_order ON documents (kind, position, slug);
CREATE INDEX documents_newest_first ON documents (kind, visible_from DESC, slug);

-- The words of what is in `documents`, which the program keeps. It has cut them: the
-- tokenizer `ascii` leaves whole what is not ASCII; `unicode61` cuts at vowel signs.
CREATE VIRTUAL TABLE search USING fts5 (
    kind UNINDEXED, slug UNINDEXED, title, body, tokenize = 'ascii'
);

INSERT INTO documents
SELECT 'profile', 'profile',
    json_object('name', name, 'headline', headline, 'summary', summary, 'location', location,
        'links', (SELECT json_group_array(json_object('label', label, 'url', url)) FROM
            (SELECT label, url FROM profile_links ORDER BY position))),
    0, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), lower(hex(randomblob(16))),
    strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
FROM profile;

INSERT INTO documents
SELECT 'project', slug,
    json_object('title', title, 'summary', summary, 'description', description, 'year', year,
        'source_url', source_url,
        'technologies', (SELECT json_group_array(name) FROM
            (SELECT name FROM project_technologies WHERE project_id = projects.id ORDER BY position)),
        'position', position),
    position, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), lower(hex(randomblob(16))),
    strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
FROM projects;

DROP TABLE project_technologies;
DROP TABLE projects;
DROP TABLE profile_links;
DROP TABLE profile;

ALTER TABLE contact_messages RENAME TO first_contact_messages;
CREATE TABLE contact_messages (
    id          TEXT PRIMARY KEY,
    received_at TEXT NOT NULL,
    name        TEXT NOT NULL,
    email       TEXT NOT NULL,
    message     TEXT NOT NULL
) STRICT;
INSERT INTO contact_messages
SELECT printf('%032x', id), received_at, name, email, message FROM first_contact_messages;
DROP TABLE first_contact_messages;

-- What is still to be delivered.
CREATE TABLE outbox (
    message_id TEXT PRIMARY KEY REFERENCES contact_messages (id) ON DELETE CASCADE,
    attempts   INTEGER NOT NULL,
    due_at     TEXT NOT NULL
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at);

CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    -- SHA-256 of the secret, in hexadecimal.
    hash         TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    expires_at   TEXT,
    last_used_at TEXT,
    revoked_at   TEXT
) STRICT;

-- Every change: who, what, when, and the document before and after.
CREATE TABLE audit (
    id      TEXT PRIMARY KEY,
    at      TEXT NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    before  TEXT,
    after   TEXT
) STRICT;
