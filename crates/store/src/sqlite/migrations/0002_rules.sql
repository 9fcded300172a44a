-- Version 2: rules of operators and packages. Texts rather than numbers: rules are few, and people
-- read them.

-- package is NULL for a user's own rule. body is the rule in TOML.
CREATE TABLE rule (
    name            TEXT PRIMARY KEY,
    kind            TEXT NOT NULL,
    package         TEXT,
    package_version TEXT NOT NULL,
    place           TEXT NOT NULL,
    position        INTEGER NOT NULL,
    active          INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    changed         INTEGER NOT NULL,
    body            TEXT NOT NULL
) WITHOUT ROWID;

-- One row: rises with every change of any rule.
CREATE TABLE rule_set (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL
);
INSERT INTO rule_set VALUES (1, 0);

-- before and after are the whole rule as JSON, or NULL.
CREATE TABLE rule_change (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    set_version INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    by          TEXT NOT NULL,
    name        TEXT NOT NULL,
    what        TEXT NOT NULL,
    before      TEXT,
    after       TEXT
);
CREATE INDEX rule_change_by_name ON rule_change (name);

-- rules are all stored rules as JSON.
CREATE TABLE rule_backup (
    name  TEXT PRIMARY KEY,
    at    INTEGER NOT NULL,
    by    TEXT NOT NULL,
    count INTEGER NOT NULL,
    rules TEXT NOT NULL
);
