-- One portfolio: the person, and what they made.

CREATE TABLE profile (
    -- A portfolio has one profile: the only row is row 1.
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    name     TEXT NOT NULL,
    headline TEXT NOT NULL,
    summary  TEXT NOT NULL,
    location TEXT NOT NULL
) STRICT;

CREATE TABLE profile_links (
    position INTEGER PRIMARY KEY,
    label    TEXT NOT NULL,
    url      TEXT NOT NULL
) STRICT;

CREATE TABLE projects (
    id          INTEGER PRIMARY KEY,
    slug        TEXT    NOT NULL UNIQUE,
    title       TEXT    NOT NULL,
    summary     TEXT    NOT NULL,
    description TEXT    NOT NULL,
    year        INTEGER NOT NULL,
    source_url  TEXT,
    -- The order in which the owner shows them.
    position    INTEGER NOT NULL UNIQUE
) STRICT;

CREATE TABLE project_technologies (
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    PRIMARY KEY (project_id, position)
) STRICT;
