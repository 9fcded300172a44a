-- Version 1. Times are milliseconds since 1970 (UTC); states, statuses, types, reasons and parties
-- are the numbers that posthaste-core gives them. No foreign keys: what belongs together is deleted
-- together, in slices, by the same code that wrote it.

-- Ids that must never be used twice, whatever is deleted: the next free one.
CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    next INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counter VALUES ('log', 1), ('recipient', 1);

CREATE TABLE list (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    recipients INTEGER NOT NULL DEFAULT 0,
    created    INTEGER NOT NULL
);

-- key is NULL when it equals the address. hash is taken from the key.
CREATE TABLE recipient (
    id         INTEGER PRIMARY KEY,
    list       INTEGER NOT NULL,
    line       INTEGER NOT NULL,
    hash       INTEGER NOT NULL,
    denylisted INTEGER NOT NULL,
    quality    INTEGER,
    address    TEXT NOT NULL,
    key        TEXT,
    attributes TEXT NOT NULL
);
CREATE INDEX recipient_by_list ON recipient (list);
-- Look-up by address, in blocks of 16,384 ids: a slice that is appended touches only the pages of
-- one or two blocks, and a look-up makes one seek per block.
CREATE INDEX recipient_by_hash ON recipient (id >> 14, hash);
CREATE INDEX recipient_denylisted ON recipient (coalesce(key, address)) WHERE denylisted = 1;

CREATE TABLE denylisted_profile (
    key     TEXT NOT NULL,
    channel INTEGER NOT NULL,
    PRIMARY KEY (key, channel)
) WITHOUT ROWID;

-- first_log and last_log enclose the delivery's rows of the log: they are scanned by id, without
-- an index. purged holds the numbers of a delivery whose rows are gone (JSON).
CREATE TABLE delivery (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    label        TEXT NOT NULL,
    channel      INTEGER NOT NULL,
    list         INTEGER NOT NULL,
    state        INTEGER NOT NULL,
    spec         TEXT NOT NULL,
    priority     INTEGER NOT NULL,
    contact_date INTEGER,
    valid_until  INTEGER,
    proof        INTEGER NOT NULL,
    target       INTEGER NOT NULL DEFAULT 0,
    to_send      INTEGER NOT NULL DEFAULT 0,
    created      INTEGER NOT NULL,
    changed      INTEGER NOT NULL,
    started      INTEGER,
    ended        INTEGER,
    holder       TEXT,
    held_until   INTEGER,
    first_log    INTEGER,
    last_log     INTEGER,
    exclusions   INTEGER NOT NULL DEFAULT 0,
    purged       TEXT
);
CREATE INDEX delivery_by_state ON delivery (state);

CREATE TABLE journal (
    id       INTEGER PRIMARY KEY,
    delivery INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    level    INTEGER NOT NULL,
    text     TEXT NOT NULL
);
CREATE INDEX journal_by_delivery ON journal (delivery);

CREATE TABLE exclusion (
    delivery  INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    recipient INTEGER NOT NULL,
    line      INTEGER NOT NULL,
    reason    INTEGER NOT NULL,
    address   TEXT NOT NULL,
    detail    TEXT NOT NULL,
    PRIMARY KEY (delivery, number)
) WITHOUT ROWID;

