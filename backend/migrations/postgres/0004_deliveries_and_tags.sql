-- A message that cannot be delivered is given up, and kept with the reason.

ALTER TABLE outbox ADD COLUMN given_up_at TEXT;
-- What the last attempt was told.
ALTER TABLE outbox ADD COLUMN error TEXT;

-- What documents are about, which the program keeps beside them.
CREATE TABLE tags (
    kind TEXT NOT NULL,
    slug TEXT NOT NULL,
    tag  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, tag, slug),
    FOREIGN KEY (kind, slug) REFERENCES documents (kind, slug) ON DELETE CASCADE
);
CREATE INDEX tags_of_document ON tags (kind, slug);
