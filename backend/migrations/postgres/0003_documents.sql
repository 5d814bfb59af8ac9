-- PostgreSQL came with the third migration: this is everything up to there.

CREATE TABLE documents (
    kind         TEXT   NOT NULL,
    slug         TEXT   NOT NULL,
    -- JSON, as an editor sends it.
    body         TEXT   NOT NULL,
    position     BIGINT NOT NULL,
    -- From when everybody sees it (RFC 3339, UTC, milliseconds); null: a draft.
    visible_from TEXT COLLATE "C",
    -- New with every change.
    version      TEXT   NOT NULL,
    updated_at   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, slug)
);
CREATE INDEX documents_in_order ON documents (kind, position, slug);
CREATE INDEX documents_newest_first ON documents (kind, visible_from DESC, slug);

-- The words of what is in `documents`, which the program keeps.
CREATE TABLE search (
    kind  TEXT NOT NULL,
    slug  TEXT NOT NULL,
    title TEXT NOT NULL,
    body  TEXT NOT NULL,
    words TSVECTOR GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', title), 'A') || setweight(to_tsvector('simple', body), 'D')
    ) STORED,
    PRIMARY KEY (kind, slug)
);
CREATE INDEX search_words ON search USING GIN (words);

CREATE TABLE contact_messages (
    id          TEXT COLLATE "C" PRIMARY KEY,
    received_at TEXT NOT NULL,
    name        TEXT NOT NULL,
    email       TEXT NOT NULL,
    message     TEXT NOT NULL
);

-- What is still to be delivered.
CREATE TABLE outbox (
    message_id TEXT PRIMARY KEY REFERENCES contact_messages (id) ON DELETE CASCADE,
    attempts   BIGINT NOT NULL,
    due_at     TEXT COLLATE "C" NOT NULL
);
CREATE INDEX outbox_due ON outbox (due_at);

CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    -- SHA-256 of the secret, in hexadecimal.
    hash         TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    expires_at   TEXT COLLATE "C",
    last_used_at TEXT COLLATE "C",
    revoked_at   TEXT
);

-- Every change: who, what, when, and the document before and after.
CREATE TABLE audit (
    id      TEXT COLLATE "C" PRIMARY KEY,
    at      TEXT NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    before  TEXT,
    after   TEXT
);
