-- What an empty database starts with: a portfolio to look at, not a blank page.

INSERT INTO profile (id, name, headline, summary, location) VALUES (
    1,
    'Ada Marlow',
    'Backend engineer who likes small, dependable systems',
    'I build services that people can leave alone: clear interfaces, few moving parts, and logs that answer the question you actually have. Before software I kept the instruments of a coastal weather station running, and I still prefer a system that tells me what it measured over one that tells me it is fine.',
    'Bergen, Norway'
);

INSERT INTO profile_links (position, label, url) VALUES
    (1, 'Website', 'https://adamarlow.example/'),
    (2, 'Code', 'https://code.adamarlow.example/');

INSERT INTO projects (id, slug, title, summary, description, year, source_url, position) VALUES
    (
        1,
        'tidewater',
        'Tidewater',
        'Tide and wind readings from forty harbours, in one feed.',
        'Harbours publish their readings in a dozen formats and at a dozen paces. Tidewater collects them, marks the readings that cannot be true, and serves one feed that a sailor can read on a bad connection. It has run on one small machine since it was written, and a day of readings costs less than a second of its time.',
        2025,
        'https://code.adamarlow.example/tidewater',
        1
    ),
    (
        2,
        'ledgerline',
        'Ledgerline',
        'Bookkeeping for choirs, clubs and other things without an accountant.',
        'A double-entry ledger behind a page that asks only three questions: who paid, how much, and what for. Every entry can be taken back, none can be erased, and the yearly report is one button. Eleven choirs use it; the treasurers say that they no longer dread January.',
        2024,
        'https://code.adamarlow.example/ledgerline',
        2
    ),
    (
        3,
        'slow-mail',
        'Slow Mail',
        'Letters that arrive when they would have arrived by post.',
        'An experiment in patience: a letter written here is delivered after as many days as the post would need. It taught me more about queues, time zones and what people expect of a progress bar than any faster system I have worked on.',
        2022,
        NULL,
        3
    );

INSERT INTO project_technologies (project_id, position, name) VALUES
    (1, 1, 'Rust'),
    (1, 2, 'SQLite'),
    (1, 3, 'MQTT'),
    (2, 1, 'Rust'),
    (2, 2, 'PostgreSQL'),
    (2, 3, 'HTML'),
    (3, 1, 'Elixir'),
    (3, 2, 'PostgreSQL');