CREATE TABLE domain (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- number: as the preparer counts; NULL for parts gathered from recipients that were due.
-- domain is NULL for a mixed part. recipients is how many were put into it.
CREATE TABLE part (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    delivery    INTEGER NOT NULL,
    number      INTEGER,
    domain      INTEGER,
    state       INTEGER NOT NULL,
    recipients  INTEGER NOT NULL,
    owner       TEXT,
    lease_until INTEGER
);
CREATE UNIQUE INDEX part_by_number ON part (delivery, number);
CREATE INDEX part_open ON part (state, delivery) WHERE state <> 3;

-- What changes with each outcome, and no more: narrow, so that a group of outcomes touches few
-- pages. What preparation froze is in the table below, under the same id.
-- flags: 1 possibly a duplicate, 2 complaint, 4 put its address into quarantine.
CREATE TABLE log (
    id            INTEGER PRIMARY KEY,
    delivery      INTEGER NOT NULL,
    status        INTEGER NOT NULL,
    reason        INTEGER NOT NULL,
    kind          INTEGER NOT NULL,
    domain        INTEGER NOT NULL,
    part          INTEGER NOT NULL,
    recipient     INTEGER NOT NULL,
    attempts      INTEGER NOT NULL,
    doubtful      INTEGER NOT NULL,
    flags         INTEGER NOT NULL,
    party         INTEGER,
    due           INTEGER,
    changed       INTEGER NOT NULL,
    qualification INTEGER
);
CREATE INDEX log_by_part ON log (part);
CREATE INDEX log_due ON log (delivery, due) WHERE due IS NOT NULL;

-- key is NULL when it equals the address. hash is taken from the key.
CREATE TABLE frozen (
    log        INTEGER PRIMARY KEY,
    hash       INTEGER NOT NULL,
    address    TEXT NOT NULL,
    key        TEXT,
    attributes TEXT NOT NULL
);
-- Look-up by address, in blocks as for recipient.
CREATE INDEX frozen_by_hash ON frozen (log >> 14, hash);

-- said_by is NULL when we said it ourselves. rule and what follows are NULL for a success.
CREATE TABLE attempt (
    log           INTEGER NOT NULL,
    number        INTEGER NOT NULL,
    outcome       INTEGER NOT NULL,
    said_by       TEXT,
    stage         INTEGER NOT NULL,
    code          INTEGER,
    enhanced      TEXT,
    text          TEXT NOT NULL,
    at            INTEGER NOT NULL,
    tls           TEXT NOT NULL,
    took_ms       INTEGER NOT NULL,
    qualification INTEGER,
    rule          TEXT,
    rule_version  INTEGER,
    kind          INTEGER,
    reason        INTEGER,
    party         INTEGER,
    retry         INTEGER,
    confidence    INTEGER,
    PRIMARY KEY (log, number)
) WITHOUT ROWID;

-- The quarantine list.
CREATE TABLE address (
    key          TEXT NOT NULL,
    channel      INTEGER NOT NULL,
    status       INTEGER NOT NULL,
    reason       INTEGER NOT NULL,
    errors       INTEGER NOT NULL,
    last_counted INTEGER,
    since        INTEGER NOT NULL,
    error_text   TEXT NOT NULL,
    log          INTEGER,
    changed      INTEGER NOT NULL,
    PRIMARY KEY (key, channel)
) WITHOUT ROWID;
CREATE INDEX address_valid ON address (changed) WHERE status = 2;

-- The address ledger: added to, folded past retention. payload is the event as JSON.
CREATE TABLE event (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    channel  INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    key      TEXT NOT NULL,
    payload  TEXT NOT NULL
);
CREATE INDEX event_by_key ON event (key, channel);
CREATE INDEX event_by_time ON event (at) WHERE snapshot = 0;

-- The delivery log qualification.
CREATE TABLE qualification (
    id          INTEGER PRIMARY KEY,
    channel     INTEGER NOT NULL,
    first_text  TEXT NOT NULL,
    text        TEXT NOT NULL,
    occurrences INTEGER NOT NULL,
    kind        INTEGER NOT NULL,
    reason      INTEGER NOT NULL,
    party       INTEGER NOT NULL,
    status      INTEGER NOT NULL,
    by_person   INTEGER NOT NULL,
    rule        TEXT NOT NULL,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL
);
CREATE UNIQUE INDEX qualification_by_text ON qualification (text, channel);

CREATE TABLE blob (
    sha256 BLOB PRIMARY KEY,
    bytes  BLOB NOT NULL
);

CREATE TABLE workflow_run (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    name   TEXT NOT NULL,
    began  INTEGER NOT NULL,
    ended  INTEGER,
    report TEXT,
    error  TEXT
);
CREATE INDEX workflow_run_by_name ON workflow_run (name);
